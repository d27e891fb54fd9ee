import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { createGunzip, type Gunzip } from 'node:zlib';
import { ParseError, SockwatchError } from '../model/errors.js';
import type { Gap } from '../model/observation.js';
import { LINE_KINDS, type LineKind } from '../model/recording.js';

/** A stretch of the file that can be read by itself: it starts with a `key` frame (or the head). */
export interface Segment {
  /** Of the compressed file where it is one. */
  readonly start: number;
  readonly end: number;
  readonly firstLine: number;
}

/** Where one thing of the recording is. */
export interface Place {
  readonly kind: LineKind;
  /** Wall clock and monotonic clock, ms. */
  readonly time: number;
  readonly monotonic: number;
  readonly segment: number;
  /** Of an event: whether an alert was raised. */
  readonly isRaised: boolean;
}

export interface RecordingLine {
  readonly text: string;
  readonly number: number;
}

/** A frame of half a million sockets; what is longer is left out, and named. */
const LONGEST_LINE = 64 << 20;
/** More empty lines than that are no recording: their number alone would take minutes. */
const MOST_BLANK_LINES = 1_000_000;
const NEWLINE = 10;
const PREFIX = /^\{"k":"([a-z]+)","t":(-?\d+(?:\.\d+)?),"m":(-?\d+(?:\.\d+)?)/;
const PREFIX_LENGTH = 80;
/** How gzip members of ours begin: no name, no time, made on Unix. */
const MEMBER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0]);

/**
 * A recording on disk with an index of its frames and events. Opening reads it once and keeps only where things are; what is damaged
 * becomes a gap. Throws SockwatchError where the file cannot be read, or is no recording at all.
 */
export class RecordingFile {
  readonly places: Place[] = [];
  readonly segments: Segment[] = [];
  readonly gaps: Gap[] = [];
  private inflating: Gunzip | undefined;
  /** First line of the file: what all segments need. */
  head: string | undefined;

  private constructor(
    readonly path: string,
    private readonly isGzip: boolean,
  ) {}

  static async open(path: string): Promise<RecordingFile> {
    try {
      const { isGzip, starts } = await findStarts(path);
      const recording = new RecordingFile(path, isGzip);
      if (isGzip) await recording.indexMembers(starts);
      else await recording.indexPlain(starts[starts.length - 1] ?? 0);
      if (recording.head === undefined || recording.places.every(({ kind }) => kind === 'event'))
        throw new SockwatchError(
          `${path} is no recording of sockwatch, or holds nothing`,
          'make one with sockwatch record FILE',
        );
      return recording;
    } catch (error) {
      if (error instanceof SockwatchError) throw error;
      const { code, message } = error as NodeJS.ErrnoException;
      const why = code === 'ENOENT' ? 'there is no such file' : message;
      throw new SockwatchError(`${path} could not be read: ${why}`, 'check the path and its permissions');
    }
  }

  /** The lines of one segment, the head first. What is damaged ends it, with a gap at the first reading. */
  async *lines(index: number): AsyncGenerator<RecordingLine> {
    const segment = this.segments[index];
    if (segment === undefined) return;
    if (this.head !== undefined && segment.firstLine > 1) yield { text: this.head, number: 1 };
    const lines = new LineSplitter(segment.firstLine);
    try {
      for await (const chunk of this.bytes(segment)) yield* lines.push(chunk);
    } catch {
      return; // what the index has named already
    }
    yield* lines.rest();
  }

  private bytes({ start, end }: { start: number; end: number }): AsyncIterable<Uint8Array> {
    const raw = createReadStream(this.path, { start, end: Math.max(start, end - 1), highWaterMark: 1 << 20 });
    if (!this.isGzip) return raw;
    const inflated = createGunzip({ chunkSize: 1 << 18 });
    this.inflating = inflated;
    raw.on('error', (error) => inflated.destroy(error));
    return raw.pipe(inflated);
  }

  /** Each member by itself: a damaged one costs only what it held. */
  private async indexMembers(starts: readonly number[]): Promise<void> {
    let line = 1;
    for (const [at, start] of starts.entries()) {
      const end = starts[at + 1] ?? Number.MAX_SAFE_INTEGER;
      const segment = { start, end, firstLine: line };
      const lines = new LineSplitter(line);
      const index = this.segments.push(segment) - 1;
      try {
        for await (const chunk of this.bytes(segment))
          for (const one of lines.push(chunk)) this.note(one, index);
        for (const one of lines.rest()) this.note(one, index);
      } catch (error) {
        for (const one of lines.rest()) this.note(one, index, true);
        const isLast = at === starts.length - 1;
        this.gaps.push({
          what: `${this.path} at byte ${start + (this.inflating?.bytesWritten ?? 0)}`,
          why: isLast
            ? 'it breaks off here: the recorder was ended, or the file is cut'
            : `damaged: ${(error as Error).message}`,
        });
      }
      line = lines.next;
    }
  }

  /** A plain file: a segment begins with each `key` line. */
  private async indexPlain(size: number): Promise<void> {
    const lines = new LineSplitter(1);
    let current = { start: 0, firstLine: 1 };
    const close = (end: number) => {
      if (end > current.start) this.segments.push({ ...current, end });
    };
    const take = (line: FileLine) => {
      if (line.number > 1 && line.text.startsWith('{"k":"key"')) {
        close(line.at);
        current = { start: line.at, firstLine: line.number };
      }
      this.note(line, this.segments.length);
    };
    for await (const chunk of this.bytes({ start: 0, end: size }))
      for (const line of lines.push(chunk)) take(line);
    const [rest] = [...lines.rest()];
    if (rest !== undefined) {
      if (isWhole(rest.text)) take(rest);
      else
        this.gaps.push({
          what: `${this.path} line ${rest.number}`,
          why: 'it breaks off here: the recorder was ended, or the file is cut',
          line: rest.number,
        });
    }
    close(size);
  }

  private note({ text, number, isTooLong }: FileLine, segment: number, isRest = false): void {
    if (isTooLong) {
      this.gaps.push({ what: `${this.path} line ${number}`, why: 'it is longer than 64 MiB', line: number });
      return;
    }
    const [, kind, time, monotonic] = PREFIX.exec(text.slice(0, PREFIX_LENGTH)) ?? [];
    const known = LINE_KINDS.find((one) => one === kind);
    if (isRest && !isWhole(text)) return;
    if (known === undefined) {
      if (text.trim() === '') return;
      if (this.head === undefined)
        throw new SockwatchError(
          `${this.path} is no recording of sockwatch`,
          'make one with sockwatch record FILE',
        );
      this.gaps.push({
        what: `${this.path} line ${number}`,
        why: 'it is no line of a recording',
        line: number,
      });
      return;
    }
    if (known === 'head') {
      this.head ??= text;
      return;
    }
    const isRaised = known === 'event' && text.includes('"phase":"raised"');
    this.places.push({ kind: known, time: Number(time), monotonic: Number(monotonic), segment, isRaised });
  }
}

const isWhole = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** Where members begin, and the size of the file behind them. */
async function findStarts(path: string): Promise<{ isGzip: boolean; starts: number[] }> {
  // A pipe would be waited for.
  if (!(await stat(path)).isFile())
    throw new SockwatchError(`${path} could not be read: it is no regular file`);
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const head = Buffer.alloc(2);
    const { bytesRead } = await file.read(head, 0, 2, 0);
    const isGzip = bytesRead === 2 && head[0] === 0x1f && head[1] === 0x8b;
    if (!isGzip) return { isGzip, starts: [size] };
  } finally {
    await file.close();
  }
  const starts: number[] = [0];
  let at = 0;
  let tail = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const bytes = Buffer.concat([tail, chunk as Buffer]);
    const base = at - tail.length;
    for (let found = bytes.indexOf(MEMBER); found >= 0; found = bytes.indexOf(MEMBER, found + 1)) {
      if (base + found > (starts.at(-1) ?? 0)) starts.push(base + found);
    }
    at += (chunk as Buffer).length;
    tail = bytes.subarray(Math.max(0, bytes.length - MEMBER.length + 1));
  }
  return { isGzip: true, starts };
}

type FileLine = RecordingLine & { readonly at: number; readonly isTooLong?: boolean };

/** Lines of chunks of bytes; a line is copied once. Empty ones are passed over, and of one that is too long nothing is kept. */
class LineSplitter {
  private parts: Buffer[] = [];
  private length = 0;
  private offset = 0;
  private isTooLong = false;
  private blanks = 0;

  /** `next`: the number of the next line. */
  constructor(public next: number) {}

  *push(chunk: Uint8Array): Generator<FileLine> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      if (end === start && this.length === 0) this.passBlank();
      else yield this.take(bytes.subarray(start, end), 1);
      start = end + 1;
    }
    if (start < bytes.length) this.keep(bytes.subarray(start));
  }

  /** What stands behind the last newline. */
  *rest(): Generator<FileLine> {
    if (this.length > 0) yield this.take(Buffer.alloc(0), 0);
  }

  private passBlank(): void {
    this.next++;
    this.offset++;
    if (++this.blanks > MOST_BLANK_LINES)
      throw new ParseError(`line ${this.next}`, 'a frame', 'empty lines only');
  }

  private keep(part: Buffer): void {
    this.length += part.length;
    if (this.length > LONGEST_LINE) {
      this.isTooLong = true;
      this.parts = [];
    }
    // The chunk's memory may be used again.
    if (!this.isTooLong) this.parts.push(Buffer.from(part));
  }

  private take(last: Buffer, newline: number): FileLine {
    const length = this.length + last.length;
    const isTooLong = this.isTooLong || length > LONGEST_LINE;
    const bytes = isTooLong
      ? Buffer.alloc(0)
      : this.parts.length === 0
        ? last
        : Buffer.concat([...this.parts, last]);
    const line = {
      text: bytes.toString('utf8'),
      number: this.next++,
      at: this.offset,
      ...(isTooLong && { isTooLong }),
    };
    this.offset += length + newline;
    this.parts = [];
    this.length = 0;
    this.isTooLong = false;
    return line;
  }
}
