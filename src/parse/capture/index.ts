import type { CaptureClock, CaptureFault, CaptureFile, PacketBatch } from '../../model/packets.js';
import { BatchBuilder } from './batch.js';
import type { Format, Progress } from './format.js';
import { isPcap, PCAP_HEADER_BYTES, PcapFormat } from './pcap.js';
import { isPcapng, PcapngFormat } from './pcapng.js';

const READ_BYTES = 1 << 20;
const MOST_BUFFER = 64 << 20;

export interface ReaderOptions {
  /** Number of the first packet, 1 unless told. */
  readonly firstFrame?: number;
  /** Size of the buffer to begin with, bytes. */
  readonly bufferBytes?: number;
}

/**
 * Reads a capture, whichever format it has, from bytes that come piece by piece. Packets are handed over where they lie, in batches;
 * what is not whole yet moves to the front of the buffer, which never grows beyond what a record needs. Never throws for broken bytes.
 */
export class CaptureReader {
  private bytes: Uint8Array;
  private view: DataView;
  private from = 0;
  private to = 0;
  /** Bytes of the file before `from`. */
  private consumed = 0;
  private toSkip = 0;
  private format: Format | undefined;
  private readonly batch: BatchBuilder;
  private readonly firstFrame: number;
  private found: CaptureFault | undefined;
  private readonly progress: Progress;

  /** @param clock shared by all files of one analysis: the first packet sets it */
  constructor(
    sink: (batch: PacketBatch) => void,
    private readonly clock: CaptureClock,
    options: ReaderOptions = {},
  ) {
    this.firstFrame = options.firstFrame ?? 1;
    this.batch = new BatchBuilder(sink, this.firstFrame);
    this.bytes = new Uint8Array(options.bufferBytes ?? 4 * READ_BYTES);
    this.view = new DataView(this.bytes.buffer);
    this.batch.setMemory(this.bytes, this.view);
    this.progress = {
      fault: (at, message) => this.fail(at, message),
      skip: (count) => {
        this.toSkip += count;
      },
    };
  }

  /** Where the file stopped making sense; nothing after that is read. */
  get fault(): CaptureFault | undefined {
    return this.found;
  }

  /** Number of the packet that comes next. */
  get nextFrame(): number {
    return this.batch.nextFrame;
  }

  /** Where to read the next bytes into: a quarter of the buffer at least. */
  space(): Uint8Array {
    const least = this.bytes.length / 4;
    if (this.bytes.length - this.to < least && this.from > 0) this.moveToFront();
    if (this.bytes.length - this.to < least) this.grow();
    return this.bytes.subarray(this.to);
  }

  /** So many bytes were put into `space()`. */
  filled(count: number): void {
    this.to += count;
    if (this.found !== undefined) {
      this.from = this.to;
      return;
    }
    this.parse();
    this.batch.flush();
  }

  /** For streams: copies the bytes into `space()`. */
  write(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const space = this.space();
      const part = chunk.subarray(at, at + space.length);
      space.set(part);
      at += part.length;
      this.filled(part.length);
    }
  }

  /** No more bytes will come: what is left over is no whole record. */
  end(): void {
    if (this.found !== undefined) return;
    const left = this.to - this.from;
    if (this.format === undefined) this.fail(this.from, left === 0 ? 'an empty file' : NOT_A_CAPTURE);
    else if (this.toSkip > 0) this.fail(this.from, `a block ends ${this.toSkip} bytes after the file`);
    else if (left > 0) {
      const wanted = this.format.wanted(this.view, this.from, this.to);
      this.fail(
        this.from,
        `a record of ${wanted} bytes or more, of which ${left} are there: the file is cut`,
      );
    }
  }

  /** What is known of the file so far. */
  file(name: string): CaptureFile {
    const facts = this.format?.facts;
    return {
      name,
      format: facts?.format ?? 'unknown',
      packets: this.batch.nextFrame - this.firstFrame,
      links: facts?.links ?? [],
      ...(facts !== undefined && facts.snapLength > 0 && { snapLength: facts.snapLength }),
      ...(facts?.dropped !== undefined && { dropped: facts.dropped }),
      ...(this.found !== undefined && { fault: this.found }),
    };
  }

  private parse(): void {
    if (this.toSkip > 0) {
      const skipped = Math.min(this.toSkip, this.to - this.from);
      this.advance(this.from + skipped);
      this.toSkip -= skipped;
    }
    this.format ??= this.begin();
    if (this.format === undefined) return;
    this.advance(this.format.parse(this.view, this.from, this.to, this.progress));
  }

  private begin(): Format | undefined {
    const left = this.to - this.from;
    if (left < 4) return undefined;
    if (isPcapng(this.view, this.from)) return new PcapngFormat(this.batch, this.clock);
    if (!isPcap(this.view, this.from)) {
      this.fail(this.from, NOT_A_CAPTURE);
      return undefined;
    }
    if (left < PCAP_HEADER_BYTES) return undefined;
    const format = new PcapFormat(this.view, this.from, this.batch, this.clock);
    this.advance(this.from + format.headerBytes);
    return format;
  }

  private advance(at: number): void {
    this.consumed += at - this.from;
    this.from = at;
  }

  private fail(at: number, message: string): void {
    this.found ??= {
      offset: this.consumed + at - this.from,
      frame: this.batch.nextFrame - 1,
      message,
    };
  }

  private moveToFront(): void {
    this.bytes.copyWithin(0, this.from, this.to);
    this.to -= this.from;
    this.from = 0;
  }

  /** Only ever after the buffer is full of one record, so what is there is there. */
  private grow(): void {
    if (this.bytes.length >= MOST_BUFFER) {
      this.fail(this.from, `a record of more than ${MOST_BUFFER} bytes`);
      this.from = this.to = 0;
      return;
    }
    const larger = new Uint8Array(this.bytes.length * 2);
    larger.set(this.bytes.subarray(0, this.to));
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
    this.batch.setMemory(larger, this.view);
  }
}

const NOT_A_CAPTURE = 'this is no capture: neither pcap nor pcapng';
