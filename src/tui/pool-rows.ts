import { directionFinder } from '../model/direction.js';
import { formatEndpoint } from '../model/endpoint.js';
import type { Namespace } from '../model/namespace.js';
import type { JudgedPool } from '../model/pools.js';
import { PROTOCOLS, SOCKET_STATES } from '../model/sockets.js';
import type { SocketTable } from '../model/table.js';
import { formatOwners } from '../render/text.js';

/** The connections of one process to one remote address and port, or of its clients to one of its ports. */
export interface PoolRow {
  /** The same from table to table. */
  readonly id: string;
  readonly process: string;
  /** `10.0.0.9:3306`, or `clients of :443`. */
  readonly remote: string;
  /** Where the table has several. */
  readonly namespace?: Namespace | undefined;
  /** Established. */
  readonly open: number;
  /** In any other state: TIME-WAIT and CLOSE-WAIT, and those that are being made or closed. */
  readonly other: number;
  /** How they are used, where that is followed. */
  readonly use?: JudgedPool | undefined;
}

export const POOL_SORTS = [
  'open',
  'busy',
  'idle',
  'new',
  'ended',
  'quiet',
  'close_wait',
  'age',
  'rtt',
  'other',
  'process',
  'remote',
] as const;
export type PoolSort = (typeof POOL_SORTS)[number];

const NUMBERS: Partial<Record<PoolSort, (row: PoolRow) => number | undefined>> = {
  open: ({ open }) => open,
  busy: ({ use }) => use?.busy,
  idle: ({ use }) => use?.idle,
  new: ({ use }) => use?.createdPerSecond,
  ended: ({ use }) => use?.closedPerSecond,
  quiet: ({ use }) => use?.quiet?.p50,
  close_wait: ({ use }) => use?.closeWait,
  age: ({ use }) => use?.age?.p50,
  rtt: ({ use }) => use?.rtt?.p50,
  other: ({ other }) => other,
};

interface Group {
  readonly pid: number;
  readonly row: number;
  readonly inbound: boolean;
  open: number;
  other: number;
}

const ESTABLISHED = SOCKET_STATES.indexOf('established');
const UNIX = PROTOCOLS.indexOf('unix');
const NOBODY = -1;
/** Whoever scrolls further wants a filter; the texts of 100,000 groups would take longer than a key may. */
const MOST_POOLS = 5000;
const UNKNOWN = -2;

interface PoolSteps<Token> {
  readonly stepRows: number;
  readonly token: Token;
  readonly sorting: { readonly by: PoolSort; readonly descending: boolean };
  /** What is known of the use of pools. */
  readonly uses?: readonly JudgedPool[] | undefined;
}

/**
 * Groups of the chosen rows, in order. Texts are made once per group, not per socket, and of the largest groups only. Yields `token`
 * every `stepRows` rows, for a caller that has other things to do meanwhile.
 */
export function* poolsInSteps<Token>(
  table: SocketTable,
  rows: Uint32Array,
  { stepRows, token, sorting, uses = [] }: PoolSteps<Token>,
): Generator<Token, PoolRow[]> {
  const directionOf = directionFinder(table);
  // Nothing that belongs to one namespace is the same as anything of another.
  const groups = new Map<number, Map<number | string, Group>>();
  const isOneOfMany = table.sections.length > 1;
  for (const [position, row] of rows.entries()) {
    if (position % stepRows === stepRows - 1) yield token;
    if (table.protocol[row] === UNIX) continue;
    const inbound = directionOf(row) === 'inbound';
    const pid = ownerKey(table, row);
    const place = isOneOfMany ? pid + (table.sectionAt(row) + 1) * PIDS : pid;
    const ofOwner = entry(groups, place, () => new Map<number | string, Group>());
    const key = inbound ? -(table.localPort[row] ?? 0) : remoteKey(table, row);
    const group = entry(ofOwner, key, () => ({ pid, row, inbound, open: 0, other: 0 }));
    if (table.state[row] === ESTABLISHED) group.open++;
    else group.other++;
  }
  const useOf = usesByKey(uses, isOneOfMany);
  const largest = [...groups.values()]
    .flatMap((ofOwner) => [...ofOwner.values()])
    .sort((a, b) => b.open - a.open || b.other - a.other || a.row - b.row)
    .slice(0, MOST_POOLS);
  return sortPools(
    largest.map((group) => poolRow(table, group, useOf)),
    sorting,
  );
}

/** More than any pid: PID_MAX_LIMIT of include/linux/threads.h is 2^22. */
const PIDS = 2 ** 23;

/** What is unknown last; those that are alike stay in the order that they had. */
function sortPools(rows: readonly PoolRow[], { by, descending }: PoolSteps<never>['sorting']): PoolRow[] {
  const number = NUMBERS[by];
  const keyOf = (row: PoolRow) =>
    number === undefined ? (by === 'process' ? row.process : row.remote) : number(row);
  const sign = descending ? -1 : 1;
  return rows
    .map((row) => ({ row, key: keyOf(row) }))
    .sort(({ key: a }, { key: b }) => {
      if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
      return (a < b ? -1 : a > b ? 1 : 0) * sign;
    })
    .map(({ row }) => row);
}

function ownerKey(table: SocketTable, row: number): number {
  const owners = table.ownersAt(row);
  if (owners === undefined) return UNKNOWN;
  let least = NOBODY;
  for (const { pid } of owners) if (least === NOBODY || pid < least) least = pid;
  return least;
}

/** A number for IPv4 (48 bits); IPv6 and Unix are rarer and may cost a text. */
function remoteKey(table: SocketTable, row: number): number | string {
  const port = table.remotePort[row] ?? 0;
  const words = table.remoteAddress;
  if (table.family[row] === 4) return (words[row * 4 + 3] ?? 0) * 65_536 + port;
  return `${words.subarray(row * 4, row * 4 + 4).join(':')}/${port}/${table.remoteName[row] ?? 0}`;
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function poolRow(
  table: SocketTable,
  { pid, row, inbound, open, other }: Group,
  useOf: ReadonlyMap<string, JudgedPool | 'several'>,
): PoolRow {
  const socket = table.row(row);
  const { remote } = socket;
  const port = table.localPort[row] ?? 0;
  const far = remote === undefined ? '-' : formatEndpoint(remote);
  const namespace = table.sections.length > 1 ? socket.namespace : undefined;
  const id = inbound ? inboundKey(namespace?.id, pid, port) : outboundKey(namespace?.id, pid, far);
  const use = useOf.get(id);
  return {
    id,
    process: formatOwners(socket.owners),
    remote: inbound ? `clients of :${port}` : far,
    ...(namespace && { namespace }),
    open,
    other,
    ...(use !== undefined && use !== 'several' && { use }),
  };
}

const inboundKey = (netns: string | undefined, pid: number, port: number) =>
  `${netns ?? ''} ${pid} in ${port}`;
const outboundKey = (netns: string | undefined, pid: number, remote: string) =>
  `${netns ?? ''} ${pid} out ${remote}`;

/** Pools by what groups are told apart by; one port may be that of several listeners, and then nothing fits. */
function usesByKey(
  uses: readonly JudgedPool[],
  isOneOfMany: boolean,
): ReadonlyMap<string, JudgedPool | 'several'> {
  const byKey = new Map<string, JudgedPool | 'several'>();
  for (const use of uses) {
    const { owner, direction, end, port = 0 } = use;
    const netns = isOneOfMany ? use.netns : undefined;
    const pid = typeof owner === 'object' ? owner.pid : owner === 'unknown' ? UNKNOWN : NOBODY;
    const key =
      direction === 'inbound' ? inboundKey(netns, pid, port) : outboundKey(netns, pid, formatEndpoint(end));
    byKey.set(key, byKey.has(key) ? 'several' : use);
  }
  return byKey;
}
