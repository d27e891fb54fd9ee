import { ROW_FLAGS } from '../../model/table.js';
import { COLON, DASH, GREATER, isBlank, LESS, OPEN, SLASH, SPACE, ZERO } from '../bytes.js';
import { columnIndex } from '../column-writer.js';
import type { Facts } from './facts.js';
import type { Scanner } from './scanner.js';
import {
  APP_LIMITED,
  CGROUP,
  CONGESTION,
  COOKIE,
  findTag,
  INODE,
  MARK,
  MEMORY,
  MPTCP_SOCKET,
  MPTCP_SUBFLOW,
  NUMBER,
  PAIR,
  RATE,
  TIMER,
  tagFirst,
  tagKind,
  tagSecond,
  ULP,
  UNACKED,
  UNKNOWN_TAG,
  USERS,
  V6ONLY,
  YOUNG,
} from './tags.js';
import { readUsers } from './users.js';
import { readMemory, readRate, readTimer } from './values.js';
import { protocolIndex, stateIndex } from './words.js';

const INODE_COLUMN = columnIndex('inode');
const UNACKED_COLUMN = columnIndex('unacked');
const MARK_COLUMN = columnIndex('mark');
const SMALL_X = 0x78;
const UNIX = protocolIndex('unix');
const TCP = protocolIndex('tcp');
const MPTCP = protocolIndex('mptcp');
const LISTEN = stateIndex('listen');
const cookie = { high: 0, low: 0 };

/**
 * Reads what stands behind the addresses, on the same line or on the next: words and `tag:value`, in any order,
 * unknown ones passed over. False: a process name goes on in a line that has not come yet.
 *
 * This loop sees nine tenths of the bytes of an output with -i: it hashes a word while it looks for its end, and reads
 * the whole numbers, which most values are, without a call.
 */
export function readDetails(line: Scanner, facts: Facts): boolean {
  const { bytes } = line;
  let at = line.pos;
  let end = line.end;
  while (at < end) {
    let byte = bytes[at] as number;
    if (byte <= SPACE) {
      at++; // a control byte is no part of any word of ss
      continue;
    }
    const start = at;
    let hash = 0;
    while (byte !== COLON && byte > SPACE) {
      hash = (Math.imul(hash, 31) + byte) | 0;
      if (++at === end) break;
      byte = bytes[at] as number;
    }
    const slot = findTag(hash);
    const kind = tagKind[slot] as number;
    if (kind === NUMBER && byte === COLON) {
      const from = ++at;
      let value = 0;
      for (; at < end; at++) {
        const digit = (bytes[at] as number) - ZERO;
        if (digit < 0 || digit > 9) break;
        value = value * 10 + digit;
      }
      if (at > from && (at === end || bytes[at] === SPACE)) {
        facts.put(tagFirst[slot] as number, value);
        continue;
      }
      at = from - 1; // a fraction, a unit, or no number
    }
    if (kind !== UNKNOWN_TAG) {
      if (!readTag(line, facts, slot, start, at)) return false;
      at = line.pos;
      end = line.end; // owners may have taken in another line
    }
    while (at < end && (bytes[at] as number) > SPACE) at++;
  }
  line.pos = at;
  return true;
}

/** Reads the value of the tag from `start` to `stop`; false: owners that are not complete yet. */
function readTag(line: Scanner, facts: Facts, slot: number, start: number, stop: number): boolean {
  const kind = tagKind[slot] as number;
  line.pos = stop < line.end && line.bytes[stop] === COLON ? stop + 1 : stop;
  if (kind === CONGESTION || kind === ULP || kind === MPTCP_SUBFLOW)
    facts.setWord(kind === CONGESTION ? 'congestion' : 'ulp', line, start, stop);
  if (readValue(line, facts, slot, kind)) return true;
  if (kind === USERS) return false;
  facts.gap(`a value of ${line.text(start, stop)}`, line.text(start, Math.min(line.end, stop + 40)));
  return true;
}

/** False: the value is not what the tag has (or, for users, the line is not complete). */
function readValue(line: Scanner, facts: Facts, slot: number, kind: number): boolean {
  if (kind === NUMBER) return readNumber(line, facts, tagFirst[slot] as number);
  if (kind === PAIR) return readPair(line, facts, slot);
  if (kind === RATE) {
    const rate = readRate(line);
    if (!Number.isNaN(rate)) facts.put(tagFirst[slot] as number, rate);
    return !Number.isNaN(rate);
  }
  return readSpecial(line, facts, kind);
}

function readSpecial(line: Scanner, facts: Facts, kind: number): boolean {
  switch (kind) {
    case USERS:
      return line.bytes[line.pos] !== OPEN || readUsers(line, facts);
    case TIMER:
      return readTimer(line, facts);
    case MEMORY:
      return readMemory(line, facts);
    case COOKIE:
      return readCookie(line, facts);
    case INODE:
      // On a Unix row this is the inode of the path, not of the socket.
      return facts.table.protocol[facts.row] === UNIX || readNumber(line, facts, INODE_COLUMN);
    case UNACKED:
      // On a listener the kernel puts the length of the accept queue here (tcp_get_info).
      return facts.table.state[facts.row] === LISTEN || readNumber(line, facts, UNACKED_COLUMN);
    case MARK:
      return readMark(line, facts);
    case V6ONLY:
      return readV6only(line, facts);
    case CGROUP:
      return skipCgroup(line, facts);
    default:
      return setFact(facts, kind);
  }
}

function readNumber(line: Scanner, facts: Facts, column: number): boolean {
  const value = line.decimal();
  if (Number.isNaN(value)) return false;
  facts.put(column, value);
  return true;
}

function readPair(line: Scanner, facts: Facts, slot: number): boolean {
  const first = line.decimal();
  if (Number.isNaN(first) || line.bytes[line.pos] !== SLASH) return false;
  line.pos++;
  const second = line.decimal();
  if (Number.isNaN(second)) return false;
  facts.put(tagFirst[slot] as number, first);
  facts.put(tagSecond[slot] as number, second);
  return true;
}

/** A cookie, or in old outputs the address of the socket in the kernel; 0 is none. */
function readCookie(line: Scanner, facts: Facts): boolean {
  if (!line.hex(cookie)) return false;
  const { table, row } = facts;
  if (cookie.high === 0 && cookie.low === 0) return true;
  table.cookieHigh[row] = cookie.high;
  table.cookieLow[row] = cookie.low;
  table.flags[row] = (table.flags[row] as number) | ROW_FLAGS.cookie;
  return true;
}

/** `fwmark:0x4d`. */
function readMark(line: Scanner, facts: Facts): boolean {
  if (line.bytes[line.pos] === ZERO && line.bytes[line.pos + 1] === SMALL_X) line.pos += 2;
  if (!line.hex(cookie) || cookie.high !== 0) return false;
  if (cookie.low !== 0) facts.put(MARK_COLUMN, cookie.low);
  return true;
}

/** `v6only:0` on a wildcard makes it dual stack, however it is printed (finish.ts). */
function readV6only(line: Scanner, facts: Facts): boolean {
  const value = line.integer();
  if (value !== 0 && value !== 1) return false;
  const { table, row } = facts;
  if (value === 1) table.setFlag(row, 'v6only');
  else if (isWildcardRow(facts)) {
    table.family[row] = 6;
    table.setFlag(row, 'localDualStack');
  }
  return true;
}

function isWildcardRow({ table: { localAddress }, row }: Facts): boolean {
  for (let word = row * 4; word < row * 4 + 4; word++) if (localAddress[word] !== 0) return false;
  return true;
}

/** A cgroup's path may hold blanks; then it goes up to the last `<->` or `-->` of the line. */
function skipCgroup(line: Scanner, facts: Facts): boolean {
  const { bytes, end } = line;
  facts.evidence.modernTags = true;
  while (line.pos < end && !isBlank(bytes[line.pos])) line.pos++;
  const next = line.pos + 1;
  const first = bytes[next];
  if (next >= end || first === LESS || first === DASH || line.text(next, next + 7) === 'v6only:') return true;
  if (facts.arrowSought) return true; // ss prints one: looking again for each forged one would take quadratic time
  facts.arrowSought = true;
  let at = end - 3;
  while (at > next && !isArrow(bytes, at)) at--;
  if (at > next) line.pos = at;
  return true;
}

const isArrow = (bytes: Uint8Array, at: number): boolean =>
  isBlank(bytes[at - 1]) &&
  (bytes[at] === LESS || bytes[at] === DASH) &&
  bytes[at + 1] === DASH &&
  (bytes[at + 2] === GREATER || bytes[at + 2] === DASH);

function setFact({ table, row, evidence }: Facts, kind: number): boolean {
  if (kind === YOUNG) evidence.windows = true;
  else if (kind === APP_LIMITED) table.setFlag(row, 'appLimited');
  else if (kind === MPTCP_SUBFLOW) table.setFlag(row, 'mptcpSubflow');
  else if (kind === MPTCP_SOCKET && table.protocol[row] === TCP) table.protocol[row] = MPTCP;
  return true;
}
