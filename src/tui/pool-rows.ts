import { formatEndpoint } from '../model/endpoint.js';
import type { Pool } from '../model/pools.js';
import { PROTOCOLS, SOCKET_STATES } from '../model/sockets.js';
import type { SocketTable } from '../model/table.js';
import { formatOwners } from '../render/text.js';

/** The connections of one process to one remote address and port, or of its clients to one of its ports. */
export interface PoolRow {
  readonly process: string;
  /** `10.0.0.9:3306`, or `clients of :443`. */
  readonly remote: string;
  readonly open: number;
  readonly established: number;
  /** How they are used, where that is followed. */
  readonly use?: Pool | undefined;
}

interface Group {
  readonly pid: number;
  readonly row: number;
  readonly inbound: boolean;
  open: number;
  established: number;
}

const LISTEN = SOCKET_STATES.indexOf('listen');
const ESTABLISHED = SOCKET_STATES.indexOf('established');
const UNIX = PROTOCOLS.indexOf('unix');
const NOBODY = -1;
/** Whoever scrolls further wants a filter; the texts of 100,000 groups would take longer than a key may. */
const MOST_POOLS = 5000;
const UNKNOWN = -2;

interface PoolSteps<Token> {
  readonly stepRows: number;
  readonly token: Token;
  /** What is known of the use of pools. */
  readonly uses?: readonly Pool[] | undefined;
}

/**
 * Groups of the chosen rows, the largest first. Texts are made once per group, not per socket. Yields `token` every
 * `stepRows` rows, for a caller that has other things to do meanwhile.
 */
export function* poolsInSteps<Token>(
  table: SocketTable,
  rows: Uint32Array,
  { stepRows, token, uses = [] }: PoolSteps<Token>,
): Generator<Token, PoolRow[]> {
  const isServed = listeningPorts(table);
  const groups = new Map<number, Map<number | string, Group>>();
  for (const [position, row] of rows.entries()) {
    if (position % stepRows === stepRows - 1) yield token;
    if (table.protocol[row] === UNIX) continue;
    const inbound = isServed[table.localPort[row] ?? 0] === 1;
    const pid = ownerKey(table, row);
    const ofOwner = entry(groups, pid, () => new Map<number | string, Group>());
    const key = inbound ? -(table.localPort[row] ?? 0) : remoteKey(table, row);
    const group = entry(ofOwner, key, () => ({ pid, row, inbound, open: 0, established: 0 }));
    group.open++;
    if (table.state[row] === ESTABLISHED) group.established++;
  }
  const useOf = usesByKey(uses);
  return [...groups.values()]
    .flatMap((ofOwner) => [...ofOwner.values()])
    .sort((a, b) => b.open - a.open || a.row - b.row)
    .slice(0, MOST_POOLS)
    .map((group) => poolRow(table, group, useOf));
}

function listeningPorts({ state, localPort, length }: SocketTable): Uint8Array {
  const ports = new Uint8Array(65_536);
  for (let row = 0; row < length; row++) if (state[row] === LISTEN) ports[localPort[row] ?? 0] = 1;
  return ports;
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
  { pid, row, inbound, open, established }: Group,
  useOf: ReadonlyMap<string, Pool | 'several'>,
): PoolRow {
  const socket = table.row(row);
  const { remote } = socket;
  const port = table.localPort[row] ?? 0;
  const far = remote === undefined ? '-' : formatEndpoint(remote);
  const use = useOf.get(inbound ? inboundKey(pid, port) : outboundKey(pid, far));
  return {
    process: formatOwners(socket.owners),
    remote: inbound ? `clients of :${port}` : far,
    open,
    established,
    ...(use !== undefined && use !== 'several' && { use }),
  };
}

const inboundKey = (pid: number, port: number) => `${pid} in ${port}`;
const outboundKey = (pid: number, remote: string) => `${pid} out ${remote}`;

/** Pools by what groups are told apart by; one port may be that of several listeners, and then nothing fits. */
function usesByKey(uses: readonly Pool[]): ReadonlyMap<string, Pool | 'several'> {
  const byKey = new Map<string, Pool | 'several'>();
  for (const use of uses) {
    const { owner, direction, end, port = 0 } = use;
    const pid = typeof owner === 'object' ? owner.pid : owner === 'none' ? NOBODY : UNKNOWN;
    const key = direction === 'inbound' ? inboundKey(pid, port) : outboundKey(pid, formatEndpoint(end));
    byKey.set(key, byKey.has(key) ? 'several' : use);
  }
  return byKey;
}
