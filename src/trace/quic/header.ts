/** The header of one QUIC packet (RFC 9000 section 17, RFC 9369 for version 2). */
export interface QuicHeader {
  readonly kind: 'initial' | 'zero_rtt' | 'handshake' | 'retry' | 'negotiation' | 'unfamiliar' | 'short';
  readonly version: number;
  readonly dcid: Uint8Array;
  readonly scid: Uint8Array;
  /** Where the packet number (still protected) begins, and where the packet ends. */
  readonly numberAt: number;
  readonly end: number;
}

export const QUIC_V1 = 1;
export const QUIC_V2 = 0x6b3343cf;
const MOST_CID = 20;
const LONG = 0x80;
const FIXED = 0x40;

/** Versions whose long headers are known: 1, 2 and the drafts. */
export const isKnownVersion = (version: number): boolean =>
  version === QUIC_V1 || version === QUIC_V2 || (version >= 0xff00_0017 && version <= 0xff00_0022);

const KINDS_V1 = ['initial', 'zero_rtt', 'handshake', 'retry'] as const;
const KINDS_V2 = ['retry', 'initial', 'zero_rtt', 'handshake'] as const;

/** `undefined` for what is no QUIC. A short header has no lengths: its connection id is told by who knows the connection. */
export function readHeader(bytes: Uint8Array, from: number, to: number): QuicHeader | undefined {
  const first = bytes[from] ?? 0;
  if ((first & LONG) === 0) {
    if ((first & FIXED) === 0 || to - from < 21) return undefined;
    return { kind: 'short', version: 0, dcid: EMPTY, scid: EMPTY, numberAt: from + 1, end: to };
  }
  if (to - from < 7) return undefined;
  const version = u32(bytes, from + 1);
  const dcidTo = from + 6 + (bytes[from + 5] ?? 0);
  if (dcidTo >= to || dcidTo - from - 6 > MOST_CID) return undefined;
  const scidTo = dcidTo + 1 + (bytes[dcidTo] ?? 0);
  if (scidTo > to || scidTo - dcidTo - 1 > MOST_CID) return undefined;
  const ids = { version, dcid: bytes.subarray(from + 6, dcidTo), scid: bytes.subarray(dcidTo + 1, scidTo) };
  if (version === 0) {
    const isList = (to - scidTo) % 4 === 0 && to > scidTo;
    return isList ? { ...ids, kind: 'negotiation', numberAt: scidTo, end: to } : undefined;
  }
  // Of other versions only the ids are known (RFC 8999).
  if (!isKnownVersion(version)) return { ...ids, kind: 'unfamiliar', numberAt: scidTo, end: to };
  if ((first & FIXED) === 0) return undefined;
  const kind = (version === QUIC_V2 ? KINDS_V2 : KINDS_V1)[(first >>> 4) & 3] ?? 'initial';
  if (kind === 'retry') return { ...ids, kind, numberAt: scidTo, end: to };
  let at = scidTo;
  if (kind === 'initial') {
    const token = varint(bytes, at, to);
    if (token === undefined || token.value > to - token.next) return undefined;
    at = token.next + token.value;
  }
  const length = varint(bytes, at, to);
  if (length === undefined || length.value < 20) return undefined;
  return { ...ids, kind, numberAt: length.next, end: Math.min(to, length.next + length.value) };
}

const EMPTY = new Uint8Array(0);

const u32 = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)) >>>
  0;

/** RFC 9000 section 16. */
export function varint(
  bytes: Uint8Array,
  at: number,
  to: number,
): { value: number; next: number } | undefined {
  if (at >= to) return undefined;
  const first = bytes[at] ?? 0;
  const length = 1 << (first >>> 6);
  if (to - at < length) return undefined;
  let value = first & 63;
  for (let index = 1; index < length; index++) value = value * 256 + (bytes[at + index] ?? 0);
  return { value, next: at + length };
}

export function versionName(version: number): string {
  if (version === QUIC_V1) return '1';
  if (version === QUIC_V2) return '2';
  return version >>> 8 === 0xff0000 ? `draft-${version & 255}` : `0x${version.toString(16)}`;
}
