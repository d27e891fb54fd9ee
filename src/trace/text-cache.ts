/** A power of two. Two texts on the same place take turns. */
const PLACES = 1024;
/** Longer ones are hardly ever the same. */
const MOST_BYTES = 64;

/**
 * Strings of bytes of which the same few come again and again (methods, hosts, paths, histories): made once, bounded. Bytes from 0x80
 * to 0x9f become other characters in Windows-1252, which is what TextDecoder means by Latin 1: those are never found, and made each time.
 */
export class TextCache {
  private readonly texts: (string | undefined)[] = new Array(PLACES).fill(undefined);
  private readonly decoder = new TextDecoder('latin1');

  /** `bytes[from..to)` as text. */
  text(bytes: Uint8Array, from: number, to: number): string {
    if (to - from > MOST_BYTES) return this.decode(bytes, from, to);
    const place = placeOf(bytes, from, to);
    const known = this.texts[place];
    if (known !== undefined && isSame(known, bytes, from, to)) return known;
    const text = this.decode(bytes, from, to);
    this.texts[place] = text;
    return text;
  }

  private decode(bytes: Uint8Array, from: number, to: number): string {
    return this.decoder.decode(bytes.subarray(from, to));
  }
}

/** FNV-1a. */
function placeOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) & (PLACES - 1);
}

function isSame(text: string, bytes: Uint8Array, from: number, to: number): boolean {
  const length = to - from;
  if (text.length !== length) return false;
  for (let index = 0; index < length; index++)
    if (text.charCodeAt(index) !== bytes[from + index]) return false;
  return true;
}
