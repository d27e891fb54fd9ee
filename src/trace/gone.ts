import { type Flows, INT } from './flows.js';

const ENTRIES = 65_536;
const KEY = 4;
const REMEMBERED_NS = 5e9;

/**
 * 4-tuples of connections that have left memory after a complete close: a packet that comes late, such as a FIN that is sent again, belongs
 * to none of those that are open and begins no new one. Bounded: of two with the same place the later one is kept.
 */
export class Gone {
  private readonly keys = new Int32Array(ENTRIES * KEY);
  private readonly times = new Float64Array(ENTRIES).fill(Number.NEGATIVE_INFINITY);

  add(flows: Flows, slot: number, time: number): void {
    const entry = (flows.int(slot, INT.hash) & (ENTRIES - 1)) >>> 0;
    const at = entry * KEY;
    this.keys[at] = flows.int(slot, INT.low);
    this.keys[at + 1] = flows.int(slot, INT.high);
    this.keys[at + 2] = flows.int(slot, INT.ports);
    this.keys[at + 3] = flows.int(slot, INT.kind);
    this.times[entry] = time;
  }

  /** Whether the connection of this 4-tuple closed a moment before `time`. */
  has(hash: number, low: number, high: number, ports: number, kind: number, time: number): boolean {
    const entry = (hash & (ENTRIES - 1)) >>> 0;
    const at = entry * KEY;
    const { keys } = this;
    return (
      keys[at] === low &&
      keys[at + 1] === high &&
      keys[at + 2] === ports &&
      keys[at + 3] === kind &&
      time - (this.times[entry] ?? 0) < REMEMBERED_NS
    );
  }
}
