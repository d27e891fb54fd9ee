const EMPTY = -1;

/** Finds rows of one batch by a number of 32 bits, and by what the caller compares: open addressing, no object per row. */
export class RowFinder {
  private readonly slots: Int32Array;
  private readonly hashes: Uint32Array;
  private readonly mask: number;

  /** @param most rows that will be added */
  constructor(most: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(8, most * 2)));
    this.slots = new Int32Array(size).fill(EMPTY);
    this.hashes = new Uint32Array(size);
    this.mask = size - 1;
  }

  add(hash: number, row: number): void {
    let at = spread(hash) & this.mask;
    while (this.slots[at] !== EMPTY) at = (at + 1) & this.mask;
    this.slots[at] = row;
    this.hashes[at] = hash;
  }

  /** The first row with that number for which `isSame` holds; -1: none. */
  find(hash: number, isSame: (row: number) => boolean): number {
    let at = spread(hash) & this.mask;
    for (let row = this.slots[at] as number; row !== EMPTY; row = this.slots[at] as number) {
      if (this.hashes[at] === hash && isSame(row)) return row;
      at = (at + 1) & this.mask;
    }
    return EMPTY;
  }
}

/** Cookies come one after the other: their bits must reach all of the slot. */
const spread = (hash: number): number => {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) >>> 0;
};
