import { lookAtListeners } from '../analyze/listeners.js';
import { sortListeners } from '../analyze/sort.js';
import { formatEndpoint } from '../model/endpoint.js';
import type { Listener, ListenerReport } from '../model/listener.js';
import type { Counters, TableObservation } from '../model/observation.js';
import type { Report } from '../model/report.js';
import { type Millis, perSecond } from '../model/units.js';
import { advanceAlerts } from './alerts.js';
import { followClosed } from './closed.js';
import { counterDeltas } from './counters.js';
import { followListeners } from './follow-listeners.js';
import { followHands } from './hands.js';
import { placeListeners } from './homes.js';
import { type HostFinding, hostReport } from './host.js';
import { stillHolds } from './hysteresis.js';
import { keepSockets, shownSockets } from './kept-sockets.js';
import { NOTHING_SAMPLED } from './samples.js';
import { type Step, type WatchState, windowOf } from './state.js';
import { followUdp } from './udp.js';

/** A good look: everything is followed, judged and reported. */
export function stepTable(state: WatchState, observation: TableObservation): Step {
  const { origin, sockets, scope } = observation;
  const windowMs = windowOf(state, origin);
  const deltas = windowMs === undefined ? undefined : counterDeltas(state.counters, observation.counters);
  const isSaved = origin.source === 'file';
  const found = lookAtListeners(sockets, {
    netns: origin.netns,
    connectionsAsked: isSaved || scope === 'troubled' ? undefined : scope === 'all',
    synRecvAsked: isSaved ? undefined : true,
  });
  const look = { ...found, listeners: [...placeListeners(found.listeners, observation)] };
  const closed = followClosed(state.closed, state.sockets, observation, look.listeners, windowMs, deltas);
  const followed = followListeners(state, observation, { ...look, closed }, windowMs, deltas);
  const hands = handsOf(state, observation, look.listeners);
  const udp = followUdp(state.udp, sockets, origin.netns);
  const host = hostReport(state, observation, { windowMs, deltas, followed, udp: udp.dropped });
  const kept = keepSockets(state.sockets, observation);
  const beside = state.config.companion?.take(observation, followed.reports, closed.report) ?? [];
  const pools = state.config.companion?.poolsOf(origin.netns);
  const others = [...host.findings, ...beside];
  const { book, ...alerts } = followAlerts(state, observation, followed.reports, others);
  const report: Report = {
    origin,
    ...(windowMs !== undefined && { windowMs }),
    listeners: sortListeners(followed.reports, 'trouble', true),
    sockets: shownSockets(kept, origin.monotonic),
    ...(observation.counters !== undefined && { counters: observation.counters }),
    ...(deltas !== undefined && { countersDelta: deltas }),
    ...(observation.sysctls !== undefined && { sysctls: observation.sysctls }),
    rates: ratesOf(deltas, windowMs),
    ...pools,
    findings: others.map(({ finding }) => finding),
    ...alerts,
    ...(hands !== undefined && hands.changes.length > 0 && { changes: hands.changes }),
    ...namespaceOf(observation, deltas),
    gaps: [...host.gaps, ...closed.gaps],
    ...(closed.report !== undefined && { closed: closed.report }),
    pace: { tookMs: observation.tookMs, skippedTicks: observation.skippedTicks },
  };
  const next: WatchState = {
    config: state.config,
    origin,
    counters: observation.counters,
    report,
    tracks: followed.tracks,
    overflows: followed.attribution.state,
    sampled: NOTHING_SAMPLED,
    arrivals: followed.arrivals,
    udp: udp.state,
    processes: observation.processes && { monotonic: origin.monotonic, processes: observation.processes },
    alerts: book,
    sockets: kept,
    closed: closed.state,
    ownersHidden: host.ownersHidden,
    hands: hands?.state,
  };
  return { state: next, report };
}

function handsOf(
  { config, hands, sockets: before }: WatchState,
  { origin, sockets, scope }: TableObservation,
  listeners: readonly Listener[],
) {
  if (config.oneLook) return undefined;
  const { time, monotonic, netns } = origin;
  const isAsked = scope === 'all' || before?.complete === true;
  return followHands(hands, { time, monotonic, netns, listeners, table: sockets, scope, isAsked });
}

/** The one that was asked for. */
function namespaceOf(
  { namespace, counters, sysctls }: TableObservation,
  deltas: Counters | undefined,
): Pick<Report, 'namespaces'> {
  if (namespace === undefined) return {};
  return {
    namespaces: [
      {
        namespace,
        ...(counters !== undefined && { counters }),
        ...(deltas !== undefined && { countersDelta: deltas }),
        ...(sysctls !== undefined && { sysctls }),
      },
    ],
  };
}

function followAlerts(
  { config, alerts, tracks }: WatchState,
  { origin }: TableObservation,
  reports: readonly ListenerReport[],
  host: readonly HostFinding[],
) {
  if (config.oneLook) return { book: alerts, alerts: [], events: [] };
  const byKey = new Map(reports.map((report) => [report.listener.key, report.listener]));
  return advanceAlerts(alerts, {
    monotonic: origin.monotonic,
    time: origin.time,
    findings: [...host, ...listenerFindings(reports)],
    holds: ({ rule, subject }) => {
      const listener = byKey.get(subject);
      return listener !== undefined && stillHolds(rule, listener, config.thresholds);
    },
    isGone: (subject) => tracks.has(subject) && !byKey.has(subject),
  });
}

const listenerFindings = (reports: readonly ListenerReport[]) =>
  reports.flatMap(({ listener, findings }) =>
    findings.map((finding) => ({ finding, subjectText: formatEndpoint(listener.local) })),
  );

/** Of the whole namespace. */
function ratesOf(deltas: Counters | undefined, windowMs: Millis | undefined): Report['rates'] {
  const rate = (name: string) => {
    const delta = deltas?.[name];
    return delta === undefined || windowMs === undefined ? undefined : perSecond((delta * 1000) / windowMs);
  };
  const [came, opened, overflows] = [rate('PassiveOpens'), rate('ActiveOpens'), rate('ListenOverflows')];
  return {
    ...(came !== undefined && { newPerSecond: came }),
    ...(opened !== undefined && { openedPerSecond: opened }),
    ...(overflows !== undefined && { overflowsPerSecond: overflows }),
  };
}
