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

/**
 * Finds the listener that a row came in through: the one with its very address, else the wildcard; `undefined` where the
 * table has none. Of a SO_REUSEPORT group it is the first. `of`: the table of the row, where that is another one of the same namespace.
 */
export function listenerFinder(table: SocketTable): (row: number, of?: SocketTable) => number | undefined {
  const listening = listeningPorts(table);
  return (row, of = table) => {
    const hosts = listening.get(of.localPort[row] ?? 0);
    const reaches = (listener: number) => of !== table || inReach(table, listener, row);
    return (
      hosts?.find((listener) => sameHost(table, listener, row, of) && reaches(listener)) ??
      hosts?.find((listener) => isAny(table, listener) && reaches(listener))
    );
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

/** Whether the listener's address takes connections for the row's: the same, or the wildcard, of the same network namespace. */
const covers = (table: SocketTable, listener: number, row: number): boolean =>
  inReach(table, listener, row) && (isAny(table, listener) || sameHost(table, listener, row));

const inReach = (table: SocketTable, a: number, b: number): boolean =>
  table.sections.length < 2 || table.sectionAt(a) === table.sectionAt(b);

const WORDS = [0, 1, 2, 3];

const isAny = ({ localAddress }: SocketTable, row: number): boolean =>
  WORDS.every((word) => localAddress[row * 4 + word] === 0);

const sameHost = (
  { localAddress }: SocketTable,
  a: number,
  b: number,
  { localAddress: other }: { readonly localAddress: Uint32Array } = { localAddress },
): boolean => WORDS.every((word) => localAddress[a * 4 + word] === other[b * 4 + word]);
