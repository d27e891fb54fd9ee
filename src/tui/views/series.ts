import type { Glyphs } from '../glyphs.js';
import { type Line, span } from '../spans.js';

/** Value at some time before now; `undefined` = unknown. */
export type Sample = readonly [msBefore: number, value: number | undefined];

export const HISTORY_MS = 60_000;

/**
 * The highest value in each of `cells` equal parts of the last minute, oldest first. A part without a look repeats
 * the one before it, so that a slow pace leaves no holes; before the first look it is unknown.
 */
export function resample(samples: readonly Sample[], cells: number): (number | undefined)[] {
  const out = new Array<number | undefined>(cells).fill(undefined);
  const seen = new Array<boolean>(cells).fill(false);
  for (const [msBefore, value] of samples) {
    if (msBefore > HISTORY_MS) continue;
    const cell = Math.min(cells - 1, Math.floor(((HISTORY_MS - msBefore) / HISTORY_MS) * cells));
    if (cell < 0) continue;
    seen[cell] = true;
    if (value !== undefined) out[cell] = Math.max(out[cell] ?? 0, value);
  }
  for (let cell = 1; cell < cells; cell++) {
    if (!seen[cell] && out[cell] === undefined) out[cell] = out[cell - 1];
  }
  return out;
}

/** One character per value, zero at the lowest level and anything more above it; unknown is a space. */
export function sparkline(values: readonly (number | undefined)[], most: number, glyphs: Glyphs): string {
  return values.map((value) => levelOf(value, most, glyphs)).join('');
}

function levelOf(value: number | undefined, most: number, { levels }: Glyphs): string {
  if (value === undefined) return ' ';
  const top = levels.length - 1;
  if (value <= 0) return levels[0] ?? ' ';
  const level = value >= most ? top : 1 + Math.floor((value / most) * (top - 1));
  return levels[Math.min(level, top)] ?? ' ';
}

export const sparkCell = (
  samples: readonly Sample[] | undefined,
  most: number,
  width: number,
  glyphs: Glyphs,
): Line => [span(sparkline(resample(samples ?? [], width), Math.max(most, 1), glyphs), 'fill')];
