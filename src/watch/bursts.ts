import type { FullRuns } from '../model/samples.js';

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

/**
 * Adds the times that samples saw between two looks. One that began before this batch goes on; of several, each is taken to have lasted
 * as long as the longest.
 */
export function addSampled(
  episodes: readonly Episode[],
  { runs, firstAt, lastAt, longestMs }: FullRuns,
): readonly Episode[] {
  if (runs === 0) return extendLast(episodes, lastAt);
  const end = runs === 1 ? Math.max(lastAt, firstAt) : firstAt + longestMs;
  const added = Array.from({ length: Math.min(runs, MOST) }, () => ({ start: firstAt, end }));
  return [...episodes, ...added].slice(-MOST);
}

function extendLast(episodes: readonly Episode[], until: number): readonly Episode[] {
  const last = episodes.at(-1);
  if (last === undefined) return [{ start: until, end: until }];
  return [...episodes.slice(0, -1), { start: last.start, end: Math.max(last.end, until) }];
}

/** Number of short episodes that are over; 0 where one of them was long: that is no burst. */
export function shortBursts(episodes: readonly Episode[], isFullNow: boolean): number {
  if (episodes.some(({ start, end }) => end - start >= SHORT_MS)) return 0;
  return Math.max(0, episodes.length - (isFullNow ? 1 : 0));
}
