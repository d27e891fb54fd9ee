import { monotonicNow } from './origin.js';

const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;
const MOST_KEPT = 100_000;

interface Missing {
  readonly delayMs: number;
  readonly retryAt: number;
  /** The socket itself was not there any more after the scan. */
  readonly hasEnded: boolean;
}

/** Inodes that a whole scan did not find: they are searched again after 1 s, 2 s, ... 60 s, so that they cost little. */
export class MissingInodes {
  private readonly found = new Map<number, Missing>();

  has(inode: number): boolean {
    return this.found.has(inode);
  }

  /** True for one that was never searched, too. */
  isDue(inode: number, now: number): boolean {
    return (this.found.get(inode)?.retryAt ?? 0) <= now;
  }

  /** Of a socket that ended before the processes were searched: nobody holds it. */
  hasEnded(inode: number): boolean {
    return this.found.get(inode)?.hasEnded === true;
  }

  /** True: it was not missing before. */
  add(inode: number): boolean {
    // Sockets that ended are never asked for again, and would stay for ever.
    if (this.found.size >= MOST_KEPT) this.found.clear();
    const before = this.found.get(inode)?.delayMs;
    const delayMs = before === undefined ? FIRST_RETRY_MS : Math.min(LAST_RETRY_MS, before * 2);
    this.found.set(inode, { delayMs, retryAt: monotonicNow() + delayMs, hasEnded: false });
    return before === undefined;
  }

  markEnded(inode: number): void {
    const missing = this.found.get(inode);
    if (missing !== undefined) this.found.set(inode, { ...missing, hasEnded: true });
  }

  delete(inode: number): void {
    this.found.delete(inode);
  }
}
