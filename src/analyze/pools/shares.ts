import type { Gap } from '../../model/observation.js';
import type { NewShare, Pool } from '../../model/pools.js';
import { ratio } from '../../model/units.js';
import { counted } from '../words.js';
import { endText } from './words.js';

/**
 * Which share of the new connections of a service went to each of its backends (pools of one group), over the watch and in each part of it: what a rolling or a
 * canary deploy changes. `undefined` for a pool that is alone, or where none came. Those that came in and whose process is not known are left out.
 */
export function sharesOfNew(pools: readonly Pool[], keyOf: (pool: Pool) => string): (NewShare | undefined)[] {
  const groups = new Map<string, Pool[]>();
  for (const pool of pools) {
    if (!isKnown(pool)) continue;
    const key = keyOf(pool);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [pool]);
    else group.push(pool);
  }
  return pools.map((pool) => (isKnown(pool) ? shareOf(pool, groups.get(keyOf(pool)) ?? []) : undefined));
}

const isKnown = ({ direction, owner }: Pool): boolean =>
  direction === 'outbound' || typeof owner === 'object';

/** How many new connections of a service the shares of its backends leave out, where there are such shares. */
export function leftOutOfShares(
  pools: readonly Pool[],
  shares: readonly (NewShare | undefined)[],
  keyOf: (pool: Pool) => string,
): Gap[] {
  const shared = new Set(pools.filter((_, index) => shares[index] !== undefined).map(keyOf));
  return pools
    .filter((pool) => !isKnown(pool) && pool.past.created > 0 && shared.has(keyOf(pool)))
    .map((pool) => ({
      what: 'share of new',
      why: `of ${counted(pool.past.created, 'new connection')} on ${endText(pool)} it is not known which process accepted them: the shares are those of the others`,
    }));
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
