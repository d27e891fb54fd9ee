import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { SockwatchError } from '../model/errors.js';

const { O_NONBLOCK, O_RDONLY } = constants;
/** A housekeeper writes a line each 30 s: hours of the busiest log. */
const TAIL_BYTES = 4 * 2 ** 20;

/**
 * The last 4 MB of a file of lines, from the first whole line on; bytes that are no UTF-8 become U+FFFD.
 * Throws SockwatchError that names the file.
 */
export async function readTail(path: string, most = TAIL_BYTES): Promise<string> {
  try {
    // Without O_NONBLOCK a FIFO would wait for a writer.
    const file = await open(path, O_RDONLY | O_NONBLOCK);
    try {
      const about = await file.stat();
      if (!about.isFile()) throw new Error('it is no file');
      const start = Math.max(0, about.size - most);
      const bytes = Buffer.alloc(Math.min(about.size, most));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
      const text = bytes.toString('utf8', 0, bytesRead);
      return start === 0 ? text : text.slice(text.indexOf('\n') + 1);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new SockwatchError(
      `${path}: ${(error as Error).message}`,
      'give the log in which HikariCP writes',
      {
        cause: error,
      },
    );
  }
}

/** When a file was last written: wall clock, ms; `undefined` where that cannot be told. */
export const writtenAt = async (path: string): Promise<number | undefined> =>
  (await stat(path).catch(() => undefined))?.mtimeMs;
