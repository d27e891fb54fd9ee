import { FILL_BINS } from '../../model/samples.js';

const FIRST_SLOTS = 64;

/** What is counted of each listener between two batches, a place in each column for each of them. Times are monotonic, ms. */
export class SampleColumns {
  /** Inode, or (where there is none) the cookie as a number below 0. */
  ids = new Float64Array(FIRST_SLOTS);
  cookies = new Float64Array(FIRST_SLOTS);
  samples = new Uint32Array(FIRST_SLOTS);
  busy = new Uint32Array(FIRST_SLOTS);
  /** At the last look. */
  lengths = new Uint32Array(FIRST_SLOTS);
  backlogs = new Uint32Array(FIRST_SLOTS);
  peaks = new Uint32Array(FIRST_SLOTS);
  peakAt = new Float64Array(FIRST_SLOTS);
  /** 1: the look before saw less than half of the peak; 2: and the look after too; 0: one of them saw more. */
  brief = new Uint8Array(FIRST_SLOTS);
  sums = new Float64Array(FIRST_SLOTS);
  /** FILL_BINS for each. */
  bins = new Uint32Array(FIRST_SLOTS * FILL_BINS);
  runs = new Uint32Array(FIRST_SLOTS);
  fullFirst = new Float64Array(FIRST_SLOTS);
  fullLast = new Float64Array(FIRST_SLOTS);
  /** When it became full; 0: it is not. */
  runStart = new Float64Array(FIRST_SLOTS);
  longest = new Float64Array(FIRST_SLOTS);
  /** Counter of dropped segments, -1 where unknown; how far it rose, and when last. */
  drops = new Float64Array(FIRST_SLOTS);
  dropped = new Float64Array(FIRST_SLOTS);
  droppedAt = new Float64Array(FIRST_SLOTS);
  /** Number of the last look that saw it. */
  seenAt = new Float64Array(FIRST_SLOTS);

  get size(): number {
    return this.ids.length;
  }

  /** What is known of a listener beyond a batch goes to another place. */
  move(from: number, to: number): void {
    const { ids, cookies, lengths, backlogs, runStart, drops, seenAt } = this;
    for (const column of [ids, cookies, lengths, backlogs, runStart, drops, seenAt])
      column[to] = column[from] as number;
  }

  /** What a batch counts starts anew. */
  clear(slot: number): void {
    this.samples[slot] = this.busy[slot] = this.peaks[slot] = this.brief[slot] = this.runs[slot] = 0;
    this.peakAt[slot] = this.sums[slot] = this.dropped[slot] = this.droppedAt[slot] = 0;
    this.fullFirst[slot] = this.fullLast[slot] = this.longest[slot] = 0;
    this.bins.fill(0, slot * FILL_BINS, (slot + 1) * FILL_BINS);
  }

  grow(): void {
    this.ids = wide(this.ids);
    this.cookies = wide(this.cookies);
    this.samples = narrow(this.samples);
    this.busy = narrow(this.busy);
    this.lengths = narrow(this.lengths);
    this.backlogs = narrow(this.backlogs);
    this.peaks = narrow(this.peaks);
    this.peakAt = wide(this.peakAt);
    const { brief } = this;
    this.brief = new Uint8Array(brief.length * 2);
    this.brief.set(brief);
    this.sums = wide(this.sums);
    this.bins = narrow(this.bins);
    this.runs = narrow(this.runs);
    this.fullFirst = wide(this.fullFirst);
    this.fullLast = wide(this.fullLast);
    this.runStart = wide(this.runStart);
    this.longest = wide(this.longest);
    this.drops = wide(this.drops);
    this.dropped = wide(this.dropped);
    this.droppedAt = wide(this.droppedAt);
    this.seenAt = wide(this.seenAt);
  }
}

function wide(old: Float64Array): Float64Array<ArrayBuffer> {
  const wider = new Float64Array(old.length * 2);
  wider.set(old);
  return wider;
}

function narrow(old: Uint32Array): Uint32Array<ArrayBuffer> {
  const wider = new Uint32Array(old.length * 2);
  wider.set(old);
  return wider;
}
