import type { Endpoint } from '../../model/endpoint.js';
import { FILL_BINS, FULL_BIN, fillBin, type ListenerSamples } from '../../model/samples.js';
import { connections, monotonicMillis, segments } from '../../model/units.js';
import { SampleColumns } from './sample-columns.js';

/** More listeners than any host has: a forged answer ends here. */
const MOST_SLOTS = 1 << 16;
/** A dump is not atomic and may miss a listener (KERNEL.md 8): who was not seen by so many looks in a row is gone. */
const GONE_LOOKS = 3;
const U32 = 2 ** 32;

/** Who a slot is for. */
export interface SampledName {
  readonly key: string;
  readonly local: Endpoint;
}

/**
 * Counts what many looks see of listeners: a slot of typed arrays for each, and no object per sample. `open` begins a look, `put`
 * takes one listener of it, `take` gives what has come together and starts anew.
 */
export class SampleBook {
  private readonly columns = new SampleColumns();
  private readonly slots = new Map<number, number>();
  private readonly names: SampledName[] = [];
  private used = 0;
  private now = 0;
  private look = 0;
  /** The slot after the one that was put last: the kernel lists in the same order again and again. */
  private next = 0;
  /** Looks since the last `take`. */
  looks = 0;
  /** Listeners for which there was no room. */
  leftOut = 0;

  /** Listeners that it keeps. */
  get size(): number {
    return this.used;
  }

  /** `now`: monotonic, ms. */
  open(now: number): void {
    this.now = now;
    this.look++;
    this.looks++;
    this.next = 0;
  }

  /** The slot of a listener; -1 where it is new, or another socket has taken its inode. `id` as in the columns. */
  find(id: number, cookie: number): number {
    const { ids, cookies } = this.columns;
    let slot = this.next;
    if (slot >= this.used || ids[slot] !== id) slot = this.slots.get(id) ?? -1;
    return slot >= 0 && cookies[slot] === cookie ? slot : -1;
  }

  /** Makes a slot; -1 where there is no room. Who came after the first look has dropped all its segments since. */
  add(id: number, cookie: number, name: SampledName, drops: number): number {
    if (this.used >= MOST_SLOTS) {
      this.leftOut++;
      return -1;
    }
    const { columns } = this;
    if (this.used === columns.size) columns.grow();
    const slot = this.used++;
    this.slots.set(id, slot);
    this.names[slot] = name;
    columns.ids[slot] = id;
    columns.cookies[slot] = cookie;
    columns.drops[slot] = this.look === 1 ? drops : Math.min(drops, 0);
    columns.lengths[slot] = columns.seenAt[slot] = columns.runStart[slot] = 0;
    columns.clear(slot);
    return slot;
  }

  /** @param drops counter of the socket; -1: unknown */
  put(slot: number, length: number, backlog: number, drops: number): void {
    const { columns } = this;
    // A dump that is overtaken by changes shows some twice.
    if (columns.seenAt[slot] === this.look) return;
    columns.seenAt[slot] = this.look;
    this.next = slot + 1;
    columns.samples[slot] = (columns.samples[slot] as number) + 1;
    columns.backlogs[slot] = backlog;
    if (drops !== columns.drops[slot]) this.drop(slot, drops);
    const before = columns.lengths[slot] as number;
    if (length === 0 && before === 0) return;
    columns.lengths[slot] = length;
    if (columns.brief[slot] === 1) columns.brief[slot] = length * 2 < (columns.peaks[slot] as number) ? 2 : 0;
    if (length > 0) this.measure(slot, before, length, backlog);
    if (length > backlog) this.run(slot);
    else columns.runStart[slot] = 0;
  }

  private measure(slot: number, before: number, length: number, backlog: number): void {
    const { columns } = this;
    columns.busy[slot] = (columns.busy[slot] as number) + 1;
    columns.sums[slot] = (columns.sums[slot] as number) + length;
    if (length > (columns.peaks[slot] as number)) {
      columns.peaks[slot] = length;
      columns.peakAt[slot] = this.now;
      columns.brief[slot] = before * 2 < length ? 1 : 0;
    }
    const bin = slot * FILL_BINS + fillBin(length, backlog);
    columns.bins[bin] = (columns.bins[bin] as number) + 1;
  }

  private run(slot: number): void {
    const { now, columns } = this;
    if (columns.runStart[slot] === 0) {
      columns.runStart[slot] = now;
      columns.runs[slot] = (columns.runs[slot] as number) + 1;
    }
    if (columns.fullFirst[slot] === 0) columns.fullFirst[slot] = now;
    columns.fullLast[slot] = now;
    const lasted = now - (columns.runStart[slot] as number);
    if (lasted > (columns.longest[slot] as number)) columns.longest[slot] = lasted;
  }

  /** A counter of 32 bits, which wraps; one that falls otherwise, or is not known any more, has not risen. */
  private drop(slot: number, drops: number): void {
    const { columns } = this;
    const before = columns.drops[slot] as number;
    columns.drops[slot] = drops;
    if (before < 0 || drops < 0) return;
    const rise = drops >= before ? drops - before : drops - before + U32;
    if (rise >= U32 / 2) return;
    columns.dropped[slot] = (columns.dropped[slot] as number) + rise;
    columns.droppedAt[slot] = this.now;
  }

  /**
   * What was seen since the last time. A listener that every look saw, always empty and without a drop, is left out: thousands of
   * quiet listeners cost their readers nothing.
   */
  take(): ListenerSamples[] {
    const { samples, busy, dropped } = this.columns;
    const found: ListenerSamples[] = [];
    for (let slot = 0; slot < this.used; slot++) {
      if (samples[slot] === 0) continue;
      const isPartial = samples[slot] !== this.looks;
      if (isPartial || busy[slot] !== 0 || dropped[slot] !== 0) found.push(this.tell(slot, isPartial));
    }
    this.settle();
    this.looks = this.leftOut = 0;
    return found;
  }

  private tell(slot: number, isPartial: boolean): ListenerSamples {
    const { columns } = this;
    const { key, local } = this.names[slot] as SampledName;
    return {
      key,
      samples: columns.samples[slot] as number,
      busy: columns.busy[slot] as number,
      peak: connections(columns.peaks[slot] as number),
      peakAt: monotonicMillis(columns.peakAt[slot] as number),
      isPeakBrief: columns.brief[slot] !== 0,
      sum: columns.sums[slot] as number,
      backlog: connections(columns.backlogs[slot] as number),
      fills: this.fills(slot),
      ...this.tellFull(slot),
      ...this.tellDropped(slot),
      ...(isPartial && { local }),
    };
  }

  private fills(slot: number): ListenerSamples['fills'] {
    const fills: (readonly [number, number])[] = [];
    for (let bin = 0; bin < FILL_BINS; bin++) {
      const count = this.columns.bins[slot * FILL_BINS + bin] as number;
      if (count > 0) fills.push([bin, count]);
    }
    return fills;
  }

  private tellFull(slot: number): Pick<ListenerSamples, 'full'> {
    const { bins, runs, fullFirst, fullLast, longest } = this.columns;
    if (bins[slot * FILL_BINS + FULL_BIN] === 0) return {};
    return {
      full: {
        runs: runs[slot] as number,
        firstAt: monotonicMillis(fullFirst[slot] as number),
        lastAt: monotonicMillis(fullLast[slot] as number),
        longestMs: longest[slot] as number,
      },
    };
  }

  private tellDropped(slot: number): Pick<ListenerSamples, 'dropped'> {
    const { dropped, droppedAt } = this.columns;
    if (dropped[slot] === 0) return {};
    return {
      dropped: {
        segments: segments(dropped[slot] as number),
        lastAt: monotonicMillis(droppedAt[slot] as number),
      },
    };
  }

  /** Forgets the listeners that are gone, moves the others together, and starts their counts anew. */
  private settle(): void {
    const { columns, slots, names } = this;
    let to = 0;
    for (let from = 0; from < this.used; from++) {
      const id = columns.ids[from] as number;
      // The inode may be another listener's by now.
      const isIts = slots.get(id) === from;
      if (this.look - (columns.seenAt[from] as number) >= GONE_LOOKS) {
        if (isIts) slots.delete(id);
        continue;
      }
      if (to !== from) {
        if (isIts) slots.set(id, to);
        names[to] = names[from] as SampledName;
        columns.move(from, to);
      }
      columns.clear(to++);
    }
    names.length = this.used = to;
    this.next = 0;
  }
}
