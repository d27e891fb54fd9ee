import type { ClosedObservation, Observation, TableObservation } from '../model/observation.js';
import { rebaseAlerts } from './alerts.js';
import { keepClosed } from './closed.js';
import { repeatReport, stepFault } from './fault.js';
import { takeSamples } from './samples.js';
import { isOtherKernel, type Step, startWatch, type WatchState } from './state.js';
import { stepTable } from './step-table.js';

/** An observation of one namespace. */
export type OneObservation = Exclude<Observation, { readonly kind: 'namespaces' }>;

/** Takes it into the state of that namespace. */
export function stepOne(state: WatchState, observation: OneObservation): Step {
  if (observation.kind === 'table') return stepTable(baseline(state, observation), observation);
  if (observation.kind === 'gap') return stepFault(state, observation);
  if (observation.kind === 'closed') return stepClosed(state, observation);
  const next =
    observation.kind === 'samples' ? { ...state, sampled: takeSamples(state.sampled, observation) } : state;
  return { state: next, report: repeatReport(next, observation.origin) };
}

/** What ended is judged with the next table. */
function stepClosed(state: WatchState, observation: ClosedObservation): Step {
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
