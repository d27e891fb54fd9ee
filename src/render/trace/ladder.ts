import { formatEndpoint } from '../../model/endpoint.js';
import type { TraceConnection, TraceEvent } from '../../model/trace.js';
import type { PhaseName } from '../../model/trace-summary.js';
import { type TableStyle, wrapWords } from '../columns.js';
import { type Names, PLAIN_NAMES } from '../names.js';
import { markOf, paint, roleOf } from '../style.js';
import { cleanText, displayWidth, formatCount, padEnd, padStart, truncate } from '../text.js';
import { displayFilter } from './finding-json.js';
import { EVENT_LABELS, OUTCOME_LABELS, phaseLabels, SHAPE_LABELS } from './labels.js';
import { durationOf } from './numbers.js';
import { isoNanos } from './time.js';

export interface LadderOptions extends TableStyle {
  readonly epochSeconds: number;
  readonly names?: Names;
}

/** One connection told: who, what came of it, its packets between two poles, its phases, what was found. Lines with their ends. */
export function* ladder(connection: TraceConnection, options: LadderOptions): Generator<string> {
  const names = options.names ?? PLAIN_NAMES;
  for (const line of headLines(connection, names, options)) yield `${line}\n`;
  yield '\n';
  for (const line of rungs(connection, options)) yield `${line}\n`;
  yield '\n';
  for (const line of phaseLines(connection)) yield `${line}\n`;
  for (const line of scheduleLines(connection, options)) yield `${line}\n`;
  for (const line of findingLines(connection, names, options)) yield `${line}\n`;
}

function headLines(connection: TraceConnection, names: Names, options: LadderOptions): string[] {
  const { id, client, server, protocol, path, outcome, tls, quic, http, dns, first } = connection;
  const facts = [
    path.length > 0 ? `through ${path.join(', ')}` : undefined,
    dns && `name ${cleanText(names.machine(dns.name))} (DNS answer in frame ${dns.answer.frame})`,
    tls &&
      `TLS ${[tls.version, tls.sni && cleanText(names.machine(tls.sni)), tls.alpn && cleanText(tls.alpn)].filter(Boolean).join(', ')}`,
    quic &&
      `QUIC ${[quic.version, quic.sni && cleanText(names.machine(quic.sni))].filter(Boolean).join(', ')}`,
    http && `HTTP/${http.version}: ${http.requests} requests, ${http.responses} responses`,
    connection.role === 'guessed' ? GUESSES[protocol] : undefined,
  ].filter((fact): fact is string => typeof fact === 'string');
  const title = `connection ${id}: ${names.endpoint(client)} -> ${names.endpoint(server)} (${protocol}), ${OUTCOME_LABELS[outcome]}`;
  return [
    paint('title', title, options.color),
    `begins ${isoNanos(options.epochSeconds, first.time)}, frame ${first.frame}`,
    ...facts,
  ];
}

const GUESSES: Readonly<Record<TraceConnection['protocol'], string>> = {
  tcp: 'who is the client is a guess: no SYN in the capture',
  quic: 'who is the client is a guess, from ports and order: no Initial of a client could be read',
  udp: 'who is the client is a guess, from ports and order: UDP does not say',
};

const NARROWEST = 34;
const WIDEST = 70;
/** Columns of a rung beside what stands between its poles. */
const BESIDE = 26;

/** Columns between the poles: more where the terminal has them, for paths are long. */
const laneOf = ({ width = 0 }: TableStyle) => Math.max(NARROWEST, Math.min(WIDEST, width - BESIDE));

function* rungs(
  { events, first, client, server, eventsCut }: TraceConnection,
  options: LadderOptions,
): Generator<string> {
  const arrow = options.ascii
    ? { line: '-', right: '>', left: '<', pole: '|' }
    : { line: '─', right: '▶', left: '◀', pole: '│' };
  const poles = options.names?.redacted
    ? ['client', 'server']
    : [formatEndpoint(client), formatEndpoint(server)];
  const lane = laneOf(options);
  yield `${padStart('frame', 9)}  ${padStart('time', 11)}  ${padEnd(poles[0] ?? '', lane)}   ${poles[1]}`;
  for (const [index, event] of events.entries()) {
    if (isSame(event, events[index - 1])) continue;
    const label = truncate(
      labelOf(event, options.names ?? PLAIN_NAMES),
      lane - 4,
      options.ascii ? '~' : undefined,
    );
    const room = Math.max(1, lane - displayWidth(label) - 3);
    const dashes = arrow.line.repeat(room);
    const shaft =
      event.from === 'client' ? ` ${label} ${dashes}${arrow.right}` : `${arrow.left}${dashes} ${label} `;
    yield `${padStart(formatCount(event.frame), 9)}  ${padStart(seconds(event.time - first.time), 11)}  ${arrow.pole}${shaft}${arrow.pole}`;
  }
  if (events.length === 0) yield '    no packets kept';
  if (eventsCut) yield '    ... more packets than are kept: read this connection alone with --connection';
}

/** A packet that is both told as one and a turning point. */
const isSame = (one: TraceEvent, before: TraceEvent | undefined) =>
  before !== undefined && one.frame === before.frame && one.kind === before.kind && one.from === before.from;

const seconds = (nanos: number) => `${(nanos / 1e9).toFixed(6)} s`;

const MOST_TEXT = 60;

function labelOf({ kind, length, text, detail, window }: TraceEvent, { redacted }: Names): string {
  const parts = [EVENT_LABELS[kind]];
  if (text !== undefined)
    parts.push(cleanText(redacted && kind === 'request' ? withoutPath(text) : text).slice(0, MOST_TEXT));
  else if (kind === 'icmp_unreachable' && detail !== undefined)
    parts.push(`type ${detail >> 8} code ${detail & 255}`);
  else if (kind === 'stall' && detail !== undefined) parts.push(durationOf(detail));
  else if (kind === 'gap' && detail !== undefined) parts.push(`${formatCount(detail)} B`);
  if (length > 0) parts.push(`${formatCount(length)} B`);
  if (kind === 'window_update' && window !== undefined) parts.push(`${formatCount(window)} B`);
  return parts.join(' ');
}

/** Of a request its method, of HTTP/2 the number of the stream: paths hold names (JSON leaves them out, too). */
const withoutPath = (text: string): string => (/^stream \d+$/.test(text) ? text : (text.split(' ')[0] ?? ''));

function phaseLines({ phases, protocol }: TraceConnection): string[] {
  const entries = Object.entries(phaseLabels(protocol)) as [PhaseName, string][];
  return entries.flatMap(([name, label]) => {
    const value = phases[name];
    if (value === undefined) return [];
    const doubt = doubtOf(name, phases);
    return [`${padEnd(label, 32)}${padStart(durationOf(value), 10)}${doubt}`];
  });
}

/** When the SYN was sent again, and which systems do it so. */
function scheduleLines({ synSchedule }: TraceConnection, style: TableStyle): string[] {
  if (synSchedule === undefined) return [];
  const { stepsMs, shape, fits } = synSchedule;
  const steps = stepsMs.map((ms) => durationOf(ms * 1e6)).join(', ');
  const systems = fits.length > 0 ? `, as of ${fits.join(', ')}` : ', known of no system';
  return wrapWords(`SYN sent again after ${steps}: ${SHAPE_LABELS[shape]}${systems}`, '', style.width);
}

function doubtOf(name: string, phases: TraceConnection['phases']): string {
  if (name === 'synToSynAck' && phases.synToSynAckAmbiguous)
    return ' (which SYN was answered is not certain)';
  return name === 'synAckToAck' && phases.synAckToAckAmbiguous
    ? ' (from the last: which SYN-ACK was acknowledged is not certain)'
    : '';
}

function findingLines({ findings }: TraceConnection, names: Names, style: TableStyle): string[] {
  const line = (text: string) => wrapWords(cleanText(names.sentence(text)), '   ', style.width);
  return findings.flatMap((finding) => {
    const mark = markOf(finding.severity);
    const sure = finding.sure === 'certain' ? '' : `${finding.sure}: `;
    const [first = '', ...rest] = line(`${sure}${finding.message}`);
    return [
      paint(roleOf(finding.severity), mark, style.color) + first.slice(mark.length),
      ...rest,
      ...finding.evidence.flatMap((text) => line(`- ${text}`)),
      ...(finding.alternatives ?? []).flatMap((text) => line(`- or: ${text}`)),
      ...(finding.advice === undefined ? [] : line(`-> ${finding.advice}`)),
      `   Wireshark: ${displayFilter(finding.frames)}`,
    ];
  });
}
