import { SockwatchError } from '../model/errors.js';
import type { CaptureClock, CaptureFile, PacketBatch } from '../model/packets.js';
import { CaptureReader } from '../parse/capture/index.js';
import { type ByteSource, CaptureError, openBytes } from './capture-bytes.js';
import { CAPTURE_REMEDY, type CaptureInput, finished, pumpOrDamage, type ReadFile } from './capture-file.js';

const BUFFER_BYTES = 1 << 20;

const NOTHING: CaptureFile = { name: '', format: 'unknown', packets: 0, links: [] };

/** A batch of one file, of which the packets before `next` have been handed over. */
interface Waiting {
  readonly batch: PacketBatch;
  next: number;
}

/** One of several files. Its batches are copied columns over its own buffer, which rests until all of them are used. */
class MergedFile {
  readonly waiting: Waiting[] = [];
  private source: ByteSource | undefined;
  private reader: CaptureReader | undefined;
  private damaged: string | undefined;
  private isAtEnd = false;
  /** Time of the first packet of a file that waits for its turn, closed. */
  private firstTime: number | undefined;
  private done: ReadFile | undefined;
  /** Why it could not be read to its end. */
  failure: SockwatchError | undefined;

  constructor(
    readonly path: string,
    private readonly clock: CaptureClock,
  ) {}

  get size(): number | undefined {
    return this.source === undefined ? this.done?.bytes : this.source.size;
  }

  get position(): number {
    return this.source?.position ?? this.done?.bytes ?? 0;
  }

  /** Learns the time of its first packet. A file is closed again, so that a thousand of them need neither descriptors nor memory. */
  async peek(): Promise<void> {
    const first = await this.head();
    if (this.source?.size === undefined || this.isAtEnd) return;
    this.firstTime = first;
    this.source.close();
    this.source = undefined;
    this.reader = undefined;
    this.waiting.length = 0;
  }

  /** Time of its next packet, ns; Infinity at its end, and from where it cannot be read on. */
  async head(): Promise<number> {
    try {
      return await this.nextTime();
    } catch (error) {
      this.fail(error);
      return Number.POSITIVE_INFINITY;
    }
  }

  /** One bad file leaves the others to be read. */
  private fail(error: unknown): void {
    if (!(error instanceof SockwatchError)) throw error;
    const message = error instanceof CaptureError ? error.why : error.message;
    const known = this.reader?.file(this.path) ?? NOTHING;
    const read = known.format === 'unknown' ? 0 : this.position;
    const fault = { offset: known.fault?.offset ?? read, frame: known.packets, message };
    this.done = { file: { ...known, name: this.path, fault }, bytes: this.position };
    this.abandon();
    this.reader = undefined;
    this.failure = error;
  }

  private async nextTime(): Promise<number> {
    if (this.done !== undefined) return Number.POSITIVE_INFINITY;
    if (this.firstTime !== undefined) return this.firstTime;
    this.source ??= await openBytes(this.path);
    this.reader ??= new CaptureReader(
      (batch) => this.waiting.push({ batch: copyOf(batch), next: 0 }),
      this.clock,
      {
        bufferBytes: BUFFER_BYTES,
      },
    );
    while (this.waiting.length === 0 && !this.isAtEnd) {
      const more = await pumpOrDamage(this.source, this.reader, this.path);
      if (typeof more === 'string') this.damaged = more;
      if (more === true && this.reader.fault === undefined) continue;
      this.isAtEnd = true;
      this.reader.end();
    }
    const [first] = this.waiting;
    if (first === undefined) this.finish();
    return first === undefined ? Number.POSITIVE_INFINITY : (first.batch.nanos[first.next] ?? 0);
  }

  /** Its turn has come. */
  async begin(): Promise<void> {
    if (this.firstTime === undefined) return;
    this.firstTime = undefined;
    await this.head();
  }

  abandon(): void {
    this.source?.close();
    this.source = undefined;
  }

  /** Gives descriptor and memory back. Throws CaptureError for what is no capture. */
  finish(): ReadFile {
    if (this.done !== undefined) return this.done;
    const { source, reader } = this;
    this.source = undefined;
    this.reader = undefined;
    source?.close();
    if (source === undefined || reader === undefined) {
      this.done = { file: { ...NOTHING, name: this.path }, bytes: 0 };
    } else this.done = finished(this.path, source, reader, this.damaged);
    return this.done;
  }
}

/**
 * Reads several captures as one, in the order of their packets' times; frames are numbered in that order, as mergecap would. One that
 * cannot be read has a fault, and the others are read all the same.
 * @throws SockwatchError where none can be read
 */
export async function mergeCaptures(
  paths: readonly string[],
  sink: (batch: PacketBatch) => void,
  clock: CaptureClock,
  input: CaptureInput,
): Promise<ReadFile[]> {
  const files = paths.map((path) => new MergedFile(path, clock));
  let total: number | undefined = 0;
  for (const file of files) {
    await file.head();
    total = total === undefined || file.size === undefined ? undefined : total + file.size;
    await file.peek();
  }
  if (files.every(({ failure }) => failure !== undefined)) throw noneReadable(files);
  let frame = 1;
  try {
    while (!input.signal?.aborted) {
      const { first, until } = await nextInTime(files);
      if (first === undefined) break;
      frame = handOver(first, until, sink, frame);
      if (first.waiting.length > 0) continue;
      input.onProgress?.(
        files.reduce((sum, { position }) => sum + position, 0),
        total,
      );
      await input.between?.();
    }
    return files.map((file) => file.finish());
  } catch (error) {
    for (const file of files) file.abandon();
    throw error;
  }
}

const MOST_NAMED = 3;

function noneReadable(files: readonly MergedFile[]): SockwatchError {
  const named = files.slice(0, MOST_NAMED).map(({ failure }) => failure?.message);
  const more = files.length > MOST_NAMED ? `; and ${files.length - MOST_NAMED} more` : '';
  return new SockwatchError(
    `none of ${files.length} captures could be read: ${named.join('; ')}${more}`,
    CAPTURE_REMEDY,
  );
}

/** The file whose packet is next, and the time up to which it alone goes on. */
async function nextInTime(files: readonly MergedFile[]) {
  let first: MergedFile | undefined;
  let time = Number.POSITIVE_INFINITY;
  let until = Number.POSITIVE_INFINITY;
  for (const file of files) {
    const head = await file.head();
    if (head < time) {
      until = time;
      time = head;
      first = file;
    } else if (head < until) until = head;
  }
  await first?.begin();
  return { first, until };
}

function handOver(
  file: MergedFile,
  until: number,
  sink: (batch: PacketBatch) => void,
  frame: number,
): number {
  const [waiting] = file.waiting;
  if (waiting === undefined) return frame;
  const { batch, next } = waiting;
  let end = next + 1;
  while (end < batch.count && (batch.nanos[end] ?? 0) <= until) end++;
  sink(part(batch, next, end, frame));
  waiting.next = end;
  if (end === batch.count) file.waiting.shift();
  return frame + end - next;
}

function part(batch: PacketBatch, from: number, to: number, firstFrame: number): PacketBatch {
  const comments = [...(batch.comments ?? [])].filter(([index]) => index >= from && index < to);
  const { comments: _, ...rest } = batch;
  return {
    ...rest,
    count: to - from,
    at: batch.at.subarray(from, to),
    captured: batch.captured.subarray(from, to),
    original: batch.original.subarray(from, to),
    nanos: batch.nanos.subarray(from, to),
    firstFrame,
    ...(comments.length > 0 && { comments: new Map(comments.map(([index, text]) => [index - from, text])) }),
  };
}

const copyOf = (batch: PacketBatch): PacketBatch => ({
  ...batch,
  at: batch.at.slice(0, batch.count),
  captured: batch.captured.slice(0, batch.count),
  original: batch.original.slice(0, batch.count),
  nanos: batch.nanos.slice(0, batch.count),
});
