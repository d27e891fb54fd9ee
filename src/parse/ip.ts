import { COLON, DOT, hexValue, isDigit, ZERO } from './bytes.js';

/** Reads IPv4 text that fills `start` to `end`; -1 where it is none. */
export function readIpv4(bytes: Uint8Array, start: number, end: number): number {
  let word = 0;
  let part = 0;
  let digits = 0;
  let dots = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === DOT) {
      if (digits === 0 || dots === 3) return -1;
      word = (word << 8) | part;
      part = digits = 0;
      dots++;
    } else if (isDigit(byte)) {
      part = part * 10 + byte - ZERO;
      if (++digits > 3 || part > 255) return -1;
    } else return -1;
  }
  return dots === 3 && digits > 0 ? ((word << 8) | part) >>> 0 : -1;
}

const groups = new Uint16Array(8);

/** Reads IPv6 text (no brackets, no zone) that fills `start` to `end` into four words; false where it is none. */
export function readIpv6(bytes: Uint8Array, start: number, end: number, words: Uint32Array): boolean {
  const count = readGroups(bytes, start, end);
  if (count !== 8) return false;
  for (let word = 0; word < 4; word++)
    words[word] = (((groups[word * 2] as number) << 16) | (groups[word * 2 + 1] as number)) >>> 0;
  return true;
}

/** Fills `groups`, gives 8 for a whole address and anything else for none. */
function readGroups(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  let gap = -1;
  let at = start;
  if (bytes[at] === COLON) {
    if (bytes[at + 1] !== COLON || at + 1 >= end) return -1;
    gap = 0;
    at += 2;
  }
  while (at < end) {
    if (count === 8) return -1;
    const stop = groupEnd(bytes, at, end);
    if (stop < 0) return isIpv4Tail(bytes, at, end, count) ? closeGap(count + 2, gap) : -1;
    if (stop === at) return -1;
    groups[count++] = groupValue;
    at = stop;
    if (at === end) break;
    at++; // the colon
    if (at === end) return -1;
    if (bytes[at] === COLON) {
      if (gap >= 0) return -1;
      gap = count;
      at++;
    }
  }
  return closeGap(count, gap);
}

let groupValue = 0;

/** End of the hexadecimal group at `at` (`at` itself: no group), or -1 where an IPv4 tail begins. */
function groupEnd(bytes: Uint8Array, at: number, end: number): number {
  const start = at;
  groupValue = 0;
  for (; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === COLON) return at;
    if (byte === DOT) return -1;
    const digit = hexValue(byte);
    if (digit < 0 || at - start === 4) return start;
    groupValue = groupValue * 16 + digit;
  }
  return at;
}

function isIpv4Tail(bytes: Uint8Array, at: number, end: number, count: number): boolean {
  const word = count > 6 ? -1 : readIpv4(bytes, at, end);
  if (word < 0) return false;
  groups[count] = word >>> 16;
  groups[count + 1] = word & 0xffff;
  return true;
}

/** Moves the groups after `::` to the end and zeroes what it stands for. */
function closeGap(count: number, gap: number): number {
  if (gap < 0) return count;
  if (count > 7) return -1;
  const tail = count - gap;
  for (let index = 1; index <= tail; index++) groups[8 - index] = groups[count - index] as number;
  groups.fill(0, gap, 8 - tail);
  return 8;
}
