import { ROW_FLAGS, type SocketTable } from '../model/table.js';

/** What makes a socket the same in the next table: its cookie, else inode and both ends. Numbers only: compared in a loop. */
export interface SocketIdentity {
  readonly hasCookie: boolean;
  readonly cookieHigh: number;
  readonly cookieLow: number;
  readonly protocol: number;
  /** The same address may be a socket in each network namespace. */
  readonly netns: string | undefined;
  readonly inode: number;
  readonly localPort: number;
  readonly remotePort: number;
  readonly addresses: readonly number[];
}

const wordsAt = (words: Uint32Array, row: number): number[] => [...words.subarray(row * 4, row * 4 + 4)];

export function identityOf(table: SocketTable, row: number): SocketIdentity {
  return {
    hasCookie: table.hasFlag(row, 'cookie'),
    cookieHigh: table.cookieHigh[row] ?? 0,
    cookieLow: table.cookieLow[row] ?? 0,
    protocol: table.protocol[row] ?? 0,
    netns: table.namespaceAt(row)?.id,
    inode: table.get('inode', row) ?? 0,
    localPort: table.localPort[row] ?? 0,
    remotePort: table.remotePort[row] ?? 0,
    addresses: [...wordsAt(table.localAddress, row), ...wordsAt(table.remoteAddress, row)],
  };
}

/** Position in `rows` of the socket, -1 where it is gone. One pass over columns; no object per row. */
export function findSocket(table: SocketTable, rows: Uint32Array, wanted: SocketIdentity): number {
  for (let position = 0; position < rows.length; position++) {
    const row = rows[position] ?? 0;
    if (table.localPort[row] !== wanted.localPort || table.remotePort[row] !== wanted.remotePort) continue;
    if (isSame(table, row, wanted)) return position;
  }
  return -1;
}

function isSame(table: SocketTable, row: number, wanted: SocketIdentity): boolean {
  if (table.protocol[row] !== wanted.protocol || table.namespaceAt(row)?.id !== wanted.netns) return false;
  if (wanted.hasCookie && ((table.flags[row] ?? 0) & ROW_FLAGS.cookie) !== 0) {
    return table.cookieLow[row] === wanted.cookieLow && table.cookieHigh[row] === wanted.cookieHigh;
  }
  for (let word = 0; word < 4; word++) {
    if (table.localAddress[row * 4 + word] !== wanted.addresses[word]) return false;
    if (table.remoteAddress[row * 4 + word] !== wanted.addresses[word + 4]) return false;
  }
  // A waiting connection has inode 0 and gets one when it is accepted: still the same 4-tuple.
  const inode = table.get('inode', row) ?? 0;
  return inode === wanted.inode || inode === 0 || wanted.inode === 0;
}
