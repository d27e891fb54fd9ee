import { CLOSE_WAIT, ESTABLISHED } from '../analyze/codes.js';
import { count, counted } from '../analyze/words.js';
import type { Listener } from '../model/listener.js';
import type { Scope } from '../model/observation.js';
import type { SocketTable } from '../model/table.js';
import type { Holders } from './holders.js';

/** Connections of an address that are still with the processes that had it before. */
export interface Left {
  readonly count: number;
  /** Connections whose owner is not known (yet). */
  readonly unknown: number;
}

/** `undefined` where the look did not ask for all connections. Those that wait for accept() belong to nobody. */
export function countLeft(
  { table, scope }: { readonly table: SocketTable; readonly scope: Scope },
  { local }: Listener,
  from: Holders,
): Left | undefined {
  if (scope !== 'all' || local.kind !== 'ip') return undefined;
  const inodes = table.column('inode');
  const isAny = local.address.words.every((word) => word === 0);
  const left = { count: 0, unknown: 0 };
  for (let row = 0; row < table.length; row++) {
    if (table.localPort[row] !== local.port || inodes?.[row] === 0) continue;
    if (table.state[row] !== ESTABLISHED && table.state[row] !== CLOSE_WAIT) continue;
    if (!isAny && local.address.words.some((word, at) => table.localAddress[row * 4 + at] !== word)) continue;
    const owners = table.ownersAt(row);
    if (owners === undefined) left.unknown++;
    else if (owners.some(({ pid }) => from.has(pid))) left.count++;
  }
  return left;
}

/** `12 connections are left on nginx/640` */
export function leftText({ count: known, unknown }: Left, whose: string): string {
  if (known === 0 && unknown === 0) return `no connections are left on ${whose}`;
  if (unknown === 0) return `${counted(known, 'connection')} ${known === 1 ? 'is' : 'are'} left on ${whose}`;
  return `at least ${counted(known, 'connection')} left on ${whose} (owners of ${count(unknown)} are not known)`;
}
