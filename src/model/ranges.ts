/** A range of the monitoring plugins: an alert outside [start, end], or inside where inverted; both ends belong to it. */
export interface Range {
  readonly start: number;
  readonly end: number;
  readonly inverted: boolean;
}

export interface Limits {
  readonly warning?: Range | undefined;
  readonly critical?: Range | undefined;
}

/** The range as text, in its shortest form: `10`, `10:`, `~:10`, `10:20`, `@10:20`. `factor` scales both ends. */
export function formatRange({ start, end, inverted }: Range, factor = 1): string {
  const at = inverted ? '@' : '';
  const last = end === Number.POSITIVE_INFINITY ? '' : formatNumber(end * factor);
  if (start === 0 && last !== '') return `${at}${last}`;
  const first = start === Number.NEGATIVE_INFINITY ? '~' : formatNumber(start * factor);
  return `${at}${first}:${last}`;
}

/** Digits, a point and a minus only, as perfdata wants it: no exponent. */
export function formatNumber(value: number): string {
  const rounded = Math.round(value * 1000) / 1000;
  if (Number.isInteger(rounded)) return BigInt(rounded).toString();
  return rounded.toFixed(3).replace(/0+$/, '');
}
