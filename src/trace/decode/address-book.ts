import type { IpAddress } from '../../model/ip.js';

const START = 256;
const EMPTY = -1;

/** IPv6 addresses by number, one for each that was seen: an open hash in typed arrays. IPv4 addresses are their own number. */
export class AddressBook {
  private words = new Int32Array(START * 4);
  private slots = new Int32Array(START * 2).fill(EMPTY);
  private count = 0;

  /** The number of the 16 bytes at `at`. */
  idOf(view: DataView, at: number): number {
    const a = view.getInt32(at);
    const b = view.getInt32(at + 4);
    const c = view.getInt32(at + 8);
    const d = view.getInt32(at + 12);
    const { words, slots } = this;
    const mask = slots.length - 1;
    let slot = hash(a, b, c, d) & mask;
    for (let id = slots[slot] ?? EMPTY; id !== EMPTY; id = slots[slot] ?? EMPTY) {
      const word = id * 4;
      if (words[word] === a && words[word + 1] === b && words[word + 2] === c && words[word + 3] === d)
        return id;
      slot = (slot + 1) & mask;
    }
    return this.add(a, b, c, d, slot);
  }

  private add(a: number, b: number, c: number, d: number, slot: number): number {
    const id = this.count++;
    if (id * 4 >= this.words.length) this.growWords();
    this.words.set([a, b, c, d], id * 4);
    this.slots[slot] = id;
    if (this.count * 2 > this.slots.length) this.growSlots();
    return id;
  }

  private growWords(): void {
    const words = new Int32Array(this.words.length * 2);
    words.set(this.words);
    this.words = words;
  }

  private growSlots(): void {
    const slots = new Int32Array(this.slots.length * 2).fill(EMPTY);
    const mask = slots.length - 1;
    for (let id = 0; id < this.count; id++) {
      const [a = 0, b = 0, c = 0, d = 0] = this.words.subarray(id * 4, id * 4 + 4);
      let slot = hash(a, b, c, d) & mask;
      while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      slots[slot] = id;
    }
    this.slots = slots;
  }

  /** `value` as packets carry it: the address itself for IPv4, a number of this book for IPv6. */
  address(family: 4 | 6, value: number): IpAddress {
    if (family === 4) return { family: 4, words: [0, 0, 0, value >>> 0] };
    const word = value * 4;
    const at = (index: number) => (this.words[word + index] ?? 0) >>> 0;
    return { family: 6, words: [at(0), at(1), at(2), at(3)] };
  }
}

const hash = (a: number, b: number, c: number, d: number): number => {
  const mixed = Math.imul(a ^ (b >>> 7), 0x9e3779b1) ^ Math.imul(c, 0x85ebca6b) ^ Math.imul(d, 0xc2b2ae35);
  return mixed ^ (mixed >>> 15);
};
