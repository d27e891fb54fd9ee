import type { TableObservation } from '../model/observation.js';
import type { Report } from '../model/report.js';
import { millis } from '../model/units.js';
import type { KeptSockets } from './state.js';

/** Under load most looks bring only the listeners: the last table with all sockets then stays. */
export function keepSockets(before: KeptSockets | undefined, look: TableObservation): KeptSockets {
  const complete = look.scope === 'all';
  if (!complete && before?.complete) return before;
  return { table: look.sockets, monotonic: look.origin.monotonic, complete };
}

export const shownSockets = (
  { table, monotonic, complete }: KeptSockets,
  now: number,
): NonNullable<Report['sockets']> => ({
  table,
  ageMs: millis(Math.max(0, now - monotonic)),
  complete,
});
