import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { createGzip, type Gzip, constants as zlib } from 'node:zlib';
import { SockwatchError } from '../model/errors.js';

export interface RotationOptions {
  /** A new file is begun once one has so many bytes, or is so old; absent: never. */
  readonly bytes?: number | undefined;
  readonly ms?: number | undefined;
  /** How many old files stay beside the new one. */
  readonly keep: number;
}

export interface RecordingWriterOptions extends RotationOptions {
  readonly path: string;
  /** An existing file is replaced; else it is refused. */
  readonly overwrite?: boolean;
}

/**
 * The file of a recording, 0600: plain, or gzip where the name ends in `.gz`. Each line is with the system when `write` returns, so that
 * SIGKILL loses one line at most. Throws SockwatchError for a disk that is full or gone; what was written before stays readable.
 */
export class RecordingWriter {
  private file: number;
  private readonly gzip: GzipLines | undefined;
  private bytes = 0;
  private openedAt = 0;

  constructor(private readonly options: RecordingWriterOptions) {
    this.gzip = options.path.endsWith('.gz') ? new GzipLines() : undefined;
    this.file = open(options.path, options.overwrite === true);
  }

  /** Whether the next line should be the head of a new file. `now`: monotonic, ms. */
  isDue(now: number): boolean {
    const { bytes, ms } = this.options;
    if (this.bytes === 0) return false;
    return (bytes !== undefined && this.bytes >= bytes) || (ms !== undefined && now - this.openedAt >= ms);
  }

  /** Closes the file, moves it to `NAME.1` (and `.1` to `.2`), and begins a new one. */
  async rotate(): Promise<void> {
    await this.close();
    const { path, keep } = this.options;
    try {
      rmSync(numbered(path, keep), { force: true });
      for (let number = keep - 1; number >= 1; number--)
        moveIfThere(numbered(path, number), numbered(path, number + 1));
      if (keep > 0) moveIfThere(path, numbered(path, 1));
    } catch (error) {
      throw writeError(path, error);
    }
    this.file = open(path, true);
    this.bytes = 0;
  }

  /** `isStart`: a reader may begin here; a compressed file gets a member of its own for what follows. */
  async write(text: string, isStart: boolean, now: number): Promise<void> {
    if (this.bytes === 0) this.openedAt = now;
    if (this.gzip === undefined) return this.append(Buffer.from(text));
    if (isStart && this.gzip.isOpen) this.append(await this.gzip.end());
    this.append(await this.gzip.add(text));
  }

  /** Members that were compressed already. */
  async writePacked(bytes: Uint8Array): Promise<void> {
    if (this.gzip?.isOpen) this.append(await this.gzip.end());
    this.append(bytes);
  }

  async close(): Promise<void> {
    try {
      if (this.gzip?.isOpen) this.append(await this.gzip.end());
    } finally {
      closeSync(this.file);
    }
  }

  /** All of it or nothing: half a line would be a fault for its readers. */
  private append(bytes: Uint8Array): void {
    const before = fstatSync(this.file).size;
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.file, bytes, at);
      this.bytes += bytes.length;
    } catch (error) {
      ftruncateSync(this.file, before);
      throw writeError(this.options.path, error);
    }
  }
}

function open(path: string, overwrite: boolean): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | (overwrite ? 0 : O_EXCL);
    const file = openSync(path, flags, 0o600);
    if (!fstatSync(file).isFile()) {
      closeSync(file);
      throw new SockwatchError(`${path} could not be written: it is no regular file`);
    }
    fchmodSync(file, 0o600);
    ftruncateSync(file, 0);
    return file;
  } catch (error) {
    throw writeError(path, error);
  }
}

/** Makes a folder where there is none. Throws SockwatchError where files cannot be made in it. */
export function makeWritableFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw writeError(
      folder,
      (error as NodeJS.ErrnoException).code === 'EEXIST' ? new Error('it is no folder') : error,
    );
  }
}

/** `web.ndjson.gz` becomes `web.1.ndjson.gz`: what a name ends in still says what it is. */
function numbered(path: string, number: number): string {
  const [, stem = path, ending = ''] = /^(.*?)((?:\.[a-z]+)?(?:\.gz)?)$/.exec(path) ?? [];
  return `${stem}.${number}${ending}`;
}

function moveIfThere(from: string, to: string): void {
  if (existsSync(from)) renameSync(from, to);
}

const REMEDIES: Readonly<Record<string, string>> = {
  EEXIST: 'give another name, or remove it first',
  ELOOP: 'it is a link: give the name of the file itself',
  ENXIO: 'it is a pipe: give the name of a file',
  ENOSPC: 'make room on the disk; what was recorded until now can be read',
  EDQUOT: 'the quota is used up; what was recorded until now can be read',
  EACCES: 'check the permissions of the folder',
  EISDIR: 'give the name of a file',
  EROFS: 'the file system is read-only',
};

function writeError(path: string, error: unknown): SockwatchError {
  if (error instanceof SockwatchError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const why = code === 'EEXIST' ? 'it is there already' : message;
  return new SockwatchError(`${path} could not be written: ${why}`, REMEDIES[code], { cause: error });
}

/** Text as gzip, flushed after each line; members may follow each other. */
class GzipLines {
  private stream: Gzip | undefined;
  private chunks: Uint8Array[] = [];

  get isOpen(): boolean {
    return this.stream !== undefined;
  }

  async add(text: string): Promise<Uint8Array> {
    this.stream ??= this.start();
    const { stream } = this;
    stream.write(text);
    await new Promise<void>((resolve) => stream.flush(zlib.Z_SYNC_FLUSH, resolve));
    return this.take();
  }

  async end(): Promise<Uint8Array> {
    const { stream } = this;
    this.stream = undefined;
    if (stream !== undefined) await new Promise<void>((resolve) => stream.on('end', resolve).end());
    return this.take();
  }

  private start(): Gzip {
    const stream = createGzip();
    stream.on('data', (chunk: Uint8Array) => this.chunks.push(chunk));
    return stream;
  }

  private take(): Uint8Array {
    const bytes = Buffer.concat(this.chunks);
    this.chunks = [];
    return bytes;
  }
}
