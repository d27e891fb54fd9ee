import type { Observation } from '../model/observation.js';
import type { Report } from '../model/report.js';
import { startWatch, step, type WatchConfig } from './step.js';

const REPORTED: ReadonlySet<Observation['kind']> = new Set(['table', 'namespaces', 'gap']);

/** One report for every look, good or failed. Observations between looks only change what the next report says. */
export async function* watchReports(
  observations: AsyncIterable<Observation>,
  config: WatchConfig,
): AsyncGenerator<Report, void, undefined> {
  let state = startWatch(config);
  for await (const observation of observations) {
    const next = step(state, observation);
    state = next.state;
    if (REPORTED.has(observation.kind)) yield next.report;
  }
}
