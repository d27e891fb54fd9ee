import { formatEndpoint } from '../model/endpoint.js';
import { SOCKET_STATES } from '../model/sockets.js';
import type { SocketTable } from '../model/table.js';
import { formatOwners } from '../render/text.js';

/** The connections of one process to one remote address and port, or of its clients to one of its ports. */
export interface PoolRow {
  readonly process: string;
  /** `10.0.0.9:3306`, or `clients of :443`. */
  readonly remote: string;
  readonly open: number;
  readonly established: number;
}

interface Group {
  readonly row: number;
  readonly inbound: boolean;
  open: number;
  established: number;
}

const LISTEN = SOCKET_STATES.indexOf('listen');
const ESTABLISHED = SOCKET_STATES.indexOf('established');
const NOBODY = -1;
/** Whoever scrolls further wants a filter; the texts of 100,000 groups would take longer than a key may. */
const MOST_POOLS = 5000;
const UNKNOWN = -2;

/**
 * Groups of the chosen rows, the largest first. Texts are made once per group, not per socket. Yields `token` every
 * `stepRows` rows, for a caller that has other things to do meanwhile.
 */
export function* poolsInSteps<Token>(
  table: SocketTable,
  rows: Uint32Array,
  stepRows: number,
  token: Token,
): Generator<Token, PoolRow[]> {
  const isServed = listeningPorts(table);
  const groups = new Map<number, Map<number | string, Group>>();
  for (const [position, row] of rows.entries()) {
    if (position % stepRows === stepRows - 1) yield token;
    const inbound = isServed[table.localPort[row] ?? 0] === 1;
    const ofOwner = entry(groups, ownerKey(table, row), () => new Map<number | string, Group>());
    const key = inbound ? -(table.localPort[row] ?? 0) : remoteKey(table, row);
    const group = entry(ofOwner, key, () => ({ row, inbound, open: 0, established: 0 }));
    group.open++;
    if (table.state[row] === ESTABLISHED) group.established++;
  }
  return [...groups.values()]
    .flatMap((ofOwner) => [...ofOwner.values()])
    .sort((a, b) => b.open - a.open || a.row - b.row)
    .slice(0, MOST_POOLS)
    .map((group) => poolRow(table, group));
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

function poolRow(table: SocketTable, { row, inbound, open, established }: Group): PoolRow {
  const socket = table.row(row);
  const { remote } = socket;
  const far = remote === undefined ? '-' : formatEndpoint(remote);
  return {
    process: formatOwners(socket.owners),
    remote: inbound ? `clients of :${table.localPort[row] ?? 0}` : far,
    open,
    established,
  };
}
