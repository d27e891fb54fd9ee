import type { Change } from '../model/changes.js';
import { formatEndpoint } from '../model/endpoint.js';
import type { Listener } from '../model/listener.js';
import { type HandsLook, HandsTeller, PATIENCE_MS, type PendingHandOver } from './hands-teller.js';
import { type Hand, type Holders, ownersText, withoutManagers } from './holders.js';

/** One address with its listeners, one or a SO_REUSEPORT group, and the processes behind them. */
interface Place {
  readonly listener: Listener;
  readonly keys: ReadonlySet<string>;
  /** At the last look that showed them. */
  readonly holders: Holders;
  /** Those who were there before the others came: once all of them have left, it was taken over. */
  readonly settled: Holders;
  /** Since when (monotonic) there are others; absent: there are none. */
  readonly joinedAt?: number | undefined;
  readonly seen: number;
  readonly goneLooks: number;
  /** Since when (monotonic) its coming is kept back until its owners are known. */
  readonly untold?: number | undefined;
}

/** Who holds which listeners, from look to look. */
export interface HandsState {
  readonly places: ReadonlyMap<string, Place>;
  readonly pending: readonly PendingHandOver[];
}

/** A listener may be missed by one look: the kernel's dump is not atomic (KERNEL.md 8). */
const GONE_LOOKS = 2;
/** Who comes back to an address within this time has taken it over from whoever was there. */
const REMEMBER_MS = 10_000;
/** Two processes that have shared an address for so long are no hand-over any more. */
const SETTLE_MS = 600_000;
/**
 * Follows the owners of listeners. The first look is what there is. A set of workers that changes while their master, or anybody else who
 * was there before, still holds the very same socket is no change: nginx reloads so. Owners that are unknown prove nothing.
 */
export function followHands(
  before: HandsState | undefined,
  look: HandsLook,
): { readonly state: HandsState; readonly changes: readonly Change[] } {
  const teller = new HandsTeller(look);
  const places = new Map<string, Place>();
  for (const [name, members] of byPlace(look.listeners, before?.places)) {
    const last = before?.places.get(name);
    const isLate = last !== undefined && isForgotten(last, members, look);
    // Nobody has heard of its end yet.
    if (isLate && last.goneLooks < GONE_LOOKS) missing({ ...last, goneLooks: GONE_LOOKS - 1 }, look, teller);
    const known = isLate ? undefined : last;
    const now = holdersOf(members);
    places.set(
      name,
      known === undefined
        ? begin(members, now, look, before === undefined ? undefined : teller)
        : advance(known, members, now, look, teller),
    );
  }
  for (const [name, place] of before?.places ?? []) {
    const left = places.has(name) ? undefined : missing(place, look, teller);
    if (left !== undefined) places.set(name, left);
  }
  const pending = teller.settle(before?.pending ?? []);
  return { state: { places, pending }, changes: teller.told() };
}

/** Looks may be further apart than what is remembered: another socket that comes so late has not taken over from anybody. */
const isForgotten = (
  { goneLooks, seen, keys }: Place,
  members: readonly Listener[],
  { monotonic }: HandsLook,
): boolean => goneLooks > 0 && monotonic - seen > REMEMBER_MS && !members.some(({ key }) => keys.has(key));

function byPlace(
  listeners: readonly Listener[],
  before: HandsState['places'] | undefined,
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

/** A socket stays where it was seen first, also when more is known of it later. */
function unixNames(before: HandsState['places'] = new Map()): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [name, { listener, keys }] of before)
    if (listener.protocol === 'unix') for (const key of keys) names.set(key, name);
  return names;
}

/**
 * Those without a name have nothing in common. A path is of a mount namespace, not of a network namespace: containers that share a network each have
 * their own, and of whom it is unknown where they live nobody has taken over from.
 */
function unixName({ local, owners, home, key }: Listener): string {
  const text = formatEndpoint(local);
  if (text === '') return key;
  if (local.kind === 'unix' && local.path.startsWith('@')) return `unix ${text}`;
  return owners === undefined || owners.length === 0 ? key : `unix ${home?.container?.id ?? ''} ${text}`;
}

/** `undefined` where the owners of any of them are not known, or it has none that can be seen. */
function holdersOf(members: readonly Listener[]): Holders | undefined {
  const holders = new Map<number, Hand>();
  for (const { owners } of members) {
    if (owners === undefined || owners.length === 0) return undefined;
    for (const { pid, name } of owners) holders.set(pid, { pid, name });
  }
  return withoutManagers(holders);
}

const NOBODY: Holders = new Map();

function begin(
  members: readonly [Listener, ...Listener[]],
  holders: Holders = NOBODY,
  { monotonic }: HandsLook,
  teller: HandsTeller | undefined,
): Place {
  const [listener] = members;
  const place = { listener, keys: keysOf(members), holders, settled: holders, seen: monotonic, goneLooks: 0 };
  if (teller === undefined) return place;
  if (holders.size === 0) return { ...place, untold: monotonic };
  teller.tell('listener', listener, listensText(holders, 'now'));
  return place;
}

/** `nginx/812 listens now`; `nginx/812 and 2 more listen now`. */
const listensText = (holders: Holders, how: string): string =>
  `${ownersText(holders)} ${holders.size === 1 ? 'listens' : 'listen'} ${how}`;

const keysOf = (members: readonly Listener[]) => new Set(members.map(({ key }) => key));

function advance(
  place: Place,
  members: readonly [Listener, ...Listener[]],
  now: Holders | undefined,
  look: HandsLook,
  teller: HandsTeller,
): Place {
  const [listener] = members;
  const keys = keysOf(members);
  const seen = { ...place, listener, keys, seen: look.monotonic, goneLooks: 0 };
  const wasGone = place.goneLooks >= GONE_LOOKS;
  if (place.untold !== undefined) return tellLate({ ...seen, untold: place.untold }, now, teller);
  if (now === undefined) return seen;
  const { settled, holders } = place;
  if (settled.size === 0) return { ...seen, holders: now, settled: now };
  const stays = [...settled.keys()].some((pid) => now.has(pid));
  if (!stays) {
    const away = place.goneLooks > 0 ? look.monotonic - place.seen : undefined;
    teller.handOver(listener, settled, now, away);
    return { ...seen, holders: now, settled: now, joinedAt: undefined };
  }
  if (wasGone) teller.tell('listener', listener, listensText(now, 'again'));
  else tellOwners(place, seen, now, teller);
  return settleJoiners({ ...seen, holders: now }, holders, look.monotonic);
}

/** Those who came later belong to it once they have been there for long; those who have left do not any more. */
function settleJoiners(place: Place, before: Holders, monotonic: number): Place {
  const { holders } = place;
  const joiners = [...holders.keys()].filter((pid) => !place.settled.has(pid));
  if (joiners.length === 0) return { ...place, joinedAt: undefined };
  const joinedAt = joiners.some((pid) => before.has(pid)) ? (place.joinedAt ?? monotonic) : monotonic;
  return monotonic - joinedAt < SETTLE_MS
    ? { ...place, joinedAt }
    : { ...place, settled: holders, joinedAt: undefined };
}

/** Its owners were not known when it came. */
function tellLate(place: Place & { untold: number }, now: Holders | undefined, teller: HandsTeller): Place {
  if (now === undefined && place.seen - place.untold < PATIENCE_MS) return place;
  const { untold: _, ...rest } = place;
  teller.tell('listener', place.listener, now === undefined ? 'listens now' : listensText(now, 'now'));
  return { ...rest, holders: now ?? NOBODY, settled: now ?? NOBODY };
}

function tellOwners(before: Place, { listener, keys }: Place, now: Holders, teller: HandsTeller): void {
  for (const [pid, { name }] of now) {
    const was = before.holders.get(pid)?.name;
    if (was !== undefined && was !== name)
      teller.tell('owner', listener, `${was}/${pid} is ${name}/${pid} now`);
  }
  // With the very same sockets only the workers behind them have changed.
  const isSame = keys.size === before.keys.size && [...keys].every((key) => before.keys.has(key));
  if (isSame) return;
  const came = without(now, before.holders);
  const went = without(before.holders, now);
  if (came.size > 0)
    teller.tell('owner', listener, listensText(came, `there too, beside ${ownersText(before.holders)}`));
  if (went.size > 0)
    teller.tell(
      'owner',
      listener,
      `${listensText(went, 'there no more')}, ${ownersText(now)} ${now.size === 1 ? 'does' : 'do'}`,
    );
}

const without = (from: Holders, others: Holders): Holders =>
  new Map([...from].filter(([pid]) => !others.has(pid)));

/** `undefined`: gone for so long that nobody takes over from it. */
function missing(place: Place, { monotonic }: HandsLook, teller: HandsTeller): Place | undefined {
  const goneLooks = place.goneLooks + 1;
  const was = place.holders.size === 0 ? '' : ` (was ${ownersText(place.holders)})`;
  // What nobody heard of need not be heard of now.
  if (goneLooks === GONE_LOOKS && place.untold === undefined)
    teller.tell('listener', place.listener, `listens no more${was}`);
  const isOver = goneLooks > GONE_LOOKS && monotonic - place.seen > REMEMBER_MS;
  return isOver || (place.untold !== undefined && goneLooks >= GONE_LOOKS)
    ? undefined
    : { ...place, goneLooks };
}
