import { SourceError } from '../model/errors.js';
import type { Gap } from '../model/observation.js';
import type { TableParts } from '../model/table.js';
import { ClosedParser, wireOf } from '../parse/netlink/index.js';
import type { BeatTask } from './beat-loop.js';
import {
  type ClosedSocket,
  LOST,
  type OpenClosedSocket,
  openClosedSocket,
  openClosedSocketIn,
} from './closed-socket.js';
import type { NamespacePlace } from './netns-enter.js';

/** Hears of what ends in one network namespace. */
export interface ClosedTaskSpec {
  readonly kind: 'closed';
  readonly key: string;
  /** Where it is entered; absent: it is that of the thread. */
  readonly place?: NamespacePlace;
  readonly life?: string;
  /** What the kernel may keep until it is read, in its own measure. */
  readonly bufferBytes: number;
}

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

/** A message has 380 bytes (Linux 6.18). */
const MESSAGE_BYTES = 1 << 16;
/** One for all tasks of a thread: a message is read before the next is taken. */
const wire = wireOf(new Uint8Array(MESSAGE_BYTES));
export const MOST_ROWS = 8192;
/** Nobody takes them: what comes now stays with the kernel, which counts what it drops. 15 MB. */
const MOST_HELD = 6;
/** Of all tasks of other namespaces together: some more than one may have. */
const MOST_ROWS_TOGETHER = (MOST_HELD + 2) * MOST_ROWS;

/** What the tasks of one thread may hold together of other namespaces than its own, in messages. */
export class RowRoom {
  used = 0;

  constructor(readonly most = MOST_ROWS_TOGETHER) {}

  get isFull(): boolean {
    return this.used >= this.most;
  }
}
const U32 = 2 ** 32;

/**
 * Takes what the kernel tells of sockets that end, before its buffer is full, and keeps it until it is asked for. A task of the thread
 * of beats, whose memory is bounded: what is too much the kernel drops, and counts.
 */
export class ClosedTask implements BeatTask {
  /** Messages since the last time. */
  private held = 0;
  private readonly full: ClosedParser[] = [];
  private filling: ClosedParser;
  private lostBefore: number | undefined;
  private hasLost = false;
  private fault: string | undefined;

  private constructor(
    private readonly socket: ClosedSocket,
    private since: number,
    private readonly room: RowRoom | undefined,
  ) {
    this.filling = this.parser();
    this.lostBefore = socket.countLost();
  }

  /** Throws `SourceError` where the kernel does not let us listen. `now`: monotonic, ms; `room`: for what is not of our own namespace. */
  static async open(
    now: number,
    { bufferBytes, place }: ClosedTaskSpec,
    room: RowRoom,
    open: OpenClosedSocket = place === undefined ? openClosedSocket : openClosedSocketIn(place),
  ): Promise<ClosedTask> {
    return new ClosedTask(await open(bufferBytes), now, place === undefined ? undefined : room);
  }

  /** Among more namespaces each has less. */
  change({ bufferBytes }: ClosedTaskSpec): void {
    this.socket.resize(bufferBytes);
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
    this.giveRoom();
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
    this.giveRoom();
    this.socket.close();
  }

  private parser(): ClosedParser {
    return new ClosedParser((index) => this.socket.deviceName(index));
  }

  private drain(): void {
    const { socket, room } = this;
    for (;;) {
      if (room?.isFull) return;
      if (this.filling.rows >= MOST_ROWS) {
        if (this.full.length >= MOST_HELD) return;
        this.full.push(this.filling);
        this.filling = this.parser();
      }
      const size = socket.receive(wire.bytes);
      if (size === 0) return;
      if (size === LOST) this.hasLost = true;
      else {
        this.filling.read(wire, Math.min(size, MESSAGE_BYTES));
        this.held++;
        if (room !== undefined) room.used++;
      }
    }
  }

  private giveRoom(): void {
    if (this.room !== undefined) this.room.used -= this.held;
    this.held = 0;
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
