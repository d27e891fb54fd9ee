import { directionFinder, listenerFinder } from '../../model/direction.js';
import { type Endpoint, formatEndpoint } from '../../model/endpoint.js';
import type { PoolDirection } from '../../model/pools.js';
import type { Owner } from '../../model/sockets.js';
import { ROW_FLAGS, type SocketTable } from '../../model/table.js';

/** Who a connection belongs to, and its fixed end: the listener of what came in, the remote of what went out. */
export interface End {
  readonly owner: Owner | 'none' | 'unknown';
  readonly direction: PoolDirection;
  readonly end: Endpoint;
}

export function ownerAt(table: SocketTable, row: number): End['owner'] {
  const owners = table.ownersAt(row);
  if (owners === undefined) return 'unknown';
  return (
    owners.reduce<Owner | undefined>((best, one) => (best && best.pid <= one.pid ? best : one), undefined) ??
    'none'
  );
}

/** Asked only for the few rows that are told about: it makes objects. */
export function endFinder(table: SocketTable): (row: number) => End | undefined {
  const directionOf = directionFinder(table);
  const listenerOf = listenerFinder(table);
  return (row) => {
    const owner = ownerAt(table, row);
    const listener = directionOf(row) === 'inbound' ? listenerOf(row) : undefined;
    if (listener !== undefined) return { owner, direction: 'inbound', end: table.row(listener).local };
    const { remote } = table.row(row);
    return remote === undefined ? undefined : { owner, direction: 'outbound', end: remote };
  };
}

export const pidOf = (owner: End['owner']): number | string =>
  typeof owner === 'object' ? owner.pid : owner;

export const endKey = ({ owner, direction, end }: End): string =>
  `${pidOf(owner)} ${direction} ${formatEndpoint(end)}`;

/** Beyond this a cookie is the address of a socket in an old kernel, and no number holds it. */
const EXACT_HIGH = 2 ** 20;

/** What names the same socket at every look: its cookie, or its addresses where the source has none. */
export function socketKey(table: SocketTable, row: number): number | string {
  const high = table.cookieHigh[row] ?? 0;
  const low = table.cookieLow[row] ?? 0;
  if (((table.flags[row] ?? 0) & ROW_FLAGS.cookie) !== 0)
    return high < EXACT_HIGH ? high * 2 ** 32 + low : `${high}/${low}`;
  const { local, remote } = table.row(row);
  return `${formatEndpoint(local)} ${remote === undefined ? '' : formatEndpoint(remote)}`;
}
