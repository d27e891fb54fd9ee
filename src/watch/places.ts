import { formatEndpoint } from '../model/endpoint.js';
import type { Listener } from '../model/listener.js';
import { type Hand, type Holders, withoutManagers } from './holders.js';

/** The listeners of one address, one or a SO_REUSEPORT group. */
export type Members = readonly [Listener, ...Listener[]];

/** One address with its listeners, and the processes behind them. */
export interface Place {
  readonly listener: Listener;
  /** At the last look that showed some. */
  readonly keys: ReadonlySet<string>;
  /** Whose holders are `holders`; those that were there first, where nobody has known yet who holds them. */
  readonly held: ReadonlySet<string>;
  /** At the last look that showed them; empty: not known. */
  readonly holders: Holders;
  /** Those who were there before the others came: once all of them have left, it was taken over. */
  readonly settled: Holders;
  /** Since when (monotonic) there are others; absent: there are none. */
  readonly joinedAt?: number | undefined;
  /** Since when (monotonic) none of `held` is there any more, and who holds those that are is not known. */
  readonly othersSince?: number | undefined;
  readonly seen: number;
  readonly goneLooks: number;
  /** Monotonic, of the first look of these. */
  readonly missedAt?: number | undefined;
  /** Since when (monotonic) its coming is kept back until its owners are known. */
  readonly untold?: number | undefined;
}

export const keysOf = (members: readonly Listener[]): ReadonlySet<string> =>
  new Set(members.map(({ key }) => key));

/** Listeners by the name of their place. */
export function byPlace(
  listeners: readonly Listener[],
  before: ReadonlyMap<string, Place> = new Map(),
): Map<string, [Listener, ...Listener[]]> {
  const known = unixNames(before);
  const places = new Map<string, [Listener, ...Listener[]]>();
  for (const listener of listeners) {
    const name =
      listener.protocol === 'unix'
        ? (known.get(listener.key) ?? unixName(listener))
        : `ip ${formatEndpoint(listener.local)}`;
    const members = places.get(name);
    if (members === undefined) places.set(name, [listener]);
    else members.push(listener);
  }
  return places;
}

/** A socket stays where it was told of first, also when more is known of it later. */
function unixNames(before: ReadonlyMap<string, Place>): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [name, { listener, keys, untold }] of before)
    if (listener.protocol === 'unix' && untold === undefined) for (const key of keys) names.set(key, name);
  return names;
}

/** By key, since when (monotonic) they have been there: those that wait until their owners, and so their places, are known. */
export function untoldSince(before: ReadonlyMap<string, Place> = new Map()): ReadonlyMap<string, number> {
  const since = new Map<string, number>();
  for (const { keys, untold } of before.values())
    if (untold !== undefined) for (const key of keys) since.set(key, untold);
  return since;
}

/**
 * Those without a name have nothing in common. A path is of a mount namespace, not of a network namespace: containers that share a network, and
 * units with mounts of their own, each have their own file there. Of whom it is unknown where they live nobody has taken over from.
 */
function unixName({ local, owners, home, key }: Listener): string {
  const text = formatEndpoint(local);
  if (text === '') return key;
  if (local.kind === 'unix' && local.path.startsWith('@')) return `unix ${text}`;
  if (owners === undefined || owners.length === 0) return key;
  return `unix ${home?.container?.id ?? ''} ${home?.mountNamespace ?? ''} ${text}`;
}

/** A path in mounts of its process alone, as PrivateTmp= makes them: those of a container last from process to process. */
export const isUnderOwnMounts = ({ local, home }: Listener): boolean =>
  local.kind === 'unix' &&
  local.path.startsWith('/') &&
  home?.mountNamespace !== undefined &&
  home.container === undefined;

/** `undefined` where the owners of any of them are not known, or it has none that can be seen. */
export function holdersOf(members: readonly Listener[]): Holders | undefined {
  const holders = new Map<number, Hand>();
  for (const { owners } of members) {
    if (owners === undefined || owners.length === 0) return undefined;
    for (const { pid, name } of owners) holders.set(pid, { pid, name });
  }
  return withoutManagers(holders);
}
