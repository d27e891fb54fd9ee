import type { LongLived } from '../../model/pools.js';
import { connections } from '../../model/units.js';

const LONG_MS = 60_000;
const MOVING_MS = 10_000;
/** Idle timeouts of AWS' balancers, as documented: ALB 60 s by default, NLB 350 s. */
const ALB_MS = 60_000;
const NLB_MS = 350_000;

/** Open connections of one look that have lasted. */
export class LongTally {
  private count = 0;
  private moving = 0;
  private quiet60s = 0;
  private quiet350s = 0;

  begin(): void {
    this.count = this.moving = this.quiet60s = this.quiet350s = 0;
  }

  /** `quietMs`: NaN where unknown. */
  add(ageMs: number, quietMs: number): void {
    if (!(ageMs >= LONG_MS)) return;
    this.count++;
    if (quietMs < MOVING_MS) this.moving++;
    if (quietMs > ALB_MS) this.quiet60s++;
    if (quietMs > NLB_MS) this.quiet350s++;
  }

  describe(): LongLived {
    return {
      count: connections(this.count),
      moving: connections(this.moving),
      quiet60s: connections(this.quiet60s),
      quiet350s: connections(this.quiet350s),
    };
  }
}
