import { ParseError } from '../model/errors.js';
import { type Millis, millis } from '../model/units.js';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** Milliseconds of `0`, `500ms`, `1s`, `1.5s`, `5m`, `2h`, `1d`. Throws ParseError that names `where` (the flag). */
export function parseDuration(text: string, where: string): Millis {
  if (text.trim() === '0') return millis(0);
  const [, amount, unit] = DURATION.exec(text.trim()) ?? [];
  const factor = UNIT_MS[unit ?? ''];
  if (amount === undefined || factor === undefined) {
    throw new ParseError(where, 'a duration such as 500ms, 1s or 5m', text);
  }
  return millis(Number(amount) * factor);
}
