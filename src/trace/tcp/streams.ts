import type { AppLayer } from '../app-layer.js';
import { EVENT, type Events } from '../events.js';
import { type Flows, INT, SIDE_INT, STATUS, STRIDE, SUM, SUMS } from '../flows.js';
import type { Packet } from '../packet.js';
import { Gaps } from './gaps.js';

/** Letters of Zeek's history; the responder's are small ones. */
export const LETTER = { A: 65, D: 68, T: 84, W: 87, G: 71 } as const;
export const LOWER = 32;
/** Bits of INT.historyBits, client's; the server's are one further. */
export const HISTORY = { ack: 1, data: 4, gap: 16 } as const;

/** The bytes of each direction in order, on their way to the application layer, and what is missing of them. */
export class Streams {
  readonly gaps: Gaps;

  constructor(
    readonly flows: Flows,
    readonly events: Events,
    private readonly app: AppLayer,
  ) {
    this.gaps = new Gaps({
      deliver: (key, bytes, from, to, length, frame, time) =>
        this.feed(key, bytes, from, to, length, frame, time),
      lost: (key, count, frame, time) => {
        this.historyGap(key >> 1, key & 1);
        this.skipLost(key, count, frame, time);
      },
    });
  }

  gapBefore(slot: number, direction: number, side: number, packet: Packet, ahead: number): void {
    const { ints } = this.flows;
    this.addSum(slot, SUM.missing, direction, ahead);
    this.events.add(slot, EVENT.gap, direction, packet, ahead);
    this.gaps.add(slot * 2 + direction, (packet.seq - ahead) | 0, packet.seq);
    ints[side + SIDE_INT.status] = (ints[side + SIDE_INT.status] ?? 0) | STATUS.holes;
  }

  closeHoles(slot: number, direction: number, side: number, packet: Packet): void {
    const status = this.flows.ints[side + SIDE_INT.status] ?? 0;
    if ((status & STATUS.cut) !== 0) this.historyGap(slot, direction);
    if ((status & STATUS.holes) === 0) return;
    const isWhole = this.gaps.acknowledged(slot * 2 + direction, packet.ack, packet.frame, packet.time);
    if (isWhole) this.clearHoles(side);
  }

  clearHoles(side: number): void {
    const { ints } = this.flows;
    ints[side + SIDE_INT.status] = (ints[side + SIDE_INT.status] ?? 0) & ~STATUS.holes;
  }

  historyGap(slot: number, direction: number): void {
    const at = slot * STRIDE + INT.historyBits;
    const bits = this.flows.ints[at] ?? 0;
    if ((bits & (HISTORY.gap << direction)) !== 0) return;
    this.flows.ints[at] = bits | (HISTORY.gap << direction);
    this.flows.addHistory(slot, LETTER.G + direction * LOWER);
  }

  addSum(slot: number, field: number, direction: number, count: number): void {
    const at = slot * SUMS + field + direction;
    this.flows.sums[at] = (this.flows.sums[at] ?? 0) + count;
  }

  bump(at: number): number {
    const value = (this.flows.ints[at] ?? 0) + 1;
    this.flows.ints[at] = value;
    return value;
  }

  /** Zeek writes these letters at the 1st, 10th, 100th, ... */
  logarithmic(slot: number, direction: number, count: number, letter: number): void {
    let power = 1;
    while (power < count) power *= 10;
    if (power === count) this.flows.addHistory(slot, letter + direction * LOWER);
  }

  feedPacket(key: number, packet: Packet, already: number): void {
    const { payloadFrom, payloadTo } = packet;
    const length = packet.payloadLength - already;
    const skip = this.app.skip[key] ?? 0;
    if (skip >= length) {
      this.app.skip[key] = skip - length;
      return;
    }
    const from = payloadFrom + already;
    this.feed(
      key,
      packet.bytes,
      from < payloadTo ? from : payloadTo,
      payloadTo,
      length,
      packet.frame,
      packet.time,
    );
  }

  /** `length` bytes in order, of which those in `bytes` were captured. */
  private feed(
    key: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    length: number,
    frame: number,
    time: number,
  ): void {
    const { app } = this;
    const skip = app.skip[key] ?? 0;
    if (skip >= length) {
      app.skip[key] = skip - length;
      return;
    }
    app.skip[key] = 0;
    const captured = to - from;
    const start = skip < captured ? from + skip : to;
    if (start < to) app.data(key >> 1, key & 1, bytes, start, to, frame, time);
    const rest = length - Math.max(captured, skip);
    if (rest > 0) this.skipLost(key, rest, frame, time);
  }

  skipLost(key: number, count: number, frame: number, time: number): void {
    const { app } = this;
    const skip = app.skip[key] ?? 0;
    if (skip >= count) app.skip[key] = skip - count;
    else {
      app.skip[key] = 0;
      app.gap(key >> 1, key & 1, count - skip, frame, time);
    }
  }
}
