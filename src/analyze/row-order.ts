import { SOCKET_STATES } from '../model/sockets.js';
import { ROW_FLAGS, type SocketTable } from '../model/table.js';
import { UNIX } from './codes.js';

/** `age`: time since the socket last sent; of a connection that waits for accept(), how long it has waited. */
export const CONNECTION_SORTS = [
  'state',
  'local',
  'remote',
  'recvq',
  'sendq',
  'rtt',
  'process',
  'age',
] as const;
export type ConnectionSort = (typeof CONNECTION_SORTS)[number];

/** How rows stand to each other; `compare` is asked only about rows whose key is known. */
export interface RowOrder {
  readonly isKnown: (row: number) => boolean;
  readonly compare: (a: number, b: number) => number;
}

export function rowOrder(table: SocketTable, rows: Uint32Array, by: ConnectionSort): RowOrder {
  if (by === 'local' || by === 'remote') return endpointOrder(table, by);
  const keys = KEYS[by](table, rows);
  return {
    isKnown: (row) => !Number.isNaN(keys[row] ?? Number.NaN),
    compare: (a, b) => (keys[a] ?? 0) - (keys[b] ?? 0),
  };
}

type Keys = ArrayLike<number>;

/** One number per row of the table, NaN = unknown. */
const KEYS: Readonly<
  Record<Exclude<ConnectionSort, 'local' | 'remote'>, (table: SocketTable, rows: Uint32Array) => Keys>
> = {
  state: stateKeys,
  recvq: (table, rows) => queueKeys(table, table.recvQueue, rows),
  sendq: (table, rows) => queueKeys(table, table.sendQueue, rows),
  rtt: (table) => table.column('rttMs') ?? [],
  process: processKeys,
  age: (table) => table.column('lastSentMs') ?? [],
};

/** States by name. */
function stateKeys({ length, state }: SocketTable, rows: Uint32Array): Keys {
  const ranks = ranksOf(SOCKET_STATES);
  const rankOfCode = SOCKET_STATES.map((name) => (name === 'unknown' ? Number.NaN : (ranks.get(name) ?? 0)));
  const keys = new Float64Array(length);
  for (const row of rows) keys[row] = rankOfCode[state[row] ?? 0] ?? Number.NaN;
  return keys;
}

function queueKeys({ length, flags }: SocketTable, queue: Uint32Array, rows: Uint32Array): Keys {
  const keys = new Float64Array(length);
  for (const row of rows) {
    keys[row] = ((flags[row] ?? 0) & ROW_FLAGS.queues) === 0 ? Number.NaN : (queue[row] ?? 0);
  }
  return keys;
}

/** Names of the owner with the lowest pid; sockets without owners before all names. Each owner is looked up once. */
function processKeys(table: SocketTable, rows: Uint32Array): Keys {
  const numbers = new Map<string, number>();
  const keys = new Float64Array(table.length).fill(Number.NaN);
  for (const row of rows) {
    const owners = table.ownersAt(row);
    if (owners === undefined) continue;
    let name = '';
    let least = Number.POSITIVE_INFINITY;
    for (const owner of owners) if (owner.pid < least) ({ pid: least, name } = owner);
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    keys[row] = number;
  }
  const ranks = ranksOf([...numbers.keys()]);
  const rankOfNumber = [...numbers.keys()].map((name) => ranks.get(name) ?? 0);
  for (const row of rows) keys[row] = rankOfNumber[keys[row] ?? 0] ?? Number.NaN;
  return keys;
}

/** Places in the order of plain code units: the same in every locale. */
const ranksOf = (names: readonly string[]): ReadonlyMap<string, number> =>
  new Map([...names].sort().map((name, rank) => [name, rank]));

/** IPv4, IPv6, Unix; then address, port and device as numbers. Unknown: no peer, a Unix socket without a name. */
function endpointOrder(table: SocketTable, side: 'local' | 'remote'): RowOrder {
  const isLocal = side === 'local';
  const words = isLocal ? table.localAddress : table.remoteAddress;
  const ports = isLocal ? table.localPort : table.remotePort;
  const names = isLocal ? table.localName : table.remoteName;
  const { protocol, family, strings } = table;
  const kindOf = (row: number) => (protocol[row] === UNIX ? 9 : (family[row] ?? 0));
  const nameOf = (row: number) => strings[names[row] ?? 0] ?? '';
  const compareNames = (a: number, b: number) => {
    if (names[a] === names[b]) return 0;
    return nameOf(a) < nameOf(b) ? -1 : 1;
  };
  return {
    isKnown: (row) =>
      protocol[row] === UNIX ? nameOf(row) !== '' : isLocal || !table.hasFlag(row, 'remoteAny'),
    compare: (a, b) => {
      const kinds = kindOf(a) - kindOf(b);
      if (kinds !== 0) return kinds;
      for (let word = 0; word < 4; word++) {
        const difference = (words[a * 4 + word] ?? 0) - (words[b * 4 + word] ?? 0);
        if (difference !== 0) return difference;
      }
      return (ports[a] ?? 0) - (ports[b] ?? 0) || compareNames(a, b);
    },
  };
}
