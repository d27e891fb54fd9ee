import { varint } from './header.js';

const MOST_BYTES = 65_536;
const MOST_PIECES = 64;

/** The bytes of the handshake, from CRYPTO frames in any order (RFC 9000 section 19.6). */
export class CryptoStream {
  private readonly pieces: { readonly offset: number; readonly bytes: Uint8Array }[] = [];

  add(offset: number, bytes: Uint8Array): void {
    if (offset + bytes.length > MOST_BYTES || this.pieces.length >= MOST_PIECES) return;
    this.pieces.push({ offset, bytes: bytes.slice() });
  }

  /** What is there from the start without a hole. */
  prefix(): Uint8Array {
    const sorted = [...this.pieces].sort((a, b) => a.offset - b.offset);
    const whole = new Uint8Array(Math.max(0, ...sorted.map(({ offset, bytes }) => offset + bytes.length)));
    let length = 0;
    for (const { offset, bytes } of sorted) {
      if (offset > length) break;
      whole.set(bytes, offset);
      length = Math.max(length, offset + bytes.length);
    }
    return whole.subarray(0, length);
  }
}

export interface FrameSink {
  crypto(offset: number, bytes: Uint8Array): void;
  close(): void;
}

/** Walks the frames that an Initial packet may have (RFC 9000 section 12.4); stops at what it does not know. */
export function readFrames(frames: Uint8Array, sink: FrameSink): void {
  const to = frames.length;
  let at = 0;
  while (at < to) {
    const type = frames[at++];
    if (type === 0 || type === 1) continue;
    if (type === 2 || type === 3) {
      const next = skipAck(frames, at, to, type === 3);
      if (next === undefined) return;
      at = next;
    } else if (type === 6) {
      const offset = varint(frames, at, to);
      const length = offset && varint(frames, offset.next, to);
      if (offset === undefined || length === undefined || length.value > to - length.next) return;
      sink.crypto(offset.value, frames.subarray(length.next, length.next + length.value));
      at = length.next + length.value;
    } else {
      if (type === 0x1c || type === 0x1d) sink.close();
      return;
    }
  }
}

function skipAck(frames: Uint8Array, from: number, to: number, hasEcn: boolean): number | undefined {
  let at = from;
  const next = (): number | undefined => {
    const found = varint(frames, at, to);
    if (found === undefined) return undefined;
    at = found.next;
    return found.value;
  };
  next();
  next();
  const ranges = next();
  if (ranges === undefined || ranges > to) return undefined;
  const left = 1 + ranges * 2 + (hasEcn ? 3 : 0);
  for (let index = 0; index < left; index++) if (next() === undefined) return undefined;
  return at;
}
