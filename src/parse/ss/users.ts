import type { Owner } from '../../model/sockets.js';
import { CLOSE, COMMA, EQUALS, isDigit, OPEN, QUOTE, textOf } from '../bytes.js';
import type { Facts } from './facts.js';
import type { Scanner } from './scanner.js';

/** A comm has at most 15 bytes (TASK_COMM_LEN); four times that where an ss escapes it, and then without newlines. */
const COMM_LIMIT = 15;
const NAME_LIMIT = 64;
/** An SELinux context behind `proc_ctx=`. */
const CONTEXT_LIMIT = 512;

/** One `("name",pid=1,fd=2)`, in bytes. */
const entry = { nameEnd: 0, pid: 0, fd: 0, end: 0, old: false };
/** What follows the name's closing quote. */
const tail = { pid: 0, fd: 0, end: 0, old: false };

/**
 * Reads the list behind `users:` into the row's owners. False: a name holds a newline and the next line has not come yet.
 *
 * Names are not escaped: they may hold quotes, parentheses, tabs, newlines, or look like the end of an entry
 * (KERNEL.md 8). So an entry ends only where `",pid=N,fd=N)` is followed by another entry or by the end of the list.
 */
export function readUsers(line: Scanner, facts: Facts): boolean {
  const owners: Owner[] = [];
  let at = line.pos + 1;
  for (;;) {
    const found = readEntry(line, at);
    if (found === 'wait') return false;
    if (found === 'no') {
      facts.gap('("NAME",pid=N,fd=N)', line.text(at, Math.min(line.end, at + NAME_LIMIT)));
      line.pos = line.end;
      return true;
    }
    owners.push({
      pid: entry.pid,
      fd: entry.fd,
      name: facts.name(textOf(line.bytes, at + 2, entry.nameEnd)),
    });
    facts.evidence.oldUsers ||= entry.old;
    if (line.bytes[entry.end] !== COMMA) break;
    at = entry.end + 1;
  }
  facts.table.setOwners(facts.row, owners);
  line.pos = entry.end + 1;
  return true;
}

/** Takes in as many lines as a name with newlines needs, and none where even that makes no entry. */
function readEntry(line: Scanner, at: number): 'yes' | 'no' | 'wait' {
  const { lines, stop } = line;
  for (;;) {
    if (findEntry(line, at, line.lines > lines ? COMM_LIMIT : NAME_LIMIT)) return 'yes';
    if (line.end - at - 2 > COMM_LIMIT || line.bytes[at] !== OPEN) break;
    const extended = line.extend();
    if (extended === 'wait') return 'wait';
    if (extended === 'no') break;
  }
  line.shrink(lines, stop);
  return 'no';
}

function findEntry({ bytes, end }: Scanner, at: number, limit: number): boolean {
  if (bytes[at] !== OPEN || bytes[at + 1] !== QUOTE || at + 1 >= end) return false;
  const last = Math.min(end, at + 3 + limit);
  let found = false;
  for (let quote = at + 2; quote < last; quote++) {
    if (bytes[quote] !== QUOTE || !readTail(bytes, quote + 1, end)) continue;
    if (bytes[tail.end] === CLOSE && tail.end < end) {
      // The end of the list, unless a name only looks like it: then the real end comes within its length.
      found = true;
      keepEntry(quote);
    } else if (bytes[tail.end] === COMMA && nextBegins(bytes, tail.end + 1, end)) {
      keepEntry(quote);
      return true;
    }
  }
  return found;
}

function keepEntry(quote: number): void {
  entry.nameEnd = quote;
  entry.pid = tail.pid;
  entry.fd = tail.fd;
  entry.end = tail.end;
  entry.old = tail.old;
}

/** Keeps `tail` as it is. */
function nextBegins(bytes: Uint8Array, at: number, end: number): boolean {
  if (bytes[at] !== OPEN || bytes[at + 1] !== QUOTE || at + 1 >= end) return false;
  const { pid, fd, end: tailEnd, old } = tail;
  // `("` directly before `,pid=1,fd=2)`: the quote closes a name that ends in a parenthesis.
  let begins = !readTail(bytes, at + 2, end);
  if (begins && end - at > NAME_LIMIT) begins = hasTail(bytes, at + 2, end);
  Object.assign(tail, { pid, fd, end: tailEnd, old });
  return begins;
}

function hasTail(bytes: Uint8Array, from: number, end: number): boolean {
  const last = Math.min(end, from + NAME_LIMIT);
  for (let at = from; at < last; at++) if (bytes[at] === QUOTE && readTail(bytes, at + 1, end)) return true;
  return false;
}

/** `,pid=1,fd=2)` with tid, proc_ctx and sock_ctx in between, or `,1,2)` as before iproute2 4.0; fills `tail`. */
function readTail(bytes: Uint8Array, at: number, end: number): boolean {
  if (bytes[at] !== COMMA) return false;
  tail.old = isDigit(bytes[at + 1]);
  const pidEnd = tail.old ? readNumber(bytes, at + 1, end) : readField(bytes, at, end, 'pid');
  if (pidEnd < 0) return false;
  tail.pid = number;
  const fdEnd = tail.old ? oldFd(bytes, pidEnd, end) : newFd(bytes, pidEnd, end);
  if (fdEnd < 0) return false;
  tail.fd = number;
  const closing = tail.old ? fdEnd : skipContext(bytes, fdEnd, end, ',sock_ctx=', CLOSE);
  if (closing < 0 || closing >= end || bytes[closing] !== CLOSE) return false;
  tail.end = closing + 1;
  return true;
}

const oldFd = (bytes: Uint8Array, at: number, end: number): number =>
  bytes[at] === COMMA ? readNumber(bytes, at + 1, end) : -1;

function newFd(bytes: Uint8Array, at: number, end: number): number {
  const tidEnd = readField(bytes, at, end, 'tid');
  const contextEnd = skipContext(bytes, tidEnd < 0 ? at : tidEnd, end, ',proc_ctx=', COMMA);
  return contextEnd < 0 ? -1 : readField(bytes, contextEnd, end, 'fd');
}

let number = 0;

function readNumber(bytes: Uint8Array, at: number, end: number): number {
  const start = at;
  number = 0;
  for (; at < end && isDigit(bytes[at]); at++) number = number * 10 + ((bytes[at] as number) - 48);
  return at > start && at - start <= 10 ? at : -1;
}

/** `,key=digits`; the end of the digits, or -1. */
function readField(bytes: Uint8Array, at: number, end: number, key: string): number {
  const equals = at + key.length + 1;
  if (!startsWith(bytes, at + 1, key) || bytes[at] !== COMMA || bytes[equals] !== EQUALS) return -1;
  return readNumber(bytes, equals + 1, end);
}

/** Goes over `,key=CONTEXT` where it stands; a context may hold commas, so it ends before `,fd=` or at the parenthesis. */
function skipContext(bytes: Uint8Array, at: number, end: number, key: string, until: number): number {
  if (!startsWith(bytes, at, key)) return at;
  const last = Math.min(end, at + CONTEXT_LIMIT);
  for (let from = at + key.length; from < last; from++) {
    if (bytes[from] === QUOTE) return -1;
    if (bytes[from] === until && (until === CLOSE || startsWith(bytes, from, ',fd='))) return from;
  }
  return -1;
}

function startsWith(bytes: Uint8Array, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index++)
    if (bytes[at + index] !== text.charCodeAt(index)) return false;
  return true;
}
