import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip as gzipCallback } from 'node:zlib';
import { makeWritableFolder, RecordingWriter } from '../collect/recording-writer.js';
import type { Observation, Origin } from '../model/observation.js';
import type { Report } from '../model/report.js';
import type { EncodedLine, RecordingEncoder } from '../render/recording/encoder.js';
import type { Tap } from './recorder.js';

const gzip = promisify(gzipCallback);

/** More than this is never kept, however many sockets there are: the oldest goes first. */
const MOST_BYTES = 64 << 20;
/** Between two recordings: a flapping alert must not fill the disk. What turns critical meanwhile is written then, or at the end. */
const PAUSE_MS = 60_000;

/** A stretch that can be read by itself; compressed once the next has begun. */
interface Stretch {
  readonly start: number;
  text: string;
  packed: Promise<Uint8Array> | undefined;
  bytes: number;
}

export interface BlackBoxOptions {
  readonly folder: string;
  readonly keepMs: number;
}

/** The last minutes in memory, written as a recording when an alert turns critical. */
export class BlackBox implements Tap {
  private readonly stretches: Stretch[] = [];
  private origin: Origin | undefined;
  private writtenAt = Number.NEGATIVE_INFINITY;
  /** An alert turned critical, and its minutes are not written yet. */
  private isPending = false;

  /** Throws SockwatchError where the folder cannot be written: said now, and not when an alert comes. */
  constructor(
    private readonly encoder: RecordingEncoder,
    private readonly options: BlackBoxOptions,
  ) {
    makeWritableFolder(options.folder);
  }

  async take(observation: Observation): Promise<void> {
    this.origin = observation.origin;
    this.keep(this.encoder.encode(observation), observation.origin.monotonic);
    await this.writeIfDue();
  }

  /** Writes what is kept when one of the events is critical. Throws SockwatchError where that fails. */
  async events(report: Report): Promise<void> {
    const { events, changes = [], origin } = report;
    for (const event of events) this.keep(this.encoder.event(event, origin), origin.monotonic);
    for (const change of changes) this.keep(this.encoder.change(change, origin), origin.monotonic);
    const isCritical = events.some(
      ({ phase, alert }) => phase !== 'cleared' && alert.finding.severity === 'critical',
    );
    this.isPending ||= isCritical;
    await this.writeIfDue();
  }

  /** What was not written yet, for it came too soon after the last. */
  async close(): Promise<void> {
    if (this.isPending && this.origin !== undefined) await this.write(this.origin);
  }

  private async writeIfDue(): Promise<void> {
    const { origin } = this;
    if (!this.isPending || origin === undefined || origin.monotonic - this.writtenAt < PAUSE_MS) return;
    await this.write(origin);
    this.writtenAt = origin.monotonic;
    this.isPending = false;
  }

  private keep(line: EncodedLine | undefined, now: number): void {
    if (line === undefined) return;
    const open = this.stretches.at(-1);
    if (line.kind === 'key' || open === undefined) {
      if (open !== undefined) pack(open);
      this.stretches.push({ start: now, text: line.text, packed: undefined, bytes: line.text.length });
      this.forget(now);
    } else {
      open.text += line.text;
      open.bytes += line.text.length;
    }
  }

  /** A stretch goes when the one after it reaches back far enough. */
  private forget(now: number): void {
    const sum = () => this.stretches.reduce((total, { bytes }) => total + bytes, 0);
    for (let second = this.stretches[1]; second !== undefined; second = this.stretches[1]) {
      if (now - second.start < this.options.keepMs && sum() <= MOST_BYTES) return;
      this.stretches.shift();
    }
  }

  private async write(origin: Origin): Promise<void> {
    const stamp = new Date(origin.time).toISOString().replace(/[-:]/g, '').replace(/\..*/, 'Z');
    const path = join(this.options.folder, `sockwatch-${stamp}-${process.pid}.ndjson.gz`);
    const writer = new RecordingWriter({ path, keep: 0 });
    const stretches = [...this.stretches];
    const head = this.encoder.describe(this.origin ?? origin).text;
    try {
      await writer.write(head, true, 0);
      for (const stretch of stretches) {
        if (stretch.packed === undefined) await writer.write(stretch.text, true, 0);
        else await writer.writePacked(await stretch.packed);
      }
    } finally {
      await writer.close();
    }
  }
}

function pack(stretch: Stretch): void {
  stretch.packed = gzip(stretch.text).then((bytes) => {
    stretch.bytes = bytes.length;
    stretch.text = '';
    return bytes;
  });
}
