import { BeatClock } from './beat-clock.js';

/**
 * Something small that is done again and again in one thread, between two looks of the main thread: it may block for parts of a
 * millisecond, keeps what it finds in memory that does not grow without limit, and gives it away when it is asked.
 */
export interface BeatTask {
  /** Once per beat; `now`: monotonic, ms. What goes wrong is kept for `take`: it never throws. */
  beat(now: number): void;
  /** What has come together since the last time. */
  take(now: number): Taken;
  close(): void;
}

export interface Taken {
  /** Plain data, for another thread. */
  readonly batch: unknown;
  /** Buffers that are handed over instead of copied. */
  readonly transfer?: readonly ArrayBuffer[];
}

/** Runs its tasks at a steady rate, on this thread, until it is closed. */
export class BeatLoop {
  private readonly clock: BeatClock;
  private timer: NodeJS.Timeout | undefined;

  /** `now`: monotonic ms, as of `monotonicNow`. */
  constructor(
    readonly tasks: readonly BeatTask[],
    periodMs: number,
    private readonly now: () => number,
  ) {
    this.clock = new BeatClock(now(), periodMs);
    this.wait();
  }

  close(): void {
    clearTimeout(this.timer);
    for (const task of this.tasks) task.close();
  }

  private wait(): void {
    this.timer = setTimeout(() => this.beat(), Math.round(this.clock.remaining(this.now())));
  }

  private beat(): void {
    this.clock.take(this.now());
    for (const task of this.tasks) task.beat(this.now());
    this.wait();
  }
}
