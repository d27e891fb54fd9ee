import type { TcpOptions } from '../../model/trace.js';

/** Options of a SYN in one number: MSS in bits 0 to 15, window scale + 1 in bits 16 to 19, then flags. */
const SACK = 1 << 20;
const TIMESTAMPS = 1 << 21;
const TFO_REQUEST = 1 << 22;
const TFO_COOKIE = 1 << 23;
const MOST_SCALE = 14;
/** Fast Open before it had a number of its own (RFC 7413 section 4.1.1). */
const FAST_OPEN_MAGIC = 0xf989;

/** RFC 9293, 7323, 2018, 7413. A list that is cut or wrong gives what stands before. */
export function packOptions(view: DataView, from: number, to: number): number {
  let packed = 0;
  for (let at = from; at < to; ) {
    const kind = view.getUint8(at);
    if (kind === 0) break;
    if (kind === 1) {
      at++;
      continue;
    }
    const length = at + 1 < to ? view.getUint8(at + 1) : 0;
    if (length < 2 || at + length > to) break;
    if (kind === 2 && length === 4) packed |= view.getUint16(at + 2);
    else if (kind === 3 && length === 3) packed |= (Math.min(MOST_SCALE, view.getUint8(at + 2)) + 1) << 16;
    else if (kind === 4) packed |= SACK;
    else if (kind === 8 && length === 10) packed |= TIMESTAMPS;
    else if (kind === 254 && length >= 4 && view.getUint16(at + 2) === FAST_OPEN_MAGIC)
      packed |= length === 4 ? TFO_REQUEST : TFO_COOKIE;
    else if (kind === 34) packed |= length === 2 ? TFO_REQUEST : TFO_COOKIE;
    at += length;
  }
  return packed;
}

/** -1: no scale was offered, so none holds (RFC 7323 section 2.2). */
export const scaleOf = (packed: number): number => ((packed >>> 16) & 15) - 1;

export const mssOf = (packed: number): number => packed & 0xffff;

/** The same options come again and again: one object for all of them. */
const known = new Map<number, TcpOptions>();
const MOST_KNOWN = 1024;

export function unpackOptions(packed: number, synBytes: number): TcpOptions {
  // With Fast Open, the bytes of the SYN are part of it.
  if ((packed & (TFO_COOKIE | TFO_REQUEST)) !== 0) return unpack(packed, synBytes);
  let options = known.get(packed);
  if (options === undefined) {
    if (known.size >= MOST_KNOWN) known.clear();
    options = unpack(packed, synBytes);
    known.set(packed, options);
  }
  return options;
}

function unpack(packed: number, synBytes: number): TcpOptions {
  const mss = mssOf(packed);
  const windowScale = scaleOf(packed);
  const isCookie = (packed & TFO_COOKIE) !== 0;
  const options: { -readonly [Key in keyof TcpOptions]: TcpOptions[Key] } = {
    sackPermitted: (packed & SACK) !== 0,
    timestamps: (packed & TIMESTAMPS) !== 0,
  };
  if (mss !== 0) options.mss = mss;
  if (windowScale >= 0) options.windowScale = windowScale;
  if (isCookie || (packed & TFO_REQUEST) !== 0)
    options.fastOpen = { kind: isCookie ? 'cookie' : 'request', synBytes };
  return options;
}

/** RFC 2883: the first SACK block lies below the acknowledgement: the sender has sent those bytes twice. */
export function hasDsack(view: DataView, from: number, to: number, ack: number): boolean {
  for (let at = from; at < to; ) {
    const kind = view.getUint8(at);
    if (kind === 0) return false;
    if (kind === 1) {
      at++;
      continue;
    }
    const length = at + 1 < to ? view.getUint8(at + 1) : 0;
    if (length < 2 || at + length > to) return false;
    if (kind === 5 && length >= 10) return ((view.getInt32(at + 2) - ack) | 0) < 0;
    at += length;
  }
  return false;
}
