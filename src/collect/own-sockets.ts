import { fstatSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { monotonicNow } from './origin.js';
import { socketInodes } from './process-fds.js';

/** A look that began before a program ended may still list the socket that it was read through. */
const KEPT_MS = 60_000;

const recent = new Map<number, number>();

/** Notes the socket (libuv reads programs through socket pairs) behind a stream of a program that has just been started. */
export function noteOwnSocket(stream: Readable): void {
  const { _handle } = stream as Readable & { readonly _handle?: { readonly fd?: number } };
  const fd = _handle?.fd ?? -1;
  if (fd < 0) return;
  const now = monotonicNow();
  for (const [inode, at] of recent) {
    if (now - at <= KEPT_MS) break;
    recent.delete(inode);
  }
  recent.set(fstatSync(fd).ino, now);
}

/** Inodes of the sockets of this process, and of those through which it has read programs that may have ended meanwhile. */
export const ownSockets = (proc: string): ReadonlySet<number> =>
  new Set([...socketInodes(proc, 'self'), ...recent.keys()]);
