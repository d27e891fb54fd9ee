import { CLOSE_WAIT, ESTABLISHED, SYN_RECV, stateCode, TIME_WAIT } from '../../analyze/codes.js';
import { isStaleRow } from '../../model/table.js';
import { MARKS } from './connection-list.js';
import type { Look } from './look.js';
import { LookTraffic } from './look-traffic.js';
import { LookUse } from './look-use.js';
import type { PoolEntry } from './pool-book.js';
import type { PoolTally } from './pool-tally.js';
import { probeReader } from './probe-tally.js';
import { SYN_SENT } from './states.js';

const LAST_ACK = stateCode('last-ack');
/** After the FIN of the peer, an answer that nothing was added to for so long has ended. */
const ANSWERED_MS = 30_000;

/** Counts each connection of a look in its pool, by its state. */
export class LookTally {
  private readonly use: LookUse;
  private readonly traffic: LookTraffic;
  private readonly probe;

  constructor(private readonly look: Look) {
    this.use = new LookUse(look);
    this.traffic = new LookTraffic(look);
    this.probe = probeReader(look.table);
  }

  count(row: number, entry: number, known: number, { identity, tally }: PoolEntry): void {
    const { now } = this.look;
    now.quietMs[entry] = now.answerMs[entry] = now.rttMs[entry] = Number.NaN;
    switch (this.look.table.state[row]) {
      case ESTABLISHED:
        this.tallyOpen(row, entry, known, identity.direction === 'outbound', tally);
        this.use.tally(row, entry, known, identity.direction === 'outbound', tally);
        break;
      case SYN_SENT:
      case SYN_RECV:
        tally.connecting++;
        break;
      case CLOSE_WAIT:
        this.tallyCloseWait(row, entry, known, identity.direction === 'outbound', tally);
        break;
      case LAST_ACK:
        tally.lastAck++;
        break;
      case TIME_WAIT:
        tally.timeWait++;
        break;
      default:
        tally.finWait++;
    }
  }

  private tallyOpen(row: number, entry: number, known: number, outbound: boolean, tally: PoolTally): void {
    const { now, columns } = this.look;
    tally.open++;
    if (!outbound && columns.inode?.[row] === 0) tally.waiting++;
    if (isStaleRow(this.look.table, row)) tally.stale++;
    else {
      const [sentMs, receivedMs] = [columns.sent?.[row] ?? Number.NaN, columns.received?.[row] ?? Number.NaN];
      now.quietMs[entry] = Math.min(sentMs, receivedMs);
      now.answerMs[entry] = receivedMs - sentMs;
    }
    now.rttMs[entry] = columns.rtt?.[row] ?? Number.NaN;
    if (((now.marks[entry] ?? 0) & MARKS.created) !== 0 && (now.quietMs[entry] ?? 0) >= this.look.longIdleMs)
      tally.longIdle++;
    const shape = this.traffic.follow(row, entry, known, outbound);
    tally.traffic.add(shape);
    this.probe(row, now.quietMs[entry] ?? Number.NaN, tally.probes, shape);
    tally.longLived.add(this.look.at - (now.bornAt[entry] ?? Number.NaN), now.quietMs[entry] ?? Number.NaN);
    if (columns.hasBytes) tally.hasBytes = true;
    tally.bytesSent += columns.bytesSent?.[row] || 0;
    tally.bytesReceived += columns.bytesReceived?.[row] || 0;
    tally.retransmissions += columns.retransmits?.[row] || 0;
  }

  /**
   * With inode 0 it waits in an accept queue, or nobody holds it: no leak (KERNEL.md 9). Neither is one on which an answer is still
   * being sent.
   */
  private tallyCloseWait(
    row: number,
    entry: number,
    known: number,
    outbound: boolean,
    tally: PoolTally,
  ): void {
    const { now, before } = this.look;
    tally.closeWait++;
    if (this.look.columns.inode?.[row] === 0) return;
    let marks = now.marks[entry] ?? 0;
    const again = (marks & MARKS.closeWait) !== 0;
    if (!again) tally.cameToCloseWait++;
    if (again && (now.sentBytes[entry] ?? 0) > (before.sentBytes[known] ?? 0)) {
      if ((marks & MARKS.halfClosed) === 0) tally.leftCloseWait++;
      marks |= MARKS.halfClosed;
    }
    now.marks[entry] = marks | MARKS.closeWait;
    if ((marks & MARKS.halfClosed) !== 0 && !((this.look.columns.sent?.[row] ?? 0) >= ANSWERED_MS)) return;
    tally.heldCloseWait++;
    if (again) tally.stuckCloseWait++;
    if (again && !outbound && this.isAsked(row)) tally.askedCloseWait++;
    const ms = this.look.columns.acked?.[row] ?? Number.NaN;
    if (!(tally.oldestCloseWaitMs >= ms)) tally.oldestCloseWaitMs = ms;
  }

  /**
   * Bytes came, and none went after them: whoever is done sends with shutdown(SHUT_WR) and waits. Within one jiffy it was most likely an answer. The FIN counts as a
   * byte.
   */
  private isAsked(row: number): boolean {
    const { bytesReceived, bytesSent, sent, received } = this.look.columns;
    if (!((bytesReceived?.[row] || 0) > 1)) return false;
    return !((bytesSent?.[row] || 0) > 0) || (sent?.[row] ?? Number.NaN) > (received?.[row] ?? Number.NaN);
  }
}
