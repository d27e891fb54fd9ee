import { CLOSE_WAIT, ESTABLISHED, stateCode } from '../../analyze/codes.js';
import type { SocketTable } from '../../model/table.js';
import { type Ending, type IdleCloseBook, LEAST_IDLE_MS } from '../keepalive.js';
import {
  type Closing,
  closingOf,
  hasSentFin,
  isTlsAlert,
  isUnanswered,
  refusedSegments,
  sentBefore,
} from './closing.js';
import { type ConnectionList, MARKS } from './connection-list.js';
import {
  beforeFarewell,
  boundsOf,
  farewellBounds,
  GRAIN_MS,
  type IdleBounds,
  isBusy,
  type LookTimes,
  saidFarewell,
} from './idle-bounds.js';

const LAST_ACK = stateCode('last-ack');
const FIN_WAIT_1 = stateCode('fin-wait-1');
const FIN_WAIT_2 = stateCode('fin-wait-2');
/** FIN-WAIT-2 and TIME-WAIT last this long at least, unless a reset ends them; tcp_fin_timeout is 60 s by default. */
const SURELY_THERE_MS = 5000;

/** What a connection's own times tell of its end, when the kernel announced it. */
interface Announced extends IdleBounds {
  readonly by: Ending;
  /** A peer that closes without reading it answers with a reset. */
  readonly farewell?: boolean;
}

/** Nothing more is to be noted of it. */
const TOLD: Announced = { by: 'unknown', low: Number.NaN, high: Number.NaN };

/** What the pool of an entry knows: where its ends are noted, and whether requests go out on it. */
interface Ends {
  readonly book: IdleCloseBook;
  readonly isOutbound: boolean;
}

/**
 * Tells how connections that had been idle came to their end: after how long, who closed first, and whether a request met that
 * FIN. From the kernel's own announcements where they come, else from what two looks show.
 */
export class CloseNotes {
  /** Of the connections of the last look, by entry. */
  private readonly announced = new Map<number, Announced>();

  constructor(private readonly endsOf: (pool: number | undefined) => Ends | undefined) {}

  /**
   * A connection of the last look, `entry`, has ended: `row` holds its last numbers. FINs take a number each, and thus tell: bytes received rise
   * by one with the peer's, bytes acknowledged by one with ours [measured].
   */
  announce(list: ConnectionList, entry: number, table: SocketTable, row: number, at: number): void {
    const closing = closingOf(table, row);
    const ends = this.endsOf(list.pool[entry]);
    if (closing === undefined || ends === undefined) return;
    if (list.state[entry] === FIN_WAIT_1) this.announceReset(list, entry, closing, ends.book, at);
    if (!isWatched(list.state[entry]) || ((list.marks[entry] ?? 0) & MARKS.crossed) !== 0) return;
    const { book } = ends;
    const finIn = closing.received - (list.receivedBytes[entry] ?? Number.NaN);
    const finOut = closing.acked - (list.ackedBytes[entry] ?? Number.NaN);
    const lateMs = closing.receivedMs - closing.sentMs;
    if (lateMs >= LEAST_IDLE_MS && isUnanswered(list, entry, closing)) {
      this.announced.set(entry, TOLD);
      if (finIn !== 1 && list.state[entry] !== CLOSE_WAIT) {
        // Whether idleness was the reason, only those tell that were idle as long.
        book.noteUnanswered(lateMs, closing.rttMs || 0);
        return;
      }
      if (isTlsAlert(list, entry, closing)) book.noteAlert();
      else book.noteLost(lateMs);
      if (list.state[entry] !== CLOSE_WAIT) book.note('peer', lateMs, closing.receivedMs, at);
      return;
    }
    if (list.state[entry] === CLOSE_WAIT) return;
    if (isNeverAnswered(ends, closing.sent, closing.received - (finIn === 1 ? 1 : 0))) {
      this.announced.set(entry, TOLD);
      return;
    }
    const idle = Math.min(closing.sentMs, closing.receivedMs);
    const low = idle - 2 * (closing.rttMs || 0) - GRAIN_MS;
    const by = endingOf(finIn, finOut);
    const said = saidFarewell(list, entry, closing) ? beforeFarewell(list, entry, closing, false) : undefined;
    if (said !== undefined) {
      book.hasFarewells = true;
      this.announced.set(entry, { by: finIn === 0 ? 'self' : 'peer', ...said, farewell: true });
      return;
    }
    const bounds = { low: Math.max(0, low), high: idle };
    if (by === 'reset') noteReset(book, list, entry, closing, { ...bounds, at });
    // After a reset there is no TIME-WAIT to look for.
    this.announced.set(entry, by === 'reset' ? TOLD : { by, ...bounds });
  }

  /**
   * A connection that was established at the look before the last one, and that the last one did not show: a reset ended it, and its process, which held the socket, has
   * closed it only now. Of those that were idle the looks have told; requests that were lost, only its own numbers show.
   */
  announceGone(list: ConnectionList, entry: number, table: SocketTable, row: number): void {
    const closing = closingOf(table, row);
    const ends = this.endsOf(list.pool[entry]);
    if (closing === undefined || ends === undefined) return;
    const lateMs = closing.receivedMs - closing.sentMs;
    const hasFin = closing.received - (list.receivedBytes[entry] ?? Number.NaN) === 1;
    if (lateMs >= LEAST_IDLE_MS && isUnanswered(list, entry, closing) && !hasFin)
      ends.book.noteUnanswered(lateMs, closing.rttMs || 0);
  }

  /** The last look has shown that it was closed from here, and its FIN was not acknowledged even when it ended. */
  private announceReset(
    list: ConnectionList,
    entry: number,
    closing: Closing,
    book: IdleCloseBook,
    at: number,
  ) {
    const refused = refusedSegments(list, entry, closing);
    const isClosedIdle = ((list.marks[entry] ?? 0) & MARKS.closedIdle) !== 0;
    if (!isClosedIdle || closing.acked !== list.ackedBytes[entry] || Number.isNaN(refused)) return;
    if (refused > 0)
      book.noteCrossed(list.closedLow[entry] ?? Number.NaN, list.closedHigh[entry] ?? Number.NaN, at);
    this.announced.set(entry, TOLD);
  }

  /** A connection that was established at the last look shows now as `row`, in a state of closing. Gives what is to be kept of it. */
  closing(
    before: ConnectionList,
    known: number,
    table: SocketTable,
    row: number,
    look: LookTimes,
  ): Closed | undefined {
    const ends = this.endsOf(before.pool[known]);
    const state = table.state[row];
    if (ends === undefined || before.state[known] !== ESTABLISHED) return undefined;
    const { book } = ends;
    const byPeer = state === CLOSE_WAIT || state === LAST_ACK;
    const announced = this.announced.get(known);
    if (announced !== undefined) {
      this.announced.delete(known);
      if (Number.isNaN(announced.low)) return undefined;
      if (!byPeer) book.note('self', announced.low, announced.high, look.at);
      return announced.farewell === true ? undefined : { mark: MARKS.closedIdle, ...announced };
    }
    const closing = closingOf(table, row);
    const lateMs = byPeer ? crossedAfter(before, known, closing) : undefined;
    if (lateMs === undefined && isUnderWay(before, known, ends)) return undefined;
    const said = farewellBounds(before, known, table, row, byPeer);
    const { low, high } = said ?? boundsOf(before, known, table, row, look);
    book.note(byPeer ? 'peer' : 'self', low, high, look.at);
    if (said !== undefined && !byPeer) book.hasFarewells = true;
    if (!byPeer)
      return low >= LEAST_IDLE_MS && said === undefined ? { mark: MARKS.closedIdle, low, high } : undefined;
    if (lateMs === undefined || closing === undefined) return undefined;
    // After its FIN the peer cannot answer any more.
    if (isTlsAlert(before, known, closing)) book.noteAlert();
    else book.noteLost(lateMs);
    return { mark: MARKS.crossed, low, high };
  }

  /** A connection of the last look is there no more. */
  gone(before: ConnectionList, entry: number, look: LookTimes): void {
    const ends = this.endsOf(before.pool[entry]);
    const announced = this.announced.get(entry);
    const { at, elapsed } = look;
    if (ends === undefined) return;
    const { book } = ends;
    const marks = before.marks[entry] ?? 0;
    if (announced !== undefined) {
      this.announced.delete(entry);
      if (Number.isNaN(announced.low)) return;
      book.note(announced.by, announced.low, announced.high, at);
      // Our FIN was acknowledged, and yet nothing is left of FIN-WAIT-2 or TIME-WAIT: data came and were answered with a reset, or a reset came.
      const isReset = announced.by === 'self' && announced.farewell !== true && elapsed < SURELY_THERE_MS;
      if (isReset && announced.low >= LEAST_IDLE_MS)
        book.noteReset(Math.min(announced.low, before.quietMs[entry] || announced.low), announced.high, at);
      return;
    }
    const state = before.state[entry];
    const isFinWait = state === FIN_WAIT_1 || state === FIN_WAIT_2;
    // TIME-WAIT would have followed.
    if (isFinWait && (marks & MARKS.closedIdle) !== 0 && elapsed < SURELY_THERE_MS && !book.hasFarewells)
      book.noteReset(before.closedLow[entry] ?? Number.NaN, before.closedHigh[entry] ?? Number.NaN, at);
    if (state !== ESTABLISHED || isUnderWay(before, entry, ends)) return;
    const quiet = before.quietMs[entry] ?? Number.NaN;
    book.note('unknown', quiet, quiet + elapsed, at);
  }

  /** Entries of the list before mean nothing any more. */
  endLook(): void {
    this.announced.clear();
  }
}

/** A mark of its connection, and how long it had been idle when it was closed: bounds, ms. */
interface Closed extends IdleBounds {
  readonly mark: number;
}

/** How long it had been idle when a request was sent whose first byte the peer had not acknowledged when it closed. */
function crossedAfter(before: ConnectionList, known: number, closing: Closing | undefined) {
  if (closing === undefined || !isUnanswered(before, known, closing)) return undefined;
  const lateMs = closing.receivedMs - closing.sentMs;
  return lateMs >= LEAST_IDLE_MS ? lateMs : undefined;
}

/** With both FINs it depends on whether TIME-WAIT is here, which the next look shows: none, unless the caller finds it. */
function endingOf(finIn: number, finOut: number): Ending {
  if (finIn === 0 && finOut === 1) return 'self';
  if (finIn === 0 && finOut === 0) return 'reset';
  return finIn === 1 ? 'peer' : 'unknown';
}

const isWatched = (state: number | undefined) => state === ESTABLISHED || state === CLOSE_WAIT;

/** A first request, which nobody may have read yet. */
const isNeverAnswered = ({ isOutbound }: Ends, sent: number, received: number): boolean =>
  isOutbound ? sent > 0 && received === 0 : received > 0 && sent === 0;

/** A request under way that is given up is a timeout of another kind, and its answer no farewell. */
const isUnderWay = (list: ConnectionList, entry: number, ends: Ends): boolean =>
  isBusy(list, entry) ||
  isNeverAnswered(ends, sentBefore(list, entry), list.receivedBytes[entry] ?? Number.NaN);

/**
 * A reset ended it before its FIN, if it had sent one, was acknowledged. Data that came with that reset left before the peer had the FIN: whoever answers a
 * FIN acknowledges it. A FIN that a reset alone answers is a close as any other.
 */
function noteReset(
  book: IdleCloseBook,
  list: ConnectionList,
  entry: number,
  closing: Closing,
  { low, high, at }: IdleBounds & { readonly at: number },
): void {
  const refused = refusedSegments(list, entry, closing);
  if (refused > 0) book.noteCrossed(low, high, at);
  else if (refused === 0 && hasSentFin(list, entry, closing)) book.note('self', low, high, at);
  // It may have come as soon as the last look was over: the process that holds the socket ends it.
  else book.note('reset', Math.min(low, list.quietMs[entry] ?? low), high, at);
}
