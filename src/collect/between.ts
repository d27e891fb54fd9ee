import type { ClosedObservation, LookObservation } from '../model/observation.js';
import { ClosedSource } from './closed-source.js';
import { type Followed, withGaps } from './followed.js';
import { ListenerSampler, type LookedInto, type Sampled } from './listener-sampler.js';
import type { Eyes } from './lookers.js';
import type { CollectOptions, Door, NamespaceOptions } from './options.js';
import { monotonicNow } from './origin.js';

/** A namespace that went while nobody looks is let go after this. */
const NOTICE_MS = 2000;

/** What happens between two looks, in every namespace that they look into: samples of listeners, and connections that end. */
export class Between {
  private readonly sampler: ListenerSampler;
  private readonly closed: ClosedSource | undefined;
  private found: readonly Followed[] = [];
  private foundAt = 0;
  private readonly timer: NodeJS.Timeout | undefined;

  /** `hearsEnds`: of connections. */
  constructor(
    options: CollectOptions | NamespaceOptions,
    door: Door,
    private readonly eyes: Eyes,
    hearsEnds: boolean,
  ) {
    this.sampler = new ListenerSampler(options, door, () => eyes.originNow('netlink'));
    this.closed = hearsEnds ? new ClosedSource(options.source, door.path, eyes.originNow) : undefined;
    // Our own namespace lasts as long as we do.
    const isOfOthers = 'netns' in options && options.netns !== undefined;
    this.timer = isOfOthers ? setInterval(() => this.notice(), NOTICE_MS).unref() : undefined;
  }

  /** Before each look: which namespaces there are. Whatever is open in one that went is closed. */
  find(): void {
    this.found = this.eyes.find();
    this.foundAt = monotonicNow();
    this.sampler.retain(this.found);
    this.closed?.follow(this.found);
  }

  /** What ended since the last time: before a look, whose table then has the TIME-WAIT of every connection that this tells of. */
  async takeClosed(): Promise<ClosedObservation[]> {
    return (await this.closed?.take()) ?? [];
  }

  /** Before a look too: the two end at the same time. */
  takeSamples(patienceMs?: number): Promise<Sampled> {
    return this.sampler.take(patienceMs);
  }

  /** After a look: the look with what is missing between it and the one before. */
  async follow<T extends LookObservation>(look: T, sampled: Sampled): Promise<T> {
    const silence = this.closed?.silence;
    const unsampled = await this.sampler.follow(this.lookedInto(look));
    const all = [sampled, ...(silence === undefined ? [] : [silence]), unsampled];
    return all.reduce((told, { ofAll, each }) => withGaps(told, ofAll, each), look);
  }

  /** The threads and programs end with it. */
  async end(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all([this.sampler.end(), this.closed?.end()]);
  }

  private lookedInto(look: LookObservation): LookedInto[] {
    const tables = (look.kind === 'table' ? [look] : look.looks).filter(({ kind }) => kind === 'table');
    const sources = new Map(tables.map(({ origin }) => [origin.netns, origin.source]));
    return this.found.flatMap((one) => {
      const source = sources.get(one.id);
      return source === undefined ? [] : [{ ...one, source }];
    });
  }

  /** Looks may be paused, or rare: what is open must not keep a namespace for so long. */
  private notice(): void {
    if (this.foundAt > 0 && monotonicNow() - this.foundAt >= NOTICE_MS) this.find();
  }
}
