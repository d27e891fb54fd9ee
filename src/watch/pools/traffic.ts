import type { SocketTable } from '../../model/table.js';
import type { TrafficShape, TrafficShapes } from '../../model/traffic.js';
import { connections } from '../../model/units.js';

/** Counts of each connection: see `AT`. Eight, so that they are copied as two words. */
const WIDTH = 8;
/** Stretches from one look to the next: all, in which data went one way alone or both ways, and in which that kept or broke the rhythm. */
const AT = { all: 0, onlyIn: 1, onlyOut: 2, both: 3, kept: 4, broke: 5 } as const;
/** Numbers of each connection, side by side: they are read together. */
const FACTS = 6;
const FACT = {
  /** Monotonic ms of the first look at it; NaN: it is not followed. */
  from: 0,
  /** Of the last look. */
  out: 1,
  in: 2,
  /** Sent less received in the last pause: above 0 where data were received last. NaN: no pause. */
  lead: 3,
  /** Segments in less segments out since the first look, and both together. */
  surplus: 4,
  total: 5,
} as const;
/** Numbers of one connection are halved here: what it did lately says more. */
const FULL = 250;

/** Without data for so long, what was under way has ended: longer than an ACK may wait (200 ms), and than most pauses within an answer. */
const PAUSE_MS = 220;
/** Times are jiffies: closer together, which of two was later is not known. */
const JIFFY_MS = 10;
/** Below this nothing is told. */
const LEAST = { stretches: 2, ms: 1000 };
/** So many breaks, and that share of the stretches with data, are no rhythm: two sides that talk when they like take turns by chance, too. */
const BROKEN = { least: 2, share: 0.1 };
/** A rhythm may be broken so often: a request in two pieces, an answer with a pause. */
const FORGIVEN_SHARE = 0.04;
/** Requests and answers of a segment each: as many, or so near. */
const BALANCED = { least: 2, share: 0.1 };

/** What one look says of a connection. NaN: the source does not say. */
export interface Moved {
  /** Segments with data so far, those sent again left out; or bytes, where the source counts no segments. */
  readonly out: number;
  readonly in: number;
  readonly isSegments: boolean;
  /** Time since data were last sent and received, ms. */
  readonly sentMs: number;
  readonly receivedMs: number;
}

export interface FollowedLook {
  /** Monotonic ms. */
  readonly at: number;
  readonly outbound: boolean;
  /** Its numbers are those of an earlier look: nothing is known of what moved. */
  readonly isStale: boolean;
}

/** Reads that of a row; the object that it gives is the same for all rows. */
export function movedReader(table: SocketTable): (row: number) => Moved {
  const sent = table.column('dataSegmentsOut');
  const received = table.column('dataSegmentsIn');
  const isSegments = sent !== undefined && received !== undefined;
  const out = isSegments ? sent : (table.column('bytesAcked') ?? table.column('bytesSent'));
  const into = isSegments ? received : table.column('bytesReceived');
  const again = isSegments ? table.column('retransmitsTotal') : undefined;
  const [sentMs, receivedMs] = [table.column('lastSentMs'), table.column('lastReceivedMs')];
  const moved = { out: 0, in: 0, isSegments, sentMs: 0, receivedMs: 0 };
  const isCounted = out !== undefined && into !== undefined;
  return (row) => {
    // ss leaves out a 0.
    moved.out = isCounted ? (out[row] || 0) - (again?.[row] || 0) : Number.NaN;
    moved.in = isCounted ? into[row] || 0 : Number.NaN;
    moved.sentMs = sentMs?.[row] ?? Number.NaN;
    moved.receivedMs = receivedMs?.[row] ?? Number.NaN;
    return moved;
  };
}

/**
 * What data did on each connection of a list, from the look that first showed it on. A connection on which requests are answered has a rhythm:
 * after an answer that has ended, nothing comes before the next request, and after a request nothing is sent before its answer.
 */
export class TrafficColumns {
  private readonly counts: Uint8Array;
  /** The same, two words for each connection. */
  private readonly words: Uint32Array;
  private readonly facts: Float64Array;

  constructor(capacity: number) {
    this.counts = new Uint8Array(capacity * WIDTH);
    this.words = new Uint32Array(this.counts.buffer);
    this.facts = new Float64Array(capacity * FACTS);
  }

  /** Until a look follows it: those that are not established, or not accepted, are not. */
  forget(entry: number): void {
    this.facts[entry * FACTS + FACT.from] = Number.NaN;
  }

  /** `known`: its entry in `before`, the list of the look before; below 0 where it is new. */
  follow(entry: number, before: TrafficColumns, known: number, look: FollowedLook, moved: Moved): void {
    const { facts, words } = this;
    const [at, was] = [entry * FACTS, known * FACTS];
    const from = known < 0 ? Number.NaN : (before.facts[was + FACT.from] ?? Number.NaN);
    const isKnown = !Number.isNaN(from);
    words[entry * 2] = isKnown ? (before.words[known * 2] ?? 0) : 0;
    words[entry * 2 + 1] = isKnown ? (before.words[known * 2 + 1] ?? 0) : 0;
    if (look.isStale) {
      for (let fact = 0; fact < FACTS; fact++) facts[at + fact] = before.facts[was + fact] ?? Number.NaN;
      if (!isKnown) this.forget(entry);
      return;
    }
    facts[at + FACT.from] = isKnown ? from : look.at;
    facts[at + FACT.out] = moved.out;
    facts[at + FACT.in] = moved.in;
    facts[at + FACT.lead] = leadOf(moved);
    facts[at + FACT.surplus] = isKnown ? (before.facts[was + FACT.surplus] ?? 0) : 0;
    facts[at + FACT.total] = isKnown ? (before.facts[was + FACT.total] ?? 0) : 0;
    if (isKnown) this.addStretch(entry, before.facts, was, look.outbound, moved.isSegments);
  }

  /** `was`: where its numbers of the look before begin in `before`. */
  private addStretch(
    entry: number,
    before: Float64Array,
    was: number,
    outbound: boolean,
    isSegments: boolean,
  ): void {
    const { facts } = this;
    const at = entry * FACTS;
    const out = (facts[at + FACT.out] ?? 0) - (before[was + FACT.out] ?? 0);
    const into = (facts[at + FACT.in] ?? 0) - (before[was + FACT.in] ?? 0);
    if (Number.isNaN(out + into)) {
      this.forget(entry);
      return;
    }
    this.count(entry, AT.all);
    if (out <= 0 && into <= 0) return;
    facts[at + FACT.surplus] = (facts[at + FACT.surplus] ?? 0) + (isSegments ? into - out : Number.NaN);
    facts[at + FACT.total] = (facts[at + FACT.total] ?? 0) + into + out;
    if (out > 0 && into > 0) {
      this.count(entry, AT.both);
      if (isAnswered(facts[at + FACT.lead], outbound) === true) this.count(entry, AT.kept);
      return;
    }
    this.count(entry, out > 0 ? AT.onlyOut : AT.onlyIn);
    const answered = isAnswered(before[was + FACT.lead], outbound);
    // Of a client an answer is what comes in, of a server what goes out. After an answer comes a request, and an answer after that.
    if (answered !== undefined) this.count(entry, answered === (outbound === into > 0) ? AT.broke : AT.kept);
  }

  private count(entry: number, number: number): void {
    const { counts } = this;
    const base = entry * WIDTH;
    const value = (counts[base + number] ?? 0) + 1;
    counts[base + number] = value;
    if (value >= FULL)
      for (let one = 0; one < WIDTH; one++) counts[base + one] = (counts[base + one] ?? 0) >> 1;
  }

  /** What it looks like by now: a guess. */
  shapeOf(entry: number, at: number): TrafficShape {
    const of = (number: number) => this.counts[entry * WIDTH + number] ?? 0;
    const watchedMs = at - (this.facts[entry * FACTS + FACT.from] ?? Number.NaN);
    if (!(watchedMs >= LEAST.ms) || of(AT.all) < LEAST.stretches) return 'unknown';
    const [onlyIn, onlyOut, both, broke] = [of(AT.onlyIn), of(AT.onlyOut), of(AT.both), of(AT.broke)];
    const moves = onlyIn + onlyOut + both;
    if (moves === 0) return 'silent';
    const rarer = both + Math.min(onlyIn, onlyOut);
    // One look between a request and its answer is no stream: that takes several.
    if (rarer === 0) return moves > 1 ? 'push' : 'unknown';
    if (broke >= BROKEN.least && broke >= moves * BROKEN.share) return rarer === 1 ? 'push' : 'two_way';
    const hasRhythm = of(AT.kept) > 1 || this.isBalanced(entry);
    return hasRhythm && broke <= moves * FORGIVEN_SHARE ? 'request_response' : 'unknown';
  }

  private isBalanced(entry: number): boolean {
    const surplus = Math.abs(this.facts[entry * FACTS + FACT.surplus] ?? Number.NaN);
    const total = this.facts[entry * FACTS + FACT.total] ?? 0;
    return surplus <= Math.max(BALANCED.least, total * BALANCED.share);
  }
}

/** How much earlier data were sent than received, in a pause after both; NaN: there is none, or the source has no times. */
const leadOf = ({ sentMs, receivedMs }: Moved): number =>
  Math.min(sentMs, receivedMs) >= PAUSE_MS && Math.abs(sentMs - receivedMs) > JIFFY_MS
    ? sentMs - receivedMs
    : Number.NaN;

/** In a pause: whether what came last was an answer. */
const isAnswered = (lead = Number.NaN, outbound: boolean): boolean | undefined =>
  Number.isNaN(lead) ? undefined : outbound === lead > 0;

/** Shapes of the open connections of one look. */
export class TrafficTally {
  private readonly counts = new Map<TrafficShape, number>();

  begin(): void {
    this.counts.clear();
  }

  add(shape: TrafficShape): void {
    this.counts.set(shape, (this.counts.get(shape) ?? 0) + 1);
  }

  /** `undefined` where none can be told. */
  describe(): TrafficShapes | undefined {
    const of = (shape: TrafficShape) => connections(this.counts.get(shape) ?? 0);
    const known = [...this.counts].some(([shape, count]) => shape !== 'unknown' && count > 0);
    return known
      ? {
          push: of('push'),
          two_way: of('two_way'),
          request_response: of('request_response'),
          silent: of('silent'),
          unknown: of('unknown'),
        }
      : undefined;
  }
}
