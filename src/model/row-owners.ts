import type { Owner } from './sockets.js';

/** Finds the processes behind an inode; `undefined` = unknown (no permission, not looked), `[]` = none. */
export interface OwnerLookup {
  ownersOf(inode: number): readonly Owner[] | undefined;
}

const NO_OWNERS: readonly Owner[] = [];

/** The processes of each row of a table: as the source printed them, or found by inode. */
export class RowOwners {
  /** Where the row's owners start in the list, 0 = not printed. */
  private start: Uint32Array;
  private count: Uint32Array;
  private readonly list: Owner[] = [];
  private lookup: OwnerLookup | undefined;

  constructor(capacity: number) {
    this.start = new Uint32Array(capacity);
    this.count = new Uint32Array(capacity);
  }

  growTo(capacity: number): void {
    const { start, count } = this;
    if (capacity <= start.length) return;
    this.start = new Uint32Array(capacity);
    this.start.set(start);
    this.count = new Uint32Array(capacity);
    this.count.set(count);
  }

  set(row: number, owners: readonly Owner[]): void {
    this.start[row] = this.list.length + 1;
    this.count[row] = owners.length;
    for (const owner of owners) this.list.push(owner);
  }

  clear(row: number): void {
    this.start[row] = this.count[row] = 0;
  }

  attach(lookup: OwnerLookup): void {
    this.lookup = lookup;
  }

  /** Takes over the first rows of another table, to stand from row `at` on. */
  appendAll(other: RowOwners, rows: number, at: number): void {
    for (let row = 0; row < rows; row++) {
      const start = other.start[row] ?? 0;
      if (start > 0) this.start[at + row] = start + this.list.length;
      this.count[at + row] = other.count[row] ?? 0;
    }
    for (const owner of other.list) this.list.push(owner);
    this.lookup ??= other.lookup;
  }

  /** `undefined` = unknown; `[]` = none. */
  at(row: number, inode: number | undefined): readonly Owner[] | undefined {
    const start = this.start[row] ?? 0;
    if (start > 0) return this.list.slice(start - 1, start - 1 + (this.count[row] ?? 0));
    if (inode === undefined) return undefined;
    return inode === 0 ? NO_OWNERS : this.lookup?.ownersOf(inode);
  }
}
