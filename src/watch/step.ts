import type { ClosedObservation, Observation, TableObservation } from '../model/observation.js';
import { rebaseAlerts } from './alerts.js';
import { keepClosed } from './closed.js';
import { repeatReport, stepFault } from './fault.js';
import { takeSamples } from './samples.js';
import { isOtherKernel, type Step, startWatch, type WatchState } from './state.js';
import { stepTable } from './step-table.js';

export { type Step, startWatch, type WatchConfig, type WatchState } from './state.js';

/**
 * Takes one observation: compares it with what was seen before and judges it. Pure: the clock comes in with the observation, and
 * differences are of its monotonic time, so that a jump of the wall clock changes nothing. A look that failed repeats the last good
 * report with its fault; samples are judged with the table that follows them.
 */
export function step(state: WatchState, observation: Observation): Step {
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
