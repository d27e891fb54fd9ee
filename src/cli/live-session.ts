import { type Demo, startDemo } from '../collect/demo.js';
import { observe } from '../collect/observe.js';
import type { Pace } from '../collect/options.js';
import type { Gap } from '../model/observation.js';
import { LiveDiagnosis } from '../watch/live-diagnosis.js';
import { watchReports } from '../watch/reports.js';
import type { Ending } from './ending.js';
import { readFilter } from './filter.js';
import { withFilterGaps } from './filter-gaps.js';
import { awaitFirstLook } from './first-look.js';
import { startAlertProgram } from './live-alerts.js';
import type { LiveOptions } from './live-options.js';
import { openReplay } from './live-replay.js';
import { addGaps, takeReports, tapReports } from './live-reports.js';
import { openTaps } from './live-taps.js';
import type { LiveSession } from './live-what.js';
import { type Tap, tapEvents, tapObservations } from './recorder.js';

/**
 * Looks once and sets up the stream of reports.
 * @throws SourceError where there is no source at all, as without ss
 */
export async function openLive(wanted: LiveOptions, ending: Ending, version: string): Promise<LiveSession> {
  const { flags } = wanted;
  if (flags.replay !== undefined) return openReplay(wanted, flags.replay, ending);
  const demo = flags.demo ? await startDemo({ cycleMs: flags['demo-cycle'] }) : undefined;
  const options = demo === undefined ? wanted : { ...wanted, filter: demoFilter(demo, flags.filter) };
  const gaps: Gap[] = [];
  const program = startAlertProgram(options, (why) => gaps.push({ what: '--on-alert', why }));
  const taps: Tap[] = [];
  const close: LiveSession['close'] = async ({ drain }) => {
    if (drain) await program?.drain();
    for (const tap of taps) await tap.close();
    await Promise.all([program?.end(), demo?.end()]);
    return gaps;
  };
  const pace: Pace = { intervalMs: flags.interval };
  try {
    const looks = await awaitFirstLook(observe(options.collect, pace, ending.signal));
    taps.push(...openTaps(options, version, (what, why) => gaps.push({ what, why })));
    const observations = tapObservations(looks, taps);
    // The demo tells of its own listener only.
    const config = demo === undefined ? { ...options, companion: new LiveDiagnosis() } : options;
    if (flags.duration !== undefined) setTimeout(() => ending.end(), flags.duration).unref();
    const recorded = tapEvents(watchReports(observations, config), taps);
    const seen = tapReports(recorded, (report) => program?.hear(report));
    // The screen shows the newest report only; elsewhere once is enough.
    const all = addGaps(seen, () => (options.mode === 'screen' ? gaps : gaps.splice(0)));
    const asked = withFilterGaps(all, options.filter);
    const reports = flags.count === undefined ? asked : takeReports(asked, flags.count);
    return { options, reports, pace, demo, control: undefined, ending, close };
  } catch (error) {
    await close({ drain: false });
    throw error;
  }
}

/** The demo tells one story: its own listener and its clients. */
const demoFilter = ({ port }: Demo, text = '') => readFilter(`port:${port} ${text}`);
