import type { ExchangeFacts } from '../../model/pools.js';
import type { SocketTable } from '../../model/table.js';

const KEPT = 64;
const FIN = 1;
const SYN_AND_FIN = 2;
/** Numbers that differ by less are the same limit: answers of a few are two segments, the client ends a little early. */
const NEAR_SHARE = 0.1;

/** How much connections had carried when they ended: the last 64 of them. */
export class ExchangeTally {
  private last: Float64Array | undefined;
  private count = 0;

  /** `segments`: with data, of the direction that had fewer. */
  add(segments: number): void {
    if (!(segments >= 0)) return;
    this.last ??= new Float64Array(KEPT);
    this.last[this.count++ % KEPT] = segments;
  }

  describe(): ExchangeFacts | undefined {
    if (this.last === undefined) return undefined;
    const sorted = this.last.slice(0, Math.min(this.count, KEPT)).sort();
    const median = sorted[sorted.length >> 1] ?? 0;
    const near = sorted.filter((one) => Math.abs(one - median) <= Math.max(1, median * NEAR_SHARE)).length;
    return { median, near, of: sorted.length };
  }
}

/** Reads those of a row; NaN: the source has no such numbers. */
export function exchangeReader(
  sent: Float64Array | undefined,
  received: Float64Array | undefined,
): (row: number) => number {
  // A row without the number has had no data in that direction.
  if (sent === undefined || received === undefined) return () => Number.NaN;
  return (row) => Math.min(sent[row] || 0, received[row] || 0);
}

/**
 * Reads whether a connection that ended had carried a byte either way: SYN and FIN count as acknowledged, a FIN as received. `undefined`: the kernel acknowledged not even
 * a SYN, as of one that the other side opened, or the source has no such numbers.
 */
export function bareReader(table: SocketTable): (row: number) => boolean | undefined {
  const sent = table.column('bytesSent');
  const acked = table.column('bytesAcked');
  const received = table.column('bytesReceived');
  return (row) => {
    const most = acked?.[row] || 0;
    if (most === 0) return undefined;
    return (sent?.[row] || 0) === 0 && most <= SYN_AND_FIN && (received?.[row] || 0) <= FIN;
  };
}
