import type { Rule, RuleLimits } from '../../model/findings.js';
import type { Gap } from '../../model/observation.js';
import type { Pool, PoolsSeen } from '../../model/pools.js';
import { hiddenGap, hiddenSockets } from '../hidden.js';
import { counted, duration } from '../words.js';
import { isPinnedUnsurely } from './exhausted.js';
import { endText, processText } from './words.js';

/** Rules that look at one process, at how its connections are used, and at several looks (so many, over so long). */
export const POOL_RULES_OF_PROCESS: readonly Rule[] = [
  'pool_exhausted',
  'pool_waiting',
  'pool_leak',
  'pool_oversized',
  'pool_uneven',
  'reconnect_wave',
  'close_wait_leak',
];
const OF_USE: readonly Rule[] = ['pool_exhausted', 'pool_waiting', 'pool_leak', 'pool_oversized'];
const NEEDS: Partial<Record<Rule, { readonly looks: number; readonly ms: number }>> = {
  pool_exhausted: { looks: 3, ms: 1000 },
  pool_waiting: { looks: 3, ms: 1000 },
  pool_oversized: { looks: 3, ms: 1500 },
  pool_churn: { looks: 2, ms: 0 },
  reconnect_wave: { looks: 2, ms: 0 },
  pool_leak: { looks: 4, ms: 600_000 },
  close_wait_leak: { looks: 3, ms: 0 },
};

/** Rules of pools that could not be judged, and why: that nothing was found says nothing there. */
export const unjudged = (seen: PoolsSeen, wanted?: RuleLimits): Gap[] => [
  ...hiddenGap(POOL_RULES_OF_PROCESS, hiddenSockets(seen.pools)),
  ...unjudgedUse(seen, wanted),
];

/**
 * The same, but for what lacks its process. That the watch was too short is said only of what somebody waits for, as it is short for nearly
 * everything.
 */
export function unjudgedUse(seen: PoolsSeen, wanted?: RuleLimits): Gap[] {
  const isWanted = (rule: Rule) =>
    wanted !== undefined && (wanted.severity !== undefined || wanted.rules.has(rule));
  const outbound = seen.pools.filter(({ direction, open }) => direction === 'outbound' && open > 0);
  const sum = (pools: typeof outbound) => pools.reduce((all, { open }) => all + open, 0);
  const isTimeless = ({ busy }: Pool) => busy === undefined;
  const isLeftOut = ({ past }: Pool) => past.toldLooks < past.looks;
  const timeless = sum(outbound.filter((pool) => isTimeless(pool) && !isLeftOut(pool)));
  const leftOut = sum(outbound.filter((pool) => isTimeless(pool) && isLeftOut(pool)));
  const gaps: Gap[] = [];
  const add = (rules: Rule | readonly Rule[], why: string) =>
    gaps.push({ what: [rules].flat().join(', '), why: `not judged: ${why}` });
  if (timeless > 0) add(OF_USE, `the source has no times of ${counted(timeless, 'connection')}`);
  if (leftOut > 0)
    add(OF_USE, `the recording has no times of ${counted(leftOut, 'connection')} at its last look`);
  for (const pool of outbound.filter(isPinnedUnsurely))
    add(
      'pool_exhausted',
      `none of the ${counted(pool.open, 'connection')} of ${processText(pool)} to ${endText(pool)} was surely idle, but of most it cannot be told`,
    );
  for (const [rule, { looks, ms }] of Object.entries(NEEDS) as [Rule, { looks: number; ms: number }][])
    if (isWanted(rule) && (seen.looks < looks || seen.watchedMs < ms))
      add(
        rule,
        `it needs ${counted(looks, 'look')}${ms > 0 ? ` over ${duration(ms)}` : ''}, there ${seen.looks === 1 ? 'was 1' : `were ${seen.looks}`} in ${duration(seen.watchedMs)}`,
      );
  return gaps;
}
