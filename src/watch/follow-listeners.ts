import { heldConnections } from '../analyze/acceptors.js';
import type { Facts } from '../analyze/facts.js';
import type { ListenerLook } from '../analyze/listeners.js';
import { thresholdsFor } from '../analyze/thresholds.js';
import { judge } from '../analyze/verdict.js';
import { isWindowLeast } from '../model/closed.js';
import type { Listener, ListenerReport } from '../model/listener.js';
import type { Counters, TableObservation } from '../model/observation.js';
import type { ListenerSamples } from '../model/samples.js';
import type { Millis } from '../model/units.js';
import { acceptorsOf } from './acceptor-facts.js';
import { type Arrivals, countArrivals, readArrivals } from './arrivals.js';
import type { FollowedClosed } from './closed.js';
import { type Attribution, attributeOverflows } from './overflows.js';
import { isActive, stillWaiting } from './rates.js';
import { samplesFor } from './samples.js';
import { DEFAULT_HISTORY_MS, type WatchState } from './state.js';
import { advanceTrack, droppedSince, pastOf, type Track, type TrackLook, windowFor } from './track.js';

/** A listener that is no longer there is forgotten after this time. */
const FORGET_MS = 60_000;

export interface FollowedListeners {
  readonly reports: readonly ListenerReport[];
  readonly tracks: ReadonlyMap<string, Track>;
  readonly attribution: Attribution;
  readonly arrivals: Arrivals | undefined;
  /** What samples saw of listeners that the table does not have. */
  readonly passing: readonly ListenerSamples[];
}

interface Measured {
  readonly listener: Listener;
  readonly before: Track | undefined;
  readonly dropped: number | undefined;
  readonly arrivals: number;
  /** Whether anything came to it. */
  readonly isActive: boolean;
}

/** Every listener of one look: its track, its window and what the rules say of it. */
export function followListeners(
  state: WatchState,
  observation: TableObservation,
  { listeners, waits, closed }: ListenerLook & { readonly closed: FollowedClosed },
  windowMs: Millis | undefined,
  deltas: Counters | undefined,
): FollowedListeners {
  const { monotonic } = observation.origin;
  const isComplete = observation.scope === 'all';
  const arrivals = isComplete ? readArrivals(observation.sockets, listeners, monotonic) : undefined;
  const measured = listeners.map((listener): Measured => {
    const before = state.tracks.get(listener.key);
    // Of a listener that is new here, samples may know what it dropped since it came.
    const sampled = before === undefined ? state.sampled.listeners.get(listener.key)?.dropped : undefined;
    const dropped =
      windowMs === undefined ? undefined : (droppedSince(before, listener) ?? sampled?.segments);
    const came = Math.max(
      countArrivals(state.arrivals, arrivals, listener.key, freshAt(listener, closed)),
      windowMs === undefined ? 0 : stillWaiting(waits.get(listener.key), windowMs),
      listener.acceptQueue.length - (before?.length ?? listener.acceptQueue.length),
    );
    const busy = state.sampled.listeners.get(listener.key)?.busy ?? 0;
    const ended = closed.listeners.get(listener.key)?.closed ?? 0;
    const active = isActive(listener, came, dropped) || busy > 0 || ended > 0;
    return { listener, before, dropped, arrivals: came, isActive: active };
  });
  const passing = passingListeners(state, listeners);
  const drops = new Map<string, number>([
    ...measured.flatMap(({ listener, dropped = 0 }) =>
      dropped > 0 ? [[listener.key, dropped] as const] : [],
    ),
    ...passing.flatMap(({ key, dropped }) =>
      dropped === undefined ? [] : [[key, dropped.segments] as const],
    ),
  ]);
  const overflows = windowMs === undefined ? undefined : deltas?.ListenOverflows;
  const attribution = attributeOverflows(state.overflows, overflows, drops, sampledFull(state));
  const only = onlyActive(measured, passing, closed);
  const tracks = keptTracks(state.tracks, monotonic);
  const reports = measured.map((item): ListenerReport => {
    const { listener, before } = item;
    const passiveOpens = listener.protocol === 'unix' ? undefined : deltas?.PassiveOpens;
    const isOnly = passiveOpens === 0 || only === listener;
    const look: TrackLook = {
      listener,
      monotonic,
      time: observation.origin.time,
      windowMs,
      historyMs: state.config.historyMs ?? DEFAULT_HISTORY_MS,
      thresholds: thresholdsFor(listener, state.config.thresholds),
      waits: waits.get(listener.key),
      droppedDelta: item.dropped,
      closed: closedAt(listener, closed),
      closedIsLeast: closed.report !== undefined && isWindowLeast(closed.report),
      overflows: overflowsOf(item, overflows, attribution),
      passiveOpens,
      rates: {
        arrivals: item.arrivals,
        isBounded: arrivals?.clients.has(listener.key) === true && state.arrivals !== undefined,
        passiveOpens: isOnly ? passiveOpens : undefined,
      },
      ...samplesFor(state.sampled, listener),
    };
    const track = advanceTrack(before, look);
    tracks.set(listener.key, track);
    return report(state, observation, look, track, before, deltas);
  });
  return { reports, tracks, attribution, arrivals: arrivals ?? state.arrivals, passing };
}

const sampledFull = ({ sampled }: WatchState): ReadonlySet<string> =>
  new Set([...sampled.listeners.values()].flatMap(({ key, full }) => (full === undefined ? [] : [key])));

function passingListeners({ sampled }: WatchState, listeners: readonly Listener[]): ListenerSamples[] {
  if (sampled.listeners.size === 0) return [];
  const present = new Set(listeners.map(({ key }) => key));
  return [...sampled.listeners.values()].filter(({ key }) => !present.has(key));
}

function report(
  state: WatchState,
  observation: TableObservation,
  look: TrackLook,
  track: Track,
  before: Track | undefined,
  deltas: Counters | undefined,
): ListenerReport {
  const { listener } = look;
  const { sysctls, descriptors, sockets } = observation;
  const acceptors =
    listener.acceptQueue.length === 0 ? [] : acceptorsOf(listener.owners, observation, state.processes);
  const { thresholds, oneLook = false } = state.config;
  const window = windowFor(track, before, look);
  const facts: Facts = {
    listener,
    window,
    past: oneLook ? undefined : pastOf(track, look),
    thresholds: thresholdsFor(listener, thresholds),
    oneLook,
    sysctls,
    descriptors,
    ...(acceptors.length > 0 && { acceptors, held: heldConnections(sockets, listener, acceptors) }),
    counters: { overflows: deltas?.ListenOverflows, listenDrops: deltas?.ListenDrops },
  };
  return { listener, ...(window !== undefined && { window }), ...judge(facts) };
}

/** Connections of one listener that ended; members of a SO_REUSEPORT group, and Unix sockets, cannot be told. */
function closedAt(
  { key, protocol, group }: Listener,
  { isTold, listeners }: FollowedClosed,
): number | undefined {
  if (!isTold || protocol === 'unix' || group !== undefined) return undefined;
  return listeners.get(key)?.closed ?? 0;
}

/** Of those that ended, how many came in the window; members of a SO_REUSEPORT group cannot be told apart. */
function freshAt({ key, group }: Listener, { countsNew, listeners }: FollowedClosed): number | undefined {
  return countsNew && group === undefined ? (listeners.get(key)?.fresh ?? 0) : undefined;
}

/** Overflows of one listener: its own, none where it dropped nothing, else unknown. */
function overflowsOf(
  { listener, dropped }: Measured,
  overflows: number | undefined,
  { holder }: Attribution,
): number | undefined {
  if (overflows === undefined || listener.protocol === 'unix') return undefined;
  if (holder?.key === listener.key) return holder.overflows;
  return overflows === 0 || holder !== undefined || dropped === 0 ? 0 : undefined;
}

/**
 * The only TCP listener of the namespace, or the only one to which anything was seen to come. None where connections ended that came in
 * elsewhere: through a listener that was there between two looks, or one that is gone.
 */
function onlyActive(
  measured: readonly Measured[],
  passing: readonly ListenerSamples[],
  { inbound, listeners }: FollowedClosed,
): Listener | undefined {
  if (passing.some(({ busy }) => busy > 0)) return undefined;
  const tcp = measured.filter(({ listener }) => listener.protocol !== 'unix');
  const [only, another] = tcp.length === 1 ? tcp : tcp.filter((one) => one.isActive);
  if (only === undefined || another !== undefined || only.listener.group !== undefined) return undefined;
  return inbound > (listeners.get(only.listener.key)?.closed ?? 0) ? undefined : only.listener;
}

const keptTracks = (tracks: ReadonlyMap<string, Track>, monotonic: number): Map<string, Track> =>
  new Map([...tracks].filter(([, { lastSeen }]) => monotonic - lastSeen <= FORGET_MS));
