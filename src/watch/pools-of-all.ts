import type { Observation } from '../model/observation.js';
import type { PoolsSeen } from '../model/pools.js';
import { NamespaceLives } from './namespace-lives.js';
import type { RowFilter } from './pools/look-pass.js';
import { byWeight } from './pools/pool-facts.js';
import { RemotesOfAll } from './pools/remotes-of-all.js';
import { PoolWatch } from './pools.js';

/** Of so many namespaces the pools are kept: a host can make any number of them. */
const MOST_NAMESPACES = 1000;

/** Follows the pools of each network namespace by itself: the same 4-tuple is another connection in another namespace. */
export class PoolWatches {
  private readonly watches = new Map<string, PoolWatch>();
  private readonly lives = new NamespaceLives();
  private readonly remotes = new RemotesOfAll();
  /** Watches of the namespaces of the last tick. */
  private present: ReadonlySet<PoolWatch> | undefined;
  private gapsOfAll: PoolsSeen['gaps'] = [];
  private forgotten = 0;

  constructor(private readonly filter?: RowFilter) {}

  take(observation: Observation): void {
    const looks = observation.kind === 'namespaces' ? observation.looks : [observation];
    if (observation.kind === 'namespaces') this.gapsOfAll = observation.gaps;
    this.lives.follow(observation);
    for (const look of looks) this.watchOf(look).take(look);
    if (observation.kind !== 'namespaces') return;
    this.present = new Set(looks.map((look) => this.watchOf(look)));
    this.remotes.take([...this.present].map((watch) => watch.remotes()));
    this.forget();
  }

  /** Of those that went the ones that were met first. */
  private forget(): void {
    for (const [key, watch] of this.watches) {
      if (this.watches.size <= MOST_NAMESPACES) return;
      if (this.present?.has(watch)) continue;
      this.watches.delete(key);
      this.forgotten++;
    }
  }

  private *forgottenGap(): Generator<PoolsSeen['gaps'][number]> {
    if (this.forgotten === 0) return;
    yield {
      what: 'namespaces',
      why: `${this.forgotten} that went early were forgotten: there are too many`,
    };
  }

  /** `undefined` before the first complete table. Namespaces that went are told of as they were last. */
  report(): PoolsSeen | undefined {
    const reports = new Map([...this.watches.values()].map((watch) => [watch, watch.report()] as const));
    const seen = [...reports.values()].filter((one) => one !== undefined);
    const [first, another] = seen;
    const ofAll = [...this.gapsOfAll, ...this.lives.gaps, ...this.forgottenGap()];
    if (first === undefined || (another === undefined && ofAll.length === 0)) return first;
    const longest = seen.reduce((one, other) => (other.watchedMs > one.watchedMs ? other : one));
    const opened = seen.map(({ activeOpens }) => activeOpens).filter((count) => count !== undefined);
    const told = endsToldBy(seen);
    return {
      origin: first.origin,
      watchedMs: longest.watchedMs,
      looks: longest.looks,
      pools: seen.flatMap(({ pools }) => pools).sort(byWeight),
      // The connections of a namespace that has gone are closed.
      remotes: this.remotes.sum(
        [...(this.present ?? reports.keys())]
          .map((watch) => reports.get(watch))
          .filter((one) => one !== undefined),
      ),
      ...(opened.length === seen.length && { activeOpens: opened.reduce((sum, count) => sum + count, 0) }),
      ...(told && { endsTold: told }),
      ...(seen.some(({ counted }) => counted) && { counted: seen.flatMap(({ counted = [] }) => counted) }),
      ...(longest.apartMs !== undefined && { apartMs: longest.apartMs }),
      gaps: [...ofAll, ...distinct(seen.flatMap(({ gaps }) => gaps))],
    };
  }

  private watchOf(observation: Observation): PoolWatch {
    const key = this.lives.keyOf(observation);
    const known = this.watches.get(key) ?? new PoolWatch(this.filter);
    this.watches.set(key, known);
    return known;
  }
}

/** Of all only where each namespace was told of in full. */
function endsToldBy(seen: readonly PoolsSeen[]): PoolsSeen['endsTold'] {
  if (seen.every(({ endsTold }) => endsTold === undefined)) return undefined;
  return seen.every(({ endsTold }) => endsTold === 'all') ? 'all' : 'some';
}

const distinct = (gaps: PoolsSeen['gaps']): PoolsSeen['gaps'] => [
  ...new Map(gaps.map((gap) => [`${gap.what}\0${gap.why}`, gap])).values(),
];
