import { RecordingWriter } from '../collect/recording-writer.js';
import { RecordingEncoder } from '../render/recording/encoder.js';
import { BlackBox } from './black-box.js';
import type { LiveOptions } from './live-options.js';
import { forgiving, Recorder, type Tap } from './recorder.js';
import { recordingNames } from './recording-flags.js';

/**
 * What listens in on `live`: `--record` and `--keep-on-alert`. When one fails, `onFailure` hears it and the rest goes on.
 * Throws SockwatchError where the file cannot be begun.
 */
export function openTaps(
  { flags }: LiveOptions,
  version: string,
  onFailure: (what: string, why: string) => void,
): Tap[] {
  const taps: Tap[] = [];
  const encoder = (keyEveryMs?: number) =>
    new RecordingEncoder(recordingNames(flags.redact), version, keyEveryMs);
  if (flags.record !== undefined) {
    const recorder = new Recorder(encoder(), new RecordingWriter({ path: flags.record, keep: 0 }));
    taps.push(forgiving(recorder, ({ message }) => onFailure('--record', message)));
  }
  const folder = flags['keep-on-alert'];
  if (folder !== undefined) {
    const keepMs = flags['keep-time'];
    const box = new BlackBox(encoder(Math.min(60_000, keepMs / 2)), { folder, keepMs });
    taps.push(forgiving(box, ({ message }) => onFailure('--keep-on-alert', message)));
  }
  return taps;
}
