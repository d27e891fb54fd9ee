import type { Gap } from '../model/observation.js';

/** What samples of one kind of listener cost in one namespace, and how often they can be taken for it. */
export interface Pace {
  /** Listeners that are known. */
  readonly listeners: number;
  /** Of one look, ms. */
  readonly costMs: number;
  /** Between two looks, so that they stay within their share of a core; absent: not known yet. */
  readonly gapMs?: number;
}

/** A rate that is missed by less is told only as the rate that was reached. */
const MUCH = 2;
/** A machine that is busy for a moment makes each look dearer; that is no state of its listeners. Monotonic, ms. */
const LASTING_MS = 5_000;

/** Says that samples are rarer than was asked for, and why, where it lasts. What is said changes only where the cost does so by much. */
export class SamplePace {
  private told: { readonly costMs: number; readonly why: string } | undefined;
  private slowSince: number | undefined;

  constructor(
    private readonly what: string,
    private readonly wantedHz: number,
  ) {}

  /**
   * Nothing while the rates of all namespaces are as asked for, not known yet, or too low for a moment only.
   * @param now monotonic, ms
   */
  gap(paces: readonly Pace[], now: number): Gap | undefined {
    const slow = paces.filter(({ gapMs = 0 }) => (gapMs * this.wantedHz) / 1000 > MUCH);
    if (slow.length === 0) {
      this.told = this.slowSince = undefined;
      return undefined;
    }
    this.slowSince ??= now;
    if (now - this.slowSince < LASTING_MS) return undefined;
    const costMs = slow.reduce((sum, pace) => sum + pace.costMs, 0);
    const before = this.told?.costMs ?? 0;
    if (this.told === undefined || costMs > before * MUCH || costMs * MUCH < before)
      this.told = { costMs, why: this.why(slow, paces.length) };
    return { what: this.what, why: this.told.why };
  }

  private why(slow: readonly Pace[], all: number): string {
    const sum = (of: 'listeners' | 'costMs') => slow.reduce((total, pace) => total + pace[of], 0);
    const slowest = Math.max(...slow.map(({ gapMs = 0 }) => gapMs));
    const where = all === 1 ? 'about' : `in ${slow.length} of ${all} namespaces about`;
    const least = slow.length === 1 ? 'per second' : 'per second or more';
    const cost = `${sum('listeners').toLocaleString('en')} listeners take ${short(sum('costMs'))} ms each time`;
    return `${where} ${short(1000 / slowest)} ${least}, not ${short(this.wantedHz)}: ${cost}`;
  }
}

/** `0.16`, `5.2`, `12`. */
const short = (value: number): string =>
  String(value >= 10 ? Math.round(value) : Number(value.toPrecision(2)));
