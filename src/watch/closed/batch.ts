import type { Closer } from '../../model/closed.js';
import type { Listener } from '../../model/listener.js';
import type { ClosedObservation } from '../../model/observation.js';
import type { SocketTable } from '../../model/table.js';
import type { KeptSockets } from '../state.js';
import { closerByState, EndingReader } from './endings.js';
import { joinByCookie, leftWaiting } from './join.js';
import type { ListenerEnds } from './listener-ends.js';
import type { ClosedFacts } from './tally.js';

/** What is known around a batch: the last table before, and the one that came next. */
export interface Around {
  readonly before: KeptSockets | undefined;
  /** With all sockets, so that a TIME-WAIT that is not there does not exist. */
  readonly after: SocketTable | undefined;
  /** The kernel made no TIME-WAIT for want of room. */
  readonly lacksTimeWait: boolean;
  readonly ends: ListenerEnds;
}

const NOT_THERE = -1;

/** Reads the rows of one batch, one after the other, into the same facts. */
export class BatchReader {
  readonly table: SocketTable;
  private readonly endings: EndingReader;
  private readonly joined: Int32Array;
  private readonly left: Uint8Array | undefined;
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

  read(row: number, isInbound: boolean, facts: ClosedFacts): void {
    const { columns } = this;
    const [sent, received, ack] = [columns.sent[row], columns.received[row], columns.ack[row]];
    const busy = orZero(columns.busy[row]);
    facts.ending = this.endings.endingOf(row, isInbound);
    facts.closer = this.closerOf(row, facts);
    // Whichever direction carried nothing still counts from the beginning.
    const isExact = [
      Number.isNaN(columns.dataOut[row]) ? sent : NaN,
      Number.isNaN(columns.dataIn[row]) ? received : NaN,
    ];
    const exact = Math.max(orZero(isExact[0]), orZero(isExact[1]));
    facts.lastedAtLeast = Math.max(
      exact,
      orZero(sent),
      orZero(received),
      orZero(ack),
      busy,
      this.agedBefore(row),
    );
    facts.lastedAtMost = exact > 0 ? exact : this.rowBefore(row) === NOT_THERE ? this.upperBound : Number.NaN;
    if (facts.lastedAtMost < facts.lastedAtLeast) facts.lastedAtMost = facts.lastedAtLeast;
    const carried = !Number.isNaN(columns.dataOut[row]) || !Number.isNaN(columns.dataIn[row]);
    facts.idle = carried ? Math.min(sent ?? Number.NaN, received ?? Number.NaN) : Number.NaN;
    facts.bytesSent = Math.max(0, orZero(columns.bytesSent[row]) - orZero(columns.bytesAgain[row]));
    facts.bytesReceived = orZero(columns.bytesReceived[row]);
    facts.rtt = columns.rtt[row] ?? Number.NaN;
    facts.retransmissions = orZero(columns.again[row]);
    facts.busy = busy;
    facts.receiverLimited = orZero(columns.receiverLimited[row]);
    facts.bufferLimited = orZero(columns.bufferLimited[row]);
  }

  private closerOf(row: number, { ending }: ClosedFacts): Closer {
    if (this.endings.isAborted(row) || this.left?.[row] === 1) return 'self';
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
    bytesSent: column('bytesSent'),
    bytesAgain: column('bytesRetransmitted'),
    bytesReceived: column('bytesReceived'),
    rtt: column('rttMs'),
    again: column('retransmitsTotal'),
    receiverLimited: column('receiverLimitedMs'),
    bufferLimited: column('bufferLimitedMs'),
  };
}
