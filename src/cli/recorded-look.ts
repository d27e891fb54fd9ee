import { RecordingFile } from '../collect/recording-file.js';
import { SockwatchError } from '../model/errors.js';
import type { ClosedObservation, Gap, LookObservation, SamplesObservation } from '../model/observation.js';
import type { Report } from '../model/report.js';
import { startWatch, step, type WatchConfig } from '../watch/step.js';
import { parseDuration } from './duration.js';
import { asUsage } from './flags.js';
import { framesOf, segmentBefore, spanOf } from './replay.js';
import { UsageError } from './usage.js';

/**
 * The moment that `--at` means: `2026-11-20T19:15:06Z`, `19:15:06` of the day of the recording (UTC), `+5m` from its beginning or `-30s` from
 * its end. Throws UsageError where it is none, or lies outside.
 */
export function readMoment(text: string | undefined, { start, end }: { start: number; end: number }): number {
  if (text === undefined) return end;
  const time = momentOf(text, start, end);
  if (Number.isNaN(time))
    throw new UsageError(
      `--at: expected a time such as 2026-11-20T19:15:06Z, 19:15:06, +5m or -30s, got ${JSON.stringify(text)}`,
    );
  // A time without a fraction means the whole second.
  const last = /^[+-]|\.\d/.test(text) ? time : time + 999;
  if (last < start || time > end)
    throw new UsageError(`--at: the recording goes from ${iso(start)} to ${iso(end)}, not to ${iso(time)}`);
  return last;
}

function momentOf(text: string, start: number, end: number): number {
  if (/^[+-]/.test(text)) {
    const ms = asUsage(() => parseDuration(text.slice(1), '--at'));
    return text.startsWith('+') ? start + ms : end - ms;
  }
  if (!/^\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/.test(text)) return Date.parse(text);
  const time = Date.parse(`${iso(start).slice(0, 11)}${text}Z`);
  // Over midnight it is the next day.
  return time + 999 < start ? time + 86_400_000 : time;
}

const iso = (ms: number) => new Date(ms).toISOString();

/** A complete table may be some seconds older than the listeners; so far back it still belongs to the moment. */
const BEFORE_MS = 15_000;

/** What the host looked like at a moment (`--at`; the end where none is given): the report of the last look at or before it. */
export const reportAt = async (path: string, at: string | undefined, config: WatchConfig): Promise<Report> =>
  reportIn(await RecordingFile.open(path), at, config);

/** The same of a recording that is open. */
export async function reportIn(
  recording: RecordingFile,
  at: string | undefined,
  config: WatchConfig,
): Promise<Report> {
  const moment = readMoment(at, spanOf(recording));
  const gaps: Gap[] = [];
  const last = lastFrameBefore(recording, moment);
  const from = Math.min(last, moment - BEFORE_MS);
  let state = startWatch(config);
  for await (const frame of framesOf(recording, segmentBefore(recording, last), gaps)) {
    if (frame.time > last) break;
    if (frame.time >= from) state = step(state, frame.observation()).state;
  }
  if (state.report === undefined)
    throw new SockwatchError(
      `${recording.path} has no look at the sockets at that time`,
      'give another time with --at',
    );
  return { ...state.report, gaps: [...recording.gaps, ...gaps, ...state.report.gaps] };
}

/** Time of the last look at or before a moment; of the first look where there is none. */
function lastFrameBefore({ places }: RecordingFile, moment: number): number {
  const frames = places.filter(({ kind }) => kind !== 'event');
  return frames.findLast(({ time }) => time <= moment)?.time ?? frames[0]?.time ?? moment;
}

/** Every look of a recording, with what was sampled and what ended before it, for checks of the whole; what is damaged comes to `gaps`. */
export async function* looksOf(
  path: string,
  gaps: Gap[],
): AsyncGenerator<LookObservation | SamplesObservation | ClosedObservation> {
  const recording = await RecordingFile.open(path);
  gaps.push(...recording.gaps);
  for await (const frame of framesOf(recording, 0, gaps)) {
    const observation = frame.observation();
    const { kind } = observation;
    if (kind === 'table' || kind === 'namespaces' || kind === 'samples' || kind === 'closed')
      yield observation;
  }
}
