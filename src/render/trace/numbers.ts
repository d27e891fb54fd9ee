import { formatDuration } from '../text.js';

/** Nanoseconds for people, down to microseconds: a local handshake takes 30 µs. */
export function durationOf(nanos: number): string {
  if (!Number.isFinite(nanos)) return '?';
  if (nanos < 0) return `-${durationOf(-nanos)}`;
  if (nanos === 0) return '0';
  if (nanos < 999_500) return `${Math.max(1, Math.round(nanos / 1000))} us`;
  return formatDuration(nanos / 1e6);
}
