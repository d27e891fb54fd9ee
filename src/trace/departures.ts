import { type Flows, INT } from './flows.js';
import { MARK } from './marks.js';

const LAST = MARK.last ?? 0;

/**
 * Connections that leave memory once nothing has come for a while. First in, first looked at; one that had another packet in
 * between goes to the end again.
 */
export class Departures {
  /** Pairs: slot, and id of the connection, for a slot may have been taken again. */
  private queue: number[] = [];
  private head = 0;

  /**
   * @param quietNs how long nothing must have come
   * @param leave true where the connection has left, false where it need not
   */
  constructor(
    private readonly flows: Flows,
    private readonly quietNs: number,
    private readonly leave: (slot: number) => void,
    private readonly stays: (slot: number) => boolean,
  ) {}

  add(slot: number): void {
    this.queue.push(slot, this.flows.int(slot, INT.id));
  }

  sweep(now: number): void {
    const end = this.queue.length;
    while (this.head < end) {
      const slot = this.queue[this.head] ?? 0;
      const id = this.queue[this.head + 1] ?? 0;
      const isThere = this.flows.int(slot, INT.id) === id;
      if (isThere && !this.stays(slot)) {
        if (this.flows.timeOf(slot, LAST) + this.quietNs > now) {
          if (this.flows.timeOf(slot, MARK.first ?? 0) + this.quietNs > now) break;
          this.queue.push(slot, id);
        } else this.leave(slot);
      }
      this.head += 2;
    }
    if (this.head > 4096 && this.head * 2 > this.queue.length) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
  }
}
