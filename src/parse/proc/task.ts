import type { ThrottleFacts } from '../../model/processes.js';
import { millis } from '../../model/units.js';

/** What a thread does, as far as its system call tells. `fd`: of a read. */
export type Doing =
  | { readonly kind: 'accepting' | 'polling' | 'polling-one' | 'parked' | 'other' | 'running' }
  | { readonly kind: 'reading'; readonly fd: number };

type Kind = Doing['kind'] | 'poll';

/** Numbers of system calls differ by architecture (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h). */
const CALLS: Readonly<Record<string, ReadonlyMap<number, Kind>>> = {
  x64: new Map<number, Kind>([
    ...([0, 19, 45, 47, 299] as const).map((call) => [call, 'reading'] as const),
    ...([43, 288] as const).map((call) => [call, 'accepting'] as const),
    ...([23, 232, 270, 281, 441] as const).map((call) => [call, 'polling'] as const),
    ...([7, 271] as const).map((call) => [call, 'poll'] as const),
    // With wait4() and pause(), as a process does that forks its workers.
    ...([34, 35, 61, 128, 130, 202, 230, 247, 449] as const).map((call) => [call, 'parked'] as const),
  ]),
  arm64: new Map<number, Kind>([
    ...([63, 65, 207, 212, 243] as const).map((call) => [call, 'reading'] as const),
    ...([202, 242] as const).map((call) => [call, 'accepting'] as const),
    ...([22, 72, 441] as const).map((call) => [call, 'polling'] as const),
    [73, 'poll'],
    ...([95, 98, 101, 115, 133, 137, 260, 449] as const).map((call) => [call, 'parked'] as const),
  ]),
};

/** Of /proc/PID/task/TID/syscall: `45 0x4 0x7fe0bc0ba210 ...`, `running`, or `-1 ...` outside of a call. */
export function parseSyscall(text: string, architecture: string): Doing | undefined {
  if (text.startsWith('running')) return { kind: 'running' };
  const match = /^(-?\d+) 0x([0-9a-f]+) 0x([0-9a-f]+) 0x([0-9a-f]+)/.exec(text);
  const calls = CALLS[architecture];
  if (match === null || calls === undefined) return text.startsWith('-1 ') ? { kind: 'other' } : undefined;
  const [first, second] = [Number.parseInt(match[2] ?? '', 16), Number.parseInt(match[3] ?? '', 16)];
  const kind = calls.get(Number(match[1])) ?? 'other';
  if (kind === 'reading') return { kind, fd: first };
  if (kind === 'poll') return { kind: second === 1 ? 'polling-one' : 'polling' };
  return { kind };
}

/** State and name-independent fields of /proc/PID/stat: the comm may hold spaces and brackets. */
export function parseTaskState(stat: string): string | undefined {
  return /^[A-Za-z]/.exec(stat.slice(stat.lastIndexOf(')') + 2))?.[0];
}

/** Of /proc/PID/task/TID/schedstat: time on a processor and time ready for one, both ns. */
export function parseSchedstat(
  text: string,
): { readonly runMs: number; readonly waitMs: number } | undefined {
  const match = /^(\d+) (\d+)/.exec(text);
  return match === null ? undefined : { runMs: Number(match[1]) / 1e6, waitMs: Number(match[2]) / 1e6 };
}

/** Paths of the groups that bound the processor, from /proc/PID/cgroup: below `cpu` (version 1) or without a name (version 2). */
export function parseCpuGroups(text: string): { readonly v1?: string; readonly v2?: string } {
  const found: { v1?: string; v2?: string } = {};
  for (const line of text.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    // What climbs out of the mount is of another namespace of groups.
    if (controllers === undefined || path === undefined || path.split('/').includes('..')) continue;
    if (controllers === '') found.v2 = path;
    else if (controllers.split(',').includes('cpu')) found.v1 = path;
  }
  return found;
}

/** Of cpu.stat: `throttled_usec` (version 2) or `throttled_time` in ns (version 1). */
export function parseCpuStat(text: string): ThrottleFacts | undefined {
  const number = (name: string) => new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1];
  const times = number('nr_throttled');
  const micros = number('throttled_usec');
  const nanos = number('throttled_time');
  if (times === undefined) return undefined;
  return { times: Number(times), ms: millis(Number(micros ?? 0) / 1000 + Number(nanos ?? 0) / 1e6) };
}
