import { HOST, namespaceGone, sourceError } from '../analyze/host-rules.js';
import type { Finding } from '../model/findings.js';
import type { GapObservation, Origin } from '../model/observation.js';
import type { Report } from '../model/report.js';
import { millis } from '../model/units.js';
import { advanceAlerts, endAlerts, listAlerts, NO_ALERTS } from './alerts.js';
import { distinctGaps } from './host.js';
import { shownSockets } from './kept-sockets.js';
import { goneChange, subjectOf, textOf } from './namespace-words.js';
import type { Step, WatchState } from './state.js';

/** A look that failed: the last good report with its age, the fault, and an alert; the alerts of before stand as they are. */
export function stepFault(state: WatchState, observation: GapObservation): Step {
  const { why, sinceMs } = failureOf(state, observation);
  const finding = sourceError(why, observation.remedy, sinceMs);
  return fail(state, observation, { finding, subjectText: HOST });
}

/** A namespace that was watched by its name has ended: said once, with the end of its alerts, and an alert until there is one of that name again. */
export function stepGone(state: WatchState, observation: GapObservation): Step {
  const { origin } = observation;
  const { why, sinceMs } = failureOf(state, observation);
  const namespace = state.report?.namespaces?.[0]?.namespace ?? { id: origin.netns ?? '' };
  const finding = namespaceGone(subjectOf(namespace.id), why, sinceMs);
  const said = { finding, subjectText: textOf(namespace) };
  if (state.alerts.has(`${finding.rule} ${finding.subject}`)) return fail(state, observation, said);
  const { state: next, report: failed } = fail({ ...state, alerts: NO_ALERTS }, observation, said);
  const report: Report = {
    ...failed,
    events: [...endAlerts(state.alerts, origin), ...failed.events],
    changes: [goneChange(namespace, state.report, origin)],
  };
  return { state: next, report };
}

function failureOf({ failingSince }: WatchState, { origin, gaps, fault }: GapObservation) {
  const since = failingSince ?? origin.monotonic;
  const why = gaps[0]?.why ?? fault ?? 'the source failed';
  return { why, since, sinceMs: Math.max(0, origin.monotonic - since) };
}

function fail(
  state: WatchState,
  observation: GapObservation,
  said: { readonly finding: Finding; readonly subjectText: string },
): Step {
  const { origin, gaps, remedy } = observation;
  const { why, since, sinceMs } = failureOf(state, observation);
  const { book, events } = advanceAlerts(state.alerts, {
    monotonic: origin.monotonic,
    time: origin.time,
    findings: [said],
    holds: () => true,
    isGone: () => false,
  });
  const last = repeatReport(state, origin);
  const others = last.findings.filter(({ rule }) => rule !== 'source_error');
  const report: Report = {
    ...last,
    findings: [said.finding, ...others],
    alerts: listAlerts(book),
    events,
    gaps: distinctGaps(gaps),
    pace: {
      ...last.pace,
      fault: { why, ...(remedy !== undefined && { remedy }), sinceMs: millis(sinceMs) },
    },
  };
  return { state: { ...state, alerts: book, failingSince: since }, report };
}

/** The last good report at another time: nothing of its window, for that is over. */
export function repeatReport({ report: last, sockets, alerts }: WatchState, origin: Origin): Report {
  if (last === undefined) return { ...NOTHING, origin };
  const { windowMs: _window, countersDelta: _delta, changes: _changes, closed: _closed, ...lasting } = last;
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
