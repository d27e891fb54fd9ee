import type { Observation } from '../model/observation.js';
import type { Step, WatchState } from './state.js';
import { stepNamespaces, stepWithin } from './step-namespaces.js';
import { stepOne } from './step-one.js';

export { type Step, startWatch, type WatchConfig, type WatchState } from './state.js';

/**
 * Takes one observation: compares it with what was seen before and judges it. Pure: the clock comes in with the observation, and
 * differences are of its monotonic time, so that a jump of the wall clock changes nothing. A look that failed repeats the last good
 * report with its fault; samples are judged with the table that follows them. A look into all namespaces steps each by itself, and gives one report.
 */
export function step(state: WatchState, observation: Observation): Step {
  if (observation.kind === 'namespaces') return stepNamespaces(state, observation);
  return state.namespaces === undefined ? stepOne(state, observation) : stepWithin(state, observation);
}
