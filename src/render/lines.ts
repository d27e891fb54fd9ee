import type { Change } from '../model/changes.js';
import type { Listener, ListenerReport } from '../model/listener.js';
import type { Report } from '../model/report.js';
import { alertLine } from './alert.js';
import { isoTime } from './json-parts.js';
import { namespaceText } from './labels.js';
import { type Names, PLAIN_NAMES } from './names.js';
import { markOf, paint, roleOf, worstSeverity } from './style.js';
import { cleanText, formatCount, formatDuration, formatOwners, formatPercent } from './text.js';

export interface LineOptions {
  readonly color: boolean;
  readonly names?: Names;
}

/**
 * What `live` says of one refresh where there is no screen: the events of alerts, then a line for every listener that
 * is not ok. Nothing when all is well.
 */
export function* reportLines(report: Report, options: LineOptions): Generator<string> {
  for (const event of report.events) yield alertLine(event, options.color, options.names);
  for (const change of report.changes ?? []) yield changeLine(change, options);
  for (const listener of report.listeners) {
    if (isTroubled(listener)) yield listenerLine(listener, report.origin.time, options);
  }
}

/** An unknown limit is said once, as a gap: every refresh it is worth a line only where connections wait. */
const isTroubled = ({ verdict, listener }: ListenerReport) =>
  verdict !== 'ok' && (verdict !== 'unknown_limit' || listener.acceptQueue.length > 0);

/**
 * `2026-11-20T19:15:06.215Z !! overflowing 0.0.0.0:443 nginx/812 129/128 100% oldest 4.1 s dropped +37: accept queue ...`:
 * time, mark, verdict, address, owner, length/backlog and fill, then what else is known.
 */
function listenerLine(
  report: ListenerReport,
  time: number,
  { color, names = PLAIN_NAMES }: LineOptions,
): string {
  const { listener, verdict, findings } = report;
  const severity = worstSeverity(report);
  const words = [
    isoTime(time),
    paint(roleOf(severity), `${markOf(severity)} ${verdict}`, color),
    cleanText(names.endpoint(listener.local)) + whereText(listener, names),
    formatOwners(listener.owners?.map((owner) => names.owner(owner))),
    ...queueWords(report),
    ...windowWords(report),
  ];
  const [worst] = findings;
  const why = worst === undefined ? '' : `: ${cleanText(names.sentence(worst.message))}`;
  return words.join(' ') + why;
}

/** ` (netns web)`, where it was asked for. */
const whereText = ({ namespace }: Listener, names: Names) =>
  namespace === undefined ? '' : ` (netns ${namespaceText(namespace, names)})`;

/** `2026-11-20T19:15:06.215Z EVENT takeover 10.0.0.5:8080 taken over by nginx/812, was nginx/640`. */
function changeLine(
  { kind, time, subjectText, message }: Change,
  { names = PLAIN_NAMES }: LineOptions,
): string {
  const said = cleanText(`${names.sentence(subjectText)} ${names.sentence(message)}`);
  return `${isoTime(time)} EVENT ${kind} ${said}`;
}

function queueWords({ listener }: ListenerReport): string[] {
  const { length, backlog, fill } = listener.acceptQueue;
  const queue = `${formatCount(length)}/${backlog === undefined ? '?' : formatCount(backlog)}`;
  return fill === undefined ? [queue] : [queue, formatPercent(fill)];
}

function windowWords({ listener, window }: ListenerReport): string[] {
  const oldest = (listener.waiting ?? listener.group?.waiting)?.oldestMs;
  const syn = listener.synQueue ?? listener.group?.synQueue;
  const dropped = window?.droppedDelta ?? 0;
  return [
    ...(oldest === undefined ? [] : [`oldest ${formatDuration(oldest)}`]),
    ...(syn === undefined || syn.length === 0 ? [] : [`syn-recv ${formatCount(syn.length)}`]),
    ...(dropped === 0 ? [] : [`dropped +${formatCount(dropped)}`]),
  ];
}
