import { ParseError } from '../model/errors.js';
import { type Nanos, nanos } from '../model/trace-moment.js';
import { parseDuration } from './duration.js';

/** A bound of the time that is analysed: so long after the first packet, or a moment of the calendar (seconds since 1970). */
export type Bound =
  | { readonly kind: 'after'; readonly ms: number }
  | { readonly kind: 'at'; readonly seconds: number };

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?$/;

/** @throws ParseError that names the flag */
export function parseBound(text: string, flag: string): Bound {
  const trimmed = text.trim();
  if (/^\d{9,11}(\.\d{1,9})?$/.test(trimmed)) return { kind: 'at', seconds: Number(trimmed) };
  if (!/^\d{4}-/.test(trimmed)) return { kind: 'after', ms: parseDuration(trimmed, flag) };
  // Captures are told in UTC throughout: a time without a zone is one.
  const zoned = /(Z|[+-]\d\d:\d\d)$/.test(trimmed) ? trimmed : `${trimmed}Z`;
  const ms = ISO.test(trimmed) ? Date.parse(zoned) : Number.NaN;
  if (Number.isNaN(ms)) throw new ParseError(flag, 'a time such as 5s or 2026-11-20T19:15:06Z', text);
  return { kind: 'at', seconds: ms / 1000 };
}

/** The bound in the time of the capture. `first`: of its first packet. */
export function resolveBound(bound: Bound, epochSeconds: number, first: number): Nanos {
  return nanos(bound.kind === 'after' ? first + bound.ms * 1e6 : (bound.seconds - epochSeconds) * 1e9);
}
