import { setTimeout as sleep } from 'node:timers/promises';
import { SourceError } from '../model/errors.js';
import type { GapObservation, Observation, TableObservation } from '../model/observation.js';
import { Looker } from './look.js';
import { type LookKind, LookPlan } from './look-plan.js';
import { type CollectOptions, type Door, defaultDoor, type Pace } from './options.js';
import { monotonicNow } from './origin.js';
import { Ticks } from './ticks.js';

/** Up to this many sockets one run of ss for all of them is better than two: lengths and waiting rows are of the same moment. */
const ONE_RUN_SOCKETS = 5000;
/** How long a refresh waits for owners: they come with a later one where a scan takes longer. */
const OWNERS_PATIENCE_MS = 100;
/** How soon a change of pace, or an end of the pause, is noticed. */
const NOTICE_MS = 50;
const LONGEST_BACK_OFF_MS = 5000;

/**
 * One look at the machine: sockets, counters, settings and the owners of all rows.
 * Throws `SourceError` where neither ss nor (with source `auto`) /proc/net can be read.
 */
export async function observeOnce(
  options: CollectOptions,
  door: Partial<Door> = {},
): Promise<TableObservation> {
  const looker = new Looker(options, { ...defaultDoor(), ...door });
  const wish = { everything: true, patienceMs: Number.POSITIVE_INFINITY };
  return (await looker.look(kindOfLook(options, looker), wish)).observation;
}

function kindOfLook({ scope }: CollectOptions, looker: Looker): LookKind | 'twice' {
  if (scope === 'listeners') return 'listeners';
  const inOneRun = scope !== 'troubled' || (looker.countSockets() ?? Infinity) <= ONE_RUN_SOCKETS;
  return inOneRun ? 'complete' : 'twice';
}

/**
 * A given number of looks, `everyMs` from start to start, counted from the end of the first, which may have to read all owners; what takes longer is
 * not caught up with. The caller may stop early.
 * Throws `SourceError` where a look fails, or the reason of the signal.
 */
export async function* observeTimes(
  options: CollectOptions,
  { samples, everyMs }: { readonly samples: number; readonly everyMs: number },
  signal: AbortSignal,
  door: Partial<Door> = {},
): AsyncGenerator<TableObservation, void, undefined> {
  const looker = new Looker(options, { ...defaultDoor(), ...door });
  const thorough = options.thoroughOwners ?? false;
  const wish = { everything: true, thorough, patienceMs: Number.POSITIVE_INFINITY };
  let next = monotonicNow();
  for (let sample = 0; sample < samples; sample++) {
    const wait = next - monotonicNow();
    if (wait > 0) await sleep(wait, undefined, { signal });
    const { observation } = await looker.look(kindOfLook(options, looker), wish, signal);
    next = Math.max(next, sample === 0 ? monotonicNow() : 0) + everyMs;
    yield observation;
    next = Math.max(next, monotonicNow());
  }
}

/**
 * Looks again and again, at the pace that the caller may change at any time, until the signal aborts; ticks never overlap.
 * A source that fails becomes an observation of kind `gap`, and is tried again after 5 s at the latest. Each table says its scope:
 * where the whole table would cost more than a quarter of a core, most ticks bring the listeners and who waits for them.
 */
export async function* observe(
  options: CollectOptions,
  pace: Pace,
  signal: AbortSignal,
  door: Partial<Door> = {},
): AsyncGenerator<Observation, void, undefined> {
  const watch = new Watch(options, { ...defaultDoor(), ...door }, signal);
  const ticks = new Ticks(monotonicNow(), pace.intervalMs);
  while (await waitForTick(ticks, pace, signal)) {
    const observation = await watch.look(ticks.take());
    if (signal.aborted) return;
    if (observation !== undefined) yield observation;
    ticks.plan(monotonicNow(), pace.intervalMs, watch.notBefore(pace.intervalMs));
  }
}

/** What lasts from tick to tick. */
class Watch {
  private readonly looker: Looker;
  private readonly plan: LookPlan;
  private failures = 0;
  private failedAt = 0;
  private skipped = 0;

  constructor(
    private readonly options: CollectOptions,
    door: Door,
    private readonly signal: AbortSignal,
  ) {
    this.looker = new Looker(options, door);
    this.plan = new LookPlan(options.scope);
  }

  /** The observation of one tick: `undefined` where the tick is left out or the signal has aborted. */
  async look(skippedTicks: number): Promise<Observation | undefined> {
    this.skipped += skippedTicks;
    const startedAt = monotonicNow();
    const { source } = this.looker;
    const facts = { sockets: this.looker.countSockets(), hasTrouble: source.ports.length > 0 };
    const kind = this.plan.next(startedAt, { ...facts, givesParts: source.givesParts });
    if (kind === undefined) {
      this.skipped++;
      return undefined;
    }
    try {
      const wish = { everything: false, patienceMs: OWNERS_PATIENCE_MS };
      const { observation, costMs } = await this.looker.look(kind, wish, this.signal);
      if (kind === 'complete') this.plan.completed(startedAt, costMs);
      this.failures = 0;
      return { ...observation, skippedTicks: this.takeSkipped() };
    } catch (error) {
      if (this.signal.aborted) return undefined;
      this.failures++;
      this.failedAt = startedAt;
      return this.asGap(error);
    }
  }

  /** Monotonic time of the next attempt: a failing source is tried less and less often. */
  notBefore(intervalMs: number): number {
    if (this.failures === 0) return 0;
    const backOff = Math.min(LONGEST_BACK_OFF_MS, intervalMs * 2 ** (this.failures - 1));
    return this.failedAt + Math.max(backOff, intervalMs);
  }

  private takeSkipped(): number {
    const skipped = this.skipped;
    this.skipped = 0;
    return skipped;
  }

  private asGap(error: unknown): GapObservation {
    const message = error instanceof Error ? error.message : String(error);
    return {
      kind: 'gap',
      origin: this.looker.originNow(this.options.source === 'auto' ? 'ss' : this.options.source),
      gaps: [{ what: 'sockets', why: message }],
      fault: error instanceof SourceError ? error.fault : 'failed',
      ...(error instanceof SourceError && error.remedy !== undefined && { remedy: error.remedy }),
    };
  }
}

/** False where the signal has aborted. */
async function waitForTick(ticks: Ticks, pace: Pace, signal: AbortSignal): Promise<boolean> {
  let wasPaused = false;
  while (!signal.aborted) {
    const now = monotonicNow();
    if (pace.paused) wasPaused = true;
    else if (wasPaused) {
      ticks.restart(now);
      wasPaused = false;
    }
    const remaining = ticks.remaining(now, pace.intervalMs);
    if (remaining === 0 && !pace.paused) return true;
    await sleep(pace.paused ? NOTICE_MS : Math.min(remaining, NOTICE_MS), undefined, { signal }).catch(
      () => {},
    );
  }
  return false;
}
