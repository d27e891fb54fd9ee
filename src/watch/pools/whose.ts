import { LISTEN, SYN_RECV } from '../../analyze/codes.js';
import { listenerFinder } from '../../model/direction.js';
import type { PoolDirection, PoolOwner } from '../../model/pools.js';
import type { Owner } from '../../model/sockets.js';
import type { SocketTable } from '../../model/table.js';
import { SYN_SENT } from './states.js';

/** Keys of owners that are no process. */
export const NOBODY = -1;
const UNKNOWN = -2;
const SHARED = -3;

const NO_OWNERS: readonly Owner[] = [];

/**
 * Tells of connections of one table whose pool they are in: that of their process and remote, or of their process and listener. What came in and has no
 * process, as it was not accepted yet or is closed, is of whoever has the listener. One object for all rows: `load` the next.
 */
export class Whose {
  direction: PoolDirection = 'outbound';
  /** The row whose local end (inbound: the listener's) or remote end names the pool. */
  row = 0;
  /** The least pid, or below 0 one that stands for no process. */
  pid = NOBODY;
  owners: readonly Owner[] | undefined;
  private readonly listenerOf;
  /** Whoever may accept, by the row of a listener. */
  private readonly acceptors = new Map<number, readonly Owner[] | undefined>();

  constructor(private readonly table: SocketTable) {
    this.listenerOf = listenerFinder(table);
  }

  /** Of a connection. */
  load(row: number): void {
    const { table } = this;
    const state = table.state[row];
    const listener = state === SYN_SENT ? undefined : this.listenerOf(row);
    const owners = table.ownersAt(row);
    if (listener !== undefined && owners?.length === 0) {
      this.loadListener(listener);
      return;
    }
    // Of a listener that is not in the table its own end is the same.
    this.direction = listener === undefined && state !== SYN_RECV ? 'outbound' : 'inbound';
    this.row = listener ?? row;
    this.owners = owners;
    this.pid = leastPid(owners);
  }

  /** Of connections that came in through a listener, and whose process nobody has seen. */
  loadListener(listener: number): void {
    const owners = this.acceptorsOf(listener);
    const least = leastPid(owners);
    this.direction = 'inbound';
    this.row = listener;
    this.owners = owners;
    this.pid = owners?.some(({ pid }) => pid !== least) === true ? SHARED : least;
  }

  private acceptorsOf(listener: number): readonly Owner[] | undefined {
    const { acceptors } = this;
    if (!acceptors.has(listener)) acceptors.set(listener, ownersOfGroup(this.table, listener));
    return acceptors.get(listener);
  }
}

function leastPid(owners: readonly Owner[] | undefined): number {
  if (owners === undefined) return UNKNOWN;
  let least = NOBODY;
  for (const { pid } of owners) if (least === NOBODY || pid < least) least = pid;
  return least;
}

/** Of a listener, and of those beside it at the same address and port (SO_REUSEPORT): any of them may accept. */
function ownersOfGroup(table: SocketTable, listener: number): readonly Owner[] | undefined {
  const own = table.ownersAt(listener);
  let all = own;
  for (let row = 0; row < table.length; row++) {
    if (row === listener || table.state[row] !== LISTEN || !isSameEnd(table, row, listener)) continue;
    const more = table.ownersAt(row);
    if (all === undefined || more === undefined) return undefined;
    all = [...all, ...more];
  }
  return all;
}

/** The same address of another network namespace is another one. */
function isSameEnd(table: SocketTable, a: number, b: number): boolean {
  const { localAddress, localPort, family, sections } = table;
  if (localPort[a] !== localPort[b] || family[a] !== family[b]) return false;
  for (let word = 0; word < 4; word++)
    if (localAddress[a * 4 + word] !== localAddress[b * 4 + word]) return false;
  return sections.length < 2 || table.sectionAt(a) === table.sectionAt(b);
}

/** The owner that a pid of `Whose` stands for. */
export function ownerOf(owners: readonly Owner[] | undefined, pid: number): PoolOwner {
  if (pid === UNKNOWN) return 'unknown';
  if (pid === SHARED) return 'shared';
  return (owners ?? NO_OWNERS).find((owner) => owner.pid === pid) ?? 'none';
}

/** Names an end: a number for the 48 bits of IPv4, below 0 for a listener; IPv6 is rarer and may cost a text. */
export function endKeyOf(table: SocketTable, row: number, direction: PoolDirection): number | string {
  const isLocal = direction === 'inbound';
  const port = (isLocal ? table.localPort : table.remotePort)[row] ?? 0;
  const words = isLocal ? table.localAddress : table.remoteAddress;
  const name = (isLocal ? table.localName : table.remoteName)[row] ?? 0;
  if (table.family[row] === 4 && name === 0) {
    const key = (words[row * 4 + 3] ?? 0) * 65_536 + port + 1;
    return isLocal ? -key : key;
  }
  return `${direction}/${words.subarray(row * 4, row * 4 + 4).join(':')}/${port}/${table.strings[name] ?? ''}`;
}
