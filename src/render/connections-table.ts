import type { Endpoint } from '../model/endpoint.js';
import type { SocketRow, SocketTable } from '../model/table.js';
import { type Column, headLine, layOut, rowLine, type TableStyle } from './columns.js';
import { namespaceText } from './labels.js';
import type { Names } from './names.js';
import { cleanText, formatDuration, formatOwners } from './text.js';

/** The chosen rows as lines, without holding them: the table is walked once to measure and once to print. */
export function* connectionLines(
  table: SocketTable,
  rows: Uint32Array,
  names: Names,
  style: TableStyle,
): Generator<string> {
  if (rows.length === 0) return yield 'no sockets to list';
  const layout = layOut(columnsWith(names, isOfSeveral(table)), walk(table, rows), style);
  yield headLine(layout);
  for (const row of walk(table, rows)) yield rowLine(layout, row);
}

function* walk(table: SocketTable, rows: Uint32Array): Generator<SocketRow> {
  const row = table.cursor();
  for (const index of rows) {
    row.index = index;
    yield row;
  }
}

const isOfSeveral = ({ sections }: SocketTable) => sections.length > 1;

const columnsWith = (names: Names, withNetns: boolean): readonly Column<SocketRow>[] => [
  ...(withNetns ? [{ title: 'NETNS', text: netnsText(names), min: 8 }] : []),
  { title: 'PROTO', text: (row) => row.protocol, giveUp: 5 },
  { title: 'STATE', text: (row) => row.state },
  { title: 'LOCAL', text: (row) => endText(row.local, names), min: 15 },
  { title: 'REMOTE', text: (row) => endText(row.remote, names), min: 15 },
  { title: 'RECV-Q', text: (row) => queueText(row, 'unread'), align: 'right', giveUp: 1 },
  { title: 'SEND-Q', text: (row) => queueText(row, 'unacked'), align: 'right', giveUp: 1 },
  { title: 'RTT', text: (row) => duration(row.number('rttMs')), align: 'right', giveUp: 4 },
  { title: 'DROPS', text: dropsText, align: 'right', giveUp: 3 },
  { title: 'PROCESS', text: (row) => processText(row, names), min: 10, giveUp: 2 },
];

const netnsText = (names: Names) => (row: SocketRow) =>
  row.namespace === undefined ? '?' : namespaceText(row.namespace, names);

/** `-` for no peer and for a Unix socket without a name. */
const endText = (end: Endpoint | undefined, names: Names) =>
  (end === undefined ? '' : cleanText(names.endpoint(end))) || '-';

function queueText({ queues }: SocketRow, side: 'unread' | 'unacked'): string {
  return queues?.kind === 'stream' ? String(queues[side]) : '?';
}

const duration = (ms: number | undefined) => (ms === undefined ? '-' : formatDuration(ms));

const dropsText = ({ drops }: SocketRow) => (drops === undefined ? '-' : String(drops));

/** The owner, or that none has accepted it yet. */
const processText = (row: SocketRow, names: Names) =>
  row.isWaiting ? 'waits for accept()' : formatOwners(row.owners?.map((owner) => names.owner(owner)));
