import type { AppOptions } from '../app-layer.js';
import { FLOW, type Flows } from '../flows.js';
import { MARK, MARK_COUNT, type MARKS } from '../marks.js';

export const M = MARK as Readonly<Record<(typeof MARKS)[number], number>>;

/** What the protocols share: how many bytes of each direction need no reading, and bytes that wait for the rest of a message. */
export class AppState {
  skip: Float64Array;
  /** By slot * 2 + direction. */
  private readonly partial = new Map<number, Uint8Array>();

  constructor(
    readonly flows: Flows,
    readonly options: AppOptions,
  ) {
    this.skip = new Float64Array(flows.capacity * 2);
  }

  /** Bytes kept from before, followed by these; the kept ones are forgotten. */
  joined(key: number, bytes: Uint8Array, from: number, to: number): Uint8Array | undefined {
    if (this.partial.size === 0) return undefined;
    const before = this.partial.get(key);
    if (before === undefined) return undefined;
    this.partial.delete(key);
    const whole = new Uint8Array(before.length + to - from);
    whole.set(before);
    whole.set(bytes.subarray(from, to), before.length);
    return whole;
  }

  /** Keeps bytes until more come; false where there are too many. */
  keep(key: number, bytes: Uint8Array, from: number, to: number, most: number): boolean {
    if (to - from > most) return false;
    if (to > from) this.partial.set(key, bytes.slice(from, to));
    return true;
  }

  forget(key: number): void {
    if (this.partial.size > 0) this.partial.delete(key);
  }

  swapPartial(slot: number): void {
    const client = this.partial.get(slot * 2);
    const server = this.partial.get(slot * 2 + 1);
    this.partial.delete(slot * 2);
    this.partial.delete(slot * 2 + 1);
    if (client !== undefined) this.partial.set(slot * 2 + 1, client);
    if (server !== undefined) this.partial.set(slot * 2, server);
  }

  /** Nothing more of this direction is of interest, or can be understood. */
  ignore(key: number): void {
    if ((key & 1) === 1) this.flows.set(key >> 1, FLOW.serverUnread);
    this.skip[key] = Number.POSITIVE_INFINITY;
    this.forget(key);
  }

  clearPending(slot: number): void {
    this.flows.markFrames[slot * MARK_COUNT + M.pending] = 0;
  }
}
