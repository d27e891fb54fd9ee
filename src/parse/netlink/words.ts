/**
 * Netlink speaks in numbers of this machine, except ports and addresses, which are in network order: so messages are read
 * through a Uint32Array, and only their halves and bytes depend on the machine.
 */
export const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** The 16 bits of a word that come first in memory. */
export const firstHalf = (word: number): number => (LITTLE_ENDIAN ? word & 0xffff : word >>> 16);
export const secondHalf = (word: number): number => (LITTLE_ENDIAN ? word >>> 16 : word & 0xffff);

/** A word in network order as a number. */
export const fromNetwork = (word: number): number =>
  LITTLE_ENDIAN
    ? ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0
    : word;

/** Half a word in network order as a number. */
export const portFrom = (half: number): number =>
  LITTLE_ENDIAN ? ((half & 0xff) << 8) | (half >>> 8) : half;

/** A number of 64 bits that begins at word `at`; exact up to 2^53. */
export const wideAt = (words: Uint32Array, at: number): number => {
  const first = words[at] as number;
  const second = words[at + 1] as number;
  return LITTLE_ENDIAN ? second * 0x1_0000_0000 + first : first * 0x1_0000_0000 + second;
};

/** Messages and attributes begin at multiples of four bytes. */
export const aligned = (bytes: number): number => (bytes + 3) & ~3;

/** One received buffer, seen as bytes and as words. */
export interface Wire {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
}

/** Both views of the same memory; only bytes that do not begin at a multiple of four are copied. */
export function wireOf(bytes: Uint8Array): Wire {
  const plain = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return {
    bytes: new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength),
    words: new Uint32Array(plain.buffer, plain.byteOffset, plain.byteLength >>> 2),
  };
}
