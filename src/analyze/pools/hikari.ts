import type { HikariStats } from '../../model/hikari.js';
import type { HikariBasis, HikariMatch, Pool } from '../../model/pools.js';
import { isDatabase } from '../../model/services.js';
import { type Millis, millis } from '../../model/units.js';
import { count, counted, duration } from '../words.js';
import { endText } from './words.js';

/** The housekeeper writes each 30 s: a line that is older says nothing of now. */
const FRESH_MS = 120_000;

interface HikariOptions {
  /** Wall clock of the last look, ms. */
  readonly now: number;
  /** The process whose log it is. */
  readonly pid?: number | undefined;
}

/**
 * Puts HikariCP's pools beside the sockets: the pool with as many connections as `total` says, or the only one there is: guesses, as the log does
 * not name its process. Pools of the process that was named, of Java, and to ports of databases come first; where several fit, none is chosen.
 * One pool of sockets goes to one pool of HikariCP.
 */
export function matchHikari(
  stats: readonly HikariStats[],
  pools: readonly Pool[],
  { now, pid }: HikariOptions,
): HikariMatch[] {
  const candidates = candidatesOf(pools, pid);
  const taken = new Set<number>();
  return stats.map((one) => {
    const ageMs = one.time === undefined ? undefined : millis(Math.abs(now - one.time));
    const age = ageMs === undefined ? {} : { ageMs };
    const free = candidates.filter((index) => !taken.has(index));
    const exact = free.filter((index) => pools[index]?.open === one.total);
    const only = stats.length === 1 ? candidates : [];
    const [chosen, ...others] = exact.length > 0 ? exact : only;
    if (chosen === undefined || others.length > 0)
      return { stats: one, ...age, disagreements: [unmatched(one, exact.length), ...oldness(ageMs)] };
    taken.add(chosen);
    const guess: HikariBasis = exact.length > 0 ? 'same_total' : 'only_pool';
    return {
      stats: one,
      pool: chosen,
      by: pid === undefined ? guess : 'process',
      ...age,
      disagreements: [...disagreements(one, pools[chosen] as Pool), ...oldness(ageMs)],
    };
  });
}

/** Whether its line tells of the time of the watch. */
export const isFresh = ({ ageMs }: HikariMatch): boolean => ageMs === undefined || ageMs <= FRESH_MS;

const oldness = (ageMs: Millis | undefined): string[] =>
  ageMs === undefined || ageMs <= FRESH_MS
    ? []
    : [`its last line is ${duration(ageMs)} away from the last look: it says nothing of now`];

/** Outbound pools of processes: of the one that was named, or of Java if there are any; of those the ones to databases if there are any. */
function candidatesOf(pools: readonly Pool[], pid: number | undefined): number[] {
  const outbound = [...pools.keys()].filter((index) => {
    const { direction, owner, open } = pools[index] as Pool;
    const isOther = pid !== undefined && !(typeof owner === 'object' && owner.pid === pid);
    return direction === 'outbound' && owner !== 'none' && open > 0 && !isOther;
  });
  const preferred = preferring(outbound, (index) => isJava(pools[index] as Pool));
  return preferring(preferred, (index) => isDatabase(pools[index]?.service));
}

function preferring(all: number[], isBetter: (index: number) => boolean): number[] {
  const better = all.filter(isBetter);
  return better.length > 0 ? better : all;
}

const isJava = ({ owner }: Pool): boolean => typeof owner === 'object' && /\bjava\b/i.test(owner.name);

const unmatched = ({ name, total }: HikariStats, fitting: number): string =>
  fitting > 1
    ? `${fitting} pools have ${counted(total, 'connection')}: which of them is "${name}" cannot be told (--hikari-pid says it)`
    : `no pool of ${counted(total, 'connection')} was seen that could be "${name}"`;

function disagreements(stats: HikariStats, pool: Pool): string[] {
  const { total, active, name } = stats;
  const said: string[] = [];
  if (total !== pool.open)
    said.push(
      `HikariCP says that "${name}" has ${counted(total, 'connection')}, the sockets to ${endText(pool)} are ${count(pool.open)}: its line is older, or there is another pool or client in the process`,
    );
  if (pool.busy !== undefined && pool.busy > active)
    said.push(
      `HikariCP says that ${count(active)} of "${name}" are active, ${count(pool.busy)} are busy on the wire: its line is older, or they are being tested or opened`,
    );
  const mayBeBusy = (pool.busy ?? active) + (pool.unsure ?? 0);
  if (mayBeBusy < active)
    said.push(
      `HikariCP says that ${count(active)} of "${name}" are active, ${count(mayBeBusy)} at most are busy on the wire: its line is older, or the application holds ${count(active - mayBeBusy)} without a request under way`,
    );
  return said;
}
