import type { CaptureClock, CaptureFile } from '../model/packets.js';
import type { CaptureReader } from '../parse/capture/index.js';
import { type ByteSource, CaptureError, captureError, damage } from './capture-bytes.js';

export const CAPTURE_REMEDY = 'give it what tcpdump -w or Wireshark has written';

export interface CaptureInput {
  /** Called after each piece; the size is unknown for pipes. */
  readonly onProgress?: (bytesRead: number, totalBytes: number | undefined) => void;
  /** Aborted: the packets so far are all. */
  readonly signal?: AbortSignal;
  /** Shared with who needs the epoch before the end. */
  readonly clock?: CaptureClock;
  /** Called between two pieces, and waited for. */
  readonly between?: () => Promise<void>;
}

export interface ReadFile {
  readonly file: CaptureFile;
  readonly bytes: number;
}

/** True: there may be more; false: the end; a text: the compressed data is damaged. */
export async function pumpOrDamage(
  source: ByteSource,
  reader: CaptureReader,
  path: string,
): Promise<boolean | string> {
  try {
    return await source.pump(reader);
  } catch (error) {
    const text = damage(error);
    if (text === undefined) throw captureError(path, error);
    return text;
  }
}

/** @throws SockwatchError for what is no capture at all */
export function finished(
  path: string,
  source: ByteSource,
  reader: CaptureReader,
  damaged?: string,
): ReadFile {
  const known = reader.file(path);
  if (known.format === 'unknown' && known.fault !== undefined) {
    const name = path === '-' ? 'standard input' : path;
    const why = damaged ?? known.fault.message;
    throw new CaptureError(`${name}: ${why}`, why, CAPTURE_REMEDY);
  }
  const file: CaptureFile = {
    ...known,
    ...(source.compression !== undefined && { compression: source.compression }),
    ...(damaged !== undefined && {
      fault: { offset: known.fault?.offset ?? 0, frame: known.packets, message: damaged },
    }),
  };
  return { file, bytes: source.position };
}
