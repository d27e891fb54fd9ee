import { isUnseen } from '../../analyze/pools/unseen.js';
import { count } from '../../analyze/words.js';
import type { Counters, Gap } from '../../model/observation.js';
import type { CountedOpens, EndsTold, Pool } from '../../model/pools.js';

/** More than this, and than were seen, are worth a word. */
const MISSED = { least: 20, perSecond: 2 };

/**
 * What the kernel counted of one namespace beside what looks have shown; nothing where counters are not known or went back. Connects that
 * failed are left out as far as they were not seen: other findings tell of them.
 */
export function countedOpens(
  first: Counters | undefined,
  last: Counters | undefined,
  pools: readonly Pool[],
  ended: number,
): readonly CountedOpens[] {
  const risen = (name: string) => (last?.[name] ?? Number.NaN) - (first?.[name] ?? Number.NaN);
  const netns = pools[0]?.netns;
  const of = (direction: CountedOpens['direction'], counter: string): CountedOpens[] => {
    const seen = opensSeen(pools, direction);
    const counted = risen(counter);
    if (!(counted >= 0)) return [];
    const failed = Math.min(counted, direction === 'outbound' ? Math.max(0, risen('AttemptFails') || 0) : 0);
    return [{ direction, counted, failed, seen, ended, ...(netns !== undefined && { netns }) }];
  };
  return [...of('outbound', 'ActiveOpens'), ...of('inbound', 'PassiveOpens')];
}

/** Opened, failed or under way, as far as looks have shown it. */
export const opensSeen = (pools: readonly Pool[], of: CountedOpens['direction']): number =>
  pools.reduce(
    (sum, { direction, connecting, past }) =>
      direction !== of ? sum : sum + past.created + (of === 'outbound' ? past.connectFailed + connecting : 0),
    0,
  );

/** Short connections that leave no TIME-WAIT here: only the kernel's counter tells of them. Where they are nearly all, it is a finding. */
export function missedOpens(
  opens: readonly CountedOpens[],
  ms: number,
  endsTold: EndsTold | undefined,
): Gap[] {
  // What the kernel counted beside those of whose end it told are connects that failed.
  if (endsTold === 'all') return [];
  const outbound = opens.find(({ direction }) => direction === 'outbound');
  if (outbound === undefined || isUnseen(outbound, ms)) return [];
  const { counted, seen } = outbound;
  const missed = counted - seen;
  if (missed < Math.max(MISSED.least, seen) || missed < (MISSED.perSecond * ms) / 1000) return [];
  const why =
    endsTold === 'some'
      ? 'some of what the kernel told of connections that ended was lost, and what leaves no TIME-WAIT either is not counted'
      : 'connections that come and go between two looks mostly leave no trace; look more often (--interval 50ms), or at the packets (sockwatch capture)';
  return [
    {
      what: 'pool_churn',
      why: `the kernel counted ${count(counted)} connects in this namespace, ${seen === 0 ? 'none was' : seen === 1 ? 'only 1 was' : `only ${count(seen)} were`} seen: ${why}`,
    },
  ];
}
