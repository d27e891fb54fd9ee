const MOST_DATAGRAMS = 1024;
const MOST_BYTES = 65_535;
const MOST_PARTS = 1024;
const TIMEOUT_NS = 30e9;

interface Datagram {
  readonly startedAt: number;
  readonly parts: { readonly from: number; readonly to: number; readonly bytes: Uint8Array }[];
  /** Known once the last fragment has been seen. */
  length: number | undefined;
  protocol: number;
}

/** Puts IP datagrams together from fragments. Rare and hostile: bounded in number, size and age. */
export class Reassembler {
  private readonly pending = new Map<string, Datagram>();
  /** Datagrams that were given up. */
  incomplete = 0;

  /** Datagrams that still miss fragments. */
  get waiting(): number {
    return this.pending.size;
  }

  /**
   * Takes a fragment; gives the whole payload once every byte is there.
   * @param key names the datagram: addresses, protocol and identification
   * @param offset of the bytes in the datagram's payload
   */
  add(key: string, bytes: Uint8Array, offset: number, isLast: boolean, time: number): Uint8Array | undefined {
    this.expire(time);
    const to = offset + bytes.length;
    if (to > MOST_BYTES || (bytes.length === 0 && !isLast)) return undefined;
    let datagram = this.pending.get(key);
    if (datagram === undefined) {
      datagram = { startedAt: time, parts: [], length: undefined, protocol: 0 };
      this.pending.set(key, datagram);
    }
    if (datagram.parts.length >= MOST_PARTS) return undefined;
    datagram.parts.push({ from: offset, to, bytes: bytes.slice() });
    if (isLast) datagram.length = to;
    const whole = assemble(datagram);
    if (whole !== undefined) this.pending.delete(key);
    return whole;
  }

  private expire(time: number): void {
    for (const [key, { startedAt }] of this.pending) {
      if (time - startedAt < TIMEOUT_NS && this.pending.size <= MOST_DATAGRAMS) break;
      this.pending.delete(key);
      this.incomplete++;
    }
  }
}

/** Where fragments overlap the first one stands, as Linux drops later ones. */
function assemble({ parts, length }: Datagram): Uint8Array | undefined {
  if (length === undefined) return undefined;
  const sorted = parts
    .map((part, index) => ({ ...part, index }))
    .sort((a, b) => a.from - b.from || a.index - b.index);
  let covered = 0;
  for (const { from, to } of sorted) {
    if (from > covered) return undefined;
    covered = Math.max(covered, to);
  }
  if (covered < length) return undefined;
  const whole = new Uint8Array(length);
  for (const { from, to, bytes } of [...parts].reverse()) {
    if (from < length) whole.set(bytes.subarray(0, Math.min(to, length) - from), from);
  }
  return whole;
}
