import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { readText } from './small-files.js';

/** The descriptors of one process at its last scan: `inodes[i]` is the socket behind `fds[i]`, 0 where it is none. */
export interface ProcessFds {
  readonly pid: number;
  /** Start time in clock ticks: a pid that is used again is another process. */
  readonly start: string;
  /** comm; only read for processes with sockets. */
  readonly name: string | undefined;
  readonly fds: Int32Array;
  readonly inodes: Uint32Array;
  readonly sockets: number;
  /** Above 0 while the process is known to open sockets; falls with each scan that finds no new one. */
  readonly lively: number;
}

const NO_PERMISSION = new Set(['EACCES', 'EPERM']);
export const isDenied = (error: unknown): boolean =>
  NO_PERMISSION.has((error as NodeJS.ErrnoException).code ?? '');

/** Pids of all visible processes. */
export const listPids = (proc: string): number[] =>
  readdirSync(proc)
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid > 0);

/** Numbers of the open descriptors, ascending. Throws where the process has gone or may not be read. */
export function listFds(proc: string, pid: number): Int32Array {
  const names = readdirSync(join(proc, String(pid), 'fd'));
  const fds = new Int32Array(names.length);
  for (let index = 0; index < names.length; index++) fds[index] = Number(names[index]);
  return fds.sort();
}

/** Inode of the socket behind a descriptor; 0 for anything else and for a descriptor that has just been closed. */
export function socketInode(proc: string, pid: number | 'self', fd: number): number {
  let link: string;
  try {
    link = readlinkSync(`${proc}/${pid}/fd/${fd}`);
  } catch (error) {
    if (isDenied(error)) throw error;
    return 0;
  }
  return link.startsWith('socket:[') ? Number(link.slice(8, -1)) : 0;
}

/** All sockets of a process; none where it cannot be read. */
export function socketInodes(proc: string, pid: number | 'self'): ReadonlySet<number> {
  try {
    const fds = readdirSync(join(proc, String(pid), 'fd'));
    return new Set(fds.map((fd) => socketInode(proc, pid, Number(fd))).filter((inode) => inode !== 0));
  } catch {
    return new Set();
  }
}

/** Field 22 of stat, after the comm, which may hold spaces and brackets. */
export function startTime(proc: string, pid: number): string | undefined {
  const stat = readText(join(proc, String(pid), 'stat'));
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

/** The name that the kernel keeps, at most 15 bytes. Never the command line: on a hung host reading it can block. */
export function readComm(proc: string, pid: number): string | undefined {
  try {
    return readFileSync(join(proc, String(pid), 'comm'), 'utf8').replace(/\n$/, '');
  } catch {
    return undefined;
  }
}
