import { ROW_FLAGS, type SocketTable } from '../../model/table.js';

/** What an established connection seems to do; `UNKNOWN` where the source has no times. */
export const USE = { unknown: 0, idle: 1, busy: 2 } as const;
export type Use = (typeof USE)[keyof typeof USE];

/** Times of the kernel are jiffies, 4 to 10 ms: sent and received within one of them cannot be put in order. */
const JIFFY_MS = 10;
/** An ACK that carries no data comes within the delayed ACK of the peer, 200 ms at most; a later one answers a keep-alive probe. */
const DELAYED_ACK_MS = 250;

/**
 * Infers use from queues and times (KERNEL.md 10). Busy: bytes unread, unsent or not acknowledged; both directions used within
 * the last jiffy; or a request without an answer: sent after the last receipt (outbound), received after the last sending
 * (inbound). A sender that expects no answer looks busy, an open transaction that is quiet looks idle.
 */
export function useReader(table: SocketTable): (row: number, outbound: boolean) => Use {
  const sent = table.column('lastSentMs');
  const received = table.column('lastReceivedMs');
  const acked = table.column('lastAckMs');
  const unacked = table.column('unacked');
  const bytesSent = table.column('bytesSent');
  const bytesAcked = table.column('bytesAcked');
  const bytesReceived = table.column('bytesReceived');
  const { flags, recvQueue, sendQueue } = table;
  return (row, outbound) => {
    const queued = ((flags[row] ?? 0) & ROW_FLAGS.queues) !== 0;
    if (queued && ((recvQueue[row] ?? 0) > 0 || (sendQueue[row] ?? 0) > 0)) return USE.busy;
    if ((unacked?.[row] ?? 0) > 0) return USE.busy;
    const out = sent?.[row] ?? Number.NaN;
    const back = received?.[row] ?? Number.NaN;
    if (Number.isNaN(out) || Number.isNaN(back)) return USE.unknown;
    // ss leaves out a 0, so that an absent number of bytes is none.
    const used = (bytesSent?.[row] || 0) + (bytesAcked?.[row] || 0) + (bytesReceived?.[row] || 0) > 1;
    if (!used) return out === back ? USE.idle : asRequest(outbound ? out < back : back < out);
    if (out <= JIFFY_MS && back <= JIFFY_MS) return USE.busy;
    if (out !== back) return asRequest(outbound ? out < back : back < out);
    const ack = acked?.[row] ?? Number.NaN;
    return asRequest(outbound && ack < back && back - ack <= DELAYED_ACK_MS);
  };
}

const asRequest = (underWay: boolean): Use => (underWay ? USE.busy : USE.idle);
