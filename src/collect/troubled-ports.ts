import { PROTOCOLS, SOCKET_STATES } from '../model/sockets.js';
import type { SocketTable } from '../model/table.js';

const LISTEN = SOCKET_STATES.indexOf('listen');
const SYN_RECV = SOCKET_STATES.indexOf('syn-recv');
const UNIX = PROTOCOLS.indexOf('unix');
/** A filter of so many ports is cheap: the kernel compares each socket with all of them, one after the other. */
export const MOST_PORTS = 64;

/** Local ports of TCP listeners whose accept queue is not empty, the longest queues first. */
export function troubledPorts(table: SocketTable): number[] {
  const lengths = new Map<number, number>();
  for (let row = 0; row < table.length; row++) {
    const length = table.recvQueue[row] ?? 0;
    if (table.state[row] !== LISTEN || table.protocol[row] === UNIX || length === 0) continue;
    const port = table.localPort[row] ?? 0;
    lengths.set(port, Math.max(length, lengths.get(port) ?? 0));
  }
  return [...lengths].sort((a, b) => b[1] - a[1]).map(([port]) => port);
}

/** Rows that ss leaves out when it is asked for ports: Unix sockets, and SYN-RECV of the other ports. */
export function leftOutBy(ports: readonly number[], table: SocketTable): (row: number) => boolean {
  const asked = new Set(ports);
  return (row) =>
    table.protocol[row] === UNIX || (table.state[row] === SYN_RECV && !asked.has(table.localPort[row] ?? 0));
}
