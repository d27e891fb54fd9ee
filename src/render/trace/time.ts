import type { MomentJson } from '../../model/trace-json.js';
import type { Moment } from '../../model/trace-moment.js';

const NANOS = 1e9;
/** What Date can tell, ms. */
const MOST_MS = 8.64e15;

/** `2026-11-20T19:15:06.215291000Z`: ISO 8601 in UTC with nanoseconds. A time that no calendar has shows as seconds since 1970. */
export function isoNanos(epochSeconds: number, nanos: number): string {
  const whole = Math.floor(nanos / NANOS);
  const seconds = epochSeconds + whole;
  const rest = String(Math.round(nanos - whole * NANOS)).padStart(9, '0');
  const text = secondText(seconds);
  // A hostile capture: still a number.
  return text === undefined ? `${seconds}.${rest}` : `${text}.${rest}Z`;
}

let lastSeconds = Number.NaN;
let lastText = '';

/** `2026-11-20T19:15:06`; undefined for a time that no calendar has. */
export function secondText(seconds: number): string | undefined {
  // Connections come in the order of time: most share their second with the one before.
  if (seconds === lastSeconds) return lastText;
  const ms = seconds * 1000;
  if (!(Math.abs(ms) <= MOST_MS)) return undefined;
  lastSeconds = seconds;
  lastText = new Date(ms).toISOString().slice(0, -5);
  return lastText;
}

export const momentJson = (epochSeconds: number, { time, frame }: Moment): MomentJson => ({
  time: isoNanos(epochSeconds, time),
  frame,
});

/** Milliseconds with at most a nanosecond's digits: no noise of binary fractions. */
export const toMs = (nanos: number): number => Math.round(nanos) / 1e6;
