import type { Observation } from '../model/observation.js';
import type { PoolsSeen } from '../model/pools.js';
import type { RowFilter } from './pools/look-pass.js';
import { byWeight } from './pools/pool-facts.js';
import { RemotesOfAll } from './pools/remotes-of-all.js';
import { PoolWatch } from './pools.js';

/** Follows the pools of each network namespace by itself: the same 4-tuple is another connection in another namespace. */
export class PoolWatches {
  private readonly watches = new Map<string, PoolWatch>();
  private readonly remotes = new RemotesOfAll();
  /** Namespaces of the last tick. */
  private present: ReadonlySet<string> | undefined;
  private gaps: PoolsSeen['gaps'] = [];

  constructor(private readonly filter?: RowFilter) {}

  take(observation: Observation): void {
    const looks = observation.kind === 'namespaces' ? observation.looks : [observation];
    if (observation.kind === 'namespaces') this.gaps = observation.gaps;
    for (const look of looks) this.watchOf(look).take(look);
    if (observation.kind !== 'namespaces') return;
    this.present = new Set(looks.map(({ origin: { netns = '' } }) => netns));
    this.remotes.take(looks.map((look) => this.watchOf(look).remotes()));
  }

  /** `undefined` before the first complete table. Namespaces that went are told of as they were last. */
  report(): PoolsSeen | undefined {
    const seen = [...this.watches.values()].map((watch) => watch.report()).filter((one) => one !== undefined);
    const [first, another] = seen;
    if (first === undefined || (another === undefined && this.gaps.length === 0)) return first;
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
        seen.filter(({ origin: { netns = '' } }) => this.present?.has(netns) !== false),
      ),
      ...(opened.length === seen.length && { activeOpens: opened.reduce((sum, count) => sum + count, 0) }),
      ...(told && { endsTold: told }),
      ...(seen.some(({ counted }) => counted) && { counted: seen.flatMap(({ counted = [] }) => counted) }),
      ...(longest.apartMs !== undefined && { apartMs: longest.apartMs }),
      gaps: [...this.gaps, ...distinct(seen.flatMap(({ gaps }) => gaps))],
    };
  }

  private watchOf({ origin: { netns = '' } }: Observation): PoolWatch {
    const known = this.watches.get(netns) ?? new PoolWatch(this.filter);
    this.watches.set(netns, known);
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
