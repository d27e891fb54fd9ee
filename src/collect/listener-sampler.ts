import type { Gap, Origin, SamplesObservation } from '../model/observation.js';
import { SAMPLED_FAMILIES, type SampledFamily } from '../model/samples.js';
import { millis, monotonicMillis, wallMillis } from '../model/units.js';
import { type BeatAnswer, BeatHelper } from './beat-helper.js';
import type { ToldByTask } from './beat-tasks.js';
import { chooseFollowed, type Followed, GapsOf, lifeOf } from './followed.js';
import type { ListenBatch, ListenTaskSpec } from './listen-task.js';
import { openDiagSocket } from './netlink-socket.js';
import type { CollectOptions, Door } from './options.js';
import { monotonicNow } from './origin.js';
import { type Pace, SamplePace } from './sample-pace.js';

/** Share of one core that sampling of a namespace may take, by kind of listener; waking up a hundred times a second takes about as much again. */
const SHARES: Readonly<Record<SampledFamily, number>> = { tcp: 0.012, unix: 0.006 };
/** The same of all namespaces together. */
const TOGETHER: Readonly<Record<SampledFamily, number>> = { tcp: 0.1, unix: 0.04 };

const whatOf = (family: SampledFamily): string => `samples of ${family === 'tcp' ? 'TCP' : 'Unix'} listeners`;
const keyOf = (family: SampledFamily, id: string | undefined): string => `${family} ${id ?? ''}`;

export interface Sampled {
  readonly observations: readonly SamplesObservation[];
  /** What is missing, in each namespace and in all. */
  readonly each: GapsOf;
  readonly ofAll: readonly Gap[];
}

const nothing = (): Sampled => ({ observations: [], each: new GapsOf(), ofAll: [] });

/** A namespace as the last look found it. */
export interface LookedInto extends Followed {
  readonly source: Origin['source'];
}

/** Samples the listeners of every followed namespace between two looks, in one thread, where the source is the kernel itself; where it is not, says so. */
export class ListenerSampler {
  private readonly families: readonly SampledFamily[];
  private readonly paces: ReadonlyMap<SampledFamily, SamplePace>;
  private helper: BeatHelper | undefined;
  private followed: readonly Followed[] = [];
  /** Why it is not tried again. */
  private fault: string | undefined;

  constructor(
    private readonly options: CollectOptions,
    private readonly door: Door,
    private readonly originNow: () => Origin,
  ) {
    this.families = SAMPLED_FAMILIES.filter((family) => family === 'tcp' || options.unix);
    this.paces = new Map(
      this.families.map((family) => [family, new SamplePace(whatOf(family), this.rateHz)]),
    );
  }

  private get rateHz(): number {
    return this.options.sampleHz ?? 0;
  }

  /** Before a look: what has come together until now. `patienceMs`: how long the look may wait for it; else the next look has it. */
  async take(patienceMs?: number): Promise<Sampled> {
    const { helper } = this;
    if (helper === undefined) return nothing();
    const answer = await helper.take(patienceMs);
    if (helper.fault !== undefined) {
      this.fault = `the thread that samples them has failed: ${helper.fault}`;
      await this.end();
      return nothing();
    }
    return answer === undefined ? nothing() : this.read(answer);
  }

  /** Only these are there still: the sockets in others are closed, which would keep them. */
  retain(found: readonly Followed[]): void {
    const there = new Map(found.map((one) => [one.id, one]));
    this.followed = this.followed.flatMap(({ id }) => there.get(id) ?? []);
    this.helper?.follow(this.specs());
  }

  /**
   * After a look: what is missing without samples. Sampling begins once the kernel itself has answered, and ends when it does not.
   * @param looked those that the look has read
   */
  async follow(looked: readonly LookedInto[]): Promise<Omit<Sampled, 'observations'>> {
    const each = new GapsOf();
    if (this.rateHz === 0) return { each, ofAll: [] };
    const able: Followed[] = [];
    for (const { source, ...one } of looked) {
      const why = this.hindrance(source);
      if (why === undefined) able.push(one);
      else each.add(one.id, this.gap(why));
    }
    // One that could not be read now is sampled all the same.
    const read = new Set(looked.map(({ id }) => id));
    const wanted = [...able, ...this.followed.filter(({ id }) => !read.has(id))];
    this.followed = chooseFollowed(wanted, this.followed);
    if (able.length === 0) await this.end();
    else if (this.helper === undefined) this.helper = this.start();
    else this.helper.follow(this.specs());
    return { each, ofAll: this.beyond(wanted) };
  }

  /** Waits for the thread. */
  async end(): Promise<void> {
    await this.helper?.end();
    this.helper = undefined;
    this.followed = [];
  }

  private start(): BeatHelper {
    return new BeatHelper({ specs: this.specs(), periodMs: 1000 / this.rateHz });
  }

  private specs(): ListenTaskSpec[] {
    return this.followed.flatMap((one) =>
      this.families.map((family) => ({
        kind: 'listeners',
        key: keyOf(family, one.id),
        life: lifeOf(one),
        family,
        netns: one.id,
        ...(one.place !== undefined && { place: one.place }),
        share: SHARES[family],
        together: TOGETHER[family],
      })),
    );
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

  /** Those that there is no room for. */
  private beyond(wanted: readonly Followed[]): Gap[] {
    const { length } = this.followed;
    if (wanted.length <= length || this.helper === undefined) return [];
    const why = `sampled in ${length} of ${wanted.length} namespaces: of the others one look at each refresh`;
    return [{ what: 'peaks', why }];
  }

  private read({ at, told }: BeatAnswer): Sampled {
    const now = this.originNow();
    const late = monotonicNow() - at;
    const byKey = new Map(told.map((one) => [one.key, one]));
    const origin = { ...now, time: wallMillis(now.time - late), monotonic: monotonicMillis(at) };
    const observations: SamplesObservation[] = [];
    const [each, ofAll]: [GapsOf, Gap[]] = [new GapsOf(), []];
    for (const family of this.families) {
      const paces: Pace[] = [];
      for (const one of this.followed) {
        const { id } = one;
        const { batch, faults } = batchOf(byKey.get(keyOf(family, id)), lifeOf(one));
        each.add(id, ...faults.map((why) => ({ what: whatOf(family), why })));
        if (batch === undefined) continue;
        paces.push(batch.pace);
        if (batch.looks > 0) observations.push(observationOf(family, batch, { ...origin, ...netnsOf(id) }));
      }
      const slow = this.paces.get(family)?.gap(paces, at);
      if (slow !== undefined) ofAll.push(slow);
    }
    return { observations, each, ofAll };
  }
}

const netnsOf = (id: string | undefined): Pick<Origin, 'netns'> => (id === undefined ? {} : { netns: id });

/** Nothing where the thread does not know of it yet; no fault of another one which had its inode. */
function batchOf(
  told: ToldByTask | undefined,
  life: string,
): {
  readonly batch: ListenBatch | undefined;
  readonly faults: readonly string[];
} {
  const batch = told?.batch as ListenBatch | undefined;
  return {
    batch,
    faults: batch?.faults ?? (told?.fault === undefined || told.life !== life ? [] : [told.fault]),
  };
}

const observationOf = (
  family: SampledFamily,
  { looks, from, to, longestGapMs, listeners }: ListenBatch,
  origin: Origin,
): SamplesObservation => ({
  kind: 'samples',
  origin,
  family,
  from: monotonicMillis(from),
  to: monotonicMillis(to),
  looks,
  longestGapMs: millis(longestGapMs),
  listeners,
});
