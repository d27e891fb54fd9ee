import { jsonText } from './json-text.js';

/** Text that is written often, ASCII or not, as little-endian words: four bytes at a time. */
export interface FixedText {
  readonly words: Int32Array;
  /** Bytes; what the last word has beyond them is never seen. */
  readonly length: number;
}

const WORD = 4;

export function fixedText(text: string): FixedText {
  const bytes = Buffer.from(text);
  const words = new Int32Array(Math.ceil(bytes.length / WORD));
  const padded = new DataView(new ArrayBuffer(words.length * WORD));
  for (const [index, byte] of bytes.entries()) padded.setUint8(index, byte);
  for (let index = 0; index < words.length; index++) words[index] = padded.getInt32(index * WORD, true);
  return { words, length: bytes.length };
}

const NOTHING = fixedText('');

/** `007` for 7: the three digits of each number below 1000, as one word. */
const GROUPS = new Int32Array(1000);
/** The same without leading zeros. */
const HEADS = new Int32Array(1000);
for (let value = 0; value < 1000; value++) {
  GROUPS[value] = fixedText(String(value).padStart(3, '0')).words[0] ?? 0;
  HEADS[value] = fixedText(String(value)).words[0] ?? 0;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const POINT = 0x2e;
const ZERO = 0x30;
/** `a` is ten. */
const LETTER_OF_TEN = 0x61 - 10;
const FIRST_BYTES = 1 << 16;
/** Longer strings are left to JSON.stringify. */
const SHORT = 128;
/** Decimals of up to 15 digits are what a double shows of itself: so many nanoseconds, in ms, need no double. */
const MOST_NANOS = 1e15;
const LONGEST_NUMBER = 32;

/**
 * JSON as bytes in one piece of memory that grows and is used again: for output of which there is so much that making strings, and
 * bytes of them, would take most of the time. Every byte is the same as `jsonText` gives (the tests compare them).
 */
export class ByteText {
  private bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  private view = viewOf(this.bytes);
  private used = 0;

  /** Bytes. */
  get length(): number {
    return this.used;
  }

  /** What was written, where it lies: good until something is written after `clear`. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.used);
  }

  clear(): void {
    this.used = 0;
  }

  /** Text as it is. */
  text(text: string): void {
    this.reserve(text.length * 3);
    this.used += this.bytes.write(text, this.used);
  }

  fixed(text: FixedText): void {
    this.reserve(text.length);
    this.used = putFixed(this.view, this.used, text);
  }

  /** Any value as `jsonText` has it. */
  json(value: unknown): void {
    this.text(jsonText(value));
  }

  /** What an object has, each field after a comma: for an object that has fields already. */
  fields(object: object): void {
    const text = jsonText(object);
    if (text.length > 2) this.text(`,${text.slice(1, -1)}`);
  }

  /** What an object has, without its braces. */
  inside(object: object): void {
    this.text(jsonText(object).slice(1, -1));
  }

  comma(): void {
    this.reserve(1);
    this.bytes[this.used++] = COMMA;
  }

  /** A JSON string. */
  string(text: string): void {
    if (text.length > SHORT || !this.plainString(text)) this.json(text);
  }

  /** False, and nothing is written: it needs escapes. */
  private plainString(text: string): boolean {
    const { length } = text;
    this.reserve(length + 2);
    const { bytes } = this;
    let at = this.used;
    bytes[at++] = QUOTE;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) return false;
      bytes[at++] = code;
    }
    bytes[at++] = QUOTE;
    this.used = at;
    return true;
  }

  /** Behind its name. */
  number(value: number, name = NOTHING): void {
    this.reserve(name.length + LONGEST_NUMBER);
    const at = putFixed(this.view, this.used, name);
    this.used = at;
    if ((value | 0) === value && value >= 0) this.used = putDigits(this.view, at, value);
    else this.json(value);
  }

  /** A number of 64 bits in hexadecimal, without leading zeros. */
  hex(high: number, low: number): void {
    this.reserve(16);
    const at = high === 0 ? this.used : putHex(this.bytes, this.used, high, hexDigits(high));
    this.used = putHex(this.bytes, at, low, high === 0 ? hexDigits(low) : 8);
  }

  /** Nanoseconds as a number of milliseconds, behind its name: the digits of `Math.round(nanos) / 1e6`. */
  millis(nanos: number, name = NOTHING): void {
    const whole = Math.round(nanos);
    this.reserve(name.length + LONGEST_NUMBER);
    const at = putFixed(this.view, this.used, name);
    this.used = at;
    if (whole >= 0 && whole < MOST_NANOS) {
      const ms = Math.floor(whole / 1e6) | 0;
      this.used = putFraction(this.view, putDigits(this.view, at, ms), (whole - ms * 1e6) | 0);
    } else this.json(whole / 1e6);
  }

  /** Memory with room for so many bytes from `length` on, for the functions that put; `wrote` then says where they ended. */
  room(count: number): DataView {
    this.reserve(count);
    return this.view;
  }

  wrote(end: number): void {
    this.used = end;
  }

  /** Every entry of an object or list ends in a comma: the last of them becomes the bracket. */
  close(bracket: '}' | ']'): void {
    this.reserve(1);
    if (this.bytes[this.used - 1] === COMMA) this.used--;
    this.bytes[this.used++] = bracket === '}' ? 0x7d : 0x5d;
  }

  /** Room for so many bytes and the rest of a word. */
  private reserve(count: number): void {
    const needed = this.used + count + WORD;
    if (needed > this.bytes.length) this.grow(needed);
  }

  private grow(needed: number): void {
    const bytes = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(bytes, 0, 0, this.used);
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }
}

/** Each of these writes at `at`, up to a word beyond its end, and returns where that is. */
export function putFixed(view: DataView, at: number, { words, length }: FixedText): number {
  const count = words.length;
  for (let index = 0; index < count; index++) view.setInt32(at + index * WORD, words[index] as number, true);
  return at + length;
}

/** A whole number from 0 below 2 ** 31. */
export function putDigits(view: DataView, at: number, value: number): number {
  if (value >= 1000) {
    const thousands = (value / 1000) | 0;
    return putGroup(view, putDigits(view, at, thousands), value - thousands * 1000);
  }
  view.setInt32(at, HEADS[value] as number, true);
  return at + (value < 10 ? 1 : value < 100 ? 2 : 3);
}

/** A whole number from 0 to 999 999 999 with its leading zeros. */
export function putNineDigits(view: DataView, at: number, value: number): number {
  const thousands = (value / 1000) | 0;
  const millions = (thousands / 1000) | 0;
  const next = putGroup(view, putGroup(view, at, millions), thousands - millions * 1000);
  return putGroup(view, next, value - thousands * 1000);
}

/** Millionths behind a point, without zeros at the end; nothing for 0. */
function putFraction(view: DataView, at: number, millionths: number): number {
  if (millionths === 0) return at;
  const thousandths = (millionths / 1000) | 0;
  const rest = millionths - thousandths * 1000;
  view.setUint8(at, POINT);
  let end = putGroup(view, at + 1, thousandths);
  if (rest !== 0) end = putGroup(view, end, rest);
  while (view.getUint8(end - 1) === ZERO) end--;
  return end;
}

const hexDigits = (value: number): number => (value === 0 ? 1 : 8 - (Math.clz32(value) >>> 2));

function putHex(bytes: Uint8Array, at: number, value: number, digits: number): number {
  for (let index = 0; index < digits; index++) {
    const digit = (value >>> ((digits - 1 - index) * 4)) & 15;
    bytes[at + index] = digit + (digit < 10 ? ZERO : LETTER_OF_TEN);
  }
  return at + digits;
}

/** Three digits. */
function putGroup(view: DataView, at: number, value: number): number {
  view.setInt32(at, GROUPS[value] as number, true);
  return at + 3;
}

const viewOf = ({ buffer, byteOffset, length }: Uint8Array) => new DataView(buffer, byteOffset, length);
