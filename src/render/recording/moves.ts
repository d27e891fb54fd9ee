import type { OptionalColumn } from '../../model/columns.js';
import { AGE_COLUMNS, MOVED_COLUMNS } from '../../model/recording.js';
import { OPTIONAL_COLUMNS, type SocketTable } from '../../model/table.js';

const WIDTH = MOVED_COLUMNS.length;
const FIRST_SLOTS = 256;
/** A look takes time itself, and times of the kernel are jiffies. */
const SLACK_MS = 50;

/** `moved` of a frame, as model/recording.ts has it. */
export type Moved = readonly (readonly (number | null)[])[];

/** So many sockets per second, on average, are written for what moved on them alone: it bounds the size of a recording of a busy host. */
const PER_SECOND = 1000;
/** What is saved up: all of so many sockets are told at once. */
const MOST_SAVED = 60_000;

/** What may be written of sockets that only moved. Saved up over the time of the recording, whatever its interval. */
export class MoveAllowance {
  private left = 0;
  private at: number | undefined;

  /** `at`: monotonic ms of a look. */
  refill(at: number): void {
    this.left = Math.min(MOST_SAVED, this.left + (Math.max(0, at - (this.at ?? at)) * PER_SECOND) / 1000);
    this.at = at;
  }

  /** All of them or none: to know it of a part of a pool helps nobody. */
  take(count: number): boolean {
    if (count > this.left) return false;
    this.left -= count;
    return true;
  }
}

/** What was written last of each socket of one scope, by slot: columns side by side, no object per socket. */
export class MoveBook {
  private values = new Float64Array(FIRST_SLOTS * WIDTH);
  private readonly free: number[] = [];
  private used = 0;
  private columns: readonly (Float64Array | undefined)[] = [];
  private ages: readonly (Float64Array | undefined)[] = [];
  private isCounted = false;
  private at = Number.NaN;
  /** Since the look at which all that had moved was written last, ms. */
  private sinceMs = 0;
  private toldAt = Number.NaN;

  /** `at`: monotonic ms. */
  begin(table: SocketTable, at: number): void {
    const column = (name: OptionalColumn) => table.column(name);
    this.columns = MOVED_COLUMNS.map(column);
    this.ages = AGE_COLUMNS.map(column);
    this.isCounted = this.columns.some((values) => values !== undefined);
    this.at = at;
    this.sinceMs = at - this.toldAt;
  }

  /** All that had moved by now is written. */
  told(): void {
    this.toldAt = this.at;
  }

  take(): number {
    const slot = this.free.pop() ?? this.used++;
    if (slot * WIDTH >= this.values.length) {
      const grown = new Float64Array(this.values.length * 2);
      grown.set(this.values);
      this.values = grown;
    }
    return slot;
  }

  release(slot: number): void {
    this.free.push(slot);
  }

  /** The row is written whole. */
  keep(slot: number, row: number): void {
    const at = slot * WIDTH;
    for (let column = 0; column < WIDTH; column++)
      this.values[at + column] = this.columns[column]?.[row] || 0;
  }

  /** Where the source counts nothing, ages tell. */
  hasMoved(slot: number, row: number): boolean {
    if (!this.isCounted) return this.wasUsed(row);
    const at = slot * WIDTH;
    for (let column = 0; column < WIDTH; column++)
      if ((this.columns[column]?.[row] || 0) !== this.values[at + column]) return true;
    return false;
  }

  private wasUsed(row: number): boolean {
    for (const ages of this.ages) if ((ages?.[row] ?? Number.NaN) <= this.sinceMs + SLACK_MS) return true;
    return false;
  }

  /** Of the same sockets their ids, slots and rows; they count as written. */
  write(ids: readonly number[], slots: readonly number[], rows: readonly number[]): Moved {
    const gaps = ids.map((id, place) => id - (ids[place - 1] ?? 0));
    const lists: (number | null)[][] = [gaps];
    for (const [column, name] of MOVED_COLUMNS.entries()) {
      const risen = slots.map((slot, place) => this.rise(column, slot, rows[place] ?? 0));
      if (risen.some((rise) => rise !== 0)) lists.push([OPTIONAL_COLUMNS.indexOf(name), ...risen]);
    }
    for (const [number, name] of AGE_COLUMNS.entries()) {
      const ages = this.ages[number];
      if (ages !== undefined)
        lists.push([OPTIONAL_COLUMNS.indexOf(name), ...rows.map((row) => known(ages[row]))]);
    }
    return ids.length === 0 ? [] : lists;
  }

  private rise(column: number, slot: number, row: number): number {
    const at = slot * WIDTH + column;
    const now = this.columns[column]?.[row] || 0;
    const rise = now - (this.values[at] ?? 0);
    this.values[at] = now;
    return rise;
  }
}

const known = (value = Number.NaN): number | null => (Number.isNaN(value) ? null : value);
