import type { Endpoint } from '../../model/endpoint.js';
import { formatEndpoint, isOfNamespace } from '../../model/endpoint.js';
import type { PoolsSeen, RemoteSum } from '../../model/pools.js';
import { type Connections, connections, type PerSecond, perSecond } from '../../model/units.js';
import type { RemoteTally } from './pool-book.js';

type Remotes = ReadonlyMap<number | string, RemoteTally>;

/**
 * How many connections all network namespaces of this host had open to one remote at once, at most. A limit of a server counts them together, and the
 * highest of each may have been at another time.
 */
export class RemotesOfAll {
  private highest = new Map<number | string, { readonly end: Endpoint; most: number }>();

  /** Remotes of the namespaces of one tick: those of a namespace that has gone are closed. Whatever none of them knows any more is forgotten. */
  take(all: readonly Remotes[]): void {
    const now = new Map<number | string, { readonly end: Endpoint; most: number }>();
    for (const remotes of all)
      for (const [key, { end, openNow }] of remotes) {
        const sum = now.get(key);
        if (sum === undefined) now.set(key, { end, most: openNow });
        else sum.most += openNow;
      }
    for (const [key, sum] of now) sum.most = Math.max(sum.most, this.highest.get(key)?.most ?? 0);
    this.highest = now;
  }

  /** One line for each remote; those that are another host in each namespace stay as they are, with their namespace. */
  sum(seen: readonly PoolsSeen[]): RemoteSum[] {
    const highest = new Map([...this.highest.values()].map(({ end, most }) => [formatEndpoint(end), most]));
    const groups = new Map<string, RemoteSum[]>();
    for (const { origin, pools, remotes } of seen)
      for (const remote of remotes) {
        const text = formatEndpoint(remote.end);
        const isLocal = isOfNamespace(remote.end);
        const key = isLocal ? `${origin.netns} ${text}` : text;
        const group = groups.get(key) ?? [];
        groups.set(key, group);
        const namespace = pools.find((pool) => pool.namespace !== undefined)?.namespace;
        group.push(
          isLocal
            ? {
                ...remote,
                ...(origin.netns !== undefined && { netns: origin.netns }),
                ...(namespace && { namespace }),
              }
            : remote,
        );
      }
    return [...groups.values()]
      .map((group) => sumOf(group, highest))
      .sort((a, b) => b.open - a.open || b.timeWait - a.timeWait);
  }
}

function sumOf(group: readonly RemoteSum[], highest: ReadonlyMap<string, number>): RemoteSum {
  const [first] = group;
  if (first === undefined) throw new Error('an empty group');
  const atOnce = isOfNamespace(first.end) ? 0 : (highest.get(formatEndpoint(first.end)) ?? 0);
  if (group.length === 1) return { ...first, highest: connections(Math.max(first.highest, atOnce)) };
  const total = (of: (one: RemoteSum) => number | undefined) =>
    group.reduce((sum, one) => sum + (of(one) ?? 0), 0);
  const known = (name: 'busy' | 'idle' | 'unsure') =>
    group.some((one) => one[name] !== undefined) ? { [name]: connections(total((one) => one[name])) } : {};
  const rate = (name: 'createdPerSecond' | 'closedPerSecond') =>
    group.some((one) => one[name] !== undefined) ? { [name]: perSecond(total((one) => one[name])) } : {};
  const open = total((one) => one.open);
  return {
    end: first.end,
    ...(first.service !== undefined && { service: first.service }),
    processes: total(({ processes }) => processes),
    open: connections(open),
    connecting: connections(total(({ connecting }) => connecting)),
    ...(known('busy') as { busy?: Connections }),
    ...(known('idle') as { idle?: Connections }),
    ...(known('unsure') as { unsure?: Connections }),
    timeWait: connections(total(({ timeWait }) => timeWait)),
    highest: connections(Math.max(open, atOnce, ...group.map((one) => one.highest))),
    ...(rate('createdPerSecond') as { createdPerSecond?: PerSecond }),
    ...(rate('closedPerSecond') as { closedPerSecond?: PerSecond }),
  };
}
