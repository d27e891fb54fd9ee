import { CLOSE_WAIT, ESTABLISHED } from '../analyze/codes.js';
import { count, counted } from '../analyze/words.js';
import type { IpAddress } from '../model/ip.js';
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
  listeners: readonly Listener[],
  from: Holders,
): Left | undefined {
  if (scope !== 'all') return undefined;
  const byPort = addressesByPort(listeners);
  const inodes = table.column('inode');
  const left = { count: 0, unknown: 0 };
  for (let row = 0; row < table.length; row++) {
    if (table.state[row] !== ESTABLISHED && table.state[row] !== CLOSE_WAIT) continue;
    if (inodes?.[row] === 0) continue;
    const addresses = byPort.get(table.localPort[row] ?? -1);
    if (addresses === undefined || !addresses.some((words) => isAt(table, row, words))) continue;
    const owners = table.ownersAt(row);
    if (owners === undefined) left.unknown++;
    else if (owners.some(({ pid }) => from.has(pid))) left.count++;
  }
  return left;
}

/** Whether connections of it can be told apart: those of a Unix socket have no address. */
export const hasConnections = ({ local }: Listener): boolean => local.kind === 'ip';

function addressesByPort(listeners: readonly Listener[]): Map<number, IpAddress['words'][]> {
  const byPort = new Map<number, IpAddress['words'][]>();
  for (const { local } of listeners) {
    if (local.kind !== 'ip' || local.port === undefined) continue;
    const known = byPort.get(local.port);
    if (known === undefined) byPort.set(local.port, [local.address.words]);
    else known.push(local.address.words);
  }
  return byPort;
}

/** No address at all means any of them. */
const isAt = (table: SocketTable, row: number, words: IpAddress['words']): boolean =>
  words.every((word) => word === 0) || words.every((word, at) => table.localAddress[row * 4 + at] === word);

/** `12 connections are left on nginx/640` */
export function leftText({ count: known, unknown }: Left, whose: string): string {
  if (known === 0 && unknown === 0) return `no connections are left on ${whose}`;
  if (unknown === 0) return `${counted(known, 'connection')} ${known === 1 ? 'is' : 'are'} left on ${whose}`;
  return `at least ${counted(known, 'connection')} left on ${whose} (owners of ${count(unknown)} are not known)`;
}
