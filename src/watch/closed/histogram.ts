import type { Spread } from '../../model/closed.js';

/** From 2^-10 (1 µs where the unit is ms) to 2^40. */
const LOWEST_OCTAVE = -10;
const OCTAVES = 50;
const PER_OCTAVE = 4;
const BUCKETS = OCTAVES * PER_OCTAVE + 1;

/** A distribution in fixed memory: four buckets in each octave. A value: adding to a copy leaves the other as it is. */
export class Histogram {
  private counts: Uint32Array | undefined;
  private largest = 0;
  count = 0;

  copy(): Histogram {
    const copy = new Histogram();
    copy.counts = this.counts?.slice();
    copy.largest = this.largest;
    copy.count = this.count;
    return copy;
  }

  add(value: number, times = 1): void {
    this.counts ??= new Uint32Array(BUCKETS);
    const at = bucketOf(value);
    this.counts[at] = (this.counts[at] as number) + times;
    this.count += times;
    if (value > this.largest) this.largest = value;
  }

  /** Adds all that another holds. */
  merge({ counts, count, largest }: Histogram): void {
    if (counts === undefined) return;
    this.counts ??= new Uint32Array(BUCKETS);
    for (let at = 0; at < BUCKETS; at++)
      this.counts[at] = (this.counts[at] as number) + (counts[at] as number);
    this.count += count;
    this.largest = Math.max(this.largest, largest);
  }

  spread(): Spread | undefined {
    if (this.count === 0) return undefined;
    return { count: this.count, p50: this.quantile(0.5), p95: this.quantile(0.95), max: this.largest };
  }

  private quantile(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.count));
    let seen = 0;
    for (let at = 0; at < BUCKETS; at++) {
      seen += this.counts?.[at] ?? 0;
      if (seen >= rank) return Math.min(middleOf(at), this.largest);
    }
    return this.largest;
  }
}

/** The first holds 0 and what is less than the others begin with. */
function bucketOf(value: number): number {
  if (!(value > 0)) return 0;
  const octave = Math.log2(value) - LOWEST_OCTAVE;
  return Math.min(BUCKETS - 1, Math.max(0, Math.floor(octave * PER_OCTAVE) + 1));
}

const middleOf = (bucket: number): number =>
  bucket === 0 ? 0 : 2 ** ((bucket - 0.5) / PER_OCTAVE + LOWEST_OCTAVE);
