import { LISTEN } from '../../analyze/codes.js';
import { type Direction, listenerFinder } from '../../model/direction.js';
import type { Endpoint } from '../../model/endpoint.js';
import type { PoolDirection, PoolOwner } from '../../model/pools.js';
import type { Owner } from '../../model/sockets.js';
import type { SocketTable } from '../../model/table.js';
import { PoolTally } from './pool-tally.js';

/** Keys of owners that are no process. */
const NOBODY = -1;
const UNKNOWN = -2;
const SHARED = -3;
/** Whoever connects to more remotes than this at once has no pools. */
const MOST_POOLS = 20_000;
/** At the limit, so many that are empty are forgotten at once. */
const FORGOTTEN = 2000;

/** What tells pools apart. */
interface Identity {
  readonly direction: PoolDirection;
  readonly pid: number;
  readonly owner: PoolOwner;
  readonly end: Endpoint;
}

/** All connections to one address and port, over processes. */
export class RemoteTally {
  highest = 0;
  openNow = 0;

  constructor(readonly end: Endpoint) {}
}

export class PoolEntry {
  readonly tally = new PoolTally();

  constructor(
    readonly identity: Identity,
    readonly endKey: number | string,
    readonly remote: RemoteTally | undefined,
  ) {}

  /** Whether a process may be found for its sockets at a later look. */
  get isUnresolved(): boolean {
    return this.identity.pid < 0;
  }
}

/** The pools of a watch, by number. Texts and objects are made once per pool. */
export class PoolBook {
  private readonly entries: (PoolEntry | undefined)[] = [];
  private readonly free: number[] = [];
  private readonly numbers = new Map<number, Map<number | string, number>>();
  private readonly remotes = new Map<number | string, RemoteTally>();
  /** Whoever may accept, by the row of a listener of one table. */
  private acceptors:
    | {
        readonly table: SocketTable;
        readonly byRow: Map<number, readonly Owner[] | undefined>;
      }
    | undefined;

  get(number: number): PoolEntry | undefined {
    return this.entries[number];
  }

  *all(): Generator<readonly [number: number, entry: PoolEntry]> {
    for (const [number, entry] of this.entries.entries()) if (entry !== undefined) yield [number, entry];
  }

  allRemotes(): ReadonlyMap<number | string, RemoteTally> {
    return this.remotes;
  }

  /** Finds the pool of a row of `table`, or makes it; `undefined` where there are too many. */
  finder(table: SocketTable, directionOf: (row: number) => Direction): (row: number) => number | undefined {
    const listenerOf = listenerFinder(table);
    return (row) => {
      const listener = directionOf(row) === 'inbound' ? listenerOf(row) : undefined;
      const owners = table.ownersAt(row);
      if (listener === undefined) return this.number(table, row, 'outbound', owners);
      const accepted = owners === undefined || owners.length > 0;
      return accepted
        ? this.number(table, listener, 'inbound', owners)
        : this.numberOfListener(table, listener);
    };
  }

  /** The pool of connections to the remote of a row whose process nobody has seen. */
  numberOfRemote(table: SocketTable, row: number): number | undefined {
    return this.number(table, row, 'outbound', []);
  }

  /** The pool of connections that came in through a listener and whose process nobody has seen. */
  numberOfListener(table: SocketTable, listener: number): number | undefined {
    return this.number(table, listener, 'inbound', this.ownersOf(table, listener), true);
  }

  private ownersOf(table: SocketTable, listener: number): readonly Owner[] | undefined {
    if (this.acceptors?.table !== table) this.acceptors = { table, byRow: new Map() };
    const { byRow } = this.acceptors;
    if (!byRow.has(listener)) byRow.set(listener, ownersOfGroup(table, listener));
    return byRow.get(listener);
  }

  /** `row`: of the connection, or of the listener. */
  private number(
    table: SocketTable,
    row: number,
    direction: PoolDirection,
    owners: readonly Owner[] | undefined,
    isListeners = false,
  ): number | undefined {
    const least = leastPid(owners);
    const isShared = isListeners && owners?.some(({ pid }) => pid !== least) === true;
    const pid = isShared ? SHARED : least;
    const side = direction === 'inbound' ? 'local' : 'remote';
    const endKey = keyOf(table, row, side);
    const ofOwner = this.numbers.get(pid) ?? new Map<number | string, number>();
    this.numbers.set(pid, ofOwner);
    const known = ofOwner.get(endKey);
    if (known !== undefined) return known;
    const number = this.takeNumber();
    if (number === undefined) return undefined;
    const end = direction === 'inbound' ? table.row(row).local : table.row(row).remote;
    if (end === undefined) return undefined;
    const identity = { direction, pid, owner: ownerOf(owners, pid), end };
    this.entries[number] = new PoolEntry(identity, endKey, this.remoteOf(direction, endKey, end));
    ofOwner.set(endKey, number);
    return number;
  }

  private remoteOf(direction: PoolDirection, key: number | string, end: Endpoint): RemoteTally | undefined {
    if (direction === 'inbound') return undefined;
    const tally = this.remotes.get(key) ?? new RemoteTally(end);
    this.remotes.set(key, tally);
    return tally;
  }

  private takeNumber(): number | undefined {
    if (this.free.length > 0) return this.free.pop();
    if (this.entries.length < MOST_POOLS) return this.entries.push(undefined) - 1;
    this.forgetEmpty();
    return this.free.pop();
  }

  /** Pools that have had no connection for longest go first. */
  private forgetEmpty(): void {
    const empty = [...this.all()]
      .filter(([, { tally }]) => tally.isEmpty)
      .sort(([, a], [, b]) => a.tally.lastAt - b.tally.lastAt)
      .slice(0, FORGOTTEN);
    for (const [number, { identity, endKey }] of empty) {
      this.entries[number] = undefined;
      this.numbers.get(identity.pid)?.delete(endKey);
      this.free.push(number);
    }
    const kept = new Set([...this.all()].map(([, { endKey }]) => endKey));
    for (const key of this.remotes.keys()) if (!kept.has(key)) this.remotes.delete(key);
    for (const [pid, ofOwner] of this.numbers) if (ofOwner.size === 0) this.numbers.delete(pid);
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

function isSameEnd({ localAddress, localPort, family }: SocketTable, a: number, b: number): boolean {
  if (localPort[a] !== localPort[b] || family[a] !== family[b]) return false;
  for (let word = 0; word < 4; word++)
    if (localAddress[a * 4 + word] !== localAddress[b * 4 + word]) return false;
  return true;
}

function ownerOf(owners: readonly Owner[] | undefined, pid: number): Identity['owner'] {
  if (pid === UNKNOWN) return 'unknown';
  if (pid === SHARED) return 'shared';
  return owners?.find((owner) => owner.pid === pid) ?? 'none';
}

/** A number for the 48 bits of IPv4, below 0 for a listener; IPv6 is rarer and may cost a text. */
function keyOf(table: SocketTable, row: number, side: 'local' | 'remote'): number | string {
  const isLocal = side === 'local';
  const port = (isLocal ? table.localPort : table.remotePort)[row] ?? 0;
  const words = isLocal ? table.localAddress : table.remoteAddress;
  const name = (isLocal ? table.localName : table.remoteName)[row] ?? 0;
  if (table.family[row] === 4 && name === 0) {
    const key = (words[row * 4 + 3] ?? 0) * 65_536 + port + 1;
    return isLocal ? -key : key;
  }
  return `${side}/${words.subarray(row * 4, row * 4 + 4).join(':')}/${port}/${table.strings[name] ?? ''}`;
}
