import type { CaptureInfo } from '../../model/packets.js';
import type { TraceConnection } from '../../model/trace.js';
import type { TraceSummary } from '../../model/trace-summary.js';
import { type Column, headLine, layOut, rowLine, type TableStyle } from '../columns.js';
import { type Names, PLAIN_NAMES } from '../names.js';
import { markOf, roleOf } from '../style.js';
import { cleanText, formatBytes, formatCount } from '../text.js';
import { OUTCOME_CELLS } from './labels.js';
import { durationOf } from './numbers.js';
import { summaryLines } from './summary-table.js';

export interface TraceTableOptions extends TableStyle {
  readonly names?: Names;
}

/** What `sockwatch pcap` prints for people: the summary, then the connections given, most troubled first. Lines with their ends. */
export function* traceTable(
  summary: TraceSummary,
  connections: readonly TraceConnection[],
  info: CaptureInfo,
  options: TraceTableOptions,
): Generator<string> {
  const names = options.names ?? PLAIN_NAMES;
  for (const line of summaryLines(summary, info, names, options)) yield `${line}\n`;
  yield '\n';
  for (const line of connectionLines(connections, names, options)) yield `${line}\n`;
  const left = summary.connections - connections.length;
  if (left > 0) yield `${formatCount(left)} more: --top N, --filter, --format ndjson\n`;
}

export function* connectionLines(
  connections: readonly TraceConnection[],
  names: Names,
  style: TableStyle,
): Generator<string> {
  if (connections.length === 0) return yield 'no connections';
  const layout = layOut(columnsWith(names, connections), connections, style);
  yield headLine(layout);
  for (const connection of connections) yield rowLine(layout, connection);
}

const worst = ({ findings }: TraceConnection) =>
  findings.some(({ severity }) => severity === 'critical')
    ? 'critical'
    : findings.some(({ severity }) => severity === 'warning')
      ? 'warning'
      : findings[0]?.severity;

const role = (connection: TraceConnection) => roleOf(worst(connection));

const spent = (nanos: number | undefined) => (nanos === undefined ? '-' : durationOf(nanos));

const resent = ({ clientFacts, serverFacts }: TraceConnection) => {
  const of = ({ retransmissions: { rto, fast, spurious } }: TraceConnection['clientFacts']) =>
    rto + fast + spurious;
  return `${of(clientFacts)}/${of(serverFacts)}`;
};

const PATH: Column<TraceConnection> = { title: 'PATH', text: ({ path }) => path.join(' '), giveUp: 6 };

/** VLANs and tunnels only where there are any. */
const columnsWith = (
  names: Names,
  connections: readonly TraceConnection[],
): readonly Column<TraceConnection>[] => [
  { title: 'S', text: (from) => markOf(worst(from)), role },
  { title: '#', text: ({ id }) => String(id), align: 'right' },
  { title: 'CLIENT', text: ({ client }) => names.endpoint(client), min: 15 },
  { title: 'SERVER', text: ({ server }) => names.endpoint(server), min: 15 },
  ...(connections.some(({ path }) => path.length > 0) ? [PATH] : []),
  { title: 'OUTCOME', text: ({ outcome }) => OUTCOME_CELLS[outcome], role },
  { title: 'FRAME', text: ({ first }) => String(first.frame), align: 'right', giveUp: 6 },
  { title: 'SYNS', text: ({ syn }) => String(syn.length), align: 'right', giveUp: 5 },
  { title: 'CONNECT', text: ({ phases }) => spent(phases.connect), align: 'right', giveUp: 1 },
  { title: 'TLS', text: ({ phases }) => spent(phases.tls), align: 'right', giveUp: 4 },
  { title: 'RESPONSE', text: ({ phases }) => spent(phases.firstResponse), align: 'right', giveUp: 2 },
  { title: 'DURATION', text: ({ phases }) => spent(phases.duration), align: 'right', giveUp: 3 },
  {
    title: 'BYTES',
    text: ({ clientFacts, serverFacts }) => formatBytes(clientFacts.bytes + serverFacts.bytes),
    align: 'right',
    giveUp: 7,
  },
  { title: 'RESENT', text: resent, align: 'right', giveUp: 4 },
  { title: 'ZEEK', text: ({ zeek }) => `${zeek.connState} ${zeek.history}`, giveUp: 8 },
  { title: 'FOUND', text: foundText, role, min: 12 },
];

function foundText({ findings }: TraceConnection): string {
  const [first] = findings;
  if (first === undefined) return '';
  const sure = first.sure === 'certain' ? '' : `${first.sure}: `;
  const more = findings.length > 1 ? ` (+${findings.length - 1})` : '';
  return cleanText(`${sure}${first.rule.replaceAll('_', ' ')}${more}`);
}
