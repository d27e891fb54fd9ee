import { EventEmitter } from 'node:events';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { PacketBatch } from '../model/packets.js';
import { CaptureReader } from '../parse/capture/index.js';
import { captureError } from './capture-bytes.js';

export interface Difference {
  /** Number of the packet; 0: the file as a whole. */
  readonly frame: number;
  readonly what: 'count' | 'time' | 'captured' | 'original' | 'bytes' | 'failed';
  readonly ours: string;
  readonly theirs: string;
}

export interface VerifyResult {
  readonly packets: number;
  readonly agree: boolean;
  readonly differences: readonly Difference[];
  /** Why nothing was compared. */
  readonly skipped?: string;
}

interface TheirPacket {
  readonly header: {
    readonly timestampSeconds: number;
    readonly timestampMicroseconds: number;
    readonly capturedLength: number;
    readonly originalLength: number;
  };
  readonly data: Uint8Array;
}

const MOST_DIFFERENCES = 1000;

/**
 * Reads a classic capture with our reader and with the package pcap-parser, and compares them packet by packet. pcap-parser waits without
 * limit for what a forged length promises: it gets no byte beyond what our reader has understood.
 */
export async function verifyCapture(path: string): Promise<VerifyResult> {
  const stream: Readable = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: 1 << 18 });
  const both = await Comparison.begin();
  try {
    for await (const chunk of stream) if (!both.take(chunk as Uint8Array)) break;
    return both.result();
  } catch (error) {
    throw captureError(path, error);
  } finally {
    if (path !== '-') stream.destroy();
  }
}

/** What pcap-parser needs of a stream. */
class Feed extends EventEmitter {
  pause(): void {}
  resume(): void {}
}

class Comparison {
  private readonly feed = new Feed();
  private readonly reader: CaptureReader;
  /** Our packets of the piece at hand, valid until the next one. */
  private readonly ours: PacketBatch[] = [];
  private readonly theirs: TheirPacket[] = [];
  private readonly differences: Difference[] = [];
  private readonly clock = { epochSeconds: undefined as number | undefined };
  private taken = 0;
  private packets = 0;
  private theirError: string | undefined;

  private constructor(parse: (stream: Feed) => EventEmitter) {
    this.reader = new CaptureReader((batch) => this.ours.push(copyOf(batch)), this.clock);
    const parser = parse(this.feed);
    parser.on('packet', (packet: TheirPacket) => this.theirs.push(packet));
    parser.on('error', (error: Error) => {
      this.theirError = error.message;
    });
  }

  static async begin(): Promise<Comparison> {
    const { parse } = (await import('pcap-parser')).default as { parse: (stream: Feed) => EventEmitter };
    return new Comparison(parse);
  }

  /** False once there is nothing more to compare. */
  take(chunk: Uint8Array): boolean {
    this.reader.write(chunk);
    if (this.whyNot() !== undefined) return false;
    const { fault } = this.reader;
    const good = fault === undefined ? chunk.length : Math.max(0, fault.offset - this.taken);
    this.taken += chunk.length;
    this.feed.emit('data', Buffer.from(chunk.subarray(0, good)));
    this.compare();
    return fault === undefined && this.differences.length < MOST_DIFFERENCES;
  }

  result(): VerifyResult {
    const skipped = this.whyNot();
    if (skipped !== undefined) return { packets: 0, agree: false, differences: [], skipped };
    if (this.theirError !== undefined) this.differ(0, 'failed', 'read', this.theirError);
    return { packets: this.packets, agree: this.differences.length === 0, differences: this.differences };
  }

  private whyNot(): string | undefined {
    const { format, fault, packets } = this.reader.file('');
    if (format === 'pcapng') return 'pcap-parser reads no pcapng';
    if (format === 'unknown') return fault?.message ?? 'an empty file';
    if (this.theirError?.startsWith('unknown magic') && packets >= 0)
      return 'pcap-parser reads no nanoseconds and no modified headers';
    return undefined;
  }

  private compare(): void {
    for (const batch of this.ours) {
      for (let index = 0; index < batch.count; index++) {
        this.packets++;
        const packet = this.theirs[0];
        if (packet === undefined) {
          if (this.theirError === undefined) this.differ(this.packets, 'count', 'a packet', 'none');
          continue;
        }
        this.theirs.shift();
        this.comparePacket(batch, index, packet);
      }
    }
    this.ours.length = 0;
    for (const packet of this.theirs.splice(0))
      this.differ(this.packets + 1, 'count', 'no packet', `${packet.header.capturedLength} bytes`);
  }

  private comparePacket(batch: PacketBatch, index: number, { header, data }: TheirPacket): void {
    const frame = batch.firstFrame + index;
    const at = batch.at[index] ?? 0;
    const captured = batch.captured[index] ?? 0;
    const theirNanos =
      (header.timestampSeconds - (this.clock.epochSeconds ?? 0)) * 1e9 + header.timestampMicroseconds * 1000;
    if (batch.nanos[index] !== theirNanos)
      this.differ(frame, 'time', `${batch.nanos[index]} ns`, `${theirNanos} ns`);
    if (captured !== header.capturedLength)
      this.differ(frame, 'captured', `${captured}`, `${header.capturedLength}`);
    if (batch.original[index] !== header.originalLength)
      this.differ(frame, 'original', `${batch.original[index]}`, `${header.originalLength}`);
    const bytes = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset + at, captured);
    if (!bytes.equals(data)) this.differ(frame, 'bytes', 'other bytes', 'other bytes');
  }

  private differ(frame: number, what: Difference['what'], ours: string, theirs: string): void {
    if (this.differences.length < MOST_DIFFERENCES) this.differences.push({ frame, what, ours, theirs });
  }
}

/** Columns are filled again for the next batch of the same piece; the bytes stay until the next piece. */
const copyOf = (batch: PacketBatch): PacketBatch => ({
  ...batch,
  at: batch.at.slice(0, batch.count),
  captured: batch.captured.slice(0, batch.count),
  original: batch.original.slice(0, batch.count),
  nanos: batch.nanos.slice(0, batch.count),
});
