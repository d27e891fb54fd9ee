import { type Millis, millis } from '../model/units.js';

/** Lengths of a queue by time (monotonic), oldest first: at each look, and the highest that samples saw between two looks. */
export type History = readonly HistoryPoint[];
type HistoryPoint = readonly [monotonic: number, length: number, isSampled?: boolean];

const MOST_POINTS = 300;
const SLOPE_MS = 5000;

/** Adds a look. Points closer than a 300th of the history become one, with the higher length: a fast pace needs no more memory. */
export function addPoint(
  history: History,
  monotonic: number,
  length: number,
  keptMs: number,
  isSampled = false,
): History {
  const from = history.findIndex(([time]) => time >= monotonic - keptMs);
  const kept: HistoryPoint[] = from < 0 ? [] : history.slice(from);
  const [lastTime, lastLength] = kept.at(-1) ?? [];
  const beforeLast = kept.at(-2)?.[0];
  const isDense = beforeLast !== undefined && monotonic - beforeLast < keptMs / MOST_POINTS;
  if (isDense && lastTime !== undefined && lastLength !== undefined) {
    kept[kept.length - 1] = [monotonic, Math.max(length, lastLength)];
  } else kept.push(isSampled ? [monotonic, length, true] : [monotonic, length]);
  return kept;
}

export interface Peak {
  readonly length: number;
  readonly agoMs: Millis;
  /** How long the looks around it saw at least half of it. */
  readonly lastedMs: Millis;
}

/** Highest length of the last `withinMs`; the newest where several are as high. */
export function peakOf(history: History, monotonic: number, withinMs = Number.POSITIVE_INFINITY): Peak {
  let at = -1;
  let length = 0;
  for (const [index, point] of history.entries()) {
    if (point[1] < length || monotonic - point[0] > withinMs) continue;
    at = index;
    length = point[1];
  }
  const isHigh = (index: number) => (history[index]?.[1] ?? -1) >= length / 2;
  let [first, last] = [at, at];
  while (isHigh(first - 1)) first--;
  while (isHigh(last + 1)) last++;
  const time = (index: number) => history[index]?.[0] ?? monotonic;
  return { length, agoMs: millis(monotonic - time(at)), lastedMs: millis(time(last) - time(first)) };
}

/** Time until `free` more connections have come, at the net rate of the last seconds; `undefined` where the queue does not grow. */
export function timeToFull(history: History, free: number | undefined): Millis | undefined {
  const last = history.at(-1);
  if (last === undefined || free === undefined || free <= 0) return undefined;
  // A peak between two looks is no trend.
  const first = history.find(([time, , isSampled]) => time >= last[0] - SLOPE_MS && !isSampled) ?? last;
  const grown = last[1] - first[1];
  const time = last[0] - first[0];
  return grown > 0 && time > 0 ? millis((free / grown) * time) : undefined;
}
