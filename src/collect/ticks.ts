/**
 * Ticks on a grid of the monotonic clock: a look that takes longer than the interval makes the ticks that it missed
 * be left out and counted, never run at once or overlap.
 */
export class Ticks {
  private last: number;
  private target: number;
  private interval: number;

  /** The first tick is at once. */
  constructor(now: number, interval: number) {
    this.interval = interval;
    this.last = now - interval;
    this.target = now;
  }

  /** Plans the tick after the one that has just been worked on, not before `notBefore`. */
  plan(now: number, interval: number, notBefore = 0): void {
    this.interval = interval;
    const earliest = Math.max(now, notBefore);
    this.target = this.last + Math.max(1, Math.ceil((earliest - this.last) / interval)) * interval;
  }

  /** Milliseconds to wait; the interval may have changed since it was planned. */
  remaining(now: number, interval: number): number {
    if (interval !== this.interval) this.plan(now, interval);
    return Math.max(0, this.target - now);
  }

  /** Takes the planned tick and gives the number of ticks that were left out before it. */
  take(): number {
    const skipped = Math.round((this.target - this.last) / this.interval) - 1;
    this.last = this.target;
    return skipped;
  }

  /** Starts a new grid, after a pause. */
  restart(now: number): void {
    this.last = now - this.interval;
    this.target = now;
  }
}
