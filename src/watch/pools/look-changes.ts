import { CLOSE_WAIT, ESTABLISHED, FIN_WAIT_2, TIME_WAIT } from '../../analyze/codes.js';
import { MANY_EXCHANGES } from '../../model/pools.js';
import { type ConnectionList, MARKS } from './connection-list.js';
import { exchangeReader } from './exchange-tally.js';
import { type Look, leastAge, movedBytes, SLACK_MS } from './look.js';
import type { PoolTally } from './pool-tally.js';
import { hasEnded, isConnecting } from './states.js';

/** What became of a connection since the look before: came, was used, moved to another pool, began to close. */
export class LookChanges {
  private readonly exchangesOf;

  constructor(private readonly look: Look) {
    this.exchangesOf = exchangeReader(look.columns.segmentsOut, look.columns.segmentsIn);
  }

  /** A connection that no look has shown before. */
  welcome(row: number, entry: number, tally: PoolTally): void {
    const { now, at, elapsed } = this.look;
    const ageMs = leastAge(this.look, row);
    now.bornAt[entry] = at - ageMs;
    const state = this.look.table.state[row];
    // A port that was left over before the watch is no connection of it.
    if (isConnecting(state) || (elapsed === undefined && state === TIME_WAIT)) return;
    if (isTrace(state) && this.isCounted(tally)) {
      now.marks[entry] = MARKS.created | MARKS.told;
      return;
    }
    tally.seen++;
    if (isTrace(state)) tally.traces++;
    if (elapsed !== undefined && ageMs <= elapsed + this.look.slackMs) {
      now.marks[entry] = MARKS.created;
      tally.createdNow++;
      if (hasEnded(state)) tally.closedNow++;
      return;
    }
    now.marks[entry] = MARKS.older;
    if (elapsed !== undefined) tally.takeBackClosed();
  }

  /** The kernel told of its end before this look; of several of its kind only how many. */
  private isCounted(tally: PoolTally): boolean {
    const { ended, key } = this.look;
    if (ended.has(key)) return true;
    if (tally.leftOversToCome === 0) return false;
    tally.leftOversToCome--;
    return true;
  }

  /** It was there before, but the filter takes it only now. */
  join(entry: number, known: number, tally: PoolTally): void {
    const { now, before } = this.look;
    now.marks[entry] = MARKS.older;
    now.bornAt[entry] = before.bornAt[known] ?? 0;
    tally.seen++;
  }

  /** Its handshake is over: only now it counts, since those that are refused or given up were none. */
  arrive(row: number, entry: number, known: number, tally: PoolTally): void {
    if (isConnecting(this.look.table.state[row])) return;
    const { marks } = this.look.now;
    marks[entry] = (marks[entry] ?? 0) | MARKS.created;
    if (wasCounted(this.look.before, known)) return;
    tally.seen++;
    tally.createdNow++;
  }

  /** The owner of a connection was found later than the connection. */
  moveMarks(known: number, to: PoolTally): void {
    const { before, at, elapsed = 0 } = this.look;
    const from = this.look.book.get(before.pool[known] ?? -1)?.tally;
    const marks = before.marks[known] ?? 0;
    const isRecent = (before.bornAt[known] ?? 0) >= at - 2 * elapsed - SLACK_MS;
    for (const [tally, one] of [
      [from, -1],
      [to, 1],
    ] as const) {
      if (tally === undefined) continue;
      tally.seen += one;
      if ((marks & MARKS.moved) !== 0) tally.moved += one;
      if ((marks & (MARKS.moved | MARKS.carried)) !== 0) tally.reused += one;
      if ((marks & MARKS.answered) !== 0) tally.answered += one;
      if ((marks & MARKS.created) !== 0) tally.addCreated(one, isRecent);
    }
  }

  noteClosing(row: number, entry: number, known: number): void {
    const { now, before, closes, at, elapsed = 0 } = this.look;
    const state = this.look.table.state[row];
    now.closedLow[entry] = before.closedLow[known] ?? Number.NaN;
    now.closedHigh[entry] = before.closedHigh[known] ?? Number.NaN;
    if (before.state[known] !== ESTABLISHED || state === ESTABLISHED) return;
    const closed = closes.closing(before, known, this.look.table, row, { at, elapsed });
    if (closed === undefined) return;
    now.marks[entry] = (now.marks[entry] ?? 0) | closed.mark;
    now.closedLow[entry] = closed.low;
    now.closedHigh[entry] = closed.high;
  }

  noteReuse(row: number, entry: number, known: number, tally: PoolTally): void {
    const { now, before } = this.look;
    const marks = now.marks[entry] ?? 0;
    this.noteAnswer(row, entry, known, tally);
    if ((marks & MARKS.moved) !== 0 || !(movedBytes(this.look, row) > (before.moved[known] ?? 0))) return;
    now.marks[entry] = (now.marks[entry] ?? 0) | MARKS.moved;
    tally.moved++;
    if ((marks & MARKS.carried) === 0) tally.reused++;
  }

  /** By its own numbers, whichever look shows them. */
  noteCarried(row: number, entry: number, tally: PoolTally): void {
    const { marks } = this.look.now;
    const now = marks[entry] ?? 0;
    if ((now & MARKS.carried) !== 0 || !(this.exchangesOf(row) >= MANY_EXCHANGES)) return;
    marks[entry] = now | MARKS.carried;
    if ((now & MARKS.moved) === 0) tally.reused++;
  }

  /** A FIN counts as a byte, but only in another state. */
  private noteAnswer(row: number, entry: number, known: number, tally: PoolTally): void {
    const { now, before } = this.look;
    const marks = now.marks[entry] ?? 0;
    if ((marks & MARKS.answered) !== 0 || this.look.table.state[row] !== ESTABLISHED) return;
    if (!((this.look.columns.bytesReceived?.[row] || 0) > (before.receivedBytes[known] ?? Number.NaN)))
      return;
    now.marks[entry] = marks | MARKS.answered;
    tally.answered++;
  }
}

/** Of a connection whose socket may be gone already. */
const isTrace = (state: number | undefined): boolean => state === TIME_WAIT || state === FIN_WAIT_2;

/** It was still connecting at the look before, and the kernel has told of its end since. */
export const wasCounted = ({ state, marks }: ConnectionList, entry: number): boolean =>
  isConnecting(state[entry]) && ((marks[entry] ?? 0) & MARKS.told) !== 0;

/** One that was answered on has been counted. */
export const isHeldCloseWait = ({ state, marks }: ConnectionList, entry: number): boolean =>
  state[entry] === CLOSE_WAIT &&
  ((marks[entry] ?? 0) & (MARKS.closeWait | MARKS.halfClosed)) === MARKS.closeWait;
