/** What of an HTTP/1 head (RFC 9112) decides how its message goes on. One object, filled again for each head. */
export class Head {
  isRequest = false;
  /** 1.0 or 1.1: the digit after the point. */
  minor = 1;
  status = 0;
  methodFrom = 0;
  methodTo = 0;
  pathFrom = 0;
  pathTo = 0;
  hostFrom = 0;
  hostTo = 0;
  /** -1: none. */
  contentLength = -1;
  isChunked = false;
  closes = false;
  upgradeFrom = 0;
  upgradeTo = 0;
  hasIdempotencyKey = false;
  keepAliveSeconds = -1;
  keepAliveMost = -1;
}

const CR = 13;
const LF = 10;
const SPACE = 32;
const SLASH = 47;
const COLON = 58;
const SEMICOLON = 59;
const QUESTION = 63;
const AT = 64;

/** Whether these bytes may begin a request: a method of capital letters and a space. With fewer than 8 bytes a part of one is enough. */
export function looksLikeRequest(bytes: Uint8Array, from: number, to: number): boolean {
  const end = Math.min(to, from + 18);
  let at = from;
  while (at < end && isUpper(bytes[at] ?? 0)) at++;
  const letters = at - from;
  if (letters < 3) return false;
  if (at === end) return letters < 18 && to - from < 18;
  return bytes[at] === SPACE || (letters > 3 && bytes[at] === 45);
}

const isUpper = (byte: number): boolean => byte >= 65 && byte <= 90;

const RESPONSE = [72, 84, 84, 80, 47, 49, 46];

/** `HTTP/1.` */
export function looksLikeResponse(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from < RESPONSE.length) return false;
  for (let index = 0; index < RESPONSE.length; index++)
    if (bytes[from + index] !== RESPONSE[index]) return false;
  return true;
}

export const HEAD_NONE = -1;
export const HEAD_CUT = -2;

/**
 * Reads a head, up to the empty line behind it: the offset after that, HEAD_NONE where it is no head, HEAD_CUT where there is more to
 * come. `keepQuery`: the query stays in the path.
 */
export function readHead(
  bytes: Uint8Array,
  from: number,
  to: number,
  isRequest: boolean,
  keepQuery: boolean,
  head: Head,
): number {
  head.isRequest = isRequest;
  head.contentLength = -1;
  head.isChunked = false;
  head.closes = false;
  head.hasIdempotencyKey = false;
  head.hostFrom = head.hostTo = 0;
  head.upgradeFrom = head.upgradeTo = 0;
  head.keepAliveSeconds = head.keepAliveMost = -1;
  let end = lineEnd(bytes, from, to);
  if (end === to) return HEAD_CUT;
  if (!(isRequest ? requestLine(bytes, from, end, keepQuery, head) : statusLine(bytes, from, end, head)))
    return HEAD_NONE;
  for (let at = end + 1; ; at = end + 1) {
    end = lineEnd(bytes, at, to);
    if (end >= to) return HEAD_CUT;
    if (end === at || (end === at + 1 && bytes[at] === CR)) return end + 1;
    field(bytes, at, end, head);
  }
}

/** The next line feed, four bytes at a time: a difference of zero in one of them borrows from its highest bit. */
function lineEnd(bytes: Uint8Array, from: number, to: number): number {
  const view = viewOf(bytes);
  let at = from;
  for (; at + 4 <= to; at += 4) {
    const differences = view.getInt32(at, true) ^ 0x0a0a0a0a;
    if (((differences - 0x01010101) & ~differences & 0x80808080) !== 0) break;
  }
  while (at < to && bytes[at] !== LF) at++;
  return at;
}

let lastBytes: Uint8Array = new Uint8Array(0);
let lastView = new DataView(lastBytes.buffer);

/** Most heads lie in the same memory as the one before. */
function viewOf(bytes: Uint8Array): DataView {
  if (bytes !== lastBytes) {
    lastBytes = bytes;
    lastView = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  return lastView;
}

function requestLine(bytes: Uint8Array, from: number, end: number, keepQuery: boolean, head: Head): boolean {
  let at = from;
  while (at < end && bytes[at] !== SPACE) at++;
  head.methodFrom = from;
  head.methodTo = at;
  let last = end;
  while (last > at && bytes[last] !== SPACE) last--;
  if (last <= at || !looksLikeVersion(bytes, last + 1, end)) return false;
  head.minor = (bytes[last + 8] ?? 49) - 48;
  head.pathFrom = at + 1;
  head.pathTo = last;
  cutPath(bytes, keepQuery, head);
  return true;
}

/**
 * Without the query and the parameters of the path (`;jsessionid=`, with what follows them), and without the name and password before
 * the host of an absolute URL or of what CONNECT names.
 */
function cutPath(bytes: Uint8Array, keepQuery: boolean, head: Head): void {
  const isAbsolute = bytes[head.pathFrom] !== SLASH;
  let at = isAbsolute ? authorityEnd(bytes, head) : head.pathFrom;
  if (keepQuery) return;
  while (at < head.pathTo && bytes[at] !== QUESTION && bytes[at] !== SEMICOLON) at++;
  head.pathTo = at;
}

/** Offset of the path of `http://name:password@host/path`, or the end of `host:port`; the path then begins behind the `@`. */
function authorityEnd(bytes: Uint8Array, head: Head): number {
  let slashes = 0;
  let at = head.pathFrom;
  for (; at < head.pathTo && bytes[at] !== QUESTION; at++) {
    if (bytes[at] === SLASH && ++slashes === 3) break;
    if (bytes[at] === AT) head.pathFrom = at + 1;
  }
  return at;
}

const looksLikeVersion = (bytes: Uint8Array, from: number, end: number): boolean =>
  end - from >= 8 && bytes[from] === 72 && bytes[from + 1] === 84 && bytes[from + 4] === 47;

function statusLine(bytes: Uint8Array, from: number, end: number, head: Head): boolean {
  if (end - from < 12) return false;
  head.minor = (bytes[from + 7] ?? 49) - 48;
  head.status = number(bytes, from + 9, from + 12);
  return head.status >= 100 && head.status <= 999;
}

/** Digits; -1 where there are none. */
function number(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  let at = from;
  while (at < to && bytes[at] === SPACE) at++;
  const start = at;
  for (; at < to; at++) {
    const digit = (bytes[at] ?? 0) - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return at === start || value > Number.MAX_SAFE_INTEGER ? -1 : value;
}

/** One header line: only the names that matter, told apart by their first letter before they are compared. */
function field(bytes: Uint8Array, from: number, end: number, head: Head): void {
  switch ((bytes[from] ?? 0) | 32) {
    case 99:
      if (isField(bytes, from, 'content-length')) head.contentLength = number(bytes, from + 15, end);
      else if (isField(bytes, from, 'connection')) head.closes = contains(bytes, from + 11, end, 'close');
      return;
    case 104:
      if (!isField(bytes, from, 'host')) return;
      head.hostFrom = trimmed(bytes, from + 5, end);
      head.hostTo = trimmedEnd(bytes, head.hostFrom, end);
      // No name and password belongs there (RFC 9110 section 7.2), and some clients send them all the same.
      for (let at = head.hostFrom; at < head.hostTo; at++) if (bytes[at] === AT) head.hostFrom = at + 1;
      return;
    case 116:
      if (isField(bytes, from, 'transfer-encoding'))
        head.isChunked = contains(bytes, from + 18, end, 'chunked');
      return;
    case 117:
      if (!isField(bytes, from, 'upgrade')) return;
      head.upgradeFrom = trimmed(bytes, from + 8, end);
      head.upgradeTo = trimmedEnd(bytes, head.upgradeFrom, end);
      return;
    case 105:
      if (isField(bytes, from, 'idempotency-key')) head.hasIdempotencyKey = true;
      return;
    case 107:
      if (!isField(bytes, from, 'keep-alive')) return;
      head.keepAliveSeconds = parameter(bytes, from + 11, end, 'timeout=');
      head.keepAliveMost = parameter(bytes, from + 11, end, 'max=');
      return;
    default:
  }
}

/** The name, and a colon at once (RFC 9112 section 5.1 allows nothing between). */
const isField = (bytes: Uint8Array, from: number, name: string): boolean =>
  bytes[from + name.length] === COLON && isName(bytes, from, name);

function trimmed(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && (bytes[at] === SPACE || bytes[at] === 9)) at++;
  return at;
}

function trimmedEnd(bytes: Uint8Array, from: number, end: number): number {
  let at = end;
  while (at > from && (bytes[at - 1] ?? 0) <= SPACE) at--;
  return at;
}

function isName(bytes: Uint8Array, from: number, name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    const byte = bytes[from + index] ?? 0;
    const lower = isUpper(byte) ? byte | 32 : byte;
    if (lower !== name.charCodeAt(index)) return false;
  }
  return true;
}

const contains = (bytes: Uint8Array, from: number, end: number, word: string): boolean =>
  find(bytes, from, end, word) >= 0;

/** Offset after the word, -1 where it is not there. */
function find(bytes: Uint8Array, from: number, end: number, word: string): number {
  for (let at = from; at + word.length <= end; at++) if (isName(bytes, at, word)) return at + word.length;
  return -1;
}

function parameter(bytes: Uint8Array, from: number, end: number, name: string): number {
  const at = find(bytes, from, end, name);
  return at < 0 ? -1 : number(bytes, at, end);
}
