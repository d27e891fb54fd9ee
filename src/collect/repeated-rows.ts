import { SOCKET_STATES } from '../model/sockets.js';
import { SocketTable } from '../model/table.js';
import { copyRows } from './copy-rows.js';

const SYN_RECV = SOCKET_STATES.indexOf('syn-recv');

/**
 * A request that is completed between two lists of the kernel is in both, first as SYN-RECV: its cookie goes over to the connection
 * (net/ipv4/inet_connection_sock.c). Gives the table without such requests; almost always the same one.
 */
export function withoutRepeated(table: SocketTable): SocketTable {
  const requests = new Map<number, number>();
  for (let row = 0; row < table.length; row++)
    if (table.state[row] === SYN_RECV && table.hasFlag(row, 'cookie'))
      requests.set(cookieOf(table, row), row);
  if (requests.size === 0) return table;
  const repeated = new Set<number>();
  for (let row = 0; row < table.length; row++) {
    if (table.state[row] === SYN_RECV || !table.hasFlag(row, 'cookie')) continue;
    const request = requests.get(cookieOf(table, row));
    if (request !== undefined && table.protocol[request] === table.protocol[row]) repeated.add(request);
  }
  if (repeated.size === 0) return table;
  const rest = new SocketTable();
  rest.reserve(table.length);
  copyRows(table, rest, (row) => !repeated.has(row));
  return rest;
}

/** Cookies count up from 1 on each processor: far below 2^53. */
const cookieOf = ({ cookieHigh, cookieLow }: SocketTable, row: number): number =>
  (cookieHigh[row] ?? 0) * 2 ** 32 + (cookieLow[row] ?? 0);
