import type { CheckItem, CheckResult } from '../../model/check.js';
import type { Names } from '../names.js';
import { cleanText, formatDuration, truncate } from '../text.js';

/** Monitoring shows about 80 characters of the first line. */
const HEADLINE_LENGTH = 100;
const SUBJECT_LENGTH = 60;

/** One measure as a phrase: `0.0.0.0:443 (nginx/812) accept queue 129/129 (100%)`. Safe for a terminal, a mail and a log. */
export function itemText(item: CheckItem, names: Names): string {
  const subject = isNamedInText(item)
    ? ''
    : `${names.sentence(item.subject)}${isOfNamespace(item) ? ':' : ''} `;
  const owner = item.owner === undefined ? '' : `(${names.sentence(item.owner)}) `;
  return oneLine(`${subject}${owner}${names.sentence(item.text)}`);
}

const isNamedInText = (item: CheckItem) =>
  item.subject === '' ||
  item.text.includes(item.subject) ||
  !(LISTENER_METRICS.has(item.metric) || isOfNamespace(item));

/** Whose text may name a process or a remote, but not in which namespace. */
const isOfNamespace = ({ subject, metric }: CheckItem) =>
  !LISTENER_METRICS.has(metric) && /(?:^| \()netns /.test(subject);

/** Those whose text does not say whose it is. */
const LISTENER_METRICS: ReadonlySet<string> = new Set([
  'accept-queue',
  'oldest-wait',
  'syn-queue',
  'dropped-segments',
]);

/** The worst item, and how many more there are; of a check where all is well, what it has looked at. */
export function headline(result: CheckResult, names: Names): string {
  const problems = result.items.filter(({ status }) => status !== 'ok');
  const [worst] = problems;
  if (worst === undefined)
    return `${recovered(result)}${waitingText(result, names) ?? wellText(result, names)}`;
  const more = problems.length > 1 ? `, and ${problems.length - 1} more` : '';
  return truncate(itemText(worst, names), HEADLINE_LENGTH - more.length, '...') + more;
}

const recovered = ({ news }: CheckResult) => (news === 'recovered' ? 'recovered: ' : '');

/** What `--for` waits for: this run has seen trouble that does not count yet. */
function waitingText({ items }: CheckResult, names: Names): string | undefined {
  const waits = items.find(({ raw }) => raw === 'warning' || raw === 'critical');
  if (waits === undefined) return undefined;
  return truncate(
    `${waits.raw} in this run, not yet for long: ${itemText(waits, names)}`,
    HEADLINE_LENGTH,
    '...',
  );
}

function wellText({ items, windowMs, whileLooking, source }: CheckResult, names: Names): string {
  const queues = items.filter(({ metric, value }) => metric === 'accept-queue' && value !== undefined);
  const [only] = items;
  if (items.length === 1 && only !== undefined)
    return truncate(itemText(only, names), HEADLINE_LENGTH, '...');
  const checked = `${items.length} ${items.length === 1 ? 'value' : 'values'} within limits`;
  const fullest = [...queues].sort((a, b) => share(b) - share(a))[0];
  const queueText =
    fullest === undefined || (fullest.value ?? 0) === 0
      ? ''
      : `, fullest queue ${truncate(itemText(fullest, names), SUBJECT_LENGTH, '...')}`;
  const watched = whileLooking ? 'while it looked' : 'since the last run';
  const span = source === 'recording' ? 'recorded' : watched;
  const since = windowMs === undefined ? '' : `, ${formatDuration(windowMs)} ${span}`;
  return `${checked}${queueText}${since}`;
}

const share = ({ value = 0, capacity = 1 }: CheckItem) => value / capacity;

/** No line break, no `|`, which ends the text of a plugin; everything else is cleaned as for a terminal. */
export const oneLine = (text: string): string =>
  cleanText(text.replace(/\s+/g, ' ')).replaceAll('|', '/').trim();
