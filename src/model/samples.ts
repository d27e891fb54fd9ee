import type { Endpoint } from './endpoint.js';
import type { Connections, MonotonicMillis, Segments } from './units.js';

/** Kinds of listeners that are sampled apart: MPTCP listeners are among those of TCP. */
export const SAMPLED_FAMILIES = ['tcp', 'unix'] as const;
export type SampledFamily = (typeof SAMPLED_FAMILIES)[number];

/** The bin of fill in which a queue is full. Bins below count whole percents of the capacity, rounded down. */
export const FULL_BIN = 100;
export const FILL_BINS = FULL_BIN + 1;

/** The bin of a length above 0: 0 to 99 percent, or full (length > backlog, KERNEL.md 1). */
export const fillBin = (length: number, backlog: number): number =>
  length > backlog ? FULL_BIN : Math.floor((length * FULL_BIN) / (backlog + 1));

/** Stretches of samples in which a queue was full. */
export interface FullRuns {
  /** Those that began here; 0 where one from before went on. */
  readonly runs: number;
  /** First and last sample at which it was full, monotonic. */
  readonly firstAt: MonotonicMillis;
  readonly lastAt: MonotonicMillis;
  /** From the first to the last sample of the longest; 0: seen once. */
  readonly longestMs: number;
}

/** What many looks at one listener saw between two tables. */
export interface ListenerSamples {
  /** As that of the listener in a table. */
  readonly key: string;
  /** How many looks saw it. */
  readonly samples: number;
  /** At how many of them its queue was not empty. */
  readonly busy: number;
  /** The highest length, and when it was seen first. */
  readonly peak: Connections;
  readonly peakAt: MonotonicMillis;
  /** The looks before and after saw less than half of it: it may have been higher for a moment. */
  readonly isPeakBrief: boolean;
  /** Of the lengths: mean = sum / samples. */
  readonly sum: number;
  readonly backlog: Connections;
  /** How often the fill of a queue that was not empty was in a bin, lowest bin first; bins without any are left out. */
  readonly fills: readonly (readonly [bin: number, count: number])[];
  readonly full?: FullRuns;
  /** Rise of its dropped segments, and the last sample that saw them rise. Absent: it did not rise, or is unknown. */
  readonly dropped?: { readonly segments: Segments; readonly lastAt: MonotonicMillis };
  /** Where it was not seen by all looks: a listener that came or went, which no table may have. */
  readonly local?: Endpoint;
}
