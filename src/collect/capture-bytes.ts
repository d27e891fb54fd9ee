import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { SockwatchError } from '../model/errors.js';
import type { CaptureReader } from '../parse/capture/index.js';

/** Where the bytes of one capture come from. */
export interface ByteSource {
  readonly compression?: 'gzip' | 'zstd';
  /** Bytes of the file as it lies there; `undefined` for a pipe. */
  readonly size: number | undefined;
  /** Bytes of that read so far. */
  readonly position: number;
  /** Lets the reader have the next piece: false at the end. */
  pump(reader: CaptureReader): Promise<boolean>;
  close(): void;
}

const PEEK_BYTES = 4;

/** Opens a file, a named pipe or standard input (`-`); compression is known by content. Throws SockwatchError. */
export async function openBytes(path: string): Promise<ByteSource> {
  if (path === '-') return openStream(process.stdin, undefined);
  try {
    const fd = openSync(path, 'r');
    const stat = fstatSync(fd);
    if (stat.isDirectory()) {
      closeSync(fd);
      throw Object.assign(new Error('directory'), { code: 'EISDIR' });
    }
    if (!stat.isFile()) return openStream(createReadStream(path, { fd }), undefined);
    const head = new Uint8Array(PEEK_BYTES);
    const count = readSync(fd, head, 0, PEEK_BYTES, 0);
    if (compressionOf(head.subarray(0, count)) === undefined) return new FileBytes(fd, stat.size);
    return openStream(createReadStream(path, { fd, start: 0 }), stat.size);
  } catch (error) {
    throw captureError(path, error);
  }
}

/** One capture that cannot be read: `why` without its name, for where many are told. */
export class CaptureError extends SockwatchError {
  override readonly name = 'CaptureError';

  constructor(
    message: string,
    readonly why: string,
    remedy: string,
    options?: ErrorOptions,
  ) {
    super(message, remedy, options);
  }
}

/** A fault of reading, in one line; what is no fault of the system comes back as it is. */
export function captureError(path: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof SockwatchError || code === undefined) return error;
  const name = path === '-' ? 'standard input' : path;
  const why = REASONS[code] ?? message;
  return new CaptureError(`${name} could not be read: ${why}`, why, 'check the path and its permissions', {
    cause: error,
  });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many open files',
};

/** A plain file: read straight into the reader's buffer. */
class FileBytes implements ByteSource {
  position = 0;

  constructor(
    private readonly fd: number,
    readonly size: number,
  ) {}

  async pump(reader: CaptureReader): Promise<boolean> {
    const space = reader.space();
    const count = readSync(this.fd, space, 0, space.length, this.position);
    this.position += count;
    reader.filled(count);
    return count > 0;
  }

  close(): void {
    closeSync(this.fd);
  }
}

type Compression = 'gzip' | 'zstd';

function compressionOf(head: Uint8Array): Compression | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  const isZstd = head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd;
  return isZstd ? 'zstd' : undefined;
}

/** A stream, unpacked where its first bytes say so. */
async function openStream(stream: Readable, size: number | undefined): Promise<ByteSource> {
  const source = new StreamBytes(stream, size);
  await source.begin();
  return source;
}

class StreamBytes implements ByteSource {
  compression?: Compression;
  position = 0;
  private chunks!: AsyncIterator<Uint8Array>;

  constructor(
    private readonly stream: Readable,
    readonly size: number | undefined,
  ) {}

  /** Looks at the first bytes, however small the pieces are that they come in. */
  async begin(): Promise<void> {
    const raw = this.stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    const head: Uint8Array[] = [];
    let length = 0;
    while (length < PEEK_BYTES) {
      const { value, done } = await raw.next();
      if (done) break;
      head.push(value);
      length += value.length;
    }
    const compression = compressionOf(Buffer.concat(head));
    const all = this.count(head, raw);
    if (compression === undefined) {
      this.chunks = all;
      return;
    }
    this.compression = compression;
    this.chunks = unpack(Readable.from(all), compression);
  }

  private async *count(head: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>) {
    for (const chunk of head) {
      this.position += chunk.length;
      yield chunk;
    }
    for (let next = await rest.next(); !next.done; next = await rest.next()) {
      this.position += next.value.length;
      yield next.value;
    }
  }

  async pump(reader: CaptureReader): Promise<boolean> {
    const { value, done } = await this.chunks.next();
    if (done) return false;
    reader.write(value);
    return true;
  }

  close(): void {
    this.stream.destroy();
  }
}

type Unpacker = (options: object) => NodeJS.ReadWriteStream;

async function* unpack(packed: Readable, compression: Compression): AsyncGenerator<Uint8Array> {
  const unpacker = compression === 'gzip' ? zlib.createGunzip({ chunkSize: 1 << 18 }) : zstd();
  packed.on('error', (error) => unpacker.emit('error', error));
  packed.pipe(unpacker);
  yield* unpacker as unknown as AsyncIterable<Uint8Array>;
}

/** Node has it from 22.15 and 23.8 on. */
function zstd(): NodeJS.ReadWriteStream {
  const create = (zlib as unknown as { createZstdDecompress?: Unpacker }).createZstdDecompress;
  if (create === undefined) {
    throw new SockwatchError(
      `the capture is compressed with zstd, which Node ${process.versions.node} cannot unpack`,
      'unpack it first: zstd -dc FILE | sockwatch pcap -',
    );
  }
  return create({});
}

/** Damage of a compressed file; `undefined` for other errors. */
export function damage(error: unknown): string | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  return code?.startsWith('Z_') || code?.startsWith('ZSTD_')
    ? `damaged compressed data: ${message}`
    : undefined;
}
