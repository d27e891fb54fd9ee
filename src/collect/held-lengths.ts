import { PROTOCOLS, SOCKET_STATES } from '../model/sockets.js';
import { ROW_FLAGS, type SocketTable } from '../model/table.js';

const LISTEN = SOCKET_STATES.indexOf('listen');
const UNIX = PROTOCOLS.indexOf('unix');

const isListener = ({ state, protocol }: SocketTable, row: number): boolean =>
  state[row] === LISTEN && protocol[row] !== UNIX;

/** Somebody waits at a listener of TCP or MPTCP. */
export function hasQueue(table: SocketTable): boolean {
  for (let row = 0; row < table.length; row++)
    if (isListener(table, row) && (table.recvQueue[row] ?? 0) > 0) return true;
  return false;
}

/**
 * Lengths of queues are read first, and who waits some milliseconds later: what was accepted between would be taken for clients that
 * have reset. Marks the listeners of `table` that `again`, read last, has with the same length.
 */
export function markHeldLengths(table: SocketTable, again: SocketTable): void {
  const lengths = new Map<string, number>();
  for (let row = 0; row < again.length; row++)
    if (isListener(again, row) && again.hasFlag(row, 'cookie'))
      lengths.set(idOf(again, row), again.recvQueue[row] ?? 0);
  for (let row = 0; row < table.length; row++) {
    if (!isListener(table, row) || !table.hasFlag(row, 'cookie')) continue;
    if (lengths.get(idOf(table, row)) === table.recvQueue[row])
      table.flags[row] = (table.flags[row] ?? 0) | ROW_FLAGS.lengthHeld;
  }
}

const idOf = ({ protocol, cookieHigh, cookieLow }: SocketTable, row: number): string =>
  `${protocol[row]} ${cookieHigh[row]} ${cookieLow[row]}`;
