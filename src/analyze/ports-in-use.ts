import { directionFinder } from '../model/direction.js';
import type { SocketRow } from '../model/socket-row.js';
import { ROW_FLAGS, type SocketTable } from '../model/table.js';
import { LISTEN, MPTCP, stateCode, TCP } from './codes.js';
import { EndNumbers, pairKey } from './end-numbers.js';

const TIME_WAIT = stateCode('time-wait');
/** TCP_TIMEWAIT_LEN, and from which age on tcp_tw_reuse takes a port again. */
const TIME_WAIT_MS = 60_000;
const REUSABLE_MS = 1000;

/** Local ports from one source address to one destination address and port. */
export interface PortCount {
  total: number;
  timeWait: number;
  /** In TIME-WAIT for more than a second. */
  reusable: number;
  /** One of the rows, of an open connection where there is one. */
  row: number;
}

export interface PortCounts {
  readonly byEnds: readonly PortCount[];
  /** Different local ports of the range, over all destinations. */
  readonly distinct: number;
}

/** Outgoing connections whose local port is of the range, TIME-WAIT included: what came in through a listener takes none (KERNEL.md 9). */
export function countPorts(
  table: SocketTable,
  [first, last]: readonly [number, number],
  filter?: { matchesRow(row: SocketRow): boolean },
): PortCounts {
  const directionOf = directionFinder(table);
  const ends = new EndNumbers();
  const counts = new Map<number, PortCount>();
  const ports = new Set<number>();
  const timers = table.column('timerMs');
  const cursor = table.cursor();
  for (let row = 0; row < table.length; row++) {
    const port = table.localPort[row] ?? 0;
    if (port < first || port > last || !isTcpWithPeer(table, row) || directionOf(row) === 'inbound') continue;
    cursor.index = row;
    if (filter?.matchesRow(cursor) === false) continue;
    const local = ends.id(table, row, 'localAddress');
    const key = pairKey(local, ends.id(table, row, 'remoteAddress'), table.remotePort[row] ?? 0);
    const count = counts.get(key) ?? { total: 0, timeWait: 0, reusable: 0, row };
    counts.set(key, count);
    count.total++;
    ports.add(port);
    if (table.state[row] !== TIME_WAIT) count.row = row;
    else {
      count.timeWait++;
      if (TIME_WAIT_MS - (timers?.[row] ?? TIME_WAIT_MS) > REUSABLE_MS) count.reusable++;
    }
  }
  return { byEnds: [...counts.values()].sort((a, b) => b.total - a.total), distinct: ports.size };
}

const isTcpWithPeer = ({ protocol, state, flags }: SocketTable, row: number): boolean =>
  (protocol[row] === TCP || protocol[row] === MPTCP) &&
  state[row] !== LISTEN &&
  ((flags[row] ?? 0) & ROW_FLAGS.remoteAny) === 0;
