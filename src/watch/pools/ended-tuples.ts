import type { TupleKey } from './connection-list.js';

const FIRST_CAPACITY = 256;
/** So many that ended between two looks are known by their addresses and ports: 6 MB. */
const MOST_TUPLES = 1 << 17;
const EMPTY = -1;

/** The 4-tuples of connections whose end was counted between two looks: what the next look shows of them is nothing new. Bounded; no object per tuple. */
export class EndedTuples {
  private length = 0;
  private keys: Uint32Array | undefined;
  private slots = new Int32Array(0);

  /** False where there is no room for more. */
  add(key: TupleKey): boolean {
    const width = key.words.length;
    if (this.keys === undefined || this.length * width === this.keys.length) {
      if (this.length >= MOST_TUPLES) return false;
      this.grow(key);
    }
    const slot = this.slotOf(key);
    if (this.slots[slot] !== EMPTY) return true;
    this.slots[slot] = this.length;
    const { keys } = this;
    const at = this.length * width;
    // One by one: `set` takes twice as long for so few.
    if (keys !== undefined)
      for (let word = 0; word < width; word++) keys[at + word] = key.words[word] as number;
    this.length++;
    return true;
  }

  has(key: TupleKey): boolean {
    return this.length > 0 && this.slots[this.slotOf(key)] !== EMPTY;
  }

  /** Keeps its room. */
  clear(): void {
    if (this.length === 0) return;
    this.length = 0;
    this.slots.fill(EMPTY);
  }

  private grow(key: TupleKey): void {
    const width = key.words.length;
    const { keys: old, length } = this;
    const capacity = Math.max(FIRST_CAPACITY, length * 2);
    const keys = new Uint32Array(capacity * width);
    if (old !== undefined) keys.set(old);
    this.keys = keys;
    this.slots = new Int32Array(capacity * 2).fill(EMPTY);
    for (let entry = 0; entry < length; entry++) {
      const words = keys.subarray(entry * width, (entry + 1) * width);
      this.slots[this.placeOf(words, key.hashOf(words))] = entry;
    }
  }

  private slotOf(key: TupleKey): number {
    return this.placeOf(key.words, key.hash);
  }

  /** Where a key is, or the empty slot where it belongs. */
  private placeOf(words: Uint32Array, hash: number): number {
    const { slots } = this;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let entry = slots[slot] as number; entry !== EMPTY && !this.isKey(entry, words); ) {
      slot = (slot + 1) & mask;
      entry = slots[slot] as number;
    }
    return slot;
  }

  private isKey(entry: number, words: Uint32Array): boolean {
    const { keys } = this;
    const at = entry * words.length;
    for (let word = words.length - 1; word >= 0; word--) if (keys?.[at + word] !== words[word]) return false;
    return true;
  }
}
