import { SourceError } from '../model/errors.js';
import type { Gap, NetnsMark, Scope } from '../model/observation.js';
import type { Source } from '../model/sockets.js';
import { SocketTable } from '../model/table.js';
import { copyRows } from './copy-rows.js';
import { type Inside, readFilesInside, runInside } from './inside.js';
import type { LookKind } from './look-plan.js';
import { NetlinkInside, NetlinkSource } from './netlink.js';
import { NamespaceError } from './netns-enter.js';
import type { CollectOptions, Door } from './options.js';
import { readProcNet } from './proc.js';
import { preloadRun, run } from './run.js';
import { type SsLook, SsSource } from './ss.js';
import type { SsQuery } from './ss-args.js';
import { leftOutBy, MOST_PORTS, troubledPorts } from './troubled-ports.js';

export interface SourceLook extends SsLook {
  readonly source: Extract<Source, 'netlink' | 'ss' | 'proc'>;
  readonly scope: Scope;
  /** Of another namespace: its files of procfs, by path. */
  readonly texts?: Readonly<Record<string, string>>;
  /** Of what netlink read. */
  readonly netnsMark?: NetnsMark;
}

const LISTENERS = ['listening', 'syn-recv'] as const;
const WITH_CONNECTIONS = [...LISTENERS, 'established', 'close-wait'] as const;

const NO_LIMITS =
  'read from /proc/net, which has no limits of listeners, no dropped segments and no waiting times';
const KERNEL_WITHOUT_DIAG =
  'ss fell back to /proc/net, which has no limits of listeners: load tcp_diag and unix_diag (modprobe), or ask the administrator';
const CARRIED: Gap = {
  what: 'SYN-RECV of ports without waiting connections, and Unix sockets',
  why: 'as of an earlier look: not everything is asked for at every tick',
};

const notAsked = (ports: number): Gap => ({
  what: `connections that wait at ${ports} ports`,
  why: `ss is asked for the ${MOST_PORTS} ports with the longest queues only`,
});

interface LookWish {
  /** Nobody needs this thread while the look lasts. */
  readonly mayBlock?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Tables of sockets from the kernel, from ss or from /proc/net: what the options say, or the first of them that works here. */
export class SocketSource {
  private readonly ss: SsSource;
  private readonly netlink: NetlinkSource;
  private readonly netlinkInside: NetlinkInside | undefined;
  /** Why the kernel is not asked again. */
  private noNetlink: SourceError | undefined;
  /** Of the last look at all ports and kinds: the rows that a look at some ports may leave out. */
  private kept = new SocketTable();
  /** Ports of TCP whose accept queue was not empty at the last look. */
  ports: readonly number[] = [];
  /** False while /proc/net is read, always as a whole. */
  givesParts: boolean;

  constructor(
    private readonly options: CollectOptions,
    private readonly door: Door,
    private readonly inside?: Inside,
  ) {
    this.ss = new SsSource(inside === undefined ? run : runInside(run, inside), door);
    this.netlink = new NetlinkSource(options, door);
    this.netlinkInside = inside && new NetlinkInside(options, inside);
    this.givesParts = options.source !== 'proc';
    if (options.source === 'ss') void preloadRun();
  }

  /** One look, with one run of ss at most. Throws `SourceError`, or the reason of the signal. */
  async look(kind: LookKind, wish: LookWish = {}): Promise<SourceLook> {
    const look = await this.read(kind, wish);
    this.ports = troubledPorts(look.sockets);
    this.givesParts = look.source !== 'proc';
    if (kind !== 'ports') this.keep(look.sockets);
    return look;
  }

  /** For a single look: where some queue is not empty, a second question fetches who waits. */
  async lookTwice(wish: LookWish = {}): Promise<SourceLook> {
    const first = await this.look('listeners', wish);
    if (first.scope !== 'listeners') return first;
    const second = await this.look('ports', wish);
    // What the first run saw is only milliseconds older.
    return { ...second, gaps: second.gaps.filter((gap) => gap !== CARRIED) };
  }

  private async read(kind: LookKind, wish: LookWish): Promise<SourceLook> {
    try {
      return await this.readAsked(kind, wish);
    } catch (error) {
      const pid = this.inside?.pid;
      const isClosed = error instanceof NamespaceError && error.fault === 'permission';
      if (!isClosed || pid === undefined || this.options.source === 'netlink') throw error;
      // Whoever may see the process may read its /proc/PID/net, though not enter its namespace.
      return await this.readProc(`the namespace may not be entered: ${NO_LIMITS}`, error);
    }
  }

  private async readAsked(kind: LookKind, wish: LookWish): Promise<SourceLook> {
    const { source } = this.options;
    if (source === 'proc') return this.readProc(NO_LIMITS);
    if (source === 'ss') return this.readSs(kind, wish.signal);
    if (this.noNetlink !== undefined) return this.readInstead(kind, wish, this.noNetlink);
    const startedAt = performance.now();
    try {
      return await this.readNetlink(kind, wish);
    } catch (error) {
      if (source === 'netlink' || !(error instanceof SourceError) || error instanceof NamespaceError)
        throw error;
      // Only what the host lacks or forbids stays so: what is slow or out of order now may work the next time.
      if (error.fault === 'missing' || error.fault === 'permission') this.noNetlink = error;
      const leftMs = Math.floor(this.options.timeoutMs - (performance.now() - startedAt));
      if (error.fault === 'timeout' || leftMs < 1) throw error;
      return this.readInstead(kind, wish, error, leftMs);
    }
  }

  private async readNetlink(kind: LookKind, { mayBlock = false, signal }: LookWish): Promise<SourceLook> {
    const look = await (this.netlinkInside?.look(kind, this.ports, signal) ??
      this.netlink.look(kind, this.ports, { mayBlock, signal }));
    return { ...look, source: 'netlink', scope: this.scopeOf(kind, look.sockets) };
  }

  /** Without netlink: ss in the time that is left, and without that /proc/net. What fails says why netlink did too. */
  private async readInstead(
    kind: LookKind,
    { signal }: LookWish,
    why: SourceError,
    leftMs = this.options.timeoutMs,
  ): Promise<SourceLook> {
    const reasonFor = (other: string): Gap => ({
      what: 'netlink',
      why: `${why.message}: ${other} is read instead`,
    });
    try {
      const look = await this.readSs(kind, signal, leftMs);
      return { ...look, gaps: [reasonFor('ss'), ...look.gaps] };
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      const both = new SourceError(error.fault, `${error.message}; ${why.message}`, error.remedy, {
        cause: error,
      });
      if (error.fault !== 'missing') throw both;
      const look = await this.readProc(
        `${error.message} (${error.remedy ?? 'install it'}): ${NO_LIMITS}`,
        both,
      );
      return { ...look, gaps: [reasonFor('/proc/net'), ...look.gaps] };
    }
  }

  private async readProc(why: string, missing?: SourceError): Promise<SourceLook> {
    const process = this.inside === undefined ? 'self' : this.inside.pid;
    if (process === undefined)
      throw (
        missing ??
        new NamespaceError(
          'permission',
          'no process lives there, so /proc does not show it',
          'use --source auto',
        )
      );
    try {
      const look = await readProcNet(this.door.proc, this.options, process);
      return { ...look, source: 'proc', scope: 'all', gaps: [{ what: 'limits', why }, ...look.gaps] };
    } catch (error) {
      // Of the two, the missing ss is the one to mend.
      throw missing ?? error;
    }
  }

  private async readSs(
    kind: LookKind,
    signal: AbortSignal | undefined,
    timeoutMs = this.options.timeoutMs,
  ): Promise<SourceLook> {
    // ss lists 100,000 sockets in a second: at every tick it is asked for some ports only.
    const ports = kind === 'ports' ? this.ports.slice(0, MOST_PORTS) : [];
    const texts = this.inside && (await this.readFiles(this.inside, signal));
    const look = await this.ss.look(this.query(kind, ports), timeoutMs, signal);
    const gaps = [...look.gaps];
    if (ports.length > 0 && this.carry(look.sockets, ports)) gaps.push(CARRIED);
    if (ports.length < this.ports.length && kind === 'ports')
      gaps.push(notAsked(this.ports.length - ports.length));
    if (hasUnknownLimit(look.sockets)) gaps.push({ what: 'limits', why: KERNEL_WITHOUT_DIAG });
    const scope = this.scopeOf(kind, look.sockets);
    return { source: 'ss', scope, sockets: look.sockets, gaps, ...(texts !== undefined && { texts }) };
  }

  private readFiles(inside: Inside, signal: AbortSignal | undefined): Promise<Record<string, string>> {
    const { timeoutMs } = this.options;
    return readFilesInside(run, inside, inside.files, {
      timeoutMs,
      signal,
      path: this.door.path,
    });
  }

  private query(kind: LookKind, ports: readonly number[]): SsQuery {
    const { udp, unix, scope, details = true } = this.options;
    if (kind === 'listeners') return { states: LISTENERS, udp, unix };
    if (kind === 'ports') return { states: WITH_CONNECTIONS, ports, udp, unix: false };
    return scope === 'all' ? { udp, unix, details } : { states: WITH_CONNECTIONS, udp, unix };
  }

  // A small copy: the whole table may be large, and the watcher has a newer one.
  private keep(table: SocketTable): void {
    this.kept = new SocketTable();
    copyRows(table, this.kept, leftOutBy([], table));
  }

  /** ss cannot filter by port and show Unix sockets in one run; the last whole look had them. True where rows were added. */
  private carry(table: SocketTable, ports: readonly number[]): boolean {
    const before = table.length;
    copyRows(this.kept, table, leftOutBy(ports, this.kept));
    return table.length > before;
  }

  private scopeOf(kind: LookKind, table: SocketTable): Scope {
    if (kind === 'complete') return this.options.scope;
    if (kind === 'ports') return 'troubled';
    // Where no queue holds anything, the listeners are all there is to know about waiting connections.
    const isEnough = this.options.scope !== 'listeners' && troubledPorts(table).length === 0;
    return isEnough ? 'troubled' : 'listeners';
  }
}

const hasUnknownLimit = (table: SocketTable): boolean => {
  for (let row = 0; row < table.length; row++) if (table.hasFlag(row, 'limitUnknown')) return true;
  return false;
};
