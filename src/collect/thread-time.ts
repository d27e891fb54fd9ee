import { parseSchedstat } from '../parse/proc/task.js';
import { readText } from './small-files.js';

/**
 * Processor time of the calling thread, ms, for 10 µs of it; `undefined` where the kernel does not count it (CONFIG_SCHED_INFO, Linux 3.17).
 * Node tells only that of the whole process.
 */
export function threadTime(): number | undefined {
  // The file shows what was counted last, up to a tick ago; this lets the kernel count up to now (thread_group_cputime() of kernel/sched/cputime.c).
  process.cpuUsage();
  const { runMs = 0 } = parseSchedstat(readText('/proc/thread-self/schedstat') ?? '') ?? {};
  return runMs === 0 ? undefined : runMs;
}

/** What a piece of work costs that lets others have the thread now and then. It begins at once. */
export class Effort {
  private spentMs = 0;
  private wallFrom = 0;
  private from: number | undefined;

  /** @param time processor time of the thread, ms; without it the clock counts. */
  constructor(private readonly time: () => number | undefined = threadTime) {
    this.resume();
  }

  pause(): void {
    const now = this.time();
    const wallMs = performance.now() - this.wallFrom;
    // A thread that loses its processor does not work; and it works on no more than one.
    const ownMs = now === undefined || this.from === undefined ? wallMs : now - this.from;
    this.spentMs += Math.max(0, Math.min(ownMs, wallMs));
  }

  resume(): void {
    this.wallFrom = performance.now();
    this.from = this.time();
  }

  /** Processor time until the last pause, ms. */
  get ms(): number {
    return this.spentMs;
  }
}
