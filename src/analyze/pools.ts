import type { Endpoint } from '../model/endpoint.js';
import { formatEndpoint, isOfNamespace } from '../model/endpoint.js';
import { severityRank } from '../model/findings.js';
import type { HikariStats } from '../model/hikari.js';
import type { Pool, PoolFinding, PoolsReport, PoolsSeen } from '../model/pools.js';
import type { PoolContext } from './pools/context.js';
import { isFresh, matchHikari } from './pools/hikari.js';
import { POOL_RULES } from './pools/rules.js';
import { leftOutOfShares, sharesOfNew } from './pools/shares.js';
import { unseenConnections } from './pools/unseen.js';
import { subjectOf } from './pools/words.js';

export interface PoolsBeside {
  /** The last line of each pool in a log of HikariCP. */
  readonly hikari?: readonly HikariStats[];
  /** The process whose log it is; else that is guessed. */
  readonly hikariPid?: number | undefined;
  /** Open descriptors and their limit, by pid. */
  readonly descriptors?: ReadonlyMap<number, { readonly open: number; readonly limit: number }>;
}

/** What is wrong with the pools of a watch, the worst first, and HikariCP's own numbers beside them. Stateless. */
export function judgePools(
  seen: PoolsSeen,
  { hikari = [], hikariPid, descriptors }: PoolsBeside = {},
): PoolsReport {
  const matches = matchHikari(hikari, seen.pools, { now: seen.origin.time, pid: hikariPid });
  const byRemote = groupBy(seen.pools, remoteKey);
  const byService = groupBy(seen.pools, serviceKey);
  const findings = seen.pools.flatMap((pool, index): PoolFinding[] => {
    const match = matches.find((one) => one.pool === index);
    const files = typeof pool.owner === 'object' ? descriptors?.get(pool.owner.pid) : undefined;
    const context: PoolContext = {
      seen,
      siblings: others(byRemote.get(remoteKey(pool)), pool),
      neighbours: others(byService.get(serviceKey(pool)), pool),
      ...(match && isFresh(match) && { hikari: match }),
      ...(files && { descriptors: files }),
    };
    return POOL_RULES.flatMap((rule) => {
      const said = rule(pool, context);
      return said === undefined ? [] : [{ ...said, subject: subjectOf(pool), pool: index }];
    });
  });
  const shares = sharesOfNew(seen.pools, groupKey);
  return ranked({
    ...seen,
    findings: [...findings, ...unseenConnections(seen, findings)],
    hikari: matches,
    shares,
    gaps: [...seen.gaps, ...leftOutOfShares(seen.pools, shares, groupKey)],
  });
}

/** The worst pools first, the others as they were. */
function ranked({ pools, findings, hikari, shares, ...rest }: PoolsReport): PoolsReport {
  const rank = new Map<number, number>();
  for (const { pool, severity } of findings)
    if (pool !== undefined) rank.set(pool, Math.max(rank.get(pool) ?? 0, 1 + severityRank(severity)));
  const order = [...pools.keys()].sort((a, b) => (rank.get(b) ?? 0) - (rank.get(a) ?? 0) || a - b);
  const places = new Map(order.map((old, place) => [old, place]));
  const placeOf = (old: number) => places.get(old) ?? old;
  return {
    ...rest,
    pools: order.map((old) => pools[old] as Pool),
    shares: order.map((old) => shares[old]),
    findings: findings
      .map((finding) => (finding.pool === undefined ? finding : { ...finding, pool: placeOf(finding.pool) }))
      .sort(
        (a, b) =>
          severityRank(b.severity) - severityRank(a.severity) ||
          (a.pool ?? pools.length) - (b.pool ?? pools.length),
      ),
    hikari: hikari.map((match) =>
      match.pool === undefined ? match : { ...match, pool: placeOf(match.pool) },
    ),
  };
}

const others = (group: readonly Pool[] | undefined, pool: Pool): readonly Pool[] =>
  (group ?? []).filter((other) => other !== pool);

/** A remote sees all of the host; a listener's address may be one in each network namespace, and so is loopback. */
const remoteKey = ({ direction, end, netns }: Pool) =>
  `${direction} ${formatEndpoint(end)} ${direction === 'inbound' || isOfNamespace(end) ? netns : ''}`;
/** Backends of one service: addresses of one network that a process connects to, or processes behind one port. */
const groupKey = (pool: Pool): string =>
  pool.direction === 'outbound' ? serviceKey(pool) : `inbound ${pool.port} ${pool.end.kind}`;

/** Addresses of one network of /24 or /64: further apart it is another service on the same port. */
function serviceKey({ direction, owner, port, end }: Pool): string {
  const pid = typeof owner === 'object' ? owner.pid : owner;
  return `${direction} ${pid} ${port} ${networkOf(end)}`;
}

function networkOf(end: Endpoint): string {
  if (end.kind === 'unix') return end.path;
  const { family, words } = end.address;
  return family === 4 ? `${(words[3] ?? 0) >>> 8}` : `${words[0]}:${words[1]}`;
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): ReadonlyMap<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
