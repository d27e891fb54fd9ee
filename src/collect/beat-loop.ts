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
  /** What it is to do is described anew: where its namespace is entered, how much it may keep. */
  change?(spec: unknown): void;
  close(): void;
}

export interface Taken {
  /** Plain data, for another thread. */
  readonly batch: unknown;
  /** Buffers that are handed over instead of copied. */
  readonly transfer?: readonly ArrayBuffer[];
}

/** Does its tasks at a steady rate; who has it waits between the beats. Times are monotonic, ms. */
export class BeatLoop {
  private readonly clock: BeatClock;

  constructor(
    private readonly tasks: () => Iterable<BeatTask>,
    periodMs: number,
    private readonly now: () => number,
  ) {
    this.clock = new BeatClock(now(), periodMs);
  }

  /** How long until the next beat. */
  remaining(): number {
    return this.clock.remaining(this.now());
  }

  beat(): void {
    this.clock.take(this.now());
    for (const task of this.tasks()) task.beat(this.now());
  }
}
