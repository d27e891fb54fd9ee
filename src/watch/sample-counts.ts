import type { Thresholds } from '../analyze/thresholds.js';
import type { SampleFacts } from '../model/listener.js';
import { FILL_BINS, FULL_BIN, type ListenerSamples } from '../model/samples.js';
import { connections, millis, ratio } from '../model/units.js';

/** Samples of one listener over any time, as they can be added up. A value. */
export interface SampleCounts {
  readonly count: number;
  /** Time that they stand for, and the longest between two. */
  readonly spanMs: number;
  readonly longestGapMs: number;
  readonly busy: number;
  readonly sum: number;
  readonly peak: number;
  readonly runs: number;
  /** 0: no run of full samples had two. */
  readonly longestFullMs: number;
  /** Of the samples whose queue was not empty: how many by bin of fill. */
  readonly bins: Uint32Array;
}

/** What is known of the looks at all listeners of one kind. */
export interface Stretch {
  readonly looks: number;
  readonly spanMs: number;
  readonly longestGapMs: number;
}

const NO_BINS = new Uint32Array(FILL_BINS);

/** Of a listener that all looks saw, always empty. */
export const idleCounts = ({ looks, spanMs, longestGapMs }: Stretch): SampleCounts => ({
  count: looks,
  spanMs,
  longestGapMs,
  busy: 0,
  sum: 0,
  peak: 0,
  runs: 0,
  longestFullMs: 0,
  bins: NO_BINS,
});

export function countsOf(samples: ListenerSamples, { looks, spanMs, longestGapMs }: Stretch): SampleCounts {
  const bins = new Uint32Array(FILL_BINS);
  for (const [bin, count] of samples.fills) if (bin >= 0 && bin < FILL_BINS) bins[bin] = count;
  return {
    count: samples.samples,
    // One that came or went was there for its share of the time.
    spanMs: looks > 0 ? (spanMs * samples.samples) / looks : 0,
    longestGapMs,
    busy: samples.busy,
    sum: samples.sum,
    peak: samples.peak,
    runs: samples.full?.runs ?? 0,
    longestFullMs: samples.full?.longestMs ?? 0,
    bins,
  };
}

export function addCounts(
  a: SampleCounts | undefined,
  b: SampleCounts | undefined,
): SampleCounts | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    count: a.count + b.count,
    spanMs: a.spanMs + b.spanMs,
    longestGapMs: Math.max(a.longestGapMs, b.longestGapMs),
    busy: a.busy + b.busy,
    sum: a.sum + b.sum,
    peak: Math.max(a.peak, b.peak),
    runs: a.runs + b.runs,
    longestFullMs: Math.max(a.longestFullMs, b.longestFullMs),
    // Most are never busy: their bins are not copied.
    bins: b.busy === 0 ? a.bins : a.bins.map((count, bin) => count + (b.bins[bin] as number)),
  };
}

/** Counts as outputs show them; `undefined` where there are none. */
export function factsOf(
  counts: SampleCounts | undefined,
  { warnFill, criticalFill }: Pick<Thresholds, 'warnFill' | 'criticalFill'>,
): SampleFacts | undefined {
  if (counts === undefined || counts.count === 0) return undefined;
  const { count, spanMs, bins } = counts;
  const share = (fill: number) => ratio(samplesFrom(bins, Math.min(fill, 1)) / count);
  return {
    count,
    rateHz: spanMs > 0 ? (count * 1000) / spanMs : 0,
    longestGapMs: millis(counts.longestGapMs),
    peak: connections(counts.peak),
    mean: counts.sum / count,
    busyShare: ratio(counts.busy / count),
    warningShare: share(warnFill),
    criticalShare: share(criticalFill),
    fullShare: ratio((bins[FULL_BIN] as number) / count),
    fullRuns: counts.runs,
    ...(counts.longestFullMs > 0 && { longestFullMs: millis(counts.longestFullMs) }),
    histogram: histogramOf(counts),
  };
}

/** Samples whose fill was at least so high; bins are whole percents. */
function samplesFrom(bins: Uint32Array, fill: number): number {
  let sum = 0;
  for (let bin = Math.ceil(fill * FULL_BIN - 1e-9); bin < FILL_BINS; bin++) sum += bins[bin] as number;
  return sum;
}

const STEPS = 10;

function histogramOf({ count, busy, bins }: SampleCounts): number[] {
  const steps = Array.from({ length: STEPS }, () => 0);
  for (let bin = 0; bin < FULL_BIN; bin++) {
    const step = Math.floor((bin * STEPS) / FULL_BIN);
    steps[step] = (steps[step] as number) + (bins[bin] as number);
  }
  return [Math.max(0, count - busy), ...steps, bins[FULL_BIN] as number];
}
