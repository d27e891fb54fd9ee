import type { Closer } from '../../model/closed.js';
import type { Direction } from '../../model/direction.js';
import type { Listener } from '../../model/listener.js';
import type { ClosedObservation } from '../../model/observation.js';
import type { SocketTable } from '../../model/table.js';
import { closerByState, EndingReader } from './endings.js';
import { joinByCookie, leftWaiting } from './join.js';
import type { ListenerEnds } from './listener-ends.js';
import { type MptcpUse, mayBeSubflow } from './mptcp.js';
import type { ClosedFacts } from './tally.js';

/** A table before the batch, and when it was read (monotonic ms). */
export interface TableBefore {
  readonly table: SocketTable;
  readonly monotonic: number;
  readonly complete: boolean;
}

/** What is known around a batch: the last table before, and the one that came next. */
export interface Around {
  readonly before: TableBefore | undefined;
  /** With all sockets, so that a TIME-WAIT that is not there does not exist. */
  readonly after: SocketTable | undefined;
  /** The kernel made no TIME-WAIT for want of room. */
  readonly lacksTimeWait: boolean;
  readonly ends: ListenerEnds;
  readonly mptcp: MptcpUse;
}

const NOT_THERE = -1;
const MOST_WEIGHT = 100_000;

/** Reads the rows of one batch, one after the other, into the same facts. */
export class BatchReader {
  readonly table: SocketTable;
  private readonly endings: EndingReader;
  private readonly joined: Int32Array;
  private readonly left: Uint8Array | undefined;
  private waitedBefore: Uint8Array | undefined;
  private readonly columns;
  private readonly seenBefore;
  private readonly upperBound: number;

  constructor(
    { sockets, origin }: ClosedObservation,
    private readonly around: Around,
  ) {
    const { before, after } = around;
    this.table = sockets;
    this.endings = new EndingReader(sockets);
    this.joined = joinByCookie(sockets, before?.table);
    this.left = after === undefined ? undefined : leftWaiting(sockets, after);
    this.upperBound = before?.complete === true ? origin.monotonic - before.monotonic : Number.NaN;
    this.columns = columnsOf(sockets);
    this.seenBefore = before === undefined ? undefined : columnsOf(before.table);
  }

  listenerOf(row: number): Listener | undefined {
    return this.endings.isAttempt(row) ? undefined : this.around.ends.find(this.table, row);
  }

  /** Row of the same socket in the table before, -1 where it was not there. */
  rowBefore(row: number): number {
    return this.joined[row] ?? NOT_THERE;
  }

  /** Whether the table before had nothing of it. What had ended before that look, and is told only now, it has as a TIME-WAIT. */
  isFresh(row: number): boolean {
    const { before } = this.around;
    this.waitedBefore ??= before === undefined ? undefined : leftWaiting(this.table, before.table);
    return this.rowBefore(row) === NOT_THERE && this.waitedBefore?.[row] !== 1;
  }

  /** Without a listener: who opened it, as far as its numbers tell. */
  directionOf(row: number): Direction {
    return this.endings.directionOf(row, this.table);
  }

  /** @param listener that it came in through, where one is known */
  read(row: number, direction: Direction, listener: Listener | undefined, facts: ClosedFacts): void {
    const { columns } = this;
    const isAborted = this.isAborted(row, listener);
    // A recording may have been forged.
    facts.weight = Math.min(MOST_WEIGHT, Math.max(1, orZero(columns.weight[row])));
    facts.ending = this.endings.endingOf(row, direction, isAborted);
    facts.closer = isAborted ? 'self' : this.closerOf(row, facts);
    // The kernel tells of it when it has time: the last acknowledgement came with the end.
    const since = facts.ending === 'finished' ? orZero(columns.ack[row]) : 0;
    const sent = Math.max(0, (columns.sent[row] ?? Number.NaN) - since);
    const received = Math.max(0, (columns.received[row] ?? Number.NaN) - since);
    const hasSent = !Number.isNaN(columns.dataOut[row]);
    const hasReceived = !Number.isNaN(columns.dataIn[row]);
    this.readAge(row, hasSent ? Number.NaN : sent, hasReceived ? Number.NaN : received, facts);
    facts.lastedAtLeast = Math.max(facts.lastedAtLeast, orZero(sent), orZero(received));
    facts.lastedAtMost = Math.max(facts.lastedAtMost, facts.lastedAtLeast);
    facts.idle = hasSent || hasReceived ? Math.min(sent, received) : Number.NaN;
    this.readVolume(row, hasSent, hasReceived, facts);
  }

  /** Ages of a direction that carried nothing still count from the beginning: then the age is exact. */
  private readAge(row: number, sentNothing: number, receivedNothing: number, facts: ClosedFacts): void {
    const exact = Math.max(orZero(sentNothing), orZero(receivedNothing));
    const isExact = !Number.isNaN(sentNothing) || !Number.isNaN(receivedNothing);
    const isNew = this.rowBefore(row) === NOT_THERE;
    facts.lastedAtLeast = Math.max(exact, orZero(this.columns.busy[row]), this.agedBefore(row));
    facts.lastedAtMost = isExact ? exact : isNew ? this.upperBound : Number.NaN;
  }

  /** This side sent a RST, which made the kernel forget; a subflow of MPTCP it forgets however that ends. */
  private isAborted(row: number, listener: Listener | undefined): boolean {
    const { before, mptcp } = this.around;
    return (
      this.endings.isForgotten(row) && !mayBeSubflow(before?.table, this.rowBefore(row), listener, mptcp)
    );
  }

  private readVolume(row: number, hasSent: boolean, hasReceived: boolean, facts: ClosedFacts): void {
    const { columns } = this;
    const { bytesSent, bytesReceived } = columns;
    // Zeros are left out of what is told; bytes of data that went are none.
    const isTold = this.isTold(row);
    const nothing = isTold ? 0 : Number.NaN;
    const sent = bytesSent[row] || (hasSent ? Number.NaN : nothing);
    facts.bytesSent = Math.max(0, sent - orZero(columns.bytesAgain[row]));
    // The kernel counts the peer's FIN as a byte, where it came before ours was acknowledged.
    const fin = facts.closer === 'peer' ? 1 : 0;
    facts.bytesReceived = hasReceived ? Math.max(0, (bytesReceived[row] || Number.NaN) - fin) : nothing;
    facts.rtt = columns.rtt[row] ?? Number.NaN;
    facts.retransmissions = columns.again[row] || nothing;
    facts.busy = isTold ? orZero(columns.busy[row]) : Number.NaN;
    facts.receiverLimited = columns.receiverLimited[row] || nothing;
    facts.bufferLimited = columns.bufferLimited[row] || nothing;
  }

  /** Whether its numbers are known: a tcp_info came, and the kernel had not forgotten them. */
  private isTold(row: number): boolean {
    if (this.endings.isForgotten(row)) return false;
    const { segmentsIn, segmentsOut, sent, received } = this.columns;
    const hasSegments = !Number.isNaN(segmentsIn[row]) || !Number.isNaN(segmentsOut[row]);
    return hasSegments || !Number.isNaN(sent[row]) || !Number.isNaN(received[row]);
  }

  private closerOf(row: number, { ending }: ClosedFacts): Closer {
    if (this.left?.[row] === 1) return 'self';
    const { before, lacksTimeWait } = this.around;
    const seen = closerByState(before?.table.state[this.rowBefore(row)]);
    if (seen !== 'unknown') return seen;
    // Our FIN was acknowledged, and nothing waits for late segments: the other side closed first, and waits there.
    return ending === 'finished' && this.left !== undefined && !lacksTimeWait ? 'peer' : 'unknown';
  }

  /** How old it was at the look before, at least. */
  private agedBefore(row: number): number {
    const before = this.rowBefore(row);
    if (before === NOT_THERE || this.seenBefore === undefined) return 0;
    const { sent, received, ack } = this.seenBefore;
    return Math.max(orZero(sent[before]), orZero(received[before]), orZero(ack[before]));
  }
}

const orZero = (value: number | undefined): number =>
  value === undefined || Number.isNaN(value) ? 0 : value;

function columnsOf(table: SocketTable) {
  const none = new Float64Array(table.length).fill(Number.NaN);
  const column = (name: Parameters<SocketTable['column']>[0]) => table.column(name) ?? none;
  return {
    sent: column('lastSentMs'),
    received: column('lastReceivedMs'),
    ack: column('lastAckMs'),
    busy: column('busyMs'),
    dataOut: column('dataSegmentsOut'),
    dataIn: column('dataSegmentsIn'),
    segmentsOut: column('segmentsOut'),
    segmentsIn: column('segmentsIn'),
    bytesSent: column('bytesSent'),
    bytesAgain: column('bytesRetransmitted'),
    bytesReceived: column('bytesReceived'),
    rtt: column('rttMs'),
    again: column('retransmitsTotal'),
    receiverLimited: column('receiverLimitedMs'),
    bufferLimited: column('bufferLimitedMs'),
    weight: column('weight'),
  };
}
