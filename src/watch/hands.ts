import type { Change } from '../model/changes.js';
import { listensText, tellLost, tellOthers, tellOwners } from './hands-owners.js';
import { type HandsLook, HandsTeller, PATIENCE_MS, type PendingHandOver } from './hands-teller.js';
import { type Holders, ownersText } from './holders.js';
import {
  byPlace,
  holdersOf,
  isUnderOwnMounts,
  keysOf,
  type Members,
  type Place,
  untoldSince,
} from './places.js';

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
  const cameAt = untoldSince(before?.places);
  for (const [name, members] of byPlace(look.listeners, before?.places)) {
    const last = before?.places.get(name);
    const now = holdersOf(members);
    const isOther = last !== undefined && isOver(last, members, now, look);
    // Nobody has heard of its end yet.
    if (isOther && last.goneLooks < GONE_LOOKS) missing({ ...last, goneLooks: GONE_LOOKS - 1 }, look, teller);
    const known = isOther ? undefined : last;
    const since = members.reduce(
      (first, { key }) => Math.min(first, cameAt.get(key) ?? first),
      look.monotonic,
    );
    places.set(
      name,
      known === undefined
        ? begin(members, now, look, before === undefined ? undefined : teller)
        : advance(known, members, now, { ...look, since }, teller),
    );
  }
  for (const [name, place] of before?.places ?? []) {
    const left = places.has(name) ? undefined : missing(place, look, teller);
    if (left !== undefined) places.set(name, left);
  }
  const pending = teller.settle(before?.pending ?? []);
  return { state: { places, pending }, changes: teller.told() };
}

/**
 * None of its sockets is there any more, and those that are now have not taken over from anybody: looks may be further apart than what is
 * remembered, and a mount namespace that ended leaves its number to the next one. That it lives is only known by a process that was there.
 */
function isOver(
  { goneLooks, seen, keys, holders }: Place,
  members: Members,
  now: Holders | undefined,
  look: HandsLook,
): boolean {
  if (members.some(({ key }) => keys.has(key))) return false;
  if (goneLooks > 0 && look.monotonic - seen > REMEMBER_MS) return true;
  return isUnderOwnMounts(members[0]) && ![...holders.keys()].some((pid) => now?.has(pid));
}

const NOBODY: Holders = new Map();

function begin(
  members: Members,
  holders: Holders = NOBODY,
  { monotonic }: HandsLook,
  teller: HandsTeller | undefined,
): Place {
  const [listener] = members;
  const keys = keysOf(members);
  const place = { listener, keys, held: keys, holders, settled: holders, seen: monotonic, goneLooks: 0 };
  if (teller === undefined) return place;
  if (holders.size === 0) return { ...place, untold: monotonic };
  teller.tell('listener', listener, listensText(holders, 'now'));
  return place;
}

function advance(
  place: Place,
  members: Members,
  now: Holders | undefined,
  look: HandsLook & { readonly since: number },
  teller: HandsTeller,
): Place {
  const [listener] = members;
  const seen = {
    ...place,
    listener,
    keys: keysOf(members),
    seen: look.monotonic,
    goneLooks: 0,
    missedAt: undefined,
  };
  if (place.untold !== undefined) return tellLate({ ...seen, untold: place.untold }, now, teller);
  if (now === undefined) return awaitOwners(seen, teller);
  const known = { ...seen, held: seen.keys, holders: now, othersSince: undefined };
  const before = place.settled.size === 0 ? knownLate(seen, members, now, teller) : place;
  if (before === undefined) return { ...known, settled: now };
  const stays = [...before.settled.keys()].some((pid) => now.has(pid));
  if (!stays) {
    teller.handOver(listener, before.settled, now, awayOf(place, look.since));
    return { ...known, settled: now, joinedAt: undefined };
  }
  if (place.goneLooks >= GONE_LOOKS) teller.tell('listener', listener, listensText(now, 'again'));
  else tellOwners(before, seen, now, teller);
  return settleJoiners({ ...known, settled: before.settled }, before.holders, look.monotonic);
}

/** How long nobody listened, at most; `undefined` where no look saw that. */
function awayOf({ missedAt, seen }: Place, cameAt: number): number | undefined {
  return missedAt === undefined || cameAt <= missedAt ? undefined : cameAt - seen;
}

/** As if the owners of the sockets that were there first had been known then; `undefined` where none of them is left. */
function knownLate(seen: Place, members: Members, now: Holders, teller: HandsTeller): Place | undefined {
  const first = members.filter(({ key }) => seen.held.has(key));
  const holders = first.length === 0 ? undefined : holdersOf(first);
  if (holders === undefined) {
    tellOthers(seen, now, teller);
    return undefined;
  }
  tellLost(seen, holders, teller);
  return { ...seen, held: keysOf(first), holders, settled: holders };
}

/** Unknown owners prove nothing; but that others listen there is told, with them or after a while without. */
function awaitOwners(place: Place, teller: HandsTeller): Place {
  const isSome = [...place.keys].some((key) => place.held.has(key));
  if (isSome) return { ...place, othersSince: undefined };
  const { seen, othersSince = seen } = place;
  if (seen - othersSince < PATIENCE_MS) return { ...place, othersSince };
  tellOthers(place, undefined, teller);
  return { ...place, held: place.keys, holders: NOBODY, othersSince: undefined };
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
  return { ...rest, held: place.keys, holders: now ?? NOBODY, settled: now ?? NOBODY };
}

/** `undefined`: gone for so long that nobody takes over from it. */
function missing(place: Place, { monotonic }: HandsLook, teller: HandsTeller): Place | undefined {
  const goneLooks = place.goneLooks + 1;
  // Those who were known last had other sockets than those that have gone.
  const isKnown = place.holders.size > 0 && place.othersSince === undefined;
  const was = isKnown ? ` (was ${ownersText(place.holders)})` : '';
  // What nobody heard of need not be heard of now.
  if (goneLooks === GONE_LOOKS && place.untold === undefined)
    teller.tell('listener', place.listener, `listens no more${was}`);
  const isForgotten = goneLooks > GONE_LOOKS && monotonic - place.seen > REMEMBER_MS;
  return isForgotten || (place.untold !== undefined && goneLooks >= GONE_LOOKS)
    ? undefined
    : { ...place, goneLooks, missedAt: place.missedAt ?? monotonic };
}
