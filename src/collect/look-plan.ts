import type { Scope } from '../model/observation.js';

/**
 * What to ask for at one tick. `complete`: all that the caller wants, of all ports. `listeners`: LISTEN and SYN-RECV only.
 * `ports`: LISTEN, and the connections of the ports whose queue is not empty.
 */
export type LookKind = 'complete' | 'listeners' | 'ports';

/** Complete looks may use this share of one core: a quarter, less what drawing and the looks between take. */
const SHARE = 0.2;
/** Below this even a table that nobody asked for is cheaper than a second look. */
const TINY = 2000;

/**
 * Decides, before each tick, how much to ask for. Complete looks start at least five times their cost apart: with what
 * drawing takes, a quarter of a core at most; the ticks between see the listeners, and the connections that wait where a queue is not empty. Pure: the times are given.
 */
export class LookPlan {
  private completeAllowedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly scope: Scope) {}

  /** What to ask for now; `undefined`: nothing, for the source cannot give a part and the whole is not due. */
  next(now: number, facts: PlanFacts): LookKind | undefined {
    if (!facts.givesParts) return now >= this.completeAllowedAt ? 'complete' : undefined;
    if (this.scope === 'listeners') return 'listeners';
    if (this.scope === 'troubled' && facts.sockets !== undefined && facts.sockets <= TINY) return 'complete';
    if (now >= this.completeAllowedAt && (this.scope === 'all' || facts.hasTrouble)) return 'complete';
    return facts.hasTrouble ? 'ports' : 'listeners';
  }

  /** `costMs`: time that a complete look took, with the time of our own processor on top. */
  completed(startedAt: number, costMs: number): void {
    this.completeAllowedAt = startedAt + costMs / SHARE;
  }
}

export interface PlanFacts {
  /** About how many sockets there are, where that is known. */
  readonly sockets?: number | undefined;
  /** Some accept queue was not empty at the look before. */
  readonly hasTrouble: boolean;
  /** False for /proc/net, which is always read whole. */
  readonly givesParts: boolean;
}
