/** Bytes that the text formats of the kernel and of ss are made of. */
export const TAB = 9;
export const NEWLINE = 10;
export const RETURN = 13;
export const SPACE = 32;
export const QUOTE = 34;
export const HASH = 35;
export const PERCENT = 37;
export const OPEN = 40;
export const CLOSE = 41;
export const STAR = 42;
export const COMMA = 44;
export const DASH = 45;
export const DOT = 46;
export const SLASH = 47;
export const ZERO = 48;
export const NINE = 57;
export const COLON = 58;
export const LESS = 60;
export const EQUALS = 61;
export const GREATER = 62;
export const AT = 64;
export const LEFT_BRACKET = 91;
export const RIGHT_BRACKET = 93;

export const isBlank = (byte: number | undefined): boolean => byte === SPACE || byte === TAB;
export const isDigit = (byte: number | undefined): boolean =>
  byte !== undefined && byte >= ZERO && byte <= NINE;

/** Value of a hexadecimal digit, -1 where it is none. */
export function hexValue(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= ZERO && byte <= NINE) return byte - ZERO;
  const lower = byte | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** One step of the hash that finds words and tags in tables; written out where a loop must be fast. */
export const hashStep = (hash: number, byte: number): number => (Math.imul(hash, 31) + byte) | 0;

export function hashText(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index++) hash = hashStep(hash, text.charCodeAt(index));
  return hash;
}

const lossy = new TextDecoder('utf-8', { ignoreBOM: true });
const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/** Text of bytes, with U+FFFD for what is not UTF-8. */
export const textOf = (bytes: Uint8Array, start: number, end: number): string =>
  lossy.decode(bytes.subarray(start, end));

export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  try {
    strict.decode(bytes.subarray(start, end));
    return true;
  } catch {
    return false;
  }
}

export function hexOf(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let index = start; index < end; index++) text += (bytes[index] ?? 0).toString(16).padStart(2, '0');
  return text;
}

/** A plain Uint8Array over the same memory: Buffers beside it would make every byte access slower. */
export const plainBytes = (chunk: Uint8Array): Uint8Array =>
  chunk.constructor === Uint8Array ? chunk : new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
