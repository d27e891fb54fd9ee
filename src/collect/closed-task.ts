import { SourceError } from '../model/errors.js';
import type { Gap } from '../model/observation.js';
import type { TableParts } from '../model/table.js';
import { ClosedParser, wireOf } from '../parse/netlink/index.js';
import type { BeatTask } from './beat-loop.js';
import { type ClosedSocket, LOST, type OpenClosedSocket, openClosedSocket } from './closed-socket.js';

/** Sockets that ended, on their way to the main thread. */
export interface ClosedTaken {
  /** Each with at most `MOST_ROWS` rows. */
  readonly parts: readonly TableParts[];
  readonly unconnected: number;
  readonly failedConnects: number;
  /** How many the kernel could not keep for us; `undefined`: some, and nobody counted them. */
  readonly lost: number | undefined;
  /** Since the last time, or since listening began; ms. */
  readonly spanMs: number;
  readonly gaps: readonly Gap[];
}

/** Descriptions of one event take 1.3 kB of the kernel's memory (measured): 26,000 events, more than two seconds of 10,000 connections. */
const BUFFER_BYTES = 32 << 20;
/** A message has 380 bytes (Linux 6.18). */
const MESSAGE_BYTES = 1 << 16;
export const MOST_ROWS = 8192;
/** Nobody takes them: what comes now stays with the kernel, which counts what it drops. 15 MB. */
const MOST_HELD = 6;
const U32 = 2 ** 32;

/**
 * Takes what the kernel tells of sockets that end, before its buffer is full, and keeps it until it is asked for. A task of the thread
 * of beats, whose memory is bounded: what is too much the kernel drops, and counts.
 */
export class ClosedTask implements BeatTask {
  private readonly wire = wireOf(new Uint8Array(MESSAGE_BYTES));
  private readonly full: ClosedParser[] = [];
  private filling: ClosedParser;
  private lostBefore: number | undefined;
  private hasLost = false;
  private fault: string | undefined;

  private constructor(
    private readonly socket: ClosedSocket,
    private since: number,
  ) {
    this.filling = this.parser();
    this.lostBefore = socket.countLost();
  }

  /** Throws `SourceError` where the kernel does not let us listen. `now`: monotonic, ms. */
  static async open(now: number, open: OpenClosedSocket = openClosedSocket): Promise<ClosedTask> {
    return new ClosedTask(await open(BUFFER_BYTES), now);
  }

  get bufferBytes(): number {
    return this.socket.bufferBytes;
  }

  beat(): void {
    try {
      this.drain();
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      this.fault = error.message;
    }
  }

  take(now: number): { readonly batch: ClosedTaken; readonly transfer: readonly ArrayBuffer[] } {
    this.beat();
    const batches = [...this.full.splice(0), this.filling].map((parser) => parser.end());
    this.filling = this.parser();
    const parts = batches.filter(({ sockets }) => sockets.length > 0).map(({ sockets }) => sockets.toParts());
    const sum = (of: 'unconnected' | 'failedConnects') => batches.reduce((all, one) => all + one[of], 0);
    const batch: ClosedTaken = {
      parts,
      unconnected: sum('unconnected'),
      failedConnects: sum('failedConnects'),
      lost: this.takeLost(),
      spanMs: Math.max(0, now - this.since),
      gaps: [...batches.flatMap(({ gaps }) => gaps), ...this.faultGap()],
    };
    this.since = now;
    return { batch, transfer: parts.flatMap(({ buffers }) => buffers) };
  }

  close(): void {
    this.socket.close();
  }

  private parser(): ClosedParser {
    return new ClosedParser((index) => this.socket.deviceName(index));
  }

  private drain(): void {
    const { socket, wire } = this;
    for (;;) {
      if (this.filling.rows >= MOST_ROWS) {
        if (this.full.length >= MOST_HELD) return;
        this.full.push(this.filling);
        this.filling = this.parser();
      }
      const size = socket.receive(wire.bytes);
      if (size === 0) return;
      if (size === LOST) this.hasLost = true;
      else this.filling.read(wire, Math.min(size, MESSAGE_BYTES));
    }
  }

  /** Between the last time and now; the counter is read after the last message. */
  private takeLost(): number | undefined {
    const { lostBefore, hasLost } = this;
    const lost = this.socket.countLost();
    this.lostBefore = lost;
    this.hasLost = false;
    if (lost === undefined || lostBefore === undefined) return hasLost ? undefined : 0;
    return (lost - lostBefore + U32) % U32;
  }

  private faultGap(): Gap[] {
    const { fault } = this;
    this.fault = undefined;
    return fault === undefined ? [] : [{ what: 'connections that ended', why: fault }];
  }
}
