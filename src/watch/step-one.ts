import type { Change } from '../model/changes.js';
import type { SourceFault } from '../model/errors.js';
import type { Namespace } from '../model/namespace.js';
import type { ClosedObservation, Observation, Origin, TableObservation } from '../model/observation.js';
import { endAlerts, NO_ALERTS, rebaseAlerts } from './alerts.js';
import { keepClosed } from './closed.js';
import { repeatReport, stepFault, stepGone } from './fault.js';
import { textOf } from './namespace-words.js';
import { takeSamples } from './samples.js';
import { isOtherKernel, isOtherNamespace, type Step, startWatch, type WatchState } from './state.js';
import { stepTable } from './step-table.js';

/** An observation of one namespace. */
export type OneObservation = Exclude<Observation, { readonly kind: 'namespaces' }>;

const GONE: SourceFault = 'gone';

/** Takes it into the state of that namespace. */
export function stepOne(state: WatchState, observation: OneObservation): Step {
  if (observation.kind === 'table') return stepLook(state, observation);
  if (observation.kind === 'gap')
    return observation.fault === GONE ? stepGone(state, observation) : stepFault(state, observation);
  if (observation.kind === 'closed') return stepClosed(state, observation);
  const next =
    observation.kind === 'samples' ? { ...state, sampled: takeSamples(state.sampled, observation) } : state;
  return { state: next, report: repeatReport(next, observation.origin) };
}

function stepLook(state: WatchState, observation: TableObservation): Step {
  const before = baseline(state, observation);
  const { origin, namespace } = observation;
  const isAnother = before !== state && state.origin !== undefined && isOtherNamespace(state.origin, origin);
  if (!isAnother || namespace === undefined) return stepTable(before, observation);
  // One that was asked for by name, and was made anew: it takes its alerts with it.
  const { state: next, report } = stepTable({ ...before, alerts: NO_ALERTS }, observation);
  const events = [...endAlerts(state.alerts, origin), ...report.events];
  const changes = [madeAnew(namespace, state.origin, origin), ...(report.changes ?? [])];
  const told = { ...report, events, changes };
  return { state: { ...next, report: told }, report: told };
}

function madeAnew(namespace: Namespace, before: Origin | undefined, { time, netns = '' }: Origin): Change {
  const was = before?.netns === netns ? 'under the same number' : `was ${before?.netns ?? 'not known'}`;
  return {
    kind: 'namespace',
    time,
    netns,
    namespace,
    subject: netns,
    subjectText: textOf(namespace),
    message: `is another namespace now, made anew (${was}): nothing is compared with the one before`,
    evidence: [],
  };
}

/** What ended is judged with the next table. */
function stepClosed(state: WatchState, observation: ClosedObservation): Step {
  state.config.companion?.takeClosed(observation);
  const listeners = state.report?.listeners.map(({ listener }) => listener) ?? [];
  const kept = { ...state, closed: keepClosed(state.closed, observation, state.sockets, listeners) };
  return { state: kept, report: repeatReport(kept, observation.origin) };
}

/** Another boot, another namespace or a clock that started anew: nothing before can be compared with. */
function baseline(state: WatchState, { origin }: TableObservation): WatchState {
  if (state.origin === undefined || !isOtherKernel(state.origin, origin)) return state;
  const { config, alerts, ownersHidden } = state;
  return { ...startWatch(config), ownersHidden, alerts: rebaseAlerts(alerts, origin.monotonic) };
}
