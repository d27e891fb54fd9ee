import type { Gap, Origin, SamplesObservation } from '../model/observation.js';
import { SAMPLED_FAMILIES, type SampledFamily } from '../model/samples.js';
import { millis, monotonicMillis, wallMillis } from '../model/units.js';
import { type BeatAnswer, BeatHelper } from './beat-helper.js';
import type { ListenBatch } from './listen-task.js';
import { openDiagSocket } from './netlink-socket.js';
import type { CollectOptions, Door } from './options.js';
import { monotonicNow } from './origin.js';
import { SamplePace } from './sample-pace.js';

/** Share of one core that sampling may take, by kind of listener; waking up a hundred times a second takes about as much again. */
const SHARES: Readonly<Record<SampledFamily, number>> = { tcp: 0.012, unix: 0.006 };

const whatOf = (family: SampledFamily): string => `samples of ${family === 'tcp' ? 'TCP' : 'Unix'} listeners`;

export interface Sampled {
  readonly observations: readonly SamplesObservation[];
  readonly gaps: readonly Gap[];
}

const NOTHING: Sampled = { observations: [], gaps: [] };

/** Samples the listeners between two looks, in a thread, where the source is the kernel itself; where it is not, says so. */
export class ListenerSampler {
  private readonly families: readonly SampledFamily[];
  private readonly paces: readonly SamplePace[];
  private helper: BeatHelper | undefined;
  /** Why it is not tried again. */
  private fault: string | undefined;

  constructor(
    private readonly options: CollectOptions,
    private readonly door: Door,
    private readonly originNow: () => Origin,
  ) {
    this.families = SAMPLED_FAMILIES.filter((family) => family === 'tcp' || options.unix);
    this.paces = this.families.map((family) => new SamplePace(whatOf(family), this.rateHz));
  }

  private get rateHz(): number {
    return this.options.sampleHz ?? 0;
  }

  /** Before a look: what has come together until now. `patienceMs`: how long the look may wait for it; else the next look has it. */
  async take(patienceMs?: number): Promise<Sampled> {
    const { helper } = this;
    if (helper === undefined) return NOTHING;
    const answer = await helper.take(patienceMs);
    if (helper.fault !== undefined) {
      this.fault = `the thread that samples them has failed: ${helper.fault}`;
      await this.end();
      return NOTHING;
    }
    return answer === undefined ? NOTHING : this.read(answer);
  }

  /** After a look: what is missing without samples. Sampling begins once the kernel itself has answered, and ends when it does not. */
  async follow(source: Origin['source']): Promise<Gap[]> {
    if (this.rateHz === 0) return [];
    const why = this.hindrance(source);
    if (why === undefined) {
      this.helper ??= this.start();
      return [];
    }
    await this.end();
    return [this.gap(why)];
  }

  /** Waits for the thread. */
  async end(): Promise<void> {
    await this.helper?.end();
    this.helper = undefined;
  }

  private start(): BeatHelper {
    const { netns } = this.originNow();
    const specs = this.families.map((family) => ({
      kind: 'listeners' as const,
      family,
      netns,
      share: SHARES[family],
    }));
    return new BeatHelper({ specs, periodMs: 1000 / this.rateHz });
  }

  private hindrance(source: Origin['source']): string | undefined {
    if (source !== 'netlink') return 'only the source netlink can be asked often enough';
    // A thread cannot be given what a test opens.
    return this.door.openDiagSocket === openDiagSocket
      ? this.fault
      : 'the sockets are not those of the kernel';
  }

  private gap(why: string): Gap {
    return {
      what: 'peaks',
      why: `of one look at each refresh, not ${this.rateHz} samples per second: ${why} (--sample-rate 0 asks for none)`,
    };
  }

  private read({ at, batches, faults }: BeatAnswer): Sampled {
    const now = this.originNow();
    const late = monotonicNow() - at;
    const origin: Origin = {
      ...now,
      time: wallMillis(now.time - late),
      monotonic: monotonicMillis(at),
    };
    const observations: SamplesObservation[] = [];
    const gaps: Gap[] = [];
    for (const [index, family] of this.families.entries()) {
      const batch = batches[index] as ListenBatch | undefined;
      const what = whatOf(family);
      for (const why of batch?.faults ?? [faults[index]]) if (why !== undefined) gaps.push({ what, why });
      const slow = batch && this.paces[index]?.gap(batch.pace);
      if (slow !== undefined) gaps.push(slow);
      if (batch === undefined || batch.looks === 0) continue;
      const { looks, from, to, longestGapMs, listeners } = batch;
      observations.push({
        kind: 'samples',
        origin,
        family,
        from: monotonicMillis(from),
        to: monotonicMillis(to),
        looks,
        longestGapMs: millis(longestGapMs),
        listeners,
      });
    }
    return { observations, gaps };
  }
}
