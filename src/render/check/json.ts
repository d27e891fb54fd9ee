import { type CheckItem, type CheckResult, exitCodeOf } from '../../model/check.js';
import type { CheckItemJson, CheckJson, CheckNamespaceJson } from '../../model/check-json.js';
import type { Namespace } from '../../model/namespace.js';
import { formatRange } from '../../model/ranges.js';
import { homeJson, isoTime, known, round, roundKnown } from '../json-parts.js';
import { jsonText } from '../json-text.js';
import { redactNamespace } from '../labels.js';
import { type Names, PLAIN_NAMES } from '../names.js';
import { headline } from './headline.js';

/** A host can have any number of remotes: the worst are listed. */
const MOST_ITEMS = 1000;

/** `sockwatch.check/1`, one line. */
export const checkJsonText = (result: CheckResult, unitOf: UnitOf, names: Names = PLAIN_NAMES): string =>
  `${jsonText(checkJson(result, unitOf, names))}\n`;

type UnitOf = (metric: CheckItem['metric']) => { readonly unit: string; readonly isPercent: boolean };

export const checkJson = (result: CheckResult, unitOf: UnitOf, names: Names): CheckJson =>
  known({
    schema: 'sockwatch.check/1' as const,
    time: isoTime(result.time),
    host: names.machine(result.host),
    netns: result.netns,
    boot_id: names.redacted ? undefined : result.bootId,
    source: result.source,
    status: result.status,
    exit_code: exitCodeOf(result.status),
    summary: headline(result, names),
    samples: result.samples,
    window_ms: roundKnown(result.windowMs),
    news: result.news,
    items: result.items.slice(0, MOST_ITEMS).map((item) => itemJson(item, unitOf, names)),
    namespaces: result.namespaces && {
      new: result.namespaces.came.map((one) => nameJson(one, names)),
      gone: result.namespaces.went.map((one) => nameJson(one, names)),
    },
    notes: result.notes.map((note) => names.sentence(note)),
  });

function nameJson(namespace: Namespace, names: Names): CheckNamespaceJson {
  const { id, name, ...home } = redactNamespace(namespace, names);
  return known({ id, name, ...homeJson(home) });
}

function itemJson(item: CheckItem, unitOf: UnitOf, names: Names): CheckItemJson {
  const { metric, value, capacity, limits, advice, owner } = item;
  const { unit, isPercent } = unitOf(metric);
  const percent =
    isPercent && value !== undefined && capacity !== undefined && capacity > 0
      ? (100 * value) / capacity
      : undefined;
  return known({
    metric,
    subject: names.sentence(item.subject),
    owner: owner === undefined ? undefined : names.sentence(owner),
    value: value === undefined ? undefined : round(value),
    unit,
    capacity,
    percent: roundKnown(percent),
    warning: limits.warning && formatRange(limits.warning),
    critical: limits.critical && formatRange(limits.critical),
    status: item.status,
    raw_status: item.raw,
    text: names.sentence(item.text),
    advice: advice === undefined ? undefined : names.sentence(advice),
  });
}
