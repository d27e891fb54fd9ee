import type { Measure } from '../../model/check.js';
import type { CheckLook } from '../../model/check-look.js';
import { type Namespace, namespaceLabel } from '../../model/namespace.js';
import { NO_LISTENER } from './listeners.js';
import { type CheckWish, measure } from './measure.js';

/** The look into one network namespace. */
export interface CheckPart {
  readonly namespace: Namespace;
  /** That of sockwatch: its subjects need no name. */
  readonly isOwn: boolean;
  /** Where its rows start in the table of all. */
  readonly from: number;
  readonly look: CheckLook;
}

/** Subject of a measure of one namespace: the same address may be a listener in each. Raw. */
export function subjectIn(namespace: Namespace, subject: string): string {
  const name = `netns ${namespaceLabel(namespace)}`;
  return subject === '' ? name : `${subject} (${name})`;
}

/**
 * Measures each namespace by itself. Listeners that must be there (`--expect`, `--port`) may be in any of them: what no namespace has is said
 * once. Pure.
 */
export function measureAll(parts: readonly CheckPart[], whole: CheckLook, wish: CheckWish): Measure[] {
  const each = { ...wish, metrics: wish.metrics.filter((metric) => metric !== 'listener') };
  const measured = parts.flatMap(({ look, ...part }) => measure(look, each).map((one) => ({ one, part })));
  const here = measured.filter(({ one }) => one.unknown !== NO_LISTENER);
  const metrics = new Set(here.map(({ one }) => one.metric));
  const missing = measured.filter(({ one }) => one.unknown === NO_LISTENER && !metrics.has(one.metric));
  const expected = measure(whole, {
    ...wish,
    metrics: wish.metrics.filter((metric) => metric === 'listener'),
  });
  const once = new Map(missing.map(({ one }) => [`${one.metric} ${one.subject}`, one]));
  return [
    ...here.map(({ one, part }) => ({
      ...one,
      ...(!part.isOwn && { subject: subjectIn(part.namespace, one.subject) }),
      ...(one.row !== undefined && { row: one.row + part.from }),
    })),
    ...once.values(),
    ...expected,
  ];
}
