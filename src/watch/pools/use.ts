import { isStaleRow, ROW_FLAGS, type SocketTable } from '../../model/table.js';

/**
 * What an established connection seems to do. `idle` and `busy`: by the order of the last request and answer, from which others may be
 * told. `fresh` is idle and was never used, `active` is busy by its queues, `unread` waits for its own process, not for the peer, `recent` was used both ways a moment ago: it may lie idle by now.
 * `unsure`: request and answer came within one jiffy, in which order is not known. `unknown`: the source has no times, or
 * not of this look.
 */
export const USE = {
  unknown: 0,
  idle: 1,
  busy: 2,
  unsure: 3,
  fresh: 4,
  active: 5,
  recent: 6,
  unread: 7,
} as const;
export type Use = (typeof USE)[keyof typeof USE];

/** Times of the kernel are jiffies, 4 to 10 ms: sent and received within one of them cannot be put in order. */
const JIFFY_MS = 10;
/**
 * A peer that does not answer at once sends an ACK alone, after its delay for ACKs: 40 ms, 200 ms at most. An answer brings its own, so that an
 * ACK which came a little later than the last data belongs to a request after them [measured]; one that came much later answers a keep-alive probe.
 */
const DELAYED_ACK_MS = 250;
/** The longest that the kernel waits with an ACK (TCP_DELACK_MAX), and a jiffy or two of slack. */
const LONGEST_ACK_MS = 220;

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
    if (queued && (recvQueue[row] ?? 0) > 0) return outbound ? USE.unread : USE.active;
    if (queued && (sendQueue[row] ?? 0) > 0) return USE.active;
    if (isStaleRow(table, row)) return USE.unknown;
    if ((unacked?.[row] ?? 0) > 0) return USE.active;
    const out = sent?.[row] ?? Number.NaN;
    const back = received?.[row] ?? Number.NaN;
    if (Number.isNaN(out) || Number.isNaN(back)) return USE.unknown;
    const underWay = outbound ? out < back : back < out;
    // ss leaves out a 0, so that an absent number of bytes is none.
    const used = (bytesSent?.[row] || 0) + (bytesAcked?.[row] || 0) + (bytesReceived?.[row] || 0) > 1;
    if (!used) return underWay ? USE.active : USE.fresh;
    if (out <= JIFFY_MS && back <= JIFFY_MS) return underWay ? USE.busy : USE.recent;
    if (out !== back) return underWay ? USE.busy : USE.idle;
    // Requests that nothing has ever answered. There is no column of what no socket of a table has; bytes sent, only some sources count.
    const answers = outbound ? bytesReceived : (bytesSent ?? bytesAcked);
    if ((answers?.[row] || 0) === 0) return USE.busy;
    const ack = acked?.[row] ?? Number.NaN;
    return outbound && ack < back && back - ack <= DELAYED_ACK_MS ? USE.busy : USE.unsure;
  };
}

/**
 * What a connection of unsure use does, from what it surely did at the look before and from the segments with data since (requests
 * less answers, `change`). Holds where requests and answers are one segment each, or as many; else it stays unsure.
 */
export function useByChange(wasBusy: boolean, wasIdle: boolean, change: number): Use {
  if (wasBusy && change === 0) return USE.busy;
  if (wasBusy && change === -1) return USE.idle;
  if (wasIdle && change === 0) return USE.idle;
  return wasIdle && change === 1 ? USE.busy : USE.unsure;
}

/**
 * What is received is acknowledged soon: by data that goes out anyway, else by an ACK alone. So where answers
 * came since the look before, the last of them longer ago than that, and no ACK alone was sent, data followed the last one.
 */
export const sentAfterReceipt = (ackedAlone: number, received: number, receivedMs: number): boolean =>
  ackedAlone === 0 && received > 0 && receivedMs > LONGEST_ACK_MS;

/** So many different balances are of a protocol whose answers have any number of segments. */
const MOST_BALANCES = 8;
/** What is believed: seen so many times as often as its opposite, and in this share of all that was seen. */
const BELIEVED = { times: 4, share: 0.2 };

/**
 * How many more segments of requests than of answers the connections of a pool have while one is under way, and while none is:
 * the same for nearly all where each is one segment, as most are (a segment sent twice makes another number). Learned from connections whose use is sure.
 */
export class UseLevels {
  private readonly seen = new Map<number, { busy: number; idle: number }>();
  private total = 0;

  learn(use: Use, balance: number): void {
    if ((use !== USE.busy && use !== USE.idle) || this.seen.size > MOST_BALANCES) return;
    let level = this.seen.get(balance);
    if (level === undefined) {
      level = { busy: 0, idle: 0 };
      this.seen.set(balance, level);
    }
    if (use === USE.busy) level.busy++;
    else level.idle++;
    this.total++;
  }

  /** What a connection of unsure use does, if it can be told: at a level, or one request beside it. */
  tell(balance: number): Use {
    if (this.seen.size > MOST_BALANCES) return USE.unsure;
    const here = this.believed(balance);
    if (here !== USE.unsure) return here;
    if (this.believed(balance + 1) === USE.busy) return USE.idle;
    return this.believed(balance - 1) === USE.idle ? USE.busy : USE.unsure;
  }

  private believed(balance: number): Use {
    const level = this.seen.get(balance);
    if (level === undefined || level.busy + level.idle < this.total * BELIEVED.share) return USE.unsure;
    if (level.busy >= Math.max(1, level.idle * BELIEVED.times)) return USE.busy;
    return level.idle >= Math.max(1, level.busy * BELIEVED.times) ? USE.idle : USE.unsure;
  }
}
