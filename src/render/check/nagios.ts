import type { CheckItem, CheckResult } from '../../model/check.js';
import type { Namespace } from '../../model/namespace.js';
import { formatNumber, formatRange, type Range } from '../../model/ranges.js';
import { namespaceText } from '../labels.js';
import { type Names, PLAIN_NAMES } from '../names.js';
import { headline, itemText, oneLine } from './headline.js';

export interface NagiosOptions {
  readonly names?: Names;
  /** Every measure in the text, not only the problems. */
  readonly verbose?: boolean;
}

/** So many measures with the first line; the others follow after the long text. */
const FIRST_PERFDATA = 2;
/** A host with a thousand listeners still makes an output that NRPE carries. */
const MOST_PERFDATA = 300;
const MOST_LINES = 20;

/**
 * Output of a monitoring plugin (OPS.md 1): `SOCKWATCH CRITICAL - text | perfdata`, then the other problems with what to do, then
 * the rest of the perfdata behind a second `|`.
 */
export function nagiosText(
  result: CheckResult,
  { names = PLAIN_NAMES, verbose = false }: NagiosOptions = {},
): string {
  const labels = new Labels(names);
  const perfdata = result.items
    .filter((item) => item.value !== undefined)
    .slice(0, MOST_PERFDATA)
    .map((item) => perfdatum(item, labels.of(item)));
  const first = perfdata.slice(0, FIRST_PERFDATA).join(' ');
  const rest = perfdata.slice(FIRST_PERFDATA);
  const lines = longText(result, names, verbose);
  const status = result.status.toUpperCase();
  const head = `SOCKWATCH ${status} - ${headline(result, names)}${first === '' ? '' : ` | ${first}`}`;
  if (rest.length === 0) return `${[head, ...lines].join('\n')}\n`;
  const last = lines.pop() ?? 'further values';
  return `${[head, ...lines, `${last} | ${rest[0]}`, ...rest.slice(1)].join('\n')}\n`;
}

/** An UNKNOWN without a measurement: wrong usage, a fault, a time-out. */
export const nagiosUnknown = (why: string): string => `SOCKWATCH UNKNOWN - ${oneLine(why)}\n`;

/** Problems with what to do, then what limits the judgement. */
export function longText(result: CheckResult, names: Names, verbose: boolean): string[] {
  const problems = result.items.filter(({ status, raw }) => verbose || status !== 'ok' || raw !== 'ok');
  const lines = problems.slice(0, MOST_LINES).map((item) => `${statusWord(item)}: ${itemText(item, names)}`);
  if (problems.length > MOST_LINES) lines.push(`and ${problems.length - MOST_LINES} more`);
  const advice = new Set(
    problems.flatMap(({ advice: text, status }) =>
      text === undefined || status === 'ok' ? [] : [oneLine(names.sentence(text))],
    ),
  );
  return [
    ...lines,
    ...[...advice].slice(0, MOST_LINES).map((text) => `to do: ${text}`),
    ...namespaceLines(result, names),
    ...result.notes.map((note) => `note: ${oneLine(names.sentence(note))}`),
  ];
}

const MOST_NAMES = 5;

function namespaceLines({ namespaces }: CheckResult, names: Names): string[] {
  const { came = [], went = [] } = namespaces ?? {};
  const line = (what: string, list: readonly Namespace[]) => {
    const shown = list.slice(0, MOST_NAMES).map((one) => `netns ${namespaceText(one, names)}`);
    const more = list.length > MOST_NAMES ? `, and ${list.length - MOST_NAMES} more` : '';
    return list.length === 0 ? [] : [`note: ${what}: ${oneLine(shown.join(', '))}${more}`];
  };
  return [
    ...line('new since the last run, and compared with zero', came),
    ...line('gone since the last run, with what they counted after it', went),
  ];
}

/** `OK (WARNING in this run)`: what `--for` still waits for. */
const statusWord = ({ status, raw }: CheckItem) =>
  status === raw ? status.toUpperCase() : `${status.toUpperCase()} (${raw.toUpperCase()} in this run)`;

const SHORT_NAMES: Readonly<Record<CheckItem['metric'], string>> = {
  'accept-queue': 'acceptq',
  'oldest-wait': 'wait',
  overflows: 'overflows',
  'dropped-segments': 'drops',
  'syn-queue': 'synq',
  listener: 'listening',
  'close-wait': 'close_wait',
  'close-wait-age': 'close_wait_age',
  'time-wait': 'time_wait',
  'ephemeral-ports': 'ports',
  connections: 'connections',
  pool: 'pool',
  orphans: 'orphans',
  'tcp-memory': 'tcp_memory',
  'syn-retries': 'syn_retries',
  diagnosis: 'diagnosis',
};

const SECONDS = new Set<CheckItem['metric']>(['oldest-wait', 'close-wait-age']);
/** Those whose limits are percentages; perfdata gives them in the unit of the value. */
const PERCENT = new Set<CheckItem['metric']>(['accept-queue', 'syn-queue', 'ephemeral-ports', 'tcp-memory']);

/** `0.0.0.0:443_acceptq=129;@90.3:;@116.1:;0;129`. */
function perfdatum({ metric, value = 0, capacity, limits }: CheckItem, label: string): string {
  const factor = PERCENT.has(metric) && capacity !== undefined ? capacity / 100 : 1;
  const range = (limit: Range | undefined) => (limit === undefined ? '' : formatRange(limit, factor));
  const unit = SECONDS.has(metric) ? 's' : '';
  const most = capacity === undefined ? '' : formatNumber(capacity);
  return `${label}=${formatNumber(value)}${unit};${range(limits.warning)};${range(limits.critical)};0;${most}`;
}

const SUBJECT_LENGTH = 100;

/** Labels that need no quotes and do not repeat: nothing of a hostile process name or path is left that could end one. */
class Labels {
  private readonly taken = new Set<string>();
  /** What to number the next subject of the same text with: a group may have many members. */
  private readonly next = new Map<string, number>();

  constructor(private readonly names: Names) {}

  of({ metric, subject }: Pick<CheckItem, 'metric' | 'subject'>): string {
    const plain = this.names.sentence(subject).replace(/[^\w.:[\]@/>*-]/g, '_');
    const whole = labelOf(plain, '', metric);
    for (let number = this.next.get(whole) ?? 1; ; number++) {
      const label = labelOf(plain, number === 1 ? '' : `_${number}`, metric);
      if (this.taken.has(label)) continue;
      this.taken.add(label);
      this.next.set(whole, number + 1);
      return label;
    }
  }
}

/** The number is never cut off. */
function labelOf(plain: string, number: string, metric: CheckItem['metric']): string {
  const subject = plain.slice(0, SUBJECT_LENGTH - number.length) + number;
  return subject === '' ? SHORT_NAMES[metric] : `${subject}_${SHORT_NAMES[metric]}`;
}
