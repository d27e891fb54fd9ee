import { monotonicNow } from './origin.js';

const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;
const MOST_KEPT = 100_000;

/** Inodes that a whole scan did not find: they are searched again after 1 s, 2 s, ... 60 s, so that they cost little. */
export class MissingInodes {
  private readonly found = new Map<number, { readonly delayMs: number; readonly retryAt: number }>();

  has(inode: number): boolean {
    return this.found.has(inode);
  }

  /** True for one that was never searched, too. */
  isDue(inode: number, now: number): boolean {
    return (this.found.get(inode)?.retryAt ?? 0) <= now;
  }

  add(inode: number): void {
    // Sockets that ended are never asked for again, and would stay for ever.
    if (this.found.size >= MOST_KEPT) this.found.clear();
    const before = this.found.get(inode)?.delayMs;
    const delayMs = before === undefined ? FIRST_RETRY_MS : Math.min(LAST_RETRY_MS, before * 2);
    this.found.set(inode, { delayMs, retryAt: monotonicNow() + delayMs });
  }

  delete(inode: number): void {
    this.found.delete(inode);
  }
}
