import type { Past } from '../analyze/facts.js';
import { isFull } from '../analyze/facts.js';
import type { Listener, ListenerWindow } from '../model/listener.js';
import { connections, type Millis, millis, perSecond, segments } from '../model/units.js';
import { type AcceptorState, followAcceptor, IDLE } from './acceptor.js';
import { addEpisode, type Episode, shortBursts } from './bursts.js';
import { dropDelta } from './counters.js';
import { addPoint, type History, peakOf, timeToFull } from './history.js';
import { estimateRates, type RateFacts } from './rates.js';

/** What the watch remembers of one listener. Times are monotonic, `peakAt` is of the wall clock. */
export interface Track {
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly cookie?: string | undefined;
  readonly drops?: number | undefined;
  readonly length: number;
  readonly peak: number;
  readonly peakAt: number;
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
  readonly criticalFill: number;
  readonly waits: Float64Array | undefined;
  readonly droppedDelta: number | undefined;
  /** Overflows that only this listener can have had; `undefined`: cannot be told. */
  readonly overflows: number | undefined;
  /** Connections that ended; `undefined`: cannot be told. */
  readonly closed: number | undefined;
  /** Rise of PassiveOpens of the namespace. */
  readonly passiveOpens: number | undefined;
  readonly rates: Omit<RateFacts, 'windowMs' | 'grown'>;
}

/** Rise of the listener's drops since its look before: none where another socket has taken its name. */
export function droppedSince(track: Track | undefined, { droppedSegments, cookie }: Listener) {
  if (track === undefined || track.cookie !== cookie) return undefined;
  return dropDelta(track.drops, droppedSegments);
}

/** The track after a look. */
export function advanceTrack(before: Track | undefined, look: TrackLook): Track {
  const { listener, monotonic } = look;
  const { length, fill } = listener.acceptQueue;
  const full = isFull(listener);
  const isPeak = before === undefined || length > before.peak;
  const wasFull = before?.fullSince !== undefined;
  const overflowed = (look.overflows ?? 0) > 0;
  return {
    firstSeen: before?.firstSeen ?? monotonic,
    lastSeen: monotonic,
    cookie: listener.cookie,
    drops: listener.droppedSegments,
    length,
    peak: isPeak ? length : before.peak,
    peakAt: isPeak ? look.time : before.peakAt,
    history: addPoint(before?.history ?? [], monotonic, length, look.historyMs),
    recentOverflows: nextOverflows(before, look),
    fullSince: full ? (before?.fullSince ?? monotonic) : undefined,
    criticalSince: (fill ?? 0) >= look.criticalFill ? (before?.criticalSince ?? monotonic) : undefined,
    acceptor: followAcceptor(before?.acceptor ?? IDLE, before && lastLook(before), { ...look, length }),
    episodes: addEpisode(before?.episodes ?? [], monotonic, { full, wasFull, overflowed }),
  };
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
  return {
    windowMs,
    ageMs: millis(monotonic - track.firstSeen),
    peak: connections(track.peak),
    peakAt: track.peakAt,
    ...(dropped !== undefined && {
      droppedDelta: segments(dropped),
      droppedPerSecond: perSecond((dropped * 1000) / windowMs),
    }),
    ...(overflows !== undefined && { overflowsDelta: segments(overflows) }),
    recentOverflows: track.recentOverflows,
    ...(before !== undefined && estimateRates({ ...look.rates, windowMs, grown })),
    ...(look.closed !== undefined && { closedPerSecond: perSecond((look.closed * 1000) / windowMs) }),
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
