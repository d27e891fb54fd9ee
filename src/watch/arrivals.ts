import { ListenerIndex } from '../analyze/attribution.js';
import { LISTEN, MPTCP, SYN_RECV, TCP } from '../analyze/codes.js';
import type { Listener } from '../model/listener.js';
import type { SocketTable } from '../model/table.js';

/** Comparing all connections of two looks costs time: beyond this many it is not done. */
const MOST_ROWS = 50_000;

/** The far ends of each listener's connections at one complete look, as sorted numbers, by key. */
export interface Arrivals {
  readonly monotonic: number;
  readonly clients: ReadonlyMap<string, Float64Array>;
}

/** `undefined` where there are too many connections. Members of a SO_REUSEPORT group cannot be told apart: left out. */
export function readArrivals(
  table: SocketTable,
  listeners: readonly Listener[],
  monotonic: number,
): Arrivals | undefined {
  if (table.length > MOST_ROWS) return undefined;
  const single = listeners.filter(({ protocol, group }) => protocol !== 'unix' && group === undefined);
  const lists = new Map(single.map(({ row }) => [row, [] as number[]]));
  const index = new ListenerIndex(
    table,
    listeners.filter(({ protocol }) => protocol !== 'unix').map(({ row }) => row),
  );
  for (let row = 0; row < table.length; row++) {
    const protocol = table.protocol[row];
    const state = table.state[row];
    if ((protocol !== TCP && protocol !== MPTCP) || state === LISTEN || state === SYN_RECV) continue;
    if (table.hasFlag(row, 'mptcpSubflow')) continue; // its MPTCP socket is listed too
    const listener = index.find(row);
    if (listener !== undefined) lists.get(listener)?.push(farEnd(table, row));
  }
  const clients = new Map(
    single.map(({ key, row }) => [key, Float64Array.from(lists.get(row) ?? []).sort()] as const),
  );
  return { monotonic, clients };
}

/** Address and port in one number: exact for IPv4; for IPv6 two of millions may be taken for one, which only lowers a lower bound. */
function farEnd(table: SocketTable, row: number): number {
  let address = 0;
  for (let word = 0; word < 4; word++)
    address = (Math.imul(address, 31) + (table.remoteAddress[row * 4 + word] ?? 0)) >>> 0;
  return address * 65536 + (table.remotePort[row] ?? 0);
}

/** How many of `now` were not there before: the connections that came and are still there. Both sorted. */
export function countNew(before: Float64Array, now: Float64Array): number {
  let fresh = 0;
  let at = 0;
  for (const client of now) {
    while (at < before.length && (before[at] ?? 0) < client) at++;
    if (before[at] !== client) fresh++;
  }
  return fresh;
}
