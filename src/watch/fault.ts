import { HOST, sourceError } from '../analyze/host-rules.js';
import type { GapObservation, Origin } from '../model/observation.js';
import type { Report } from '../model/report.js';
import { millis } from '../model/units.js';
import { advanceAlerts, listAlerts } from './alerts.js';
import { distinctGaps } from './host.js';
import { shownSockets } from './kept-sockets.js';
import type { Step, WatchState } from './state.js';

/** A look that failed: the last good report with its age, the fault, and an alert; the alerts of before stand as they are. */
export function stepFault(state: WatchState, observation: GapObservation): Step {
  const { origin, gaps, fault, remedy } = observation;
  const failingSince = state.failingSince ?? origin.monotonic;
  const sinceMs = Math.max(0, origin.monotonic - failingSince);
  const why = gaps[0]?.why ?? fault ?? 'the source failed';
  const finding = sourceError(why, remedy, sinceMs);
  const { book, events } = advanceAlerts(state.alerts, {
    monotonic: origin.monotonic,
    time: origin.time,
    findings: [{ finding, subjectText: HOST }],
    holds: () => true,
    isGone: () => false,
  });
  const last = repeatReport(state, origin);
  const others = last.findings.filter(({ rule }) => rule !== 'source_error');
  const report: Report = {
    ...last,
    findings: [finding, ...others],
    alerts: listAlerts(book),
    events,
    gaps: distinctGaps(gaps),
    pace: {
      ...last.pace,
      fault: { why, ...(remedy !== undefined && { remedy }), sinceMs: millis(sinceMs) },
    },
  };
  return { state: { ...state, alerts: book, failingSince }, report };
}

/** The last good report at another time: nothing of its window, for that is over. */
export function repeatReport({ report: last, sockets, alerts }: WatchState, origin: Origin): Report {
  if (last === undefined) return { ...NOTHING, origin };
  const { windowMs: _window, countersDelta: _delta, closed: _closed, ...lasting } = last;
  return {
    ...lasting,
    origin,
    ...(sockets !== undefined && { sockets: shownSockets(sockets, origin.monotonic) }),
    rates: {},
    alerts: listAlerts(alerts),
    events: [],
  };
}

const NOTHING = {
  listeners: [],
  rates: {},
  findings: [],
  alerts: [],
  events: [],
  gaps: [],
  pace: { tookMs: millis(0), skippedTicks: 0 },
} satisfies Omit<Report, 'origin'>;
