import type { Counters } from '../model/observation.js';

/** Where one of these went down, the counters are others: another boot, or another namespace. */
const NEVER_FALL = ['ListenOverflows', 'ListenDrops', 'PassiveOpens', 'ActiveOpens'];

/** How far each counter rose. `undefined`: this look is a baseline. Gauges that fell (CurrEstab) are left out. */
export function counterDeltas(before: Counters | undefined, now: Counters | undefined): Counters | undefined {
  if (before === undefined || now === undefined) return undefined;
  if (NEVER_FALL.some((name) => (now[name] ?? 0) < (before[name] ?? 0))) return undefined;
  const deltas: Record<string, number> = {};
  for (const [name, value] of Object.entries(now)) {
    const delta = value - (before[name] ?? Number.NaN);
    if (delta >= 0) deltas[name] = delta;
  }
  return deltas;
}

const U32 = 2 ** 32;

/**
 * How far a counter of a socket rose: it has 32 bits and wraps, and starts again with another socket. A fall is taken for a wrap
 * only where the rise is then small.
 */
export function dropDelta(before: number | undefined, now: number | undefined): number | undefined {
  if (before === undefined || now === undefined) return undefined;
  if (now >= before) return now - before;
  const wrapped = now - before + U32;
  return wrapped < U32 / 2 ? wrapped : undefined;
}
