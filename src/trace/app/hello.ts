/** Facts of a TLS ClientHello or ServerHello (RFC 8446 section 4.1, RFC 5246 section 7.4.1). */
export interface Hello {
  /** Highest version offered, or chosen by the server: 0x0304 for 1.3. */
  readonly version: number;
  readonly sni?: string;
  readonly alpn: readonly string[];
  readonly sessionId: Uint8Array;
  /** Chosen by the server; 0 for a ClientHello. */
  readonly cipher: number;
  readonly hasPsk: boolean;
  readonly hasEarlyData: boolean;
  /** A session ticket that is not empty. */
  readonly hasTicket: boolean;
  readonly isRetry: boolean;
}

const EXTENSION = { sni: 0, alpn: 16, ticket: 35, psk: 41, earlyData: 42, versions: 43 } as const;
const MOST_NAMES = 32;

/** SHA-256 of "HelloRetryRequest": the random of a ServerHello that is none (RFC 8446 section 4.1.3). */
const RETRY = [0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11];

interface Fields {
  version: number;
  sni: string | undefined;
  alpn: string[];
  hasPsk: boolean;
  hasEarlyData: boolean;
  hasTicket: boolean;
}

/** The body of a ClientHello, after its type and length. What is cut gives what stands before; `undefined` where it is none. */
export function parseClientHello(bytes: Uint8Array, from: number, to: number): Hello | undefined {
  return parseHello(bytes, from, to, true);
}

export const parseServerHello = (bytes: Uint8Array, from: number, to: number): Hello | undefined =>
  parseHello(bytes, from, to, false);

function parseHello(bytes: Uint8Array, from: number, to: number, isClient: boolean): Hello | undefined {
  const u16 = (at: number) => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  if (to - from < 35) return undefined;
  const sessionFrom = from + 35;
  const sessionTo = sessionFrom + (bytes[from + 34] ?? 0);
  if (sessionTo > to) return undefined;
  const fields: Fields = {
    version: u16(from),
    sni: undefined,
    alpn: [],
    hasPsk: false,
    hasEarlyData: false,
    hasTicket: false,
  };
  const ciphers = isClient ? 2 + u16(sessionTo) : 2;
  const cipher = isClient ? 0 : u16(sessionTo);
  let at = sessionTo + ciphers;
  at += isClient ? 1 + (bytes[at] ?? 0) : 1;
  const end = at + 2 <= to ? Math.min(to, at + 2 + u16(at)) : at;
  for (at += 2; end - at >= 4; ) {
    const type = u16(at);
    const next = at + 4 + u16(at + 2);
    extension(bytes, type, at + 4, Math.min(next, end), isClient, fields);
    at = next;
  }
  const isRetry = !isClient && RETRY.every((byte, index) => bytes[from + 2 + index] === byte);
  const { sni, ...rest } = fields;
  return {
    ...rest,
    ...(sni !== undefined && { sni }),
    sessionId: bytes.slice(sessionFrom, sessionTo),
    cipher,
    isRetry,
  };
}

function extension(
  bytes: Uint8Array,
  type: number,
  from: number,
  to: number,
  isClient: boolean,
  fields: Fields,
): void {
  switch (type) {
    case EXTENSION.sni:
      // list length (2), type host_name (1), length (2), name
      if (isClient && to - from > 5 && bytes[from + 2] === 0)
        fields.sni = text(bytes, from + 5, to, bytes16(bytes, from + 3));
      break;
    case EXTENSION.alpn:
      for (let at = from + 2; at < to && fields.alpn.length < MOST_NAMES; at += 1 + (bytes[at] ?? 0))
        fields.alpn.push(text(bytes, at + 1, to, bytes[at] ?? 0));
      break;
    case EXTENSION.versions:
      if (!isClient) fields.version = bytes16(bytes, from);
      else
        for (let at = from + 1; to - at >= 2; at += 2)
          fields.version = Math.max(fields.version, known(bytes16(bytes, at)));
      break;
    case EXTENSION.ticket:
      fields.hasTicket = to > from;
      break;
    case EXTENSION.psk:
      fields.hasPsk = true;
      break;
    case EXTENSION.earlyData:
      fields.hasEarlyData = true;
      break;
    default:
  }
}

/** Greased values and drafts are no versions to compare with. */
const known = (version: number): number => (version >= 0x0300 && version <= 0x0304 ? version : 0);

const bytes16 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

const decoder = new TextDecoder('latin1');
const text = (bytes: Uint8Array, from: number, to: number, length: number): string =>
  decoder.decode(bytes.subarray(from, Math.min(to, from + length)));

/** `1.2`, `1.3`; `SSL 3.0`. */
export function versionText(version: number): string {
  if (version === 0x0300) return 'SSL 3.0';
  return version >= 0x0301 && version <= 0x0304 ? `1.${(version & 15) - 1}` : `0x${version.toString(16)}`;
}
