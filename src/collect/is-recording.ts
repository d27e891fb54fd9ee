import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';

const START = '{"k":"head"';

/** Whether a file is a recording of sockwatch, by how it begins. False as well where it cannot be read: its reader says why. */
export async function isRecording(path: string): Promise<boolean> {
  try {
    // A pipe would be waited for.
    if (!(await stat(path)).isFile()) return false;
    const raw = createReadStream(path, { end: 4096 });
    const [first] = await raw.take(1).toArray();
    raw.destroy();
    const bytes = first as Buffer;
    if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.toString('latin1').startsWith(START);
    return (await firstInflated(path)).startsWith(START);
  } catch {
    return false;
  }
}

/** The first text of a compressed file, which may break off. */
async function firstInflated(path: string): Promise<string> {
  const raw = createReadStream(path, { end: 65_535 });
  const inflated = raw.pipe(createGunzip());
  try {
    for await (const chunk of inflated) return (chunk as Buffer).toString('latin1', 0, START.length);
    return '';
  } finally {
    raw.destroy();
    inflated.destroy();
  }
}
