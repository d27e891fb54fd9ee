import { formatEndpoint } from '../model/endpoint.js';
import type { Listener, ReuseportGroup, Waiting } from '../model/listener.js';
import type { SocketRow } from '../model/socket-row.js';
import type { SocketTable } from '../model/table.js';
import { connections, ratio } from '../model/units.js';
import { ListenerIndex } from './attribution.js';
import { MPTCP } from './codes.js';
import { mergeMptcp } from './mptcp.js';
import { type Scan, scanTable } from './scan.js';
import { type Rows, readSynQueue, readWaiting, waitedTimes } from './waiting.js';

export interface ListenerOptions {
  /** Network namespace of the table. */
  readonly netns?: string | undefined;
  /** Whether the table has all connections; `undefined`: only where some are seen on the port (saved output, some ports asked). */
  readonly connectionsAsked?: boolean | undefined;
  /** Whether the table has all of SYN-RECV; `undefined`: only where any connection is seen. */
  readonly synRecvAsked?: boolean | undefined;
}

export interface ListenerLook {
  readonly listeners: Listener[];
  /** By key: how long each waiting connection has waited, the longest first, where that is known of all of them. */
  readonly waits: ReadonlyMap<string, Float64Array>;
}

/**
 * The listeners of a table, each with its queue and with the connections that wait for it, attributed by KERNEL.md 5.
 * Members of a SO_REUSEPORT group have these in common; an MPTCP listener, which ss lists twice, is one. One pass over the
 * rows: only SYN-RECV and waiting rows are looked up.
 */
export const readListeners = (table: SocketTable, options: ListenerOptions = {}): Listener[] =>
  lookAtListeners(table, options).listeners;

export const lookAtListeners = (table: SocketTable, options: ListenerOptions = {}): ListenerLook =>
  new ListenerReader(table, options).read();

class ListenerReader {
  private readonly scan: Scan;
  private readonly tcp: ReturnType<typeof mergeMptcp>;
  private readonly index: ListenerIndex;
  /** The connections of each listener, by its row; members of a group share one. */
  private readonly rows = new Map<number, Rows>();
  private readonly membersOf = new Map<number, readonly number[]>();
  private readonly groups = new Map<Rows, ReuseportGroup>();
  private readonly keys = new Map<string, number>();
  private readonly waits = new Map<string, Float64Array>();

  constructor(
    private readonly table: SocketTable,
    private readonly options: ListenerOptions,
  ) {
    this.scan = scanTable(table);
    this.tcp = mergeMptcp(table, this.scan.tcpListeners);
    this.index = new ListenerIndex(table, this.tcp.rows);
  }

  read(): ListenerLook {
    for (const row of this.tcp.rows) this.open(row);
    for (const row of this.scan.waiting) this.rowsFor(row)?.waiting.push(row);
    for (const row of this.scan.synRecv) this.rowsFor(row)?.synRecv.push(row);
    const listeners = [...this.tcp.rows, ...this.scan.unixListeners].map((row) => this.readListener(row));
    return { listeners, waits: this.waits };
  }

  private open(row: number): void {
    if (this.rows.has(row)) return;
    const rows: Rows = { waiting: [], synRecv: [] };
    const members = [row, ...this.index.twins(row)];
    for (const member of members) {
      this.rows.set(member, rows);
      if (members.length > 1) this.membersOf.set(member, members);
    }
  }

  private rowsFor(row: number): Rows | undefined {
    const listener = this.index.find(row);
    return listener === undefined ? undefined : this.rows.get(listener);
  }

  private readListener(index: number): Listener {
    const row = this.table.row(index);
    const isUnix = row.protocol === 'unix';
    const key = this.keyOf(row);
    const acceptQueue = readAcceptQueue(row);
    return {
      key,
      protocol: isUnix ? 'unix' : this.isMptcp(index) ? 'mptcp' : 'tcp',
      ...(isUnix && { unixKind: row.unixKind }),
      local: row.local,
      ...this.readFacts(row),
      acceptQueue,
      ...(!isUnix && this.readConnections(index, key, acceptQueue)),
      row: index,
    };
  }

  private readConnections(
    index: number,
    key: string,
    queue: Listener['acceptQueue'],
  ): Pick<Listener, 'waiting' | 'synQueue' | 'group'> {
    const rows = this.rows.get(index) ?? { waiting: [], synRecv: [] };
    const members = this.membersOf.get(index);
    if (members !== undefined) return { group: this.readGroup(members, rows) };
    const waiting = this.readWaiting(index, rows, queue.length);
    const times = waiting && waitedTimes(this.table, rows.waiting);
    if (times !== undefined) this.waits.set(key, times);
    return {
      ...(waiting !== undefined && { waiting }),
      ...(this.knowsSynRecv && { synQueue: readSynQueue(this.table, rows.synRecv, queue.backlog) }),
    };
  }

  private readGroup(members: readonly number[], rows: Rows): ReuseportGroup {
    const known = this.groups.get(rows);
    if (known !== undefined) return known;
    const [first = 0] = members;
    const length = members.reduce((sum, member) => sum + (this.table.recvQueue[member] ?? 0), 0);
    const waiting = this.readWaiting(first, rows, length, true);
    const { protocol, local } = this.table.row(first);
    const group: ReuseportGroup = {
      id: `${this.options.netns ?? ''}:${protocol} ${formatEndpoint(local)}`,
      members: members.length,
      // Each member has its own SYN queue: there is no limit of the sum.
      ...(this.knowsSynRecv && { synQueue: readSynQueue(this.table, rows.synRecv, undefined) }),
      ...(waiting !== undefined && { waiting }),
    };
    this.groups.set(rows, group);
    return group;
  }

  /** Absent where the look cannot have seen them; a queue without any has none, whatever was asked. */
  private readWaiting(index: number, rows: Rows, length: number, ofGroup = false): Waiting | undefined {
    const { waiting } = rows;
    const isSeen = this.table.get('inode', index) !== undefined && this.sawConnections(index);
    if (!isSeen && (length > 0 || waiting.length > 0)) return undefined;
    // Those that reset are not listed and still hold their place. The dump is not atomic: never below 0, and above only where
    // the length held; else they may have been accepted meanwhile.
    const reset = Math.max(0, length - waiting.length);
    const isCertain = reset === 0 || this.table.hasFlag(index, 'lengthHeld');
    const knowsReset = !ofGroup && isCertain && (length === 0 || this.seesAllOf(index));
    return readWaiting(this.table, waiting, knowsReset ? reset : undefined);
  }

  private sawConnections(index: number): boolean {
    const { connectionsAsked } = this.options;
    return connectionsAsked ?? this.scan.portsWithConnections[this.table.localPort[index] ?? 0] === 1;
  }

  private get knowsSynRecv(): boolean {
    const { synRecvAsked } = this.options;
    return synRecvAsked ?? (this.scan.hasConnections || this.scan.synRecv.length > 0);
  }

  /** The queue of an MPTCP listener also holds connections that only `ss -M` lists. */
  private seesAllOf(index: number): boolean {
    return !this.isMptcp(index) || this.scan.hasMptcp;
  }

  private isMptcp(index: number): boolean {
    return this.table.protocol[index] === MPTCP || this.table.hasFlag(index, 'mptcpSubflow');
  }

  /** The facts that a row may lack. */
  private readFacts(row: SocketRow) {
    const { netns } = this.options;
    const { inode, cookie, owners } = row;
    const drops = this.table.row(this.tcp.subflows.get(row.index) ?? row.index).drops;
    return {
      ...(netns !== undefined && { netns }),
      ...(inode !== undefined && { inode }),
      ...(cookie !== undefined && { cookie }),
      ...(drops !== undefined && { droppedSegments: drops }),
      ...(owners !== undefined && { owners }),
    };
  }

  /** Namespace and inode, else the cookie, else protocol, address and a number. */
  private keyOf(row: SocketRow): string {
    const id = row.inode || row.cookie;
    const key = `${this.options.netns ?? ''}:${id ?? `${row.protocol} ${formatEndpoint(row.local)}`}`;
    const seen = this.keys.get(key) ?? 0;
    this.keys.set(key, seen + 1);
    return seen === 0 && id !== undefined ? key : `${key}#${seen}`;
  }
}

function readAcceptQueue(row: SocketRow): Listener['acceptQueue'] {
  const queues = row.queues;
  if (queues?.kind !== 'listener') return { length: connections(0) };
  const { length, backlog } = queues;
  if (backlog === undefined) return { length };
  const capacity = connections(backlog + 1);
  return {
    length,
    backlog,
    capacity,
    fill: ratio(length / capacity),
    free: connections(Math.max(0, capacity - length)),
  };
}
