import { ListenerIndex } from '../analyze/attribution.js';
import { FIN_WAIT_2, LISTEN, MPTCP, SYN_RECV, TCP, TIME_WAIT } from '../analyze/codes.js';
import type { Listener } from '../model/listener.js';
import type { SocketTable } from '../model/table.js';

/** Comparing all connections of two looks costs time: beyond this many it is not done. */
const MOST_ROWS = 50_000;

/** Far ends of the connections of one listener, as sorted numbers. */
interface Clients {
  readonly all: Float64Array;
  /**
   * Without TIME-WAIT, and without FIN-WAIT-2, which a TIME-WAIT may show itself as: the kernel has told of the end of those, so whoever
   * counts ends must not count them once more.
   */
  readonly alive: Float64Array;
}

/** The clients of each listener at one complete look, by key. */
export interface Arrivals {
  readonly monotonic: number;
  readonly clients: ReadonlyMap<string, Clients>;
}

/** `undefined` where there are too many connections. Members of a SO_REUSEPORT group cannot be told apart: left out. */
export function readArrivals(
  table: SocketTable,
  listeners: readonly Listener[],
  monotonic: number,
): Arrivals | undefined {
  if (table.length > MOST_ROWS) return undefined;
  const single = listeners.filter(({ protocol, group }) => protocol !== 'unix' && group === undefined);
  const lists = new Map(single.map(({ row }) => [row, { all: [] as number[], alive: [] as number[] }]));
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
    const list = listener === undefined ? undefined : lists.get(listener);
    if (list === undefined) continue;
    const client = farEnd(table, row);
    list.all.push(client);
    if (state !== TIME_WAIT && state !== FIN_WAIT_2) list.alive.push(client);
  }
  const clients = new Map(
    single.map(({ key, row }) => {
      const { all = [], alive = [] } = lists.get(row) ?? {};
      return [key, { all: sorted(all), alive: sorted(alive) }] as const;
    }),
  );
  return { monotonic, clients };
}

const sorted = (clients: readonly number[]): Float64Array => Float64Array.from(clients).sort();

/** Address and port in one number: exact for IPv4; for IPv6 two of millions may be taken for one, which only lowers a lower bound. */
function farEnd(table: SocketTable, row: number): number {
  let address = 0;
  for (let word = 0; word < 4; word++)
    address = (Math.imul(address, 31) + (table.remoteAddress[row * 4 + word] ?? 0)) >>> 0;
  return address * 65536 + (table.remotePort[row] ?? 0);
}

/**
 * Connections that have come to one listener between two looks, at least. `fresh`: of those that ended, how many the look before did not
 * have; absent: not known.
 */
export function countArrivals(
  before: Arrivals | undefined,
  now: Arrivals | undefined,
  key: string,
  fresh: number | undefined,
): number {
  const [then, clients] = [before?.clients.get(key), now?.clients.get(key)];
  if (then === undefined || clients === undefined) return fresh ?? 0;
  const withEnded = fresh === undefined ? 0 : countNew(then.alive, clients.alive) + fresh;
  return Math.max(countNew(then.all, clients.all), withEnded);
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
