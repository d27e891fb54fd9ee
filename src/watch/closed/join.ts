import { MPTCP, stateCode, TCP } from '../../analyze/codes.js';
import { ROW_FLAGS, type SocketTable } from '../../model/table.js';
import { RowFinder } from './row-finder.js';

const NOT_THERE = -1;
const TIME_WAIT = stateCode('time-wait');
const FIN_WAIT_2 = stateCode('fin-wait-2');

const hasCookie = (table: SocketTable, row: number): boolean =>
  ((table.flags[row] as number) & ROW_FLAGS.cookie) !== 0;

/** For each row of a batch the row of the same socket in an earlier table, by cookie; -1 where it was not there. */
export function joinByCookie(batch: SocketTable, table: SocketTable | undefined): Int32Array {
  const joined = new Int32Array(batch.length).fill(NOT_THERE);
  if (table === undefined || table.length === 0 || batch.length === 0) return joined;
  const finder = new RowFinder(batch.length);
  for (let row = 0; row < batch.length; row++)
    if (hasCookie(batch, row)) finder.add(batch.cookieLow[row] as number, row);
  for (let row = 0; row < table.length; row++) {
    if (!hasCookie(table, row) || table.protocol[row] !== TCP) continue;
    const high = table.cookieHigh[row];
    const found = finder.find(table.cookieLow[row] as number, (one) => batch.cookieHigh[one] === high);
    if (found !== NOT_THERE) joined[found] = row;
  }
  return joined;
}

/** Which rows of a batch a later table has left as TIME-WAIT (or a FIN-WAIT-2 without a socket): this side closed those first. */
export function leftWaiting(batch: SocketTable, table: SocketTable): Uint8Array {
  const left = new Uint8Array(batch.length);
  if (batch.length === 0 || table.length === 0) return left;
  const finder = new RowFinder(batch.length);
  for (let row = 0; row < batch.length; row++) finder.add(tupleHash(batch, row), row);
  for (let row = 0; row < table.length; row++) {
    const state = table.state[row];
    if (state !== TIME_WAIT && state !== FIN_WAIT_2) continue;
    if (table.protocol[row] !== TCP && table.protocol[row] !== MPTCP) continue;
    // A connection may have been followed by another with the same ends: both were closed here.
    finder.find(tupleHash(table, row), (one) => {
      if (isSameTuple(batch, one, table, row)) left[one] = 1;
      return false;
    });
  }
  return left;
}

function tupleHash({ localAddress, remoteAddress, localPort, remotePort }: SocketTable, row: number): number {
  let hash = ((localPort[row] as number) << 16) ^ (remotePort[row] as number);
  for (let word = row * 4; word < row * 4 + 4; word++) {
    hash = Math.imul(hash ^ (localAddress[word] as number), 0x01000193);
    hash = Math.imul(hash ^ (remoteAddress[word] as number), 0x85ebca6b);
  }
  return hash >>> 0;
}

function isSameTuple(a: SocketTable, rowA: number, b: SocketTable, rowB: number): boolean {
  if (a.localPort[rowA] !== b.localPort[rowB] || a.remotePort[rowA] !== b.remotePort[rowB]) return false;
  for (let word = 0; word < 4; word++) {
    if (a.localAddress[rowA * 4 + word] !== b.localAddress[rowB * 4 + word]) return false;
    if (a.remoteAddress[rowA * 4 + word] !== b.remoteAddress[rowB * 4 + word]) return false;
  }
  return true;
}
