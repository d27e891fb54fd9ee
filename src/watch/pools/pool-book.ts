import type { Endpoint } from '../../model/endpoint.js';
import type { PoolDirection, PoolOwner } from '../../model/pools.js';
import type { SocketTable } from '../../model/table.js';
import { PoolTally } from './pool-tally.js';
import { endKeyOf, NOBODY, ownerOf, Whose } from './whose.js';

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
  /** Of one table. */
  private whose: { readonly table: SocketTable; readonly of: Whose } | undefined;

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
  finder(table: SocketTable): (row: number) => number | undefined {
    const whose = this.whoseIn(table);
    return (row) => {
      whose.load(row);
      return this.number(table, whose);
    };
  }

  /** The pool of connections to the remote of a row whose process nobody has seen. */
  numberOfRemote(table: SocketTable, row: number): number | undefined {
    return this.number(table, { row, direction: 'outbound', pid: NOBODY, owners: undefined });
  }

  /** The pool of connections that came in through a listener and whose process nobody has seen. */
  numberOfListener(table: SocketTable, listener: number): number | undefined {
    const whose = this.whoseIn(table);
    whose.loadListener(listener);
    return this.number(table, whose);
  }

  private whoseIn(table: SocketTable): Whose {
    if (this.whose?.table !== table) this.whose = { table, of: new Whose(table) };
    return this.whose.of;
  }

  private number(
    table: SocketTable,
    { row, direction, pid, owners }: Pick<Whose, 'row' | 'direction' | 'pid' | 'owners'>,
  ): number | undefined {
    const endKey = endKeyOf(table, row, direction);
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
