import { RecordingFile } from '../collect/recording-file.js';
import type { ReplayControl } from '../model/replay.js';
import { LiveDiagnosis } from '../watch/live-diagnosis.js';
import type { Ending } from './ending.js';
import { withFilterGaps } from './filter-gaps.js';
import type { LiveOptions } from './live-options.js';
import { takeReports } from './live-reports.js';
import type { LiveSession } from './live-what.js';
import { Replay } from './replay.js';
import { UsageError } from './usage.js';

/** A screen plays at the speed of life; what is written for programs as fast as it can be read. */
function readSpeed(text: string | undefined, isScreen: boolean): number {
  if (text === undefined) return isScreen ? 1 : Number.POSITIVE_INFINITY;
  if (text === 'max') return Number.POSITIVE_INFINITY;
  const speed = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(speed >= 0.25 && speed <= 1000))
    throw new UsageError(`--speed: expected 0.25 to 1000, or max, got ${JSON.stringify(text)}`);
  return speed;
}

/** `live --replay`: the same reports from a recording. Throws SockwatchError where it cannot be read. */
export async function openReplay(options: LiveOptions, path: string, ending: Ending): Promise<LiveSession> {
  const { flags, mode } = options;
  const control: ReplayControl = { speed: readSpeed(flags.speed, mode === 'screen'), paused: false };
  const recording = await RecordingFile.open(path);
  if (flags.duration !== undefined) setTimeout(() => ending.end(), flags.duration).unref();
  const replay = new Replay(
    recording,
    { ...options, companion: new LiveDiagnosis() },
    control,
    mode === 'screen',
  );
  const all = withFilterGaps(replay.reports(ending.signal), options.filter);
  return {
    options,
    reports: flags.count === undefined ? all : takeReports(all, flags.count),
    pace: { intervalMs: flags.interval },
    demo: undefined,
    control,
    ending,
    close: async () => replay.untold(),
  };
}
