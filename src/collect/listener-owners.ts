import type { Gap } from '../model/observation.js';
import type { SocketTable } from '../model/table.js';
import { type Door, defaultDoor } from './options.js';
import { OwnerFinder } from './owners.js';

/** Finds the processes behind the listeners of a table that was read without owners, as long as `patienceMs` allows. Never throws. */
export async function attachListenerOwners(
  table: SocketTable,
  patienceMs: number,
  signal: AbortSignal,
  door: Partial<Door> = {},
): Promise<readonly Gap[]> {
  const finder = new OwnerFinder({ ...defaultDoor(), ...door }.proc);
  await finder.update(table, { patienceMs, signal });
  table.attachOwners(finder);
  return finder.gaps();
}
