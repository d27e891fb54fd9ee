import { CLOSE_WAIT, ESTABLISHED, TIME_WAIT } from '../../analyze/codes.js';
import { ROW_POOL } from '../../model/pools.js';
import type { SocketRow } from '../../model/socket-row.js';
import { TIMER_KINDS } from '../../model/sockets.js';
import { MARKS } from './connection-list.js';
import { type Look, leastAge, movedBytes, NOT_COUNTED, SLACK_MS } from './look.js';
import { isHeldCloseWait, LookChanges, wasCounted } from './look-changes.js';
import { LookTally } from './look-tally.js';
import { hasEnded, isConnecting, isConnection, SYN_SENT } from './states.js';

/** More connections than this are not followed, which is said. */
export const MOST_CONNECTIONS = 1 << 20;

const KEEPALIVE = TIMER_KINDS.indexOf('keepalive');

/** Which connections count; absent: all. */
export interface RowFilter {
  matchesRow(row: SocketRow): boolean;
}

/** One pass over the rows of a table: no object and no text per row, but for the first look at a connection. */
export class LookPass {
  private readonly found: Uint8Array;
  private readonly changes: LookChanges;
  private readonly tally: LookTally;

  constructor(private readonly look: Look) {
    this.found = new Uint8Array(look.before.length);
    this.changes = new LookChanges(look);
    this.tally = new LookTally(look);
  }

  /** Gives the number of connections that found no room. */
  run(filter: RowFilter | undefined): number {
    const { table, book, before, now, key, poolOfRow } = this.look;
    const poolOf = book.finder(table);
    const cursor = table.cursor();
    let left = 0;
    for (let row = 0; row < table.length; row++) {
      if (!isConnection(table, row)) continue;
      const known = this.knownEntry(row);
      cursor.index = row;
      const was = known < 0 ? NOT_COUNTED : (before.pool[known] ?? NOT_COUNTED);
      const counts = was !== NOT_COUNTED || filter === undefined || filter.matchesRow(cursor);
      const mayBeNew = was === NOT_COUNTED || this.isWorthAsking(known, row);
      const pool = !counts ? NOT_COUNTED : mayBeNew ? poolOf(row) : was;
      const entry = pool === undefined || now.length >= MOST_CONNECTIONS ? -1 : now.add(key, table, row);
      if (pool === undefined || now.length >= MOST_CONNECTIONS) left++;
      if (pool === undefined || entry < 0) {
        const isAgain = pool !== undefined && now.length < MOST_CONNECTIONS;
        if (isAgain && poolOfRow !== undefined) poolOfRow[row] = ROW_POOL.again;
        continue;
      }
      now.pool[entry] = pool;
      if (poolOfRow !== undefined) poolOfRow[row] = pool;
      this.enter(row, entry, known);
    }
    this.countGone();
    return left;
  }

  /** The entry of the look before that is the same connection, or -1. TIME-WAIT has a socket, and a cookie, of its own. */
  private knownEntry(row: number): number {
    const { before, key } = this.look;
    key.load(this.look.table, row);
    const entry = before.find(key);
    if (entry < 0) return -1;
    const turned = this.look.table.state[row] === TIME_WAIT;
    const again = before.state[entry] === TIME_WAIT && (!turned || this.isSetAgain(entry, row));
    return again || !(turned || before.hasCookieOf(entry, this.look.table, row)) ? -1 : entry;
  }

  /** Between two looks its port was used once more (tcp_tw_reuse), and closed: the time that is left rises only so. */
  private isSetAgain(entry: number, row: number): boolean {
    const left = this.look.columns.timer?.[row] ?? Number.NaN;
    return left > (this.look.before.timeWaitMs[entry] ?? Number.NaN) + SLACK_MS;
  }

  /** Owners come late, or with accept(). */
  private isWorthAsking(known: number, row: number): boolean {
    const entry = this.look.book.get(this.look.before.pool[known] ?? -1);
    if (entry === undefined) return true;
    return (
      entry.isUnresolved &&
      this.look.table.state[row] !== TIME_WAIT &&
      (this.look.columns.inode?.[row] ?? 1) !== 0
    );
  }

  private enter(row: number, entry: number, known: number): void {
    const { now, before } = this.look;
    const pool = this.look.book.get(now.pool[entry] ?? NOT_COUNTED);
    now.state[entry] = this.look.table.state[row] ?? 0;
    now.timeWaitMs[entry] =
      now.state[entry] === TIME_WAIT ? (this.look.columns.timer?.[row] ?? Number.NaN) : Number.NaN;
    if (known >= 0) this.found[known] = 1;
    if (pool === undefined) {
      now.marks[entry] = known < 0 ? 0 : (before.marks[known] ?? 0);
      now.bornAt[entry] = known < 0 ? this.look.at - leastAge(this.look, row) : (before.bornAt[known] ?? 0);
      this.countBytes(row, entry, known);
      now.moved[entry] = movedBytes(this.look, row);
      return;
    }
    if (known < 0) this.changes.welcome(row, entry, pool.tally);
    else if (before.pool[known] === NOT_COUNTED && !isConnecting(before.state[known]))
      this.changes.join(entry, known, pool.tally);
    else {
      now.marks[entry] = (before.marks[known] ?? 0) & ~(MARKS.busy | MARKS.idle);
      now.bornAt[entry] = before.bornAt[known] ?? 0;
      if (isConnecting(before.state[known])) this.changes.arrive(row, entry, known, pool.tally);
      else if (now.pool[entry] !== before.pool[known]) this.changes.moveMarks(known, pool.tally);
      this.changes.noteReuse(row, entry, known, pool.tally);
      if (hasEnded(now.state[entry]) && !hasEnded(before.state[known]) && !wasCounted(before, known))
        pool.tally.closedNow++;
      this.changes.noteClosing(row, entry, known);
      if (this.look.table.state[row] !== CLOSE_WAIT && isHeldCloseWait(before, known))
        pool.tally.leftCloseWait++;
    }
    this.changes.noteCarried(row, entry, pool.tally);
    now.moved[entry] = movedBytes(this.look, row);
    now.sentBytes[entry] = this.look.columns.bytesSent?.[row] || 0;
    this.countBytes(row, entry, known);
    this.tally.count(row, entry, known, pool);
  }

  private countBytes(row: number, entry: number, known: number): void {
    const { now, before } = this.look;
    const { newBytes, bytesAgain, bytesAcked, bytesReceived, unacked } = this.look.columns;
    const { segmentsIn, allSegmentsOut, allSegmentsIn, timerKind } = this.look.columns;
    const acked = bytesAcked?.[row] || 0;
    const isStill = this.look.table.state[row] === ESTABLISHED && !((unacked?.[row] ?? 0) > 0);
    const sent = (newBytes?.[row] || 0) - (bytesAgain?.[row] || 0);
    if (isStill) now.begun[entry] = acked - sent;
    else now.begun[entry] = known < 0 ? Number.NaN : (before.begun[known] ?? Number.NaN);
    now.ackedBytes[entry] = acked;
    now.receivedBytes[entry] = bytesReceived?.[row] || 0;
    now.dataIn[entry] = segmentsIn?.[row] ?? Number.NaN;
    now.surplus[entry] =
      timerKind?.[row] === KEEPALIVE
        ? Number.NaN
        : (allSegmentsOut?.[row] ?? Number.NaN) - (allSegmentsIn?.[row] ?? Number.NaN);
  }

  private countGone(): void {
    const { before, closes, at, elapsed = 0 } = this.look;
    for (let entry = 0; entry < before.length; entry++) {
      if (this.found[entry] === 1) continue;
      closes.gone(before, entry, { at, elapsed });
      const pool = this.look.book.get(before.pool[entry] ?? -1);
      const state = before.state[entry];
      if (pool === undefined || hasEnded(state)) continue;
      if (isHeldCloseWait(before, entry)) pool.tally.leftCloseWait++;
      if (wasCounted(before, entry)) continue;
      if (!isConnecting(state)) pool.tally.closedNow++;
      else if (state === SYN_SENT) pool.tally.connectFailed++;
    }
    closes.endLook();
  }
}
