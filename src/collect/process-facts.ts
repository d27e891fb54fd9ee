import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessFacts, ThreadFacts, ThrottleFacts } from '../model/processes.js';
import type { SocketTable } from '../model/table.js';
import { millis } from '../model/units.js';
import {
  parseCpuGroups,
  parseCpuStat,
  parseSchedstat,
  parseSyscall,
  parseTaskState,
} from '../parse/proc/task.js';
import { ownersOfQueues } from './descriptors.js';
import type { Door } from './options.js';
import { socketInode } from './process-fds.js';
import { readText } from './small-files.js';

const MOST_PROCESSES = 64;
/** Three small files each, about 10 µs apiece. */
const MOST_THREADS = 512;

type Files = Pick<Door, 'proc' | 'cgroups'>;

/**
 * What the owners of listeners whose queue is not empty do, by pid: why accept() may be slow. At most 64 processes and 512 threads; who
 * may not read `syscall` (it needs ptrace) gets states alone.
 */
export function readProcesses(table: SocketTable, files: Files): ReadonlyMap<number, ProcessFacts> {
  const found = new Map<number, ProcessFacts>();
  let left = MOST_THREADS;
  for (const pid of ownersOfQueues(table)) {
    if (found.size >= MOST_PROCESSES) break;
    const facts = readProcess(pid, files, left);
    if (facts === undefined) continue;
    left -= facts.threads?.looked ?? 0;
    found.set(pid, facts);
  }
  return found;
}

function readProcess(pid: number, files: Files, mostThreads: number): ProcessFacts | undefined {
  const folder = join(files.proc, String(pid));
  const state = parseTaskState(readText(join(folder, 'stat')) ?? '');
  if (state === undefined) return undefined;
  const tasks = readTasks(pid, files.proc, mostThreads);
  const throttled = readThrottling(folder, files.cgroups);
  return { state, ...tasks, ...(throttled && { throttled }) };
}

function readTasks(pid: number, proc: string, most: number): Partial<ProcessFacts> {
  const folder = join(proc, String(pid), 'task');
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return {};
  }
  const count = new ThreadCount(names.length);
  for (const name of names.slice(0, most)) {
    const task = join(folder, name);
    count.addTimes(parseSchedstat(readText(join(task, 'schedstat')) ?? ''));
    const state = parseTaskState(readText(join(task, 'stat')) ?? '');
    const doing = parseSyscall(readText(join(task, 'syscall')) ?? '', process.arch);
    if (state !== undefined) count.add(state, doing, (fd) => inodeOf(proc, pid, fd));
  }
  // Half of the threads tell nothing of all of them in time.
  return names.length > most ? { threads: count.facts() } : { threads: count.facts(), ...count.times() };
}

function inodeOf(proc: string, pid: number, fd: number): number {
  try {
    return socketInode(proc, pid, fd);
  } catch {
    return 0;
  }
}

class ThreadCount {
  private readonly seen = {
    looked: 0,
    accepting: 0,
    polling: 0,
    pollingOne: 0,
    parked: 0,
    running: 0,
    blockedOnDisk: 0,
  };
  private readonly readingFrom: number[] = [];
  private runMs = 0;
  private waitMs = 0;

  constructor(private readonly threads: number) {}

  add(state: string, doing: ReturnType<typeof parseSyscall>, inode: (fd: number) => number): void {
    const { seen } = this;
    if (state === 'R') seen.running++;
    else if (state === 'D') seen.blockedOnDisk++;
    if (doing === undefined && state !== 'R' && state !== 'D') return;
    seen.looked++;
    if (state === 'R' || state === 'D' || doing === undefined) return;
    switch (doing.kind) {
      case 'accepting':
      case 'polling':
      case 'parked':
        seen[doing.kind]++;
        break;
      case 'polling-one':
        seen.pollingOne++;
        break;
      case 'reading': {
        const socket = inode(doing.fd);
        if (socket !== 0) this.readingFrom.push(socket);
        break;
      }
    }
  }

  addTimes(times: ReturnType<typeof parseSchedstat>): void {
    this.runMs += times?.runMs ?? Number.NaN;
    this.waitMs += times?.waitMs ?? Number.NaN;
  }

  facts(): ThreadFacts {
    return { threads: this.threads, ...this.seen, readingFrom: this.readingFrom };
  }

  times(): Pick<ProcessFacts, 'cpuMs' | 'runWaitMs'> {
    if (Number.isNaN(this.runMs)) return {};
    return { cpuMs: millis(this.runMs), runWaitMs: millis(this.waitMs) };
  }
}

/** Of the group that the process is in; the groups above it may be throttled too. */
function readThrottling(folder: string, cgroups: string): ThrottleFacts | undefined {
  const { v1, v2 } = parseCpuGroups(readText(join(folder, 'cgroup')) ?? '');
  const paths = [
    ...(v2 === undefined ? [] : [join(cgroups, v2), join(cgroups, 'unified', v2)]),
    ...(v1 === undefined ? [] : [join(cgroups, 'cpu', v1), join(cgroups, 'cpu,cpuacct', v1)]),
  ];
  for (const path of paths) {
    const facts = parseCpuStat(readText(join(path, 'cpu.stat')) ?? '');
    if (facts !== undefined) return facts;
  }
  return undefined;
}
