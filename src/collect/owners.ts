import { join } from 'node:path';
import type { Gap } from '../model/observation.js';
import type { OwnerLookup } from '../model/row-owners.js';
import { type Owner, SOCKET_STATES } from '../model/sockets.js';
import { SocketTable } from '../model/table.js';
import { InodeIndex } from './inode-index.js';
import { MissingInodes } from './missing-inodes.js';
import { inodeOf, monotonicNow } from './origin.js';
import { EMPTY_SCAN, type Scan, scanOwners } from './owner-scan.js';
import { readComm, socketInode } from './process-fds.js';
import { ScanBudget } from './scan-budget.js';
import type { Depth } from './scan-share.js';
import { Effort } from './thread-time.js';

const LISTEN = SOCKET_STATES.indexOf('listen');
/** Inode of the first PID namespace: PROC_PID_INIT_INO of include/linux/proc_ns.h. */
const FIRST_PID_NAMESPACE = '4026531836';
const NEW_PROCESSES_EVERY_MS = 15_000;
/** So soon after the links of all were read, only numbers that are new are worth reading. */
const JUST_READ_MS = 100;
const CHECKS_PER_LOOK = 1024;

/**
 * Owners by inode, from /proc/PID/fd. The first scan reads every descriptor, because only the link tells the inode and because a
 * socket may have many owners (a master and its workers): stopping at the first one found would hide the others. After that
 * it scans only when an inode is wanted that it does not know, and reads only links that are new. On a quiet host a look costs
 * one readlink and one comm for each owner of a listener, which is how a takeover or an end is noticed.
 */
export class OwnerFinder implements OwnerLookup {
  private scan: Scan = EMPTY_SCAN;
  private index = new InodeIndex([]);
  /** Of the first of two scans of one look: what it met may have been closed when the second came by. */
  private earlier: InodeIndex | undefined;
  private cold: Promise<void> | undefined;
  private readonly budget = new ScanBudget();
  private nextNewProcessesAt = 0;
  private nextThoroughAt = 0;
  /** Inodes that a row was asked for and that were not known then. */
  private readonly asked = new Set<number>();
  private readonly missing = new MissingInodes();
  /** Missing since the last update, where processes are hidden: their sockets may have ended before these were searched. */
  private readonly doubtful = new Set<number>();
  private readonly outside: boolean;
  private hiddenListeners = 0;
  private running: Promise<void> | undefined;
  private failure: string | undefined;

  constructor(private readonly proc: string) {
    const namespace = inodeOf(join(proc, 'self/ns/pid'));
    this.outside = namespace !== undefined && namespace !== FIRST_PID_NAMESPACE;
  }

  /** Starts the first scan, to run while ss does; a failure shows at the update. `hurry`: with a second thread. */
  warmUp(signal?: AbortSignal, hurry = false): Promise<void> {
    if (this.cold === undefined) {
      this.cold = this.rescan('all descriptors', signal, hurry).then(() => {
        this.budget.forgive();
      });
      this.cold.catch(() => {});
    }
    return this.cold;
  }

  /**
   * Finds the owners of the listeners of a table, or of several (`everything`: of all its rows) and of what was asked for since, as the budget
   * allows. Waits `patienceMs` at most: what takes longer goes on beside, and is there at a later look. Never throws.
   */
  async update(table: SocketTable | readonly SocketTable[], options: UpdateOptions): Promise<void> {
    this.running ??= this.work(table instanceof SocketTable ? [table] : table, options)
      .then(() => {
        this.failure = undefined;
      })
      .catch((error: Error) => {
        this.failure = error.message;
        this.cold = undefined;
      })
      .finally(() => {
        this.running = undefined;
      });
    await waitAtMost(this.running, options.patienceMs);
  }

  private async work(
    tables: readonly SocketTable[],
    { everything = false, thorough = false, signal }: UpdateOptions,
  ): Promise<void> {
    await this.warmUp(signal);
    this.earlier = undefined;
    this.doubtful.clear();
    const listeners = tables.flatMap((table) => inodesOf(table, true));
    const gone = this.forgetChanged(listeners);
    const wanted = [
      ...(everything ? tables.flatMap((table) => inodesOf(table, false)) : listeners),
      ...this.asked,
    ];
    this.asked.clear();
    const unknown = this.unknownAmong(wanted);
    if (gone || (unknown.length > 0 && (everything || this.mayScanFor(listeners)))) {
      await this.search(unknown, everything && !thorough ? listeners : unknown, thorough, signal);
    } else if (monotonicNow() >= this.nextNewProcessesAt) await this.rescan('new processes', signal);
    this.hiddenListeners = this.isIncomplete ? this.countMissing(listeners) : 0;
  }

  /** Sockets of which only their being there still tells whether their owner is hidden, or they had ended and have none. */
  isInDoubt(table: SocketTable): boolean {
    return this.doubtful.size > 0 && inodesOf(table, false).some((inode) => this.doubtful.has(inode));
  }

  /** `after`: the sockets as they are after the update, of all tables with such in doubt. */
  settle(after: readonly SocketTable[]): void {
    for (const table of after) for (const inode of inodesOf(table, false)) this.doubtful.delete(inode);
    for (const inode of this.doubtful) this.missing.markEnded(inode);
    this.doubtful.clear();
  }

  ownersOf(inode: number): readonly Owner[] | undefined {
    const owners = this.index.ownersOf(inode);
    if (owners.length > 0) return owners;
    if (this.earlier?.has(inode)) return this.earlier.ownersOf(inode);
    this.asked.add(inode);
    const isNobodys = this.missing.has(inode) && (!this.isIncomplete || this.missing.hasEnded(inode));
    return isNobodys ? owners : undefined;
  }

  /** Said while owners of listeners are hidden: always in the same words for the same number. */
  gaps(): Gap[] {
    if (this.failure !== undefined) return [{ what: 'owners', why: this.failure }];
    if (this.hiddenListeners === 0) return [];
    const remedy =
      this.scan.unreadable > 0 && process.getuid?.() !== 0
        ? 'run as root or with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH'
        : 'their processes are in another PID namespace, or hidden by hidepid or a security module';
    const listeners = this.hiddenListeners === 1 ? '1 listener' : `${this.hiddenListeners} listeners`;
    return [{ what: 'owners', why: `hidden for ${listeners}: ${remedy}` }];
  }

  /** Some processes could not be read: what was not found may still have an owner. */
  private get isIncomplete(): boolean {
    // Every PID namespace has a process 1: where it is not listed, hidepid hides the processes of others.
    return this.scan.unreadable > 0 || this.outside || !this.scan.processes.has(1);
  }

  /** `important`: if one of these is not found among new descriptors, the links of all are read again. */
  private async search(
    unknown: readonly number[],
    important: readonly number[],
    thorough: boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await this.rescan('new descriptors', signal);
    const isHidden = important.some((inode) => !this.index.has(inode));
    // A number that was used again since would be taken for a hidden owner.
    const isDue = monotonicNow() >= this.nextThoroughAt || (thorough && this.isIncomplete);
    if (isHidden && isDue) {
      this.earlier = this.index;
      await this.rescan('all descriptors', signal);
    }
    for (const inode of unknown) {
      if (this.index.has(inode) || this.earlier?.has(inode)) this.missing.delete(inode);
      else if (isHidden && this.missing.add(inode) && this.isIncomplete) this.doubtful.add(inode);
    }
  }

  private async rescan(depth: Depth, signal: AbortSignal | undefined, hurry = false): Promise<void> {
    const effort = new Effort();
    const scan = await scanOwners(this.proc, this.scan, { depth, signal, hurry, effort });
    if (!isSame(scan, this.scan)) this.index = new InodeIndex([...scan.processes.values()]);
    this.scan = scan;
    effort.pause();
    const now = monotonicNow();
    this.budget.scanned(now, effort.ms);
    if (depth === 'all descriptors') this.nextThoroughAt = now + JUST_READ_MS;
    this.nextNewProcessesAt = now + NEW_PROCESSES_EVERY_MS;
  }

  /** Whether it is time again; for listeners that nobody has searched yet it is so sooner. */
  private mayScanFor(listeners: readonly number[]): boolean {
    const isNew = (inode: number) => !this.index.has(inode) && !this.missing.has(inode);
    return this.budget.isDue(monotonicNow(), () => listeners.some(isNew));
  }

  private unknownAmong(wanted: readonly number[]): number[] {
    const now = monotonicNow();
    return [...new Set(wanted)].filter((inode) => !this.index.has(inode) && this.missing.isDue(inode, now));
  }

  private countMissing(inodes: readonly number[]): number {
    return inodes.filter((inode) => this.missing.has(inode) && !this.missing.hasEnded(inode)).length;
  }

  /** Forgets processes that no longer hold the listener that they held, or have another name: true where there were some. */
  private forgetChanged(listeners: readonly number[]): boolean {
    const changed = new Set<number>();
    const names = new Map<number, string | undefined>();
    let checks = 0;
    for (const inode of listeners) {
      for (const { pid, fd, name } of this.index.ownersOf(inode)) {
        if (++checks > CHECKS_PER_LOOK) break;
        if (!names.has(pid)) names.set(pid, readComm(this.proc, pid));
        if (names.get(pid) !== name || this.linkOf(pid, fd) !== inode) changed.add(pid);
      }
    }
    if (changed.size === 0) return false;
    const kept = [...this.scan.processes].filter(([pid]) => !changed.has(pid));
    this.scan = { ...this.scan, processes: new Map(kept) };
    return true;
  }

  private linkOf(pid: number, fd: number): number {
    try {
      return socketInode(this.proc, pid, fd);
    } catch {
      return 0;
    }
  }
}

interface UpdateOptions {
  /** Reads the links of all descriptors again for any row, not for listeners only: a number that was used before may be another socket. */
  readonly thorough?: boolean;
  readonly everything?: boolean;
  readonly patienceMs: number;
  readonly signal?: AbortSignal | undefined;
}

function inodesOf(table: SocketTable, listenersOnly: boolean): number[] {
  const column = table.column('inode');
  const inodes: number[] = [];
  for (let row = 0; column !== undefined && row < table.length; row++) {
    const inode = column[row] ?? 0;
    if (inode > 0 && (!listenersOnly || table.state[row] === LISTEN)) inodes.push(inode);
  }
  return inodes;
}

function isSame(one: Scan, other: Scan): boolean {
  if (one.processes.size !== other.processes.size) return false;
  for (const [pid, process] of one.processes) if (other.processes.get(pid) !== process) return false;
  return true;
}

async function waitAtMost(work: Promise<void>, patienceMs: number): Promise<void> {
  if (patienceMs === Number.POSITIVE_INFINITY) return work;
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, patienceMs);
  });
  await Promise.race([work, patience]);
  clearTimeout(timer);
}
