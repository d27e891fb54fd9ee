import type { CountedOpens, PoolFinding, PoolsSeen } from '../../model/pools.js';
import { count, counted as countOf, duration } from '../words.js';
import { fact, perSecondText } from './words.js';

/** Looks have shown hardly any: so many times as many, and enough that they are no chance. */
const UNSEEN = { times: 10, least: 20, perSecond: 2 };

/** Connections that only the kernel's counters tell of, and that no other finding explains. */
export function unseenConnections(seen: PoolsSeen, found: readonly PoolFinding[]): PoolFinding[] {
  const hasChurn = (opens: CountedOpens) =>
    opens.direction === 'outbound' &&
    found.some(
      ({ rule, pool }) =>
        rule === 'pool_churn' && pool !== undefined && seen.pools[pool]?.netns === opens.netns,
    );
  return (seen.counted ?? [])
    .filter((opens) => isUnseen(opens, seen.watchedMs) && !hasChurn(opens))
    .map((opens) => findingOf(opens, seen));
}

/** What failed and was not seen is told of by the counters of attempts. */
export function isUnseen({ counted, failed, seen }: CountedOpens, watchedMs: number): boolean {
  const missed = counted - failed - seen;
  return (
    missed >= UNSEEN.least &&
    missed >= (UNSEEN.perSecond * watchedMs) / 1000 &&
    counted - failed >= seen * UNSEEN.times
  );
}

function findingOf(opens: CountedOpens, { watchedMs, apartMs, origin, looks }: PoolsSeen): PoolFinding {
  const { direction, counted, failed, seen, ended, netns } = opens;
  const isOutbound = direction === 'outbound';
  const [what, counter] = isOutbound
    ? (['connect', 'ActiveOpens'] as const)
    : (['accepted connection', 'PassiveOpens'] as const);
  const apart = apartMs === undefined ? '' : `, ${duration(apartMs)} apart at most,`;
  const perSecond = (counted * 1000) / watchedMs;
  return {
    rule: 'unseen_connections',
    severity: 'info',
    sure: 'certain',
    subject: `namespace ${netns ?? '?'} ${isOutbound ? '>' : '<'}`,
    ...(netns !== undefined && { netns }),
    direction,
    message: `the kernel counted ${countOf(counted, what)} of this network namespace, and looks have shown ${seen === 0 ? 'none' : count(seen)} of them: what came and went between two looks left no trace, and nothing is said of it here`,
    evidence: [
      fact(
        counter,
        counted,
        'connections',
        `${counter} rose by ${count(counted)} in ${duration(watchedMs)}, ${perSecondText(perSecond)} per second; ${looks} looks${apart} have shown ${count(seen)}`,
      ),
      ...(failed > 0
        ? [
            fact(
              'AttemptFails',
              failed,
              'connects',
              `${count(failed)} of them failed, as far as AttemptFails tells`,
            ),
          ]
        : []),
      ...(ended > 0
        ? [
            fact(
              'ended_unseen',
              ended,
              'connections',
              `the kernel told of ${countOf(ended, 'end')} of connections, in either direction, that no look had shown`,
            ),
          ]
        : []),
    ],
    advice:
      origin.source === 'recording'
        ? 'record with a shorter --interval; sockwatch live shows connections as they end (e), with where they went'
        : `sockwatch live shows connections as they end (e), with where they ${isOutbound ? 'went' : 'came from'}; look more often (--interval 50ms), or at the packets (sockwatch capture)`,
  };
}
