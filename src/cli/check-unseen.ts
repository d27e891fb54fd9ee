import type { CheckWish } from '../analyze/check/measure.js';
import { subjectIn } from '../analyze/check/namespaces.js';
import { counted } from '../analyze/words.js';
import type { Measure } from '../model/check.js';
import type { GapObservation, NamespacesObservation } from '../model/observation.js';
import type { CheckOptions } from './check-options.js';

/** Subject of what is said of namespaces that were not measured: the texts name it. */
const NAMESPACE = 'namespace';
const NOBODY = { id: '' };

/** A namespace that was found and entered, but not read, is no namespace that is well; nor is one that was asked for and is not there. */
export function unread(
  { looks, missing = [] }: NamespacesObservation,
  { metrics: [metric] }: CheckWish,
): Measure[] {
  if (metric === undefined) return [];
  const unknown = (subject: string, why: string): Measure => ({
    metric,
    subject,
    unknown: why,
    text: `sockets of ${subject} cannot be read: ${why}`,
  });
  return [
    ...looks.flatMap((look) =>
      look.kind === 'gap' ? [unknown(subjectOf(look), look.gaps[0]?.why ?? 'not known why')] : [],
    ),
    // In quotation marks --redact hides it.
    ...missing.map(({ asked, why }) => unknown(`netns ${JSON.stringify(asked)}`, why)),
  ];
}

const subjectOf = ({ namespace, origin }: GapObservation): string =>
  subjectIn(namespace ?? { id: origin.netns ?? '' }, '');

/** Of those that were found and not entered, and those that were not even found, nothing is known: that is no OK. */
export function unseen(
  { closed = [], hiddenProcesses = 0 }: NamespacesObservation,
  { metrics: [metric = 'listener'] }: CheckWish,
  filter: CheckOptions['filter'],
): Measure[] {
  const asked = closed.filter((one) => filter?.meansNamespace(one) !== false);
  // Where names were asked for, one that is not found is told by itself.
  const hidden = filter?.meansNamespace(NOBODY) === undefined ? hiddenProcesses : 0;
  if (asked.length === 0 && hidden === 0) return [];
  const processes = hidden === 1 ? '1 process' : `${hidden} processes`;
  const what =
    asked.length === 0
      ? `namespaces of ${processes}`
      : `${counted(asked.length, 'namespace')}${hidden === 0 ? '' : ` and those of ${processes}`}`;
  const text = `${what} could not be looked into: what follows is of the others`;
  const advice =
    'run it as root, or with CAP_SYS_ADMIN and CAP_SYS_PTRACE; or ask for namespaces that it may read: --filter netns:NAME';
  return [{ metric, subject: NAMESPACE, unknown: 'may not be looked into', text, advice }];
}

/** What went away between the looks is no namespace that is well: what was seen of it until then is judged all the same. */
export function endedEarly(
  why: string,
  looks: number,
  { metrics: [metric = 'listener'] }: CheckWish,
): Measure {
  const seen = looks === 1 ? '1 look' : `${looks} looks`;
  return { metric, subject: NAMESPACE, unknown: why, text: `${why}, after ${seen}` };
}
