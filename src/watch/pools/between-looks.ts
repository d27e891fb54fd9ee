import { ESTABLISHED, FIN_WAIT_2, TIME_WAIT } from '../../analyze/codes.js';
import { CLOSE_KINDS } from '../../model/closed.js';
import { listenerFinder } from '../../model/direction.js';
import { MANY_EXCHANGES } from '../../model/pools.js';
import type { SocketTable } from '../../model/table.js';
import { EndingReader } from '../closed/endings.js';
import { joinByCookie } from '../closed/join.js';
import type { CloseNotes } from './close-notes.js';
import { type ConnectionList, MARKS, type TupleKey } from './connection-list.js';
import type { EndedTuples } from './ended-tuples.js';
import { bareReader, exchangeReader } from './exchange-tally.js';
import { SLACK_MS } from './look.js';
import type { RowFilter } from './look-pass.js';
import type { PoolBook } from './pool-book.js';
import type { PoolTally } from './pool-tally.js';
import { isConnecting } from './states.js';

const ABORTED = CLOSE_KINDS.indexOf('aborted');
const ATTEMPT = CLOSE_KINDS.indexOf('attempt');
const NOT_HELD = -1;
/** TCP_TIMEWAIT_LEN (KERNEL.md 9), and the grain of the kernel's times. */
const TIME_WAIT_MS = 60_000;
const GRAIN_MS = 20;
/** A recording may have been forged. */
const MOST_WEIGHT = 100_000;

/** The last look, and what the ends that are told before the next one change. */
export interface LastLook {
  /** Monotonic ms. */
  readonly at: number;
  readonly table: SocketTable;
  readonly list: ConnectionList;
  /** Of the look before that one. */
  readonly older: ConnectionList;
  readonly key: TupleKey;
  readonly book: PoolBook;
  readonly closes: CloseNotes;
  readonly ended: EndedTuples;
  readonly filter: RowFilter | undefined;
}

/**
 * Takes what the kernel tells of connections that ended since the last look: the last numbers of those that it held, and those that came and went without any look
 * at them, which count in the pool of their remote, or of their listener, as nobody saw whose they were. No object per row.
 */
export class BetweenLooks {
  private readonly listenerOf;

  constructor(private readonly last: LastLook) {
    this.listenerOf = listenerFinder(last.table);
  }

  /** For each row its row of the last look where the kernel has forgotten its far port, known by its cookie; `undefined`: of none it has. */
  private forgottenRows(sockets: SocketTable): Int32Array | undefined {
    const kinds = sockets.column('closeKind');
    if (kinds === undefined || kinds.indexOf(ABORTED) < 0) return undefined;
    const rows = joinByCookie(sockets, this.last.table);
    return rows.map((held, row) => (kinds[row] === ABORTED ? held : NOT_HELD));
  }

  /** `at`: monotonic ms. Gives how many connections nobody had seen and that have no pool either. */
  take(sockets: SocketTable, at: number): number {
    const { list, older, key, closes } = this.last;
    const short = new ShortOnes(this.last, this.listenerOf, sockets, at - this.last.at + SLACK_MS);
    const held = this.forgottenRows(sockets);
    for (let row = 0; row < sockets.length; row++) {
      // It has forgotten its remote port, and has no numbers.
      if ((held?.[row] ?? NOT_HELD) !== NOT_HELD) continue;
      key.load(sockets, row);
      const entry = list.find(key);
      const gone = entry < 0 ? older.find(key) : -1;
      // A reset ended it before that look, and its process has closed it only now.
      if (gone >= 0 && older.state[gone] === ESTABLISHED && older.hasCookieOf(gone, sockets, row))
        closes.announceGone(older, gone, sockets, row);
      else if (entry < 0) short.count(row);
      else if (isLeftOver(list, entry, sockets, row)) {
        // Its end is told later than a look shows what it left.
        if (((list.marks[entry] ?? 0) & MARKS.told) !== 0 || short.isLaterThan(entry, row)) short.count(row);
        else list.marks[entry] = (list.marks[entry] ?? 0) | MARKS.told;
      } else if (!list.hasCookieOf(entry, sockets, row)) short.count(row);
      else {
        closes.announce(list, entry, sockets, row, at);
        short.countHeld(row, entry);
      }
    }
    return short.left;
  }
}

/** TIME-WAIT, and FIN-WAIT-2 without a process, have a socket of their own, and mostly another cookie. */
function isLeftOver(list: ConnectionList, entry: number, sockets: SocketTable, row: number): boolean {
  const state = list.state[entry];
  return state === TIME_WAIT || (state === FIN_WAIT_2 && !list.hasCookieOf(entry, sockets, row));
}

/** Counts the rows of one batch. */
class ShortOnes {
  private readonly endings: EndingReader;
  private readonly exchangesOf;
  private readonly isBare;
  private readonly weights: Float64Array | undefined;
  private readonly acked: Float64Array | undefined;
  private readonly sent: Float64Array | undefined;
  private readonly received: Float64Array | undefined;
  private readonly cursor;
  /** Found no pool. */
  left = 0;

  constructor(
    private readonly last: LastLook,
    private readonly listenerOf: (row: number, of: SocketTable) => number | undefined,
    private readonly sockets: SocketTable,
    private readonly sinceMs: number,
  ) {
    this.endings = new EndingReader(sockets);
    this.exchangesOf = exchangeReader(sockets.column('dataSegmentsOut'), sockets.column('dataSegmentsIn'));
    this.isBare = bareReader(sockets);
    this.weights = sockets.column('weight');
    this.acked = sockets.column('lastAckMs');
    this.sent = sockets.column('lastSentMs');
    this.received = sockets.column('lastReceivedMs');
    this.cursor = sockets.cursor();
  }

  /** One that no look has shown, where it was established. */
  count(row: number): void {
    const { book, ended, key, filter } = this.last;
    this.cursor.index = row;
    if (this.kindOf(row) === ATTEMPT || this.isOlder(row) || filter?.matchesRow(this.cursor) === false)
      return;
    const weight = Math.min(MOST_WEIGHT, Math.max(1, this.weights?.[row] || 1));
    const tally = book.get(this.poolOf(row) ?? -1)?.tally;
    if (tally === undefined) {
      this.left += weight;
      return;
    }
    const isForgotten = this.kindOf(row) === ABORTED;
    // Its numbers are zeros, whatever it carried.
    const exchanges = isForgotten ? Number.NaN : this.exchangesOf(row);
    tally.addEnded(weight, exchanges, exchanges >= MANY_EXCHANGES);
    tally.addBytes(weight, this.isBare(row));
    // What this side aborted leaves nothing; of MPTCP only the side that closed first keeps a TIME-WAIT.
    if (isForgotten) return;
    const unmarked = ended.add(key) ? weight - 1 : weight;
    tally.leftOversToCome += unmarked;
  }

  /** Its port was used once more: it heard of its peer after the TIME-WAIT of that look had begun. */
  isLaterThan(entry: number, row: number): boolean {
    const sinceMs = TIME_WAIT_MS - (this.last.list.timeWaitMs[entry] ?? Number.NaN);
    return (this.acked?.[row] ?? Number.NaN) + GRAIN_MS < sinceMs;
  }

  /** The last numbers of one that a look has shown; if its handshake went on then, it counts only now. */
  countHeld(row: number, entry: number): void {
    const { list, book } = this.last;
    const marks = list.marks[entry] ?? 0;
    const tally = book.get(list.pool[entry] ?? -1)?.tally;
    if (tally === undefined || (marks & MARKS.told) !== 0 || this.kindOf(row) === ATTEMPT) return;
    const exchanges = this.exchangesOf(row);
    const isMuch = exchanges >= MANY_EXCHANGES;
    list.marks[entry] = marks | MARKS.told | (isMuch ? MARKS.carried : 0);
    tally.addBytes(1, this.isBare(row));
    if (isConnecting(list.state[entry])) tally.addEnded(1, exchanges, isMuch);
    else noteLast(tally, marks, exchanges, isMuch);
  }

  /** It was there before that look, which did not show it: reset by its peer, say, while its process still held it. */
  private isOlder(row: number): boolean {
    return (this.sent?.[row] ?? 0) > this.sinceMs || (this.received?.[row] ?? 0) > this.sinceMs;
  }

  private kindOf(row: number): number | undefined {
    return this.sockets.column('closeKind')?.[row];
  }

  private poolOf(row: number): number | undefined {
    const { book, table } = this.last;
    const listener = this.listenerOf(row, this.sockets);
    if (listener !== undefined) return book.numberOfListener(table, listener);
    // Aborted here, or a subflow of MPTCP, it has no remote port any more; what came in through a listener that no look has shown has no pool.
    if (this.kindOf(row) === ABORTED) return undefined;
    if (this.endings.directionOf(row, this.sockets) !== 'outbound') return undefined;
    return book.numberOfRemote(this.sockets, row);
  }
}

function noteLast(tally: PoolTally, marks: number, exchanges: number, isMuch: boolean): void {
  tally.exchanges.add(exchanges);
  if (isMuch && (marks & (MARKS.moved | MARKS.carried)) === 0) tally.reused++;
}
