import { CLOSERS, type ClosedRecent, type Closer, ENDINGS, type Ending } from '../../model/closed.js';
import { bytes, millis } from '../../model/units.js';
import { type Edge, Histogram } from './histogram.js';

/** What is called recent: one to two of these. */
export const CLOSED_SPAN_MS = 30_000;

/** What one connection that ended tells; NaN: unknown. Times in ms. */
export interface ClosedFacts {
  /** For how many it stands: more than one in recordings only. */
  weight: number;
  ending: Ending;
  closer: Closer;
  lastedAtLeast: number;
  lastedAtMost: number;
  idle: number;
  bytesSent: number;
  bytesReceived: number;
  rtt: number;
  retransmissions: number;
  busy: number;
  receiverLimited: number;
  bufferLimited: number;
}

const SPREADS = [
  'lastedAtLeast',
  'lastedAtMost',
  'idle',
  'idleSelf',
  'idlePeer',
  'bytesSent',
  'bytesReceived',
  'rtt',
] as const;
type SpreadName = (typeof SPREADS)[number];
const SUMS = [
  'closed',
  'told',
  'bytesSent',
  'bytesReceived',
  'retransmissions',
  'retransmitting',
  'busy',
  'receiverLimited',
  'bufferLimited',
] as const;
type SumName = (typeof SUMS)[number];
/** Left out together where no numbers were told. */
const SENDING = [
  'retransmissions',
  'retransmitting',
  'busyMs',
  'receiverLimitedMs',
  'bufferLimitedMs',
] as const;
/** A quantile of lower bounds is none where it is higher than the true one, and the other way round. */
const EDGES: Partial<Record<SpreadName, Edge>> = { lastedAtLeast: 'low', lastedAtMost: 'high' };

/** Sums and distributions of one span of time. */
class Span {
  private readonly sums = new Float64Array(SUMS.length);
  private readonly endings = new Float64Array(ENDINGS.length);
  private readonly closers = new Float64Array(CLOSERS.length);
  private readonly spreads: Histogram[] = SPREADS.map(() => new Histogram());

  constructor(readonly startAt: number) {}

  copy(): Span {
    const copy = new Span(this.startAt);
    copy.sums.set(this.sums);
    copy.endings.set(this.endings);
    copy.closers.set(this.closers);
    for (const [at, spread] of this.spreads.entries()) copy.spreads[at] = spread.copy();
    return copy;
  }

  add(facts: ClosedFacts): void {
    const { weight } = facts;
    this.sum('closed', weight);
    if (!Number.isNaN(facts.retransmissions)) this.sum('told', weight);
    count(this.endings, ENDINGS.indexOf(facts.ending), weight);
    count(this.closers, CLOSERS.indexOf(facts.closer), weight);
    for (const name of ['bytesSent', 'bytesReceived', 'busy', 'receiverLimited', 'bufferLimited'] as const)
      this.sum(name, facts[name] * weight);
    if (facts.retransmissions > 0) {
      this.sum('retransmissions', facts.retransmissions * weight);
      this.sum('retransmitting', weight);
    }
    for (const name of [
      'lastedAtLeast',
      'lastedAtMost',
      'idle',
      'bytesSent',
      'bytesReceived',
      'rtt',
    ] as const)
      this.spread(name, facts[name], weight);
    if (facts.closer === 'self') this.spread('idleSelf', facts.idle, weight);
    if (facts.closer === 'peer') this.spread('idlePeer', facts.idle, weight);
  }

  merge(other: Span): void {
    for (const [at, value] of other.sums.entries()) this.sums[at] = (this.sums[at] as number) + value;
    for (const [at, value] of other.endings.entries())
      this.endings[at] = (this.endings[at] as number) + value;
    for (const [at, value] of other.closers.entries())
      this.closers[at] = (this.closers[at] as number) + value;
    for (const [at, spread] of other.spreads.entries()) this.spreads[at]?.merge(spread);
  }

  recent(overMs: number): ClosedRecent {
    const sum = (name: SumName) => this.total(name);
    const spread = (name: SpreadName) => this.spreads[SPREADS.indexOf(name)]?.spread(EDGES[name]);
    const optional = <Name extends string>(name: Name, of: SpreadName) => {
      const found = spread(of);
      return (found === undefined ? {} : { [name]: found }) as { [K in Name]?: NonNullable<typeof found> };
    };
    return {
      overMs: millis(overMs),
      closed: sum('closed'),
      endings: named(ENDINGS, this.endings),
      closers: named(CLOSERS, this.closers),
      ...optional('lastedAtLeast', 'lastedAtLeast'),
      ...optional('lastedAtMost', 'lastedAtMost'),
      ...optional('idle', 'idle'),
      idleBy: { ...optional('self', 'idleSelf'), ...optional('peer', 'idlePeer') },
      ...optional('bytesSent', 'bytesSent'),
      ...optional('bytesReceived', 'bytesReceived'),
      ...this.volume(),
      ...optional('rttMs', 'rtt'),
      ...(sum('told') === 0 && sum('closed') > 0 ? {} : this.sending()),
    };
  }

  /** Sums of those of which they are known: lower bounds where that is not all, and none where it is nobody. */
  private volume(): Pick<ClosedRecent, 'sentInAll' | 'receivedInAll' | 'bytesAreLeast'> {
    const closed = this.total('closed');
    const missing = (name: SpreadName) => closed - (this.spreads[SPREADS.indexOf(name)]?.count ?? 0);
    const [sent, received] = [missing('bytesSent'), missing('bytesReceived')];
    const isKnown = (left: number) => closed === 0 || left < closed;
    return {
      ...(isKnown(sent) && { sentInAll: bytes(this.total('bytesSent')) }),
      ...(isKnown(received) && { receivedInAll: bytes(this.total('bytesReceived')) }),
      ...((isKnown(sent) || isKnown(received)) && Math.max(sent, received) > 0 && { bytesAreLeast: true }),
    };
  }

  private sending(): Pick<ClosedRecent, (typeof SENDING)[number]> {
    return {
      retransmissions: this.total('retransmissions'),
      retransmitting: this.total('retransmitting'),
      busyMs: millis(this.total('busy')),
      receiverLimitedMs: millis(this.total('receiverLimited')),
      bufferLimitedMs: millis(this.total('bufferLimited')),
    };
  }

  private total(name: SumName): number {
    return this.sums[SUMS.indexOf(name)] as number;
  }

  private sum(name: SumName, value: number): void {
    const at = SUMS.indexOf(name);
    if (value > 0) this.sums[at] = (this.sums[at] as number) + value;
  }

  private spread(name: SpreadName, value: number, times: number): void {
    if (value >= 0) this.spreads[SPREADS.indexOf(name)]?.add(value, times);
  }
}

function count(counts: Float64Array, at: number, times: number): void {
  counts[at] = (counts[at] as number) + times;
}

/** Only those that there are. */
const named = <Name extends string>(names: readonly Name[], counts: Float64Array) =>
  Object.fromEntries(
    names.flatMap((name, at) => ((counts[at] ?? 0) > 0 ? [[name, counts[at]]] : [])),
  ) as Partial<Record<Name, number>>;

/** Numbers of one group of connections that ended. Copied before it is added to: a state that was given away stays as it was. */
export class ClosedTally {
  closed = 0;
  refused = 0;
  unanswered = 0;
  /** Monotonic ms. */
  lastAt: number;

  private constructor(
    private readonly now: Span,
    private readonly before: Span | undefined,
    at: number,
  ) {
    this.lastAt = at;
  }

  static start(at: number): ClosedTally {
    return new ClosedTally(new Span(at), undefined, at);
  }

  /** A copy for what comes at that time. */
  at(monotonic: number): ClosedTally {
    const copy = this.spanned(monotonic, true);
    copy.closed = this.closed;
    copy.refused = this.refused;
    copy.unanswered = this.unanswered;
    return copy;
  }

  add(facts: ClosedFacts): void {
    if (facts.ending === 'refused') this.refused += facts.weight;
    else if (facts.ending === 'unanswered') this.unanswered += facts.weight;
    else {
      this.closed += facts.weight;
      this.now.add(facts);
    }
  }

  recent(monotonic: number): ClosedRecent {
    const { now, before } = this.spanned(monotonic, false);
    const all = (before ?? now).copy();
    if (before !== undefined) all.merge(now);
    return all.recent(Math.max(0, monotonic - all.startAt));
  }

  private spanned(monotonic: number, copies: boolean): ClosedTally {
    const { now, before } = this;
    const age = monotonic - now.startAt;
    if (age >= 2 * CLOSED_SPAN_MS || age < 0) return ClosedTally.start(monotonic);
    if (age >= CLOSED_SPAN_MS) return new ClosedTally(new Span(now.startAt + CLOSED_SPAN_MS), now, monotonic);
    return new ClosedTally(copies ? now.copy() : now, before, monotonic);
  }
}
