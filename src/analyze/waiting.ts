import type { SynQueue, Waiting, WaitingConnection } from '../model/listener.js';
import type { SocketTable } from '../model/table.js';
import { bytes, connections, millis } from '../model/units.js';
import { CLOSE_WAIT } from './codes.js';

const MOST_CLIENTS = 50;

/** The rows of one listener, or of all members of a group. */
export interface Rows {
  readonly waiting: number[];
  readonly synRecv: number[];
}

export function readWaiting(table: SocketTable, rows: readonly number[], reset: number | undefined): Waiting {
  const ages = table.column('lastSentMs');
  const age = (row: number) => ages?.[row] ?? Number.NaN;
  let abandoned = 0;
  let unread = 0;
  let oldest = Number.NaN;
  for (const row of rows) {
    unread += unreadOf(table, row);
    if (table.state[row] === CLOSE_WAIT) abandoned++;
    if (!Number.isNaN(age(row)) && !(age(row) <= oldest)) oldest = age(row);
  }
  const oldestFirst = [...rows].sort((a, b) => knownFirst(age(b)) - knownFirst(age(a)) || a - b);
  return {
    count: connections(rows.length),
    ...(!Number.isNaN(oldest) && { oldestMs: millis(oldest) }),
    ...(reset !== undefined && { reset: connections(reset) }),
    abandoned: connections(abandoned),
    unread: bytes(unread),
    clients: oldestFirst.slice(0, MOST_CLIENTS).map((row) => readClient(table, row)),
  };
}

const knownFirst = (age: number) => (Number.isNaN(age) ? -1 : age);

function readClient(table: SocketTable, index: number): WaitingConnection {
  const { remote } = table.row(index);
  const waited = table.get('lastSentMs', index);
  return {
    state: table.state[index] === CLOSE_WAIT ? 'close-wait' : 'established',
    unread: bytes(unreadOf(table, index)),
    ...(remote !== undefined && { remote }),
    ...(waited !== undefined && { waitedMs: millis(waited) }),
  };
}

/** The FIN of a connection in CLOSE-WAIT counts as a byte of its Recv-Q (KERNEL.md 9). */
function unreadOf(table: SocketTable, row: number): number {
  const queued = table.recvQueue[row] ?? 0;
  return table.state[row] === CLOSE_WAIT ? Math.max(0, queued - 1) : queued;
}

export function readSynQueue(
  table: SocketTable,
  rows: readonly number[],
  limit: number | undefined,
): SynQueue {
  const again = table.column('timerRetransmits');
  let retransmitted = 0;
  for (const row of rows) if ((again?.[row] ?? 0) >= 1) retransmitted++;
  return {
    length: connections(rows.length),
    ...(limit !== undefined && { limit: connections(limit) }),
    retransmitted: connections(retransmitted),
  };
}

/** How long each has waited, the longest first; `undefined` where that is not known of all of them. */
export function waitedTimes(table: SocketTable, rows: readonly number[]): Float64Array | undefined {
  const ages = table.column('lastSentMs');
  if (ages === undefined) return undefined;
  const times = Float64Array.from(rows, (row) => ages[row] ?? Number.NaN);
  return times.some(Number.isNaN) ? undefined : times.sort().reverse();
}
