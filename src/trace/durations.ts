import type { Nanos } from '../model/trace-moment.js';
import type { Percentiles } from '../model/trace-summary.js';
import { Sketch } from './sketch.js';

/** So many values are kept as they are. */
const EXACT = 64;
/** 16 buckets an octave: right within 3 %, 2 KiB. */
const BITS = 4;

/** A distribution of durations, ns, of which there are thousands: exact as long as it has few values, then a sketch. */
export class Durations {
  private values: number[] = [];
  private sketch: Sketch | undefined;

  add(nanos: number): void {
    if (this.sketch !== undefined) {
      this.sketch.add(nanos);
      return;
    }
    this.values.push(nanos);
    if (this.values.length <= EXACT) return;
    this.sketch = new Sketch(BITS);
    for (const value of this.values) this.sketch.add(value);
    this.values = [];
  }

  percentiles(): Percentiles | undefined {
    if (this.sketch !== undefined) return this.sketch.percentiles();
    const sorted = this.values.map((value) => Math.max(0, value)).sort((a, b) => a - b);
    if (sorted.length === 0) return undefined;
    const at = (share: number) => sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] as Nanos;
    return { count: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
  }
}
