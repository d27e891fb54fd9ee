/** A time in which the queue was full, or had an overflow between two looks. */
export interface Episode {
  readonly start: number;
  readonly end: number;
}

const KEPT_MS = 60_000;
const SHORT_MS = 2000;
const MOST = 100;

/** Adds a look: full at two looks in a row is one episode; an overflow that no look saw is one of its own. */
export function addEpisode(
  episodes: readonly Episode[],
  monotonic: number,
  now: { readonly full: boolean; readonly wasFull: boolean; readonly overflowed: boolean },
): readonly Episode[] {
  const kept = episodes.filter(({ end }) => end >= monotonic - KEPT_MS);
  const last = kept.at(-1);
  if (now.wasFull && last !== undefined && (now.full || now.overflowed)) {
    return [...kept.slice(0, -1), { start: last.start, end: monotonic }];
  }
  if (!now.full && !now.overflowed) return kept.length === episodes.length ? episodes : kept;
  return [...kept, { start: monotonic, end: monotonic }].slice(-MOST);
}

/** Number of short episodes that are over; 0 where one of them was long: that is no burst. */
export function shortBursts(episodes: readonly Episode[], isFullNow: boolean): number {
  if (episodes.some(({ start, end }) => end - start >= SHORT_MS)) return 0;
  return Math.max(0, episodes.length - (isFullNow ? 1 : 0));
}
