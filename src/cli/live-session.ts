import { type Demo, startDemo } from '../collect/demo.js';
import { observe } from '../collect/observe.js';
import type { Pace } from '../collect/options.js';
import type { Gap } from '../model/observation.js';
import type { Report } from '../model/report.js';
import { watchReports } from '../watch/reports.js';
import type { Ending } from './ending.js';
import { readFilter } from './filter.js';
import { awaitFirstLook } from './first-look.js';
import { startAlertProgram } from './live-alerts.js';
import type { LiveOptions } from './live-options.js';
import { addGaps, takeReports, tapReports } from './live-reports.js';

/** Everything that `live` shows, and what it started for that. */
export interface LiveSession {
  /** As asked for; with --demo the filter knows the demo's port. */
  readonly options: LiveOptions;
  readonly reports: AsyncIterable<Report>;
  readonly pace: Pace;
  readonly demo: Demo | undefined;
  readonly ending: Ending;
  /** Ends demo and alert program (`drain`: once the alerts have been handed over); gives what no report said any more. */
  close(how: { drain: boolean }): Promise<readonly Gap[]>;
}

/**
 * Looks once and sets up the stream of reports.
 * @throws SourceError where there is no source at all, as without ss
 */
export async function openLive(asked: LiveOptions, ending: Ending): Promise<LiveSession> {
  const { flags } = asked;
  const demo = flags.demo ? await startDemo({ cycleMs: flags['demo-cycle'] }) : undefined;
  const options = demo === undefined ? asked : { ...asked, filter: demoFilter(demo, flags.filter) };
  const gaps: Gap[] = [];
  const program = startAlertProgram(options, (why) => gaps.push({ what: '--on-alert', why }));
  const close: LiveSession['close'] = async ({ drain }) => {
    if (drain) await program?.drain();
    await Promise.all([program?.end(), demo?.end()]);
    return gaps;
  };
  const pace: Pace = { intervalMs: flags.interval };
  try {
    const observations = await awaitFirstLook(observe(options.collect, pace, ending.signal));
    if (flags.duration !== undefined) setTimeout(() => ending.end(), flags.duration).unref();
    const seen = tapReports(watchReports(observations, options), (report) => program?.hear(report));
    // The screen shows the newest report only; elsewhere once is enough.
    const all = addGaps(seen, () => (options.mode === 'screen' ? gaps : gaps.splice(0)));
    const reports = flags.count === undefined ? all : takeReports(all, flags.count);
    return { options, reports, pace, demo, ending, close };
  } catch (error) {
    await close({ drain: false });
    throw error;
  }
}

/** The demo tells one story: its own listener and its clients. */
const demoFilter = ({ port }: Demo, text = '') => readFilter(`port:${port} ${text}`);
