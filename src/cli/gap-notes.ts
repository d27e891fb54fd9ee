import type { Gap } from '../model/observation.js';
import type { Names } from '../render/names.js';

/** More of the same tells no more: the rest is counted. */
const SHOWN = 10;

/** What could not be read, a line each for stderr. */
export function gapNotes(gaps: readonly Gap[], names: Names): string[] {
  const notes = gaps.slice(0, SHOWN).map((gap) => names.sentence(`${placeOf(gap)}: ${gap.why}`));
  const more = gaps.length - SHOWN;
  return more > 0 ? [...notes, `${more} more like these: --format json lists all`] : notes;
}

/** Parsers name the line in `what` already. */
export const placeOf = ({ what, line }: Gap) =>
  line === undefined || what.endsWith(` ${line}`) ? what : `${what} line ${line}`;
