import { type Flows, INT, STRIDE } from './flows.js';

const START = 8192;

/**
 * Finds the slot of a 4-tuple: an open hash with linear probing that holds slot + 1. What is removed leaves no tombstone: the entries
 * behind it move up, so that a long capture stays as fast as a short one.
 */
export class FlowTable {
  private entries = new Int32Array(START);
  private mask = START - 1;
  private count = 0;

  constructor(private readonly flows: Flows) {}

  /** Hash of a key; the fields are those of INT. */
  static hash(low: number, high: number, ports: number, kind: number): number {
    const mixed =
      Math.imul(low, 0x9e3779b1) ^
      Math.imul(high, 0x85ebca6b) ^
      Math.imul(ports, 0xc2b2ae35) ^
      Math.imul(kind, 0x27d4eb2f);
    return mixed ^ (mixed >>> 15);
  }

  /** -1 where there is none. */
  find(hash: number, low: number, high: number, ports: number, kind: number): number {
    const { entries, mask } = this;
    const { ints } = this.flows;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const entry = entries[at] ?? 0;
      if (entry === 0) return -1;
      const base = (entry - 1) * STRIDE;
      if (
        ints[base + INT.ports] === ports &&
        ints[base + INT.low] === low &&
        ints[base + INT.high] === high &&
        ints[base + INT.kind] === kind
      )
        return entry - 1;
    }
  }

  /** The key fields of the slot are set. */
  add(slot: number): void {
    if (++this.count * 2 > this.mask) this.grow();
    this.place(slot);
  }

  private place(slot: number): void {
    let at = this.flows.int(slot, INT.hash) & this.mask;
    while (this.entries[at] !== 0) at = (at + 1) & this.mask;
    this.entries[at] = slot + 1;
  }

  remove(slot: number): void {
    const { entries, mask, flows } = this;
    let at = flows.int(slot, INT.hash) & mask;
    while (entries[at] !== slot + 1) {
      if (entries[at] === 0) return;
      at = (at + 1) & mask;
    }
    this.count--;
    for (let next = (at + 1) & mask; ; next = (next + 1) & mask) {
      const entry = entries[next] ?? 0;
      if (entry === 0) break;
      const home = flows.int(entry - 1, INT.hash) & mask;
      // It may move up unless its home lies between the hole and where it stands.
      if (((next - home) & mask) < ((next - at) & mask)) continue;
      entries[at] = entry;
      at = next;
    }
    entries[at] = 0;
  }

  forEach(take: (slot: number) => void): void {
    for (const entry of this.entries) if (entry !== 0) take(entry - 1);
  }

  private grow(): void {
    const before = this.entries;
    this.entries = new Int32Array(before.length * 4);
    this.mask = this.entries.length - 1;
    for (const entry of before) if (entry !== 0) this.place(entry - 1);
  }
}
