import { ROW_FLAGS, type SocketTable } from '../../model/table.js';

/**
 * What an established connection seems to do. `unknown`: the source has no times; `unsure`: used and quiet again or used again
 * within one jiffy, which looks the same.
 */
export const USE = { unknown: 0, idle: 1, busy: 2, unsure: 3 } as const;
export type Use = (typeof USE)[keyof typeof USE];

/** Times of the kernel are jiffies, 4 to 10 ms: sent and received within one of them cannot be put in order. */
const JIFFY_MS = 10;
/**
 * A peer that does not answer at once sends an ACK alone, after its delay for ACKs: 40 ms, 200 ms at most. An answer brings its own, so that an
 * ACK which came a little later than the last data belongs to a request after them [measured]; one that came much later answers a keep-alive probe.
 */
const DELAYED_ACK_MS = 250;

/**
 * Infers use from queues and times (KERNEL.md 10). Busy: bytes unread, unsent or not acknowledged; both directions used within
 * the last jiffy; or a request without an answer: sent after the last receipt (outbound), received after the last sending (inbound). A sender that expects no answer looks busy, an open transaction that is quiet looks idle.
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
    return outbound && ack < back && back - ack <= DELAYED_ACK_MS ? USE.busy : USE.unsure;
  };
}

const asRequest = (underWay: boolean): Use => (underWay ? USE.busy : USE.idle);

/**
 * What a connection of unsure use does, from what it surely did at the look before and from the segments with data since (requests
 * less answers, `change`). Holds where requests and answers are one segment each, or as many; else it stays unsure.
 */
export function useByBalance(wasBusy: boolean, wasIdle: boolean, change: number): Use {
  if (wasBusy && change === 0) return USE.busy;
  if (wasBusy && change === -1) return USE.idle;
  if (wasIdle && change === 0) return USE.idle;
  return wasIdle && change === 1 ? USE.busy : USE.unsure;
}
