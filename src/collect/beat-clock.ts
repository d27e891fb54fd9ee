import { fixedShare, type Share } from './beat-share.js';

/**
 * Beats on a grid of a monotonic clock. A beat that comes late does not make the next ones late, and beats whose time is over are
 * left out, never made up for. Pure: the times are given, in ms.
 */
export class BeatClock {
  private due: number;
  /** Beats that were left out since the start. */
  missed = 0;

  constructor(
    start: number,
    readonly periodMs: number,
  ) {
    this.due = start;
  }

  /** Takes the beat that is due, and plans the one after `now`. */
  take(now: number): void {
    const steps = Math.max(1, Math.ceil((now - this.due) / this.periodMs));
    this.missed += steps - 1;
    this.due += steps * this.periodMs;
  }

  /** How long to wait for the next one. */
  remaining(now: number): number {
    return Math.max(0, this.due - now);
  }
}

/** Costs that are remembered; the quarter of them that was cheapest counts: a beat after others had the processor finds nothing in its caches. */
const REMEMBERED = 16;
/**
 * The first beats find nothing in the caches, and meet every listener for the first time: none of them may cost the next one seconds. Each
 * beat after them that still costs too much may double the longest gap.
 */
const COLD_BEATS = 3;
const COLD_GAP_MS = 200;

/**
 * Keeps a task of many beats to its share of a core: where one beat costs much, beats are left out. A beat that is left out costs
 * nothing. Pure: the times are given, in ms.
 */
export class BeatBudget {
  private readonly costs = new Float64Array(REMEMBERED);
  private count = 0;
  private gapMs = 0;
  private isKnown = false;
  private lastAt = Number.NEGATIVE_INFINITY;

  private readonly share: Share;

  /** @param share of one core, as 0.02 */
  constructor(
    share: number | Share,
    private readonly periodMs: number,
  ) {
    this.share = typeof share === 'number' ? fixedShare(share) : share;
  }

  /** Whether the task may work at this beat; half a beat early is in time. */
  isDue(now: number): boolean {
    return now + this.periodMs / 2 >= this.lastAt + this.gapMs;
  }

  /** @param costMs processor time: a thread that lost its processor did not work. `everyMs`: how often it wants to work. */
  worked(startedAt: number, costMs: number, everyMs = this.periodMs): void {
    this.lastAt = startedAt;
    this.costs[this.count++ % REMEMBERED] = costMs;
    const typical = this.typicalCost();
    const gapMs = typical / this.share.grant(this, typical / everyMs);
    const mostMs = COLD_GAP_MS * 2 ** Math.max(0, this.count - COLD_BEATS);
    this.isKnown = this.count > COLD_BEATS && gapMs <= mostMs;
    this.gapMs = Math.min(gapMs, mostMs);
  }

  /** Time between two beats that the costs allow, ms; absent while they are not known. */
  get pace(): { readonly costMs: number; readonly gapMs?: number } {
    return { costMs: this.typicalCost(), ...(this.isKnown && { gapMs: this.gapMs }) };
  }

  /** Others may have what it took. */
  leave(): void {
    this.share.leave(this);
  }

  private typicalCost(): number {
    const known = this.costs.slice(0, Math.min(this.count, REMEMBERED)).sort();
    return known[Math.floor((known.length - 1) / 4)] ?? 0;
  }
}
