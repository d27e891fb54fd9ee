import { SOCKET_STATES } from './sockets.js';
import type { SocketTable } from './table.js';

const LISTEN = SOCKET_STATES.indexOf('listen');
const SYN_SENT = SOCKET_STATES.indexOf('syn-sent');
const SYN_RECV = SOCKET_STATES.indexOf('syn-recv');

/** Who opened a TCP connection; `undefined` where the table cannot tell. */
export type Direction = 'inbound' | 'outbound' | undefined;

/**
 * Tells inbound from outbound: SYN-RECV and whatever has the address and port of a listener came in. Without one
 * listener in the table (`ss -tn` without -l or -a was saved) nothing else is known.
 */
export function directionFinder(table: SocketTable): (row: number) => Direction {
  const listening = listeningPorts(table);
  return (row) => {
    const state = table.state[row];
    if (state === SYN_SENT) return 'outbound';
    if (state === SYN_RECV) return 'inbound';
    if (listening.size === 0) return undefined;
    const hosts = listening.get(table.localPort[row] ?? 0);
    return hosts?.some((listener) => covers(table, listener, row)) ? 'inbound' : 'outbound';
  };
}

function listeningPorts(table: SocketTable): Map<number, number[]> {
  const ports = new Map<number, number[]>();
  for (let row = 0; row < table.length; row++) {
    if (table.state[row] !== LISTEN || table.family[row] === 0) continue;
    const port = table.localPort[row] ?? 0;
    const rows = ports.get(port);
    if (rows) rows.push(row);
    else ports.set(port, [row]);
  }
  return ports;
}

/** Whether the listener's address takes connections for the row's: the same, or the wildcard. */
function covers(table: SocketTable, listener: number, row: number): boolean {
  const word = (of: number, index: number) => table.localAddress[of * 4 + index];
  const wildcard = [0, 1, 2, 3].every((index) => word(listener, index) === 0);
  return wildcard || [0, 1, 2, 3].every((index) => word(listener, index) === word(row, index));
}
