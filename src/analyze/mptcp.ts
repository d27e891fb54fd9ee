import { formatEndpoint } from '../model/endpoint.js';
import type { SocketTable } from '../model/table.js';
import { MPTCP } from './codes.js';

/**
 * ss lists an MPTCP listener a second time as its first TCP subflow, with the same inode and queue (KERNEL.md 5).
 * Gives the rows without those, and the subflow of each MPTCP row: segments are dropped there.
 */
export function mergeMptcp(
  table: SocketTable,
  listeners: readonly number[],
): { readonly rows: readonly number[]; readonly subflows: ReadonlyMap<number, number> } {
  const owners = new Map<string, number>();
  for (const row of listeners) if (table.protocol[row] === MPTCP) owners.set(idOf(table, row), row);
  const subflows = new Map<number, number>();
  if (owners.size === 0) return { rows: listeners, subflows };
  const rows = listeners.filter((row) => {
    if (table.protocol[row] === MPTCP) return true;
    const owner = isSubflow(table, row) ? owners.get(idOf(table, row)) : undefined;
    if (owner !== undefined) subflows.set(owner, row);
    return owner === undefined;
  });
  return { rows, subflows };
}

/** Without inodes only the flag tells a subflow from another listener at the same address. */
const isSubflow = (table: SocketTable, row: number) =>
  table.get('inode', row) !== undefined || table.hasFlag(row, 'mptcpSubflow');

const idOf = (table: SocketTable, row: number) =>
  String(table.get('inode', row) ?? formatEndpoint(table.row(row).local));
