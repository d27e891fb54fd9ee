import type { Spread } from '../../model/closed.js';

/** From 2^-10 (1 µs where the unit is ms) to 2^40. */
const LOWEST_OCTAVE = -10;
const OCTAVES = 50;
const PER_OCTAVE = 4;
const BUCKETS = OCTAVES * PER_OCTAVE + 1;

/** Which end of a bucket stands for what is in it: a bound of what is a bound itself, or the middle. */
export type Edge = 'low' | 'middle' | 'high';
/** More digits than these would say more than is known. */
const DIGITS = 3;

/** A distribution in fixed memory: four buckets in each octave. A value: adding to a copy leaves the other as it is. */
export class Histogram {
  private counts: Uint32Array | undefined;
  private smallest = Number.POSITIVE_INFINITY;
  private largest = 0;
  count = 0;

  copy(): Histogram {
    const copy = new Histogram();
    copy.counts = this.counts?.slice();
    copy.smallest = this.smallest;
    copy.largest = this.largest;
    copy.count = this.count;
    return copy;
  }

  add(value: number, times = 1): void {
    this.counts ??= new Uint32Array(BUCKETS);
    const at = bucketOf(value);
    this.counts[at] = (this.counts[at] as number) + times;
    this.count += times;
    if (value < this.smallest) this.smallest = value;
    if (value > this.largest) this.largest = value;
  }

  /** Adds all that another holds. */
  merge({ counts, count, smallest, largest }: Histogram): void {
    if (counts === undefined) return;
    this.counts ??= new Uint32Array(BUCKETS);
    for (let at = 0; at < BUCKETS; at++)
      this.counts[at] = (this.counts[at] as number) + (counts[at] as number);
    this.count += count;
    this.smallest = Math.min(this.smallest, smallest);
    this.largest = Math.max(this.largest, largest);
  }

  /** Quantiles: with `low` none is above the true one, with `high` none below. */
  spread(edge: Edge = 'middle'): Spread | undefined {
    if (this.count === 0) return undefined;
    const quantile = (share: number) => this.quantile(share, edge);
    return { count: this.count, p50: quantile(0.5), p95: quantile(0.95), max: this.largest };
  }

  private quantile(share: number, edge: Edge): number {
    const rank = Math.max(1, Math.ceil(share * this.count));
    let seen = 0;
    for (let at = 0; at < BUCKETS; at++) {
      seen += this.counts?.[at] ?? 0;
      if (seen < rank) continue;
      const value = at === BUCKETS - 1 && edge === 'high' ? this.largest : shorten(edgeOf(at, edge), edge);
      return Math.min(this.largest, Math.max(this.smallest, value));
    }
    return this.largest;
  }
}

/** The first holds zeros, the second also what is less than it begins with. */
function bucketOf(value: number): number {
  if (!(value > 0)) return 0;
  const octave = Math.log2(value) - LOWEST_OCTAVE;
  return Math.min(BUCKETS - 1, Math.max(1, Math.floor(octave * PER_OCTAVE) + 1));
}

const PLACES: Readonly<Record<Edge, number>> = { low: 1, middle: 0.5, high: 0 };

function edgeOf(bucket: number, edge: Edge): number {
  if (bucket === 0 || (bucket === 1 && edge === 'low')) return 0;
  return 2 ** ((bucket - PLACES[edge]) / PER_OCTAVE + LOWEST_OCTAVE);
}

/** Fewer digits, and still a bound. */
function shorten(value: number, edge: Edge): number {
  if (value === 0) return 0;
  const power = Math.floor(Math.log10(value)) - DIGITS + 1;
  const round = { low: Math.floor, middle: Math.round, high: Math.ceil }[edge];
  // Powers of ten below one are no exact numbers, their inverses are.
  return power < 0 ? round(value * 10 ** -power) / 10 ** -power : round(value / 10 ** power) * 10 ** power;
}
