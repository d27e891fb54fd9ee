import { isDenied, listFds, type ProcessFds, readComm, socketInode, startTime } from './process-fds.js';

/** How thoroughly known processes are looked at again. */
export type Depth =
  /** Only processes that were not there before. */
  | 'new processes'
  /** Also descriptor numbers that were not there before. */
  | 'new descriptors'
  /** Also numbers that may have been closed and used again since. */
  | 'all descriptors';

const SLICE_MS = 5;
/** A process that has opened a socket is expected to open more for so many scans. */
const LIVELY_SCANS = 16;
/** Reading every link of a process with more descriptors at each look would cost more than the look. */
const MOST_LIVELY_FDS = 512;

/**
 * Whether a process is worth reading first, and whole: one that makes a connection for each request has it for a moment, and has the
 * next one behind the same number.
 */
export const isLively = ({ lively, fds }: ProcessFds): boolean => lively > 0 && fds.length <= MOST_LIVELY_FDS;

const isSystemError = (error: unknown): boolean => (error as NodeJS.ErrnoException).syscall !== undefined;

/** Reads processes one after the other, and says every 5 ms that it would let others have the thread. */
export class ScanShare {
  readonly processes: ProcessFds[] = [];
  /** Processes whose descriptors may not be read. */
  unreadable = 0;
  private since = performance.now();

  /**
   * @param known what an earlier scan found of a process
   * @param rest called after each slice; may throw to end the scan
   */
  constructor(
    private readonly proc: string,
    private readonly depth: Depth,
    private readonly known: (pid: number) => ProcessFds | undefined,
    private readonly rest: () => Promise<void>,
  ) {}

  async add(pid: number): Promise<void> {
    await this.breathe();
    try {
      const process = await this.scan(pid, this.known(pid));
      if (process !== undefined) this.processes.push(process);
    } catch (error) {
      if (isDenied(error)) this.unreadable++;
      // Other answers of the system: the process has ended meanwhile.
      else if (!isSystemError(error)) throw error;
    }
  }

  private async scan(pid: number, known: ProcessFds | undefined): Promise<ProcessFds | undefined> {
    const start = startTime(this.proc, pid);
    if (start === undefined) return undefined;
    const before = known?.start === start ? known : undefined;
    if (before !== undefined && this.depth === 'new processes') return before;
    const fds = listFds(this.proc, pid);
    const inodes = new Uint32Array(fds.length);
    const isTrusted = this.depth !== 'all descriptors' && !(before !== undefined && isLively(before));
    let sockets = 0;
    let opened = 0;
    let old = 0;
    for (let index = 0; index < fds.length; index++) {
      const fd = fds[index] ?? 0;
      while (before !== undefined && old < before.fds.length && (before.fds[old] ?? 0) < fd) old++;
      const was = before?.fds[old] === fd ? before.inodes[old] : undefined;
      const inode = was !== undefined && isTrusted ? was : socketInode(this.proc, pid, fd);
      inodes[index] = inode;
      if (inode !== 0) sockets++;
      if (inode !== 0 && before !== undefined && inode !== was) opened++;
      if (index % 64 === 63) await this.breathe();
    }
    const name = sockets > 0 ? readComm(this.proc, pid) : undefined;
    const lively = opened > 0 ? LIVELY_SCANS : Math.max(0, (before?.lively ?? 0) - 1);
    return { pid, start, name, fds, inodes, sockets, lively };
  }

  private async breathe(): Promise<void> {
    if (performance.now() - this.since < SLICE_MS) return;
    await this.rest();
    this.since = performance.now();
  }
}
