/** Ranges of one direction that the capture does not have yet, and what came after them. */
interface Holes {
  /** Pairs: first sequence number and the one after the last, in order. */
  readonly ranges: number[];
  /** The next byte that the application layer waits for. */
  next: number;
  readonly held: {
    readonly seq: number;
    readonly bytes: Uint8Array;
    readonly length: number;
    readonly frame: number;
    readonly time: number;
  }[];
  heldBytes: number;
}

const MOST_HELD = 262_144;
const MOST_HELD_PIECES = 512;
const MOST_RANGES = 64;
const MOST_HELD_IN_ALL = 16 << 20;

export interface GapSink {
  /** Bytes in order: `length` on the wire, of which `bytes` were captured. */
  deliver(
    key: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    length: number,
    frame: number,
    time: number,
  ): void;
  /** Bytes that will not come. */
  lost(key: number, count: number, frame: number, time: number): void;
}

/** Puts the bytes of a direction back in order where a segment is missing. Rare, so plain objects; bounded for each direction and in all. */
export class Gaps {
  /** By slot * 2 + direction. */
  private readonly open = new Map<number, Holes>();
  private heldInAll = 0;

  constructor(private readonly sink: GapSink) {}

  /** A segment begins beyond what came before: `from` to `to` is missing. */
  add(key: number, from: number, to: number): void {
    let holes = this.open.get(key);
    if (holes === undefined) {
      holes = { ranges: [], next: from, held: [], heldBytes: 0 };
      this.open.set(key, holes);
    }
    holes.ranges.push(from, to);
    if (holes.ranges.length > MOST_RANGES) holes.ranges.splice(0, 2);
  }

  /** Bytes of `from` to `to` that were missing until now; they are missing no more. */
  fill(key: number, from: number, to: number): number {
    const holes = this.open.get(key);
    if (holes === undefined) return 0;
    let filled = 0;
    const left: number[] = [];
    for (let index = 0; index < holes.ranges.length; index += 2) {
      const start = holes.ranges[index] ?? 0;
      const end = holes.ranges[index + 1] ?? 0;
      const low = before(start, from) ? from : start;
      const high = before(to, end) ? to : end;
      if (!before(low, high)) {
        left.push(start, end);
        continue;
      }
      filled += (high - low) | 0;
      if (before(start, low)) left.push(start, low);
      if (before(high, end)) left.push(high, end);
    }
    holes.ranges.splice(0, holes.ranges.length, ...left);
    return filled;
  }

  has(key: number): boolean {
    return this.open.has(key);
  }

  /** A segment of a direction with holes, as it came: kept until what lies before it is there. True where all holes are closed after it. */
  take(
    key: number,
    seq: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    length: number,
    frame: number,
    time: number,
  ): boolean {
    const holes = this.open.get(key);
    if (holes === undefined) return true;
    const isTooMuch =
      holes.heldBytes + (to - from) > MOST_HELD ||
      holes.held.length >= MOST_HELD_PIECES ||
      this.heldInAll + (to - from) > MOST_HELD_IN_ALL;
    if (isTooMuch) this.giveUp(key, seq, frame, time);
    const piece = { seq, bytes: bytes.slice(from, to), length, frame, time };
    holes.held.push(piece);
    holes.heldBytes += piece.bytes.length;
    this.heldInAll += piece.bytes.length;
    return this.drain(key, holes);
  }

  /** The peer has these bytes: what is still missing before `ack` was lost on the way to the capture only. True where no hole is left. */
  acknowledged(key: number, ack: number, frame: number, time: number): boolean {
    const holes = this.open.get(key);
    if (holes === undefined) return true;
    const first = holes.ranges[0];
    if (first !== undefined && before(first, ack)) this.giveUp(key, ack, frame, time);
    return this.drain(key, holes);
  }

  /** Goes on as if everything before `seq` were there. */
  private giveUp(key: number, seq: number, frame: number, time: number): void {
    const holes = this.open.get(key);
    if (holes === undefined) return;
    this.drain(key, holes);
    while (holes.held.length > 0) {
      const first = holes.held.reduce((a, b) => (before(b.seq, a.seq) ? b : a));
      if (!before(first.seq, seq)) break;
      const count = (first.seq - holes.next) | 0;
      if (count > 0) this.sink.lost(key, count, frame, time);
      holes.next = first.seq;
      this.drain(key, holes);
    }
    const rest = (seq - holes.next) | 0;
    if (rest > 0) {
      this.sink.lost(key, rest, frame, time);
      holes.next = seq;
    }
    const left = holes.ranges.filter(
      (_, index) => !before(holes.ranges[index | 1] ?? 0, (holes.next + 1) | 0),
    );
    holes.ranges.splice(0, holes.ranges.length, ...left);
  }

  private drain(key: number, holes: Holes): boolean {
    for (;;) {
      const index = holes.held.findIndex(({ seq }) => !before(holes.next, seq));
      const piece = holes.held[index];
      if (piece === undefined) break;
      holes.held.splice(index, 1);
      holes.heldBytes -= piece.bytes.length;
      this.heldInAll -= piece.bytes.length;
      const old = (holes.next - piece.seq) | 0;
      const fresh = piece.length - old;
      if (fresh <= 0) continue;
      const from = Math.min(old, piece.bytes.length);
      holes.next = (holes.next + fresh) | 0;
      this.sink.deliver(key, piece.bytes, from, piece.bytes.length, fresh, piece.frame, piece.time);
    }
    if (holes.held.length > 0 || holes.ranges.length > 0) return false;
    this.open.delete(key);
    return true;
  }

  free(key: number): void {
    const holes = this.open.get(key);
    if (holes === undefined) return;
    this.heldInAll -= holes.heldBytes;
    this.open.delete(key);
  }

  swap(slot: number): void {
    const client = this.open.get(slot * 2);
    const server = this.open.get(slot * 2 + 1);
    this.open.delete(slot * 2);
    this.open.delete(slot * 2 + 1);
    if (client !== undefined) this.open.set(slot * 2 + 1, client);
    if (server !== undefined) this.open.set(slot * 2, server);
  }
}

/** By sequence number. */
const before = (a: number, b: number): boolean => ((a - b) | 0) < 0;
