import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SOCKET_STATES } from '../model/sockets.js';
import type { SocketTable } from '../model/table.js';
import { listFds } from './process-fds.js';
import { readText } from './small-files.js';

const LISTEN = SOCKET_STATES.indexOf('listen');
const MOST_PROCESSES = 64;

export interface Descriptors {
  /** With numbers below the limit: those at or above it, from before the limit was lowered, take no place. */
  readonly open: number;
  readonly above?: number;
  /** RLIMIT_NOFILE, soft. */
  readonly limit: number;
}

/**
 * Open descriptors and their limit, by pid, for owners of listeners whose queue is not empty: with the limit reached, accept()
 * fails and the queue is not drained (KERNEL.md 1). At most 64 processes; what may not be read is absent.
 */
export const readDescriptors = (table: SocketTable, proc: string): ReadonlyMap<number, Descriptors> =>
  readDescriptorsOf(ownersOfQueues(table), proc);

/** The same for any processes. */
export function readDescriptorsOf(
  pids: Iterable<number>,
  proc: string,
  most = MOST_PROCESSES,
): ReadonlyMap<number, Descriptors> {
  const found = new Map<number, Descriptors>();
  for (const pid of pids) {
    if (found.size >= most) break;
    const limit = /^Max open files\s+(\d+)/m.exec(readText(join(proc, String(pid), 'limits')) ?? '')?.[1];
    const open = limit === undefined ? undefined : countBelow(proc, pid, Number(limit));
    if (open !== undefined) found.set(pid, { ...open, limit: Number(limit) });
  }
  return found;
}

/** Pids of the owners of listeners whose queue is not empty. */
export function ownersOfQueues(table: SocketTable): ReadonlySet<number> {
  const pids = new Set<number>();
  for (let row = 0; row < table.length; row++) {
    if (table.state[row] !== LISTEN || (table.recvQueue[row] ?? 0) === 0) continue;
    for (const { pid } of table.ownersAt(row) ?? []) pids.add(pid);
  }
  return pids;
}

/** From here on it is worth their numbers; below, those above the limit change nothing. */
const NEAR = 0.8;

/** The limit is about numbers, not about how many are open (getrlimit(2)). `undefined`: may not be read. */
function countBelow(proc: string, pid: number, limit: number): Omit<Descriptors, 'limit'> | undefined {
  const all = countOpen(join(proc, String(pid), 'fd'));
  if (all === undefined || all < limit * NEAR) return all === undefined ? undefined : { open: all };
  try {
    const fds = listFds(proc, pid);
    const open = fds.filter((fd) => fd < limit).length;
    return fds.length > open ? { open, above: fds.length - open } : { open };
  } catch {
    return undefined;
  }
}

// Since Linux 6.2 the size of the directory is the number of descriptors; before it was 0 and they must be counted.
function countOpen(path: string): number | undefined {
  try {
    return statSync(path).size || readdirSync(path).length;
  } catch {
    return undefined;
  }
}
