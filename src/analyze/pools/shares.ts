import type { NewShare, Pool } from '../../model/pools.js';
import { ratio } from '../../model/units.js';

/**
 * Which share of the new connections of a service went to each of its backends (pools of one group), over the watch and in each part of it: what a rolling or a
 * canary deploy changes. `undefined` for a pool that is alone, or where none came.
 */
export function sharesOfNew(pools: readonly Pool[], keyOf: (pool: Pool) => string): (NewShare | undefined)[] {
  const groups = new Map<string, Pool[]>();
  for (const pool of pools) {
    const key = keyOf(pool);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [pool]);
    else group.push(pool);
  }
  return pools.map((pool) => shareOf(pool, groups.get(keyOf(pool)) ?? []));
}

function shareOf({ past }: Pool, group: readonly Pool[]): NewShare | undefined {
  const all = sum(group.map((one) => one.past.created));
  if (group.length < 2 || all === 0) return undefined;
  const byTime = past.createdByTime.map((created, span) => {
    const total = sum(group.map((one) => one.past.createdByTime[span] ?? 0));
    return total === 0 ? undefined : ratio(created / total);
  });
  return { share: ratio(past.created / all), byTime };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
