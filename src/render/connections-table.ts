import type { Endpoint } from '../model/endpoint.js';
import type { SocketRow } from '../model/socket-row.js';
import { ROW_FLAGS, type SocketTable } from '../model/table.js';
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
  { title: 'LOCAL', text: endTexts('local', names), min: 15 },
  { title: 'REMOTE', text: endTexts('remote', names), min: 15 },
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

/** Hosts whose texts are kept, for the same ones come again and again. */
const MOST_HOSTS = 4096;

/** The text of one end of a row; of a plain IPv4 address it is kept up to the colon. */
function endTexts(side: 'local' | 'remote', names: Names): (row: SocketRow) => string {
  const hosts = new Map<number, string>();
  return (row) => {
    const { table, index } = row;
    const isLocal = side === 'local';
    const name = (isLocal ? table.localName : table.remoteName)[index];
    const flags = table.flags[index] as number;
    const portKnown = isLocal ? ROW_FLAGS.localPortKnown : ROW_FLAGS.remotePortKnown;
    if (table.family[index] !== 4 || name !== 0 || (flags & portKnown) === 0)
      return endText(row[side], names);
    const word = (isLocal ? table.localAddress : table.remoteAddress)[index * 4 + 3] as number;
    const port = (isLocal ? table.localPort : table.remotePort)[index] as number;
    const known = hosts.get(word);
    if (known !== undefined) return known + port;
    const text = endText(row[side], names);
    if (hosts.size < MOST_HOSTS) hosts.set(word, text.slice(0, text.lastIndexOf(':') + 1));
    return text;
  };
}

function queueText({ queues }: SocketRow, side: 'unread' | 'unacked'): string {
  return queues?.kind === 'stream' ? String(queues[side]) : '?';
}

const duration = (ms: number | undefined) => (ms === undefined ? '-' : formatDuration(ms));

const dropsText = ({ drops }: SocketRow) => (drops === undefined ? '-' : String(drops));

/** The owner, or that none has accepted it yet. */
const processText = (row: SocketRow, names: Names) =>
  row.isWaiting ? 'waits for accept()' : formatOwners(row.owners?.map((owner) => names.owner(owner)));
