import type { Listener } from '../model/listener.js';
import type { SamplesObservation } from '../model/observation.js';
import type { FullRuns, ListenerSamples, SampledFamily } from '../model/samples.js';
import { connections, segments } from '../model/units.js';
import { countsOf, idleCounts, type SampleCounts, type Stretch } from './sample-counts.js';

/** What came in since the last table. A value. */
export interface SampledState {
  /** By namespace and kind of listener. */
  readonly stretches: ReadonlyMap<string, Stretch>;
  /** By key: those of which there is something to tell. */
  readonly listeners: ReadonlyMap<string, ListenerSamples>;
}

export const NOTHING_SAMPLED: SampledState = { stretches: new Map(), listeners: new Map() };

const stretchKey = (netns: string | undefined, family: SampledFamily) => `${netns ?? ''}:${family}`;

/** Adds a batch: it is judged with the table that follows. */
export function takeSamples(state: SampledState, batch: SamplesObservation): SampledState {
  const { origin, family, looks, from, to, longestGapMs } = batch;
  if (looks === 0) return state;
  const id = stretchKey(origin.netns, family);
  const before = state.stretches.get(id);
  // Each look stands for the time to the next one.
  const spanMs = looks > 1 ? ((to - from) * looks) / (looks - 1) : longestGapMs;
  const stretch: Stretch = {
    looks: (before?.looks ?? 0) + looks,
    spanMs: (before?.spanMs ?? 0) + spanMs,
    longestGapMs: Math.max(before?.longestGapMs ?? 0, longestGapMs),
  };
  const listeners = new Map(state.listeners);
  for (const samples of batch.listeners) {
    const known = listeners.get(samples.key);
    listeners.set(samples.key, known === undefined ? samples : mergeSamples(known, samples));
  }
  return { stretches: new Map(state.stretches).set(id, stretch), listeners };
}

/** What samples say of a listener of the table, and the numbers of its kind where they say nothing of it: it was always empty. */
export function samplesFor(
  { stretches, listeners }: SampledState,
  { key, netns, protocol }: Listener,
): { readonly own?: ListenerSamples | undefined; readonly counts?: SampleCounts } {
  const stretch = stretches.get(stretchKey(netns, protocol === 'unix' ? 'unix' : 'tcp'));
  if (stretch === undefined) return {};
  const own = listeners.get(key);
  return { own, counts: own === undefined ? idleCounts(stretch) : countsOf(own, stretch) };
}

function mergeSamples(a: ListenerSamples, b: ListenerSamples): ListenerSamples {
  const high = b.peak > a.peak ? b : a;
  const full = mergeRuns(a.full, b.full);
  const dropped = (a.dropped?.segments ?? 0) + (b.dropped?.segments ?? 0);
  const lastAt = b.dropped?.lastAt ?? a.dropped?.lastAt;
  const local = b.local ?? a.local;
  return {
    key: b.key,
    samples: a.samples + b.samples,
    busy: a.busy + b.busy,
    peak: connections(high.peak),
    peakAt: high.peakAt,
    isPeakBrief: high.isPeakBrief,
    sum: a.sum + b.sum,
    backlog: b.backlog,
    fills: mergeFills(a.fills, b.fills),
    ...(full !== undefined && { full }),
    ...(lastAt !== undefined && { dropped: { segments: segments(dropped), lastAt } }),
    ...(local !== undefined && { local }),
  };
}

function mergeRuns(a: FullRuns | undefined, b: FullRuns | undefined): FullRuns | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const longestMs = Math.max(a.longestMs, b.longestMs);
  return { runs: a.runs + b.runs, firstAt: a.firstAt, lastAt: b.lastAt, longestMs };
}

function mergeFills(a: ListenerSamples['fills'], b: ListenerSamples['fills']): ListenerSamples['fills'] {
  const fills = new Map(a);
  for (const [bin, count] of b) fills.set(bin, (fills.get(bin) ?? 0) + count);
  return [...fills].sort(([one], [other]) => one - other);
}
