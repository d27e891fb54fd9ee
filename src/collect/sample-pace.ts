import type { Gap } from '../model/observation.js';

/** What samples of one kind of listener cost, and how often they can be taken for it. */
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

/** Says that samples are rarer than was asked for, and why. What is said changes only where the cost does so by much. */
export class SamplePace {
  private told: { readonly costMs: number; readonly why: string } | undefined;

  constructor(
    private readonly what: string,
    private readonly wantedHz: number,
  ) {}

  /** Nothing while the rate is as asked for, or not known yet. */
  gap({ listeners, costMs, gapMs = 0 }: Pace): Gap | undefined {
    if ((gapMs * this.wantedHz) / 1000 <= MUCH) {
      this.told = undefined;
      return undefined;
    }
    const before = this.told?.costMs ?? 0;
    if (this.told === undefined || costMs > before * MUCH || costMs * MUCH < before)
      this.told = {
        costMs,
        why: `about ${short(1000 / gapMs)} per second, not ${short(this.wantedHz)}: ${listeners.toLocaleString('en')} listeners take ${short(costMs)} ms each time`,
      };
    return { what: this.what, why: this.told.why };
  }
}

/** `0.16`, `5.2`, `12`. */
const short = (value: number): string =>
  String(value >= 10 ? Math.round(value) : Number(value.toPrecision(2)));
