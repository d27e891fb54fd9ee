import type { Status } from '../model/check.js';
import { ParseError } from '../model/errors.js';
import type { Limits, Range } from '../model/ranges.js';

const EXPECTED = 'a range such as 80, 10:, ~:80, 10:20 or @10:20';
const NUMBER = '-?(?:\\d+(?:\\.\\d*)?|\\.\\d+)';
const RANGE = new RegExp(`^(@)?(?:(~|${NUMBER})?(:))?(${NUMBER})?%?$`);

/**
 * Reads a range of the monitoring plugins (guidelines, "Threshold and ranges"): `10` is 0 to 10, `10:` is 10 and more, `~:10` is
 * 10 and less; `@` in front turns it round. A `%` at the end is allowed where limits are percentages.
 * @throws ParseError that names `where`
 */
export function parseRange(text: string, where: string): Range {
  const [, at, from, colon, to] = RANGE.exec(text.trim()) ?? [];
  if (colon === undefined && to === undefined) throw new ParseError(where, EXPECTED, text);
  const start = from === '~' ? Number.NEGATIVE_INFINITY : Number(from ?? 0) + 0; // no minus zero
  const end = to === undefined ? Number.POSITIVE_INFINITY : Number(to) + 0;
  if (start > end) throw new ParseError(where, 'a range that starts at or below its end', text);
  return { start, end, inverted: at !== undefined };
}

/** Whether the value is one that the range warns of. */
export const isAlert = ({ start, end, inverted }: Range, value: number): boolean =>
  (value >= start && value <= end) === inverted;

export function statusOf(value: number, { warning, critical }: Limits): Status {
  if (critical !== undefined && isAlert(critical, value)) return 'critical';
  return warning !== undefined && isAlert(warning, value) ? 'warning' : 'ok';
}
