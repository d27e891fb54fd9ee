import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { SourceError } from '../model/errors.js';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'there is no such folder',
  EACCES: 'no permission',
  EISDIR: 'it is a folder',
};

/** The packets as they came, in a file that only its owner may read. A disk that is full ends the copy, not the analysis. */
export class CaptureCopy {
  private failed = false;

  private constructor(
    private readonly stream: WriteStream,
    path: string,
    onNote: (text: string) => void,
  ) {
    this.stream.on('error', (error) => {
      this.failed = true;
      onNote(`${path}: ${error.message}; the packets from here on are not kept`);
    });
  }

  /** Throws `SourceError` where there can be no such file: better now than after an hour of capturing. */
  static async open(path: string, onNote: (text: string) => void): Promise<CaptureCopy> {
    const stream = createWriteStream(path, { mode: 0o600 });
    try {
      await once(stream, 'open');
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      throw new SourceError('failed', `${path} cannot be written: ${REASONS[code] ?? message}`, undefined, {
        cause: error,
      });
    }
    return new CaptureCopy(stream, path, onNote);
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.failed || this.stream.write(chunk)) return;
    await Promise.race([once(this.stream, 'drain'), once(this.stream, 'close')]).catch(() => undefined);
  }

  async end(): Promise<void> {
    if (this.failed) return;
    this.stream.end();
    await once(this.stream, 'close').catch(() => undefined);
  }
}
