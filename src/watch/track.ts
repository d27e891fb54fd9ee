import type { Past } from '../analyze/facts.js';
import { isFull } from '../analyze/facts.js';
import type { Thresholds } from '../analyze/thresholds.js';
import type { Listener, ListenerWindow } from '../model/listener.js';
import type { ListenerSamples } from '../model/samples.js';
import { connections, type Millis, millis, perSecond, segments } from '../model/units.js';
import { type AcceptorState, followAcceptor, IDLE } from './acceptor.js';
import { addEpisode, addSampled, type Episode, shortBursts } from './bursts.js';
import { dropDelta } from './counters.js';
import { addPoint, type History, peakOf, timeToFull } from './history.js';
import { estimateRates, type RateFacts } from './rates.js';
import { addCounts, factsOf, type SampleCounts } from './sample-counts.js';

/** What the watch remembers of one listener. Times are monotonic, `peakAt` is of the wall clock. */
export interface Track {
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly cookie?: string | undefined;
  readonly drops?: number | undefined;
  readonly length: number;
  readonly peak: number;
  readonly peakAt: number;
  /** It may have been higher for a moment. */
  readonly isPeakLeast: boolean;
  /** Since the watch began. */
  readonly samples?: SampleCounts | undefined;
  readonly history: History;
  readonly recentOverflows: readonly boolean[];
  readonly fullSince?: number | undefined;
  readonly criticalSince?: number | undefined;
  readonly acceptor: AcceptorState;
  readonly episodes: readonly Episode[];
}

/** What is called recent of a burst. */
const RECENT_MS = 15_000;

/** One look at one listener, and what the look at all of them gave. */
export interface TrackLook {
  readonly listener: Listener;
  readonly monotonic: number;
  readonly time: number;
  readonly windowMs: Millis | undefined;
  readonly historyMs: number;
  readonly thresholds: Pick<Thresholds, 'warnFill' | 'criticalFill'>;
  readonly waits: Float64Array | undefined;
  readonly droppedDelta: number | undefined;
  /** Overflows that only this listener can have had; `undefined`: cannot be told. */
  readonly overflows: number | undefined;
  /** Connections that ended; `undefined`: cannot be told. */
  readonly closed: number | undefined;
  /** Some of the ends were not told. */
  readonly closedIsLeast: boolean;
  /** Rise of PassiveOpens of the namespace. */
  readonly passiveOpens: number | undefined;
  readonly rates: Omit<RateFacts, 'windowMs' | 'grown'>;
  /** What samples saw since the look before: the counts, and more where there is more to tell. */
  readonly counts?: SampleCounts | undefined;
  readonly own?: ListenerSamples | undefined;
}

/** Rise of the listener's drops since its look before: none where another socket has taken its name. */
export function droppedSince(track: Track | undefined, { droppedSegments, cookie }: Listener) {
  if (track === undefined || track.cookie !== cookie) return undefined;
  return dropDelta(track.drops, droppedSegments);
}

/** The track after a look. */
export function advanceTrack(before: Track | undefined, look: TrackLook): Track {
  const { listener, monotonic, counts } = look;
  const { length, fill } = listener.acceptQueue;
  const full = isFull(listener);
  const sawEmpty = counts !== undefined && counts.busy < counts.count;
  return {
    firstSeen: before?.firstSeen ?? monotonic,
    lastSeen: monotonic,
    cookie: listener.cookie,
    drops: listener.droppedSegments,
    length,
    ...nextPeak(before, look),
    samples: addCounts(before?.samples, counts),
    history: nextHistory(before?.history ?? [], look),
    recentOverflows: nextOverflows(before, look),
    fullSince: full ? (before?.fullSince ?? monotonic) : undefined,
    criticalSince:
      (fill ?? 0) >= look.thresholds.criticalFill ? (before?.criticalSince ?? monotonic) : undefined,
    acceptor: followAcceptor(before?.acceptor ?? IDLE, before && lastLook(before), {
      ...look,
      length,
      sawEmpty,
    }),
    episodes: nextEpisodes(before, look, full),
  };
}

type Peak = Pick<Track, 'peak' | 'peakAt' | 'isPeakLeast'>;
const NO_PEAK: Peak = { peak: -1, peakAt: 0, isPeakLeast: false };

/** The highest of what was known, what samples saw and what this look sees. */
function nextPeak(
  before: Track | undefined,
  { listener, monotonic, time, own, counts, overflows }: TrackLook,
): Peak {
  const { length, backlog = Number.POSITIVE_INFINITY } = listener.acceptQueue;
  let peak: Peak = before ?? NO_PEAK;
  if (own !== undefined && own.peak > peak.peak)
    peak = {
      peak: own.peak,
      peakAt: time - Math.max(0, monotonic - own.peakAt),
      isPeakLeast: own.isPeakBrief && own.full === undefined,
    };
  // That no sample saw as much: it was there for a moment.
  if (length > peak.peak)
    peak = {
      peak: length,
      peakAt: time,
      isPeakLeast: counts !== undefined && length > 0 && length <= backlog,
    };
  const { peak: highest, peakAt } = peak;
  // An overflow needs a full queue (KERNEL.md 2): nobody looked then.
  const isMissed = (overflows ?? 0) > 0 && highest <= backlog;
  return { peak: highest, peakAt, isPeakLeast: peak.isPeakLeast || isMissed };
}

function nextHistory(history: History, { listener, monotonic, historyMs, own }: TrackLook): History {
  const { length } = listener.acceptQueue;
  const before = history.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY;
  const isBetween = own !== undefined && own.peakAt > before && own.peakAt <= monotonic;
  const sampled =
    isBetween && own.peak > length ? addPoint(history, own.peakAt, own.peak, historyMs, true) : history;
  return addPoint(sampled, monotonic, length, historyMs);
}

/** Samples that saw it full until now and this look are of one time. */
const SAME_TIME_MS = 200;

function nextEpisodes(
  before: Track | undefined,
  { monotonic, own, overflows }: TrackLook,
  full: boolean,
): readonly Episode[] {
  const sampled = own?.full;
  const episodes = before?.episodes ?? [];
  const wasFull =
    sampled === undefined ? before?.fullSince !== undefined : monotonic - sampled.lastAt < SAME_TIME_MS;
  return addEpisode(sampled === undefined ? episodes : addSampled(episodes, sampled), monotonic, {
    full,
    wasFull,
    // An overflow that samples saw is no other time.
    overflowed: (overflows ?? 0) > 0 && sampled === undefined,
  });
}

const lastLook = ({ lastSeen, length }: Track) => ({ monotonic: lastSeen, length });

function nextOverflows(before: Track | undefined, look: TrackLook): readonly boolean[] {
  if (before === undefined || look.windowMs === undefined) return [];
  return [...before.recentOverflows, (look.overflows ?? 0) > 0].slice(-3);
}

/** What outputs show of the window that a look ended. `before`: the track before it. */
export function windowFor(
  track: Track,
  before: Track | undefined,
  look: TrackLook,
): ListenerWindow | undefined {
  const { windowMs, monotonic, droppedDelta: dropped, overflows, listener } = look;
  if (windowMs === undefined) return undefined;
  const { stalledSince } = track.acceptor;
  const grown = before === undefined ? 0 : track.length - before.length;
  const toFull = timeToFull(track.history, listener.acceptQueue.free);
  const samples = factsOf(look.counts, look.thresholds);
  const allSamples = factsOf(track.samples, look.thresholds);
  return {
    windowMs,
    ageMs: millis(monotonic - track.firstSeen),
    peak: connections(track.peak),
    peakAt: track.peakAt,
    ...(track.isPeakLeast && { isPeakLeast: true as const }),
    ...(samples !== undefined && { samples }),
    ...(allSamples !== undefined && { allSamples }),
    ...(dropped !== undefined && {
      droppedDelta: segments(dropped),
      droppedPerSecond: perSecond((dropped * 1000) / windowMs),
    }),
    ...(overflows !== undefined && { overflowsDelta: segments(overflows) }),
    recentOverflows: track.recentOverflows,
    ...(before !== undefined && estimateRates({ ...look.rates, windowMs, grown })),
    ...(look.closed !== undefined && {
      closedPerSecond: perSecond((look.closed * 1000) / windowMs),
      ...(look.closedIsLeast && { closedIsLeast: true as const }),
    }),
    ...(toFull !== undefined && { timeToFullMs: toFull }),
    ...(stalledSince !== undefined && { stalledMs: millis(monotonic - stalledSince) }),
    ...(track.fullSince !== undefined && { fullMs: millis(monotonic - track.fullSince) }),
    history: track.history.map(([time, length]) => [monotonic - time, length] as const),
  };
}

/** What the rules need beyond the window. */
export function pastOf(track: Track, { monotonic }: TrackLook): Past {
  const since = (start: number | undefined) => millis(start === undefined ? 0 : monotonic - start);
  const { busySince, accepts, stalledWindows } = track.acceptor;
  return {
    criticalMs: since(track.criticalSince),
    busyMs: since(busySince),
    accepts,
    stalledWindows,
    recentPeak: peakOf(track.history, monotonic, RECENT_MS),
    shortBursts: shortBursts(track.episodes, track.fullSince !== undefined),
  };
}
