import {
  DASH,
  DOT,
  hashStep,
  hexValue,
  isBlank,
  isDigit,
  RETURN,
  SPACE,
  TAB,
  textOf,
  ZERO,
} from '../bytes.js';
import { type LineBuffer, MAX_JOINED, NOT_YET } from './lines.js';

const EXPONENT = 101;
const POWERS: readonly number[] = [1, 10, 100, 1e3, 1e4, 1e5, 1e6];
/** What `extend` says. */
export type Extended = 'yes' | 'no' | 'wait';

/** A place in one line. Readers move `pos` and never go past `end`; blanks at the end of the line are not part of it. */
export class Scanner {
  bytes: Uint8Array = new Uint8Array(0);
  pos = 0;
  end = 0;
  start = 0;
  /** Where the newline of the last physical line is. */
  stop = 0;
  /** Physical lines in this one: more than one where a name holds a newline. */
  lines = 1;
  /** Hash of the last word read, and its ends. */
  hash = 0;
  wordStart = 0;
  wordEnd = 0;

  constructor(private readonly source: LineBuffer) {}

  open(start: number, stop: number): void {
    this.bytes = this.source.bytes;
    this.start = this.pos = start;
    this.lines = 1;
    this.stopAt(stop);
  }

  /** Takes the next physical line in, for a name that holds a newline. `wait`: it has not arrived yet. */
  extend(): Extended {
    const stop = this.source.endOf(this.stop + 1);
    if (stop === NOT_YET) return 'wait';
    if (stop < 0 || stop - this.start > MAX_JOINED) return 'no';
    this.lines++;
    this.stopAt(stop);
    return 'yes';
  }

  /** Gives back the lines taken in since there were `lines`, the last of which ended at `stop`. */
  shrink(lines: number, stop: number): void {
    this.lines = lines;
    this.stopAt(stop);
  }

  /** The next physical line, to look at only: `undefined` = it has not arrived yet, -1 = there is none. */
  nextStop(): number | undefined {
    const stop = this.source.endOf(this.stop + 1);
    return stop === NOT_YET ? undefined : Math.max(stop, -1);
  }

  skipBlanks(): void {
    const { bytes, end } = this;
    let at = this.pos;
    while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
    this.pos = at;
  }

  /** Reads up to the next blank; false at the end of the line. */
  word(): boolean {
    this.skipBlanks();
    const { bytes, end } = this;
    let at = this.pos;
    let hash = 0;
    this.wordStart = at;
    for (; at < end; at++) {
      const byte = bytes[at] as number;
      if (byte === SPACE || byte === TAB) break;
      hash = hashStep(hash, byte);
    }
    this.hash = hash;
    this.wordEnd = this.pos = at;
    return at > this.wordStart;
  }

  /** Digits at `pos`; NaN where there are none. */
  integer(): number {
    const { bytes, end } = this;
    let at = this.pos;
    let value = 0;
    for (; at < end; at++) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === this.pos) return Number.NaN;
    this.pos = at;
    return value;
  }

  /** A number as C's %g prints it: `204`, `0.021`, `1e-05`; NaN where there is none. */
  decimal(): number {
    let value = this.integer();
    const { bytes } = this;
    if (bytes[this.pos] === DOT && this.pos < this.end) {
      const from = ++this.pos;
      const fraction = this.integer();
      const power = POWERS[this.pos - from] ?? 10 ** (this.pos - from);
      if (!Number.isNaN(fraction)) value = (value * power + fraction) / power;
    }
    if (bytes[this.pos] === EXPONENT && this.pos < this.end) value = this.scale(value);
    return value;
  }

  /** Applies the exponent at `pos`, if it is one. */
  private scale(value: number): number {
    const from = this.pos;
    const isNegative = this.bytes[from + 1] === DASH;
    this.pos = from + (isDigit(this.bytes[from + 1]) ? 1 : 2);
    const power = 10 ** this.integer();
    if (Number.isNaN(power)) this.pos = from;
    else value = isNegative ? value / power : value * power;
    return value;
  }

  /** Hexadecimal digits at `pos` as two words; false where there are none or more than 16. */
  hex(into: { high: number; low: number }): boolean {
    const from = this.pos;
    let high = 0;
    let low = 0;
    for (; this.pos < this.end; this.pos++) {
      const digit = hexValue(this.bytes[this.pos]);
      if (digit < 0) break;
      high = ((high << 4) | (low >>> 28)) >>> 0;
      low = ((low << 4) | digit) >>> 0;
    }
    into.high = high;
    into.low = low;
    return this.pos > from && this.pos - from <= 16;
  }

  /** Goes over a byte order mark, which editors put before a saved text. */
  skipMark(): void {
    const { bytes, start } = this;
    if (bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf)
      this.start = this.pos = Math.min(start + 3, this.end);
  }

  text(start: number, end: number): string {
    return textOf(this.bytes, start, end);
  }

  /** The last word read. */
  get wordText(): string {
    return this.text(this.wordStart, this.wordEnd);
  }

  private stopAt(stop: number): void {
    this.stop = stop;
    let end = stop;
    while (end > this.start && (isBlank(this.bytes[end - 1]) || this.bytes[end - 1] === RETURN)) end--;
    this.end = end;
  }
}
