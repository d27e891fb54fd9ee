import type { CaptureClock, CaptureInfo, PacketBatch } from '../model/packets.js';
import { CaptureReader } from '../parse/capture/index.js';
import { openBytes } from './capture-bytes.js';
import { type CaptureInput, finished, pumpOrDamage, type ReadFile } from './capture-file.js';
import { mergeCaptures } from './capture-merge.js';

export type { CaptureInput } from './capture-file.js';

/**
 * Reads captures; `-` is standard input. Several are one capture, in the order of their packets' times. A file that is cut or broken
 * gives what stands before the fault, which its `CaptureFile` names; one of several that cannot be read at all has its fault there, too.
 * @throws SockwatchError where no file can be read or is a capture
 */
export async function readCaptures(
  paths: readonly string[],
  sink: (batch: PacketBatch) => void,
  input: CaptureInput = {},
): Promise<CaptureInfo> {
  const clock = input.clock ?? { epochSeconds: undefined };
  const [only = '-'] = paths;
  const files =
    paths.length > 1
      ? await mergeCaptures(paths, sink, clock, input)
      : [await readOne(only, sink, clock, input)];
  return {
    files: files.map(({ file }) => file),
    epochSeconds: clock.epochSeconds ?? 0,
    packets: files.reduce((sum, { file }) => sum + file.packets, 0),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

async function readOne(
  path: string,
  sink: (batch: PacketBatch) => void,
  clock: CaptureClock,
  input: CaptureInput,
): Promise<ReadFile> {
  const source = await openBytes(path);
  const reader = new CaptureReader(sink, clock);
  try {
    let fault: string | undefined;
    while (!input.signal?.aborted) {
      const more = await pumpOrDamage(source, reader, path);
      if (typeof more === 'string') fault = more;
      if (more !== true || reader.fault !== undefined) break;
      input.onProgress?.(source.position, source.size);
      await input.between?.();
    }
    if (!input.signal?.aborted) reader.end();
    return finished(path, source, reader, fault);
  } finally {
    source.close();
  }
}
