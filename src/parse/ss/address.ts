import { COLON, DOT, isBlank, isDigit, LEFT_BRACKET, PERCENT, RIGHT_BRACKET, STAR, ZERO } from '../bytes.js';
import { readIpv4, readIpv6 } from '../ip.js';
import type { Scanner } from './scanner.js';

/** `port` where ss printed `*`, and where it printed a name. */
export const ANY_PORT = -1;
export const NAMED_PORT = -2;
/** How an IPv6 host was written: it tells the age of the ss (finish.ts). */
export type Ipv6Style = 'none' | 'bracketed' | 'bare';

/** One `host:port` of a row; read anew for each row, so that rows make no objects. */
export class AddressReader {
  readonly words = new Uint32Array(4);
  /** 0: the host is `*`, whose family the whole output decides. */
  family: 0 | 4 | 6 = 0;
  port = ANY_PORT;
  portStart = 0;
  portEnd = 0;
  deviceStart = 0;
  deviceEnd = 0;
  style: Ipv6Style = 'none';

  /** Reads the address at `line.pos` and goes past it; false where it is none. */
  read(line: Scanner): boolean {
    line.skipBlanks();
    this.style = 'none';
    this.deviceStart = this.deviceEnd = 0;
    return this.readPlain(line) || this.readAny(line);
  }

  get isWildcard(): boolean {
    const { words } = this;
    return words[3] === 0 && words[2] === 0 && words[1] === 0 && words[0] === 0;
  }

  /** `1.2.3.4:80`, the common case, in one pass. */
  private readPlain(line: Scanner): boolean {
    const { bytes, end } = line;
    let at = line.pos;
    let word = 0;
    let part = 0;
    let dots = 0;
    let digits = 0;
    for (; at < end; at++) {
      const byte = bytes[at] as number;
      const digit = byte - ZERO;
      if (digit >= 0 && digit <= 9) {
        part = part * 10 + digit;
        if (++digits > 3) return false;
      } else if (byte === DOT && digits > 0 && part < 256) {
        word = (word << 8) | part;
        part = digits = 0;
        dots++;
      } else break;
    }
    if (dots !== 3 || digits === 0 || part > 255 || bytes[at] !== COLON || at >= end) return false;
    this.setIpv4(((word << 8) | part) >>> 0);
    return this.readPort(line, at + 1, wordEnd(line, at));
  }

  private readAny(line: Scanner): boolean {
    const { bytes, pos } = line;
    const stop = wordEnd(line, pos);
    let colon = stop - 1;
    while (colon >= pos && bytes[colon] !== COLON) colon--;
    if (colon <= pos && !(colon === pos && bytes[colon] === COLON)) return false;
    const hostEnd = this.splitDevice(bytes, pos, colon);
    const isOpen =
      bytes[pos] === LEFT_BRACKET &&
      bytes[hostEnd - 1] !== RIGHT_BRACKET &&
      bytes[colon - 1] !== RIGHT_BRACKET;
    return (
      hostEnd >= 0 && !isOpen && this.readHost(bytes, pos, hostEnd) && this.readPort(line, colon + 1, stop)
    );
  }

  /** The zone or device stands behind the brackets, or in old outputs inside: gives the end of the host, -1 = broken. */
  private splitDevice(bytes: Uint8Array, start: number, end: number): number {
    let percent = start;
    while (percent < end && bytes[percent] !== PERCENT) percent++;
    if (percent === end) return end;
    const inside = bytes[end - 1] === RIGHT_BRACKET;
    this.deviceStart = percent + 1;
    this.deviceEnd = inside ? end - 1 : end;
    return this.deviceEnd > this.deviceStart ? percent : -1;
  }

  private readHost(bytes: Uint8Array, start: number, end: number): boolean {
    this.words.fill(0);
    if (end - start === 1 && bytes[start] === STAR) {
      this.family = 0;
      return true;
    }
    const bracketed = bytes[start] === LEFT_BRACKET;
    const from = bracketed ? start + 1 : start;
    const to = bytes[end - 1] === RIGHT_BRACKET ? end - 1 : end;
    const word = bracketed ? -1 : readIpv4(bytes, from, to);
    if (word >= 0) this.setIpv4(word);
    else if (!readIpv6(bytes, from, to, this.words)) return false;
    else this.setIpv6(bracketed);
    return true;
  }

  private readPort(line: Scanner, start: number, stop: number): boolean {
    const { bytes } = line;
    line.pos = stop;
    if (stop <= start) return false;
    if (stop - start === 1 && bytes[start] === STAR) {
      this.port = ANY_PORT;
      return true;
    }
    let port = 0;
    for (let at = start; at < stop; at++) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) return this.nameThePort(bytes, start, stop);
      port = port * 10 + digit;
    }
    this.port = port;
    return port <= 0xffff;
  }

  /** A name of /etc/services begins with a letter or a digit and holds a letter. */
  private nameThePort(bytes: Uint8Array, start: number, stop: number): boolean {
    for (let at = start; at < stop; at++) if (!isNameByte(bytes[at] as number)) return false;
    this.port = NAMED_PORT;
    this.portStart = start;
    this.portEnd = stop;
    return true;
  }

  private setIpv4(word: number): void {
    const { words } = this;
    words[0] = words[1] = words[2] = 0;
    words[3] = word;
    this.family = 4;
  }

  /** v4-mapped addresses are IPv4, everywhere (DESIGN.md). */
  private setIpv6(bracketed: boolean): void {
    const { words } = this;
    this.style = bracketed ? 'bracketed' : 'bare';
    const mapped = words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
    if (mapped) words[2] = 0;
    this.family = mapped ? 4 : 6;
  }
}

const isNameByte = (byte: number): boolean =>
  isDigit(byte) || (byte >= 97 && byte <= 122) || (byte >= 65 && byte <= 90) || NAME_MARKS.has(byte);
const NAME_MARKS: ReadonlySet<number> = new Set([...'-_.+/'].map((mark) => mark.charCodeAt(0)));

function wordEnd(line: Scanner, from: number): number {
  const { bytes, end } = line;
  let at = from;
  while (at < end && !isBlank(bytes[at])) at++;
  return at;
}
