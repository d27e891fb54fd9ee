import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { QUIC_V1, QUIC_V2, type QuicHeader } from './header.js';

/** RFC 9001 section 5.2, RFC 9369 section 3.3.1, and the drafts. */
const SALTS = {
  v1: Buffer.from('38762cf7f55934b34d179ae6a4c80cadccbb7f0a', 'hex'),
  v2: Buffer.from('0dede3def700a6db819381be6e269dcbf9bd2ed9', 'hex'),
  draft29: Buffer.from('afbfec289993d24c9e9786f19c6111e04390a899', 'hex'),
  draft23: Buffer.from('c3eef712c72ebb5a11a7d2432bb46365bef9f502', 'hex'),
};

function saltOf(version: number): Buffer {
  if (version === QUIC_V1) return SALTS.v1;
  if (version === QUIC_V2) return SALTS.v2;
  return (version & 255) >= 29 ? SALTS.draft29 : SALTS.draft23;
}

interface Keys {
  readonly key: Buffer;
  readonly iv: Buffer;
  readonly hp: Buffer;
}

const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer => {
  const digest = createHmac('sha256', key);
  for (const part of parts) digest.update(part);
  return digest.digest();
};

/** HKDF-Expand-Label of RFC 8446 section 7.1; one block of SHA-256 is enough for all that is wanted here. */
function expandLabel(secret: Uint8Array, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([
    Buffer.from([length >>> 8, length & 255, name.length]),
    name,
    Buffer.from([0, 1]),
  ]);
  return hmac(secret, info).subarray(0, length);
}

/** What protects Initial packets: anybody who sees the client's first connection id can have it (RFC 9001 section 5.2). */
export function initialKeys(version: number, dcid: Uint8Array): { client: Keys; server: Keys } {
  const secret = hmac(saltOf(version), dcid);
  const prefix = version === QUIC_V2 ? 'quicv2' : 'quic';
  const keys = (label: string): Keys => {
    const side = expandLabel(secret, label, 32);
    return {
      key: expandLabel(side, `${prefix} key`, 16),
      iv: expandLabel(side, `${prefix} iv`, 12),
      hp: expandLabel(side, `${prefix} hp`, 16),
    };
  };
  return { client: keys('client in'), server: keys('server in') };
}

const TAG = 16;

/** The frames of an Initial packet; `undefined` where the keys do not fit or the packet is cut. `from`: its first byte. */
export function openInitial(
  keys: Keys,
  bytes: Uint8Array,
  from: number,
  header: QuicHeader,
): Uint8Array | undefined {
  const { numberAt, end } = header;
  if (end - numberAt < 4 + TAG) return undefined;
  try {
    const mask = createCipheriv('aes-128-ecb', keys.hp, null).update(
      bytes.subarray(numberAt + 4, numberAt + 20),
    );
    const first = (bytes[from] ?? 0) ^ ((mask[0] ?? 0) & 15);
    const numberBytes = (first & 3) + 1;
    const head = Buffer.from(bytes.subarray(from, numberAt + numberBytes));
    head[0] = first;
    const nonce = Buffer.from(keys.iv);
    for (let index = 0; index < numberBytes; index++) {
      const byte = (bytes[numberAt + index] ?? 0) ^ (mask[1 + index] ?? 0);
      head[numberAt - from + index] = byte;
      const place = nonce.length - numberBytes + index;
      nonce[place] = (nonce[place] ?? 0) ^ byte;
    }
    const decipher = createDecipheriv('aes-128-gcm', keys.key, nonce);
    decipher.setAAD(head);
    decipher.setAuthTag(bytes.subarray(end - TAG, end));
    const plain = decipher.update(bytes.subarray(numberAt + numberBytes, end - TAG));
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}
