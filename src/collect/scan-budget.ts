/** Scans may take 5 % of one core. */
const SHARE = 0.05;
/** What is urgent waits no longer: a hand-over would be over before anybody knew who was there. */
const LONGEST_PAUSE_MS = 2000;

/** When the descriptors of all processes may be read again. Pure: the times are given, monotonic, in ms. */
export class ScanBudget {
  private lastAt = Number.NEGATIVE_INFINITY;
  private nextAt = Number.NEGATIVE_INFINITY;

  /** @param costMs processor time: on a busy machine a scan takes longer, and costs no more */
  scanned(now: number, costMs: number): void {
    this.lastAt = now;
    this.nextAt = now + costMs / SHARE;
  }

  /** What was scanned while sockets came is not charged: what was opened meanwhile is searched at once. */
  forgive(): void {
    this.lastAt = this.nextAt = Number.NEGATIVE_INFINITY;
  }

  isDue(now: number, isUrgent: () => boolean): boolean {
    return now >= this.nextAt || (now >= this.lastAt + LONGEST_PAUSE_MS && isUrgent());
  }
}
