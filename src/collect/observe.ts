import { setTimeout as sleep } from 'node:timers/promises';
import { SourceError } from '../model/errors.js';
import type {
  ClosedObservation,
  GapObservation,
  LookObservation,
  Observation,
  SamplesObservation,
  TableObservation,
} from '../model/observation.js';
import { Between } from './between.js';
import { type LookKind, LookPlan } from './look-plan.js';
import { type Eyes, eyesFor } from './lookers.js';
import {
  ALL_NAMESPACES,
  type CollectOptions,
  type Door,
  defaultDoor,
  type NamespaceOptions,
  type Pace,
} from './options.js';
import { monotonicNow } from './origin.js';
import { Ticks } from './ticks.js';

/** Up to this many sockets one run of ss for all of them is better than two: lengths and waiting rows are of the same moment. */
const ONE_RUN_SOCKETS = 5000;
/** How long a refresh waits for owners: they come with a later one where a scan takes longer. */
const OWNERS_PATIENCE_MS = 100;
/** The thread of samples answers between two of them; while it starts, and on a host that has no processor left, later. */
const SAMPLES_PATIENCE_MS = 100;
/** How soon a change of pace, or an end of the pause, is noticed. */
const NOTICE_MS = 50;
const LONGEST_BACK_OFF_MS = 5000;

/**
 * One look at the machine: sockets, counters, settings and the owners of all rows.
 * Throws `SourceError` where neither ss nor (with source `auto`) /proc/net can be read.
 */
export function observeOnce(options: NamespaceOptions, door?: Partial<Door>): Promise<LookObservation>;
export function observeOnce(options: CollectOptions, door?: Partial<Door>): Promise<TableObservation>;
export async function observeOnce(
  options: CollectOptions | NamespaceOptions,
  door: Partial<Door> = {},
): Promise<LookObservation> {
  const looker = eyesFor(options, { ...defaultDoor(), ...door });
  const wish = { everything: true, patienceMs: Number.POSITIVE_INFINITY };
  return (await looker.look(kindOfLook(options, looker), wish)).observation;
}

function kindOfLook({ scope }: CollectOptions, looker: Eyes): LookKind | 'twice' {
  if (scope === 'listeners') return 'listeners';
  const inOneRun = scope !== 'troubled' || (looker.countSockets() ?? Infinity) <= ONE_RUN_SOCKETS;
  return inOneRun ? 'complete' : 'twice';
}

interface Times {
  readonly samples: number;
  readonly everyMs: number;
}

/**
 * A given number of looks, `everyMs` from start to start, counted from the end of the first, which may have to read all owners; what takes longer is
 * not caught up with. The caller may stop early. What listeners did between two looks comes before the second, and what ended meanwhile too, where
 * it is asked for.
 * Throws `SourceError` where a look fails, or the reason of the signal.
 */
export function observeTimes(
  options: NamespaceOptions,
  times: Times,
  signal: AbortSignal,
  door?: Partial<Door>,
): AsyncGenerator<LookObservation | SamplesObservation | ClosedObservation | GapObservation, void, undefined>;
export function observeTimes(
  options: CollectOptions,
  times: Times,
  signal: AbortSignal,
  door?: Partial<Door>,
): AsyncGenerator<TableObservation | SamplesObservation | ClosedObservation, void, undefined>;
export async function* observeTimes(
  options: CollectOptions | NamespaceOptions,
  { samples, everyMs }: Times,
  signal: AbortSignal,
  door: Partial<Door> = {},
): AsyncGenerator<
  LookObservation | SamplesObservation | ClosedObservation | GapObservation,
  void,
  undefined
> {
  const ownDoor = { ...defaultDoor(), ...door };
  const looker = eyesFor(options, ownDoor);
  // A single look has nothing between.
  const isSeries = samples > 1;
  const between = isSeries ? new Between(options, ownDoor, looker, options.closed === true) : undefined;
  const thorough = options.thoroughOwners ?? false;
  const wish = { everything: true, thorough, patienceMs: Number.POSITIVE_INFINITY };
  let next = monotonicNow();
  try {
    for (let sample = 0; sample < samples; sample++) {
      const wait = next - monotonicNow();
      if (wait > 0) await sleep(wait, undefined, { signal });
      // Before the look, as in `observe`; before the first there is nothing to compare with.
      if (sample > 0 && between !== undefined) yield* await between.takeClosed();
      between?.find();
      const sampled = await between?.takeSamples();
      const { observation } = await looker
        .look(kindOfLook(options, looker), wish, signal)
        .catch((error: unknown) => {
          // One that was seen may come back under its name: what follows is of the new one.
          if (sample > 0 && isGone(error, options)) return { observation: gapOf(error, looker, options) };
          throw error;
        });
      const isLook = observation.kind !== 'gap';
      const told = sampled && isLook ? await between?.follow(observation, sampled) : undefined;
      next = Math.max(next, sample === 0 ? monotonicNow() : 0) + everyMs;
      yield* sampled?.observations ?? [];
      yield told ?? observation;
      next = Math.max(next, monotonicNow());
    }
  } finally {
    await between?.end();
  }
}

/**
 * Looks again and again, at the pace that the caller may change at any time, until the signal aborts; ticks never overlap.
 * A source that fails becomes an observation of kind `gap`, and is tried again after 5 s at the latest. Each table says its scope:
 * where the whole table would cost more than a quarter of a core, most ticks bring the listeners and who waits for them.
 */
export async function* observe(
  options: CollectOptions | NamespaceOptions,
  pace: Pace,
  signal: AbortSignal,
  door: Partial<Door> = {},
): AsyncGenerator<Observation, void, undefined> {
  const watch = new Watch(options, { ...defaultDoor(), ...door }, signal);
  const ticks = new Ticks(monotonicNow(), pace.intervalMs);
  try {
    while (await waitForTick(ticks, pace, signal)) {
      // Before the look: its table then has the TIME-WAIT of every connection that this tells of.
      yield* await watch.takeClosed();
      const observations = await watch.look(ticks.take());
      if (signal.aborted) return;
      yield* observations;
      ticks.plan(monotonicNow(), pace.intervalMs, watch.notBefore(pace.intervalMs));
    }
  } finally {
    await watch.end();
  }
}

/** What lasts from tick to tick. */
class Watch {
  private readonly looker: Eyes;
  private readonly plan: LookPlan;
  private readonly between: Between;
  private failures = 0;
  private failedAt = 0;
  private skipped = 0;
  private hasLooked = false;

  constructor(
    private readonly options: CollectOptions | NamespaceOptions,
    door: Door,
    private readonly signal: AbortSignal,
  ) {
    this.looker = eyesFor(options, door);
    this.plan = new LookPlan(options.scope);
    this.between = new Between(options, door, this.looker, options.closed === true);
  }

  /** What ended since the last time; nothing before the first look, which waits for nobody. */
  async takeClosed(): Promise<ClosedObservation[]> {
    return this.hasLooked ? await this.between.takeClosed() : [];
  }

  /** The observations of one tick, samples before the table: none where the tick is left out or the signal has aborted. */
  async look(skippedTicks: number): Promise<readonly Observation[]> {
    this.skipped += skippedTicks;
    this.hasLooked = true;
    const startedAt = monotonicNow();
    this.between.find();
    const { hasTrouble, givesParts } = this.looker;
    const kind = this.plan.next(startedAt, { sockets: this.looker.countSockets(), hasTrouble, givesParts });
    if (kind === undefined) {
      this.skipped++;
      return [];
    }
    // They end where the look begins: the two tell of the same time.
    const sampled = await this.between.takeSamples(SAMPLES_PATIENCE_MS);
    try {
      const wish = { everything: false, patienceMs: OWNERS_PATIENCE_MS };
      const { observation, costMs } = await this.looker.look(kind, wish, this.signal);
      if (kind === 'complete') this.plan.completed(startedAt, costMs);
      this.failures = 0;
      const told = await this.between.follow(observation, sampled);
      return [...sampled.observations, { ...told, skippedTicks: this.takeSkipped() }];
    } catch (error) {
      if (this.signal.aborted) return [];
      this.failures++;
      this.failedAt = startedAt;
      return [...sampled.observations, this.asGap(error)];
    }
  }

  async end(): Promise<void> {
    await this.between.end();
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
    return gapOf(error, this.looker, this.options);
  }
}

function gapOf(error: unknown, looker: Eyes, { source }: CollectOptions): GapObservation {
  const message = error instanceof Error ? error.message : String(error);
  return {
    kind: 'gap',
    origin: looker.originNow(source === 'auto' ? 'ss' : source),
    gaps: [{ what: 'sockets', why: message }],
    fault: error instanceof SourceError ? error.fault : 'failed',
    ...(error instanceof SourceError && error.remedy !== undefined && { remedy: error.remedy }),
  };
}

/** What was asked for by name was there, and none of it is there now. */
const isGone = (error: unknown, options: CollectOptions | NamespaceOptions): boolean =>
  'netns' in options &&
  options.netns !== undefined &&
  !options.netns.includes(ALL_NAMESPACES) &&
  error instanceof SourceError &&
  (error.fault === 'missing' || error.fault === 'gone');

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
