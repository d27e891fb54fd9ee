import { ROW_FLAGS, type SocketTable } from '../model/table.js';
import { CLOSE_WAIT, ESTABLISHED, LISTEN, MPTCP, SYN_RECV, TCP, UDP, UNIX } from './codes.js';

const DGRAM = 2;

/** What one pass over a table finds: row numbers only, however many connections there are. */
export interface Scan {
  readonly tcpListeners: readonly number[];
  readonly unixListeners: readonly number[];
  /** Complete, and inode 0: not yet accepted. */
  readonly waiting: readonly number[];
  readonly synRecv: readonly number[];
  /** By local port: 1 where some connection (not SYN-RECV) was listed. */
  readonly portsWithConnections: Uint8Array;
  readonly hasConnections: boolean;
  readonly hasMptcp: boolean;
}

export function scanTable(table: SocketTable): Scan {
  const { length, protocol, state, flags, localPort } = table;
  const inodes = table.column('inode');
  const portsWithConnections = new Uint8Array(65536);
  const tcpListeners: number[] = [];
  const unixListeners: number[] = [];
  const waiting: number[] = [];
  const synRecv: number[] = [];
  let hasConnections = false;
  let hasMptcp = false;
  const mptcpConnections: number[] = [];
  for (let row = 0; row < length; row++) {
    const now = state[row];
    const proto = protocol[row];
    if (proto === UNIX) {
      if (now === LISTEN && table.unixKind[row] !== DGRAM) unixListeners.push(row);
      continue;
    }
    if (proto !== TCP && proto !== MPTCP) continue;
    if (proto === MPTCP) hasMptcp = true;
    if (now === LISTEN) tcpListeners.push(row);
    else if (now === SYN_RECV) synRecv.push(row);
    else {
      hasConnections = true;
      if (proto === MPTCP) mptcpConnections.push(row);
      portsWithConnections[localPort[row] ?? 0] = 1;
      const complete = now === ESTABLISHED || now === CLOSE_WAIT;
      const subflow = ((flags[row] ?? 0) & ROW_FLAGS.mptcpSubflow) !== 0;
      if (complete && inodes?.[row] === 0 && !subflow) waiting.push(row);
    }
  }
  return {
    tcpListeners,
    unixListeners,
    waiting: mptcpConnections.length === 0 ? waiting : withoutSubflows(table, waiting, mptcpConnections),
    synRecv,
    portsWithConnections,
    hasConnections,
    hasMptcp,
  };
}

/** Older kernels tell only CAP_NET_ADMIN what is a subflow: a row of TCP with the ends of an MPTCP one is. */
function withoutSubflows(table: SocketTable, waiting: readonly number[], mptcp: readonly number[]): number[] {
  const owners = new Set(mptcp.map((row) => endsOf(table, row)));
  return waiting.filter((row) => table.protocol[row] === MPTCP || !owners.has(endsOf(table, row)));
}

const endsOf = (table: SocketTable, row: number): string => {
  const { localAddress, remoteAddress, localPort, remotePort } = table;
  const words = (addresses: Uint32Array) => addresses.subarray(row * 4, row * 4 + 4).join();
  return `${words(localAddress)} ${localPort[row]} ${words(remoteAddress)} ${remotePort[row]}`;
};

/** UDP sockets that have dropped datagrams since they were made. */
export function udpRowsWithDrops(table: SocketTable): number[] {
  const drops = table.column('drops');
  const rows: number[] = [];
  for (let row = 0; drops !== undefined && row < table.length; row++) {
    if (table.protocol[row] === UDP && (drops[row] ?? 0) > 0) rows.push(row);
  }
  return rows;
}
