import type { HikariStats } from '../../model/hikari.js';
import type { HikariMatch, Pool } from '../../model/pools.js';
import { isDatabase } from '../../model/services.js';
import { count, counted } from '../words.js';
import { endText } from './words.js';

/**
 * Puts HikariCP's pools beside the sockets: the pool with as many connections as `total` says, or the only one there is. Pools to ports
 * of databases come first; where several fit, none is chosen. One pool of sockets goes to one pool of HikariCP.
 */
export function matchHikari(stats: readonly HikariStats[], pools: readonly Pool[]): HikariMatch[] {
  const candidates = candidatesOf(pools);
  const taken = new Set<number>();
  return stats.map((one) => {
    const free = candidates.filter((index) => !taken.has(index));
    const exact = free.filter((index) => pools[index]?.open === one.total);
    const only = stats.length === 1 ? candidates : [];
    const [chosen, ...others] = exact.length > 0 ? exact : only;
    if (chosen === undefined || others.length > 0)
      return { stats: one, disagreements: [unmatched(one, exact.length)] };
    taken.add(chosen);
    return { stats: one, pool: chosen, disagreements: disagreements(one, pools[chosen] as Pool) };
  });
}

/** Outbound pools of processes, those to databases if there are any. */
function candidatesOf(pools: readonly Pool[]): number[] {
  const outbound = [...pools.keys()].filter((index) => {
    const { direction, owner, open } = pools[index] as Pool;
    return direction === 'outbound' && owner !== 'none' && open > 0;
  });
  const databases = outbound.filter((index) => isDatabase(pools[index]?.service));
  return databases.length > 0 ? databases : outbound;
}

const unmatched = ({ name, total }: HikariStats, fitting: number): string =>
  fitting > 1
    ? `${fitting} pools have ${counted(total, 'connection')}: which of them is "${name}" cannot be told`
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
