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
    let sockets = 0;
    let old = 0;
    for (let index = 0; index < fds.length; index++) {
      const fd = fds[index] ?? 0;
      while (before !== undefined && old < before.fds.length && (before.fds[old] ?? 0) < fd) old++;
      const isKnown = this.depth !== 'all descriptors' && before?.fds[old] === fd;
      const inode = isKnown ? (before.inodes[old] ?? 0) : socketInode(this.proc, pid, fd);
      inodes[index] = inode;
      if (inode !== 0) sockets++;
      if (index % 64 === 63) await this.breathe();
    }
    const name = sockets > 0 ? readComm(this.proc, pid) : undefined;
    return { pid, start, name, fds, inodes, sockets };
  }

  private async breathe(): Promise<void> {
    if (performance.now() - this.since < SLICE_MS) return;
    await this.rest();
    this.since = performance.now();
  }
}
