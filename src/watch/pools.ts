import { CLOSE_WAIT, ESTABLISHED, LISTEN, MPTCP, SYN_RECV, stateCode, TCP } from '../analyze/codes.js';
import { directionFinder } from '../model/direction.js';
import type { ClosedObservation, Gap, Observation, TableObservation } from '../model/observation.js';
import type { PoolsSeen } from '../model/pools.js';
import { ROW_FLAGS, type SocketRow, type SocketTable } from '../model/table.js';
import type { TrafficShape } from '../model/traffic.js';
import { millis } from '../model/units.js';
import { CloseNotes } from './pools/close-notes.js';
import { ConnectionList, MARKS, TupleKey } from './pools/connection-list.js';
import { PoolBook, type PoolEntry } from './pools/pool-book.js';
import { describePools } from './pools/pool-facts.js';
import type { PoolTally } from './pools/pool-tally.js';
import { probeReader } from './pools/probe-tally.js';
import { movedReader } from './pools/traffic.js';
import { sentAfterReceipt, USE, type Use, useByChange, useReader } from './pools/use.js';

const SYN_SENT = stateCode('syn-sent');
const LAST_ACK = stateCode('last-ack');
const TIME_WAIT = stateCode('time-wait');
/** More connections than this are not followed, which is said. */
const MOST_CONNECTIONS = 1 << 20;
/** Ages are counted in jiffies, and a look takes time itself. */
const SLACK_MS = 50;
/** After the FIN of the peer, an answer that nothing was added to for so long has ended. */
const ANSWERED_MS = 30_000;
/** Without data for so long, and for this share of the watch, a connection is forgotten rather than at rest. */
const LONG_IDLE = { ms: 60_000, share: 0.1 };
/** Followed, as it may match the filter later, but in no pool. */
const NOT_COUNTED = -1;
/** More than this, and than were seen, are worth a word. */
const MISSED = { least: 20, perSecond: 2 };
const KEPT_GAPS = 100;

/** Which connections count; absent: all. */
export interface RowFilter {
  matchesRow(row: SocketRow): boolean;
}

/**
 * Follows connections from look to look by 4-tuple and cookie, and sums them by process and remote, or process and listener.
 * Only complete tables count (scope `all`). A connection counts from the first look at which the filter takes it. Nothing here
 * reads a clock; memory is bounded: 2^20 connections, 20,000 pools.
 */
export class PoolWatch {
  private lists: readonly [now: ConnectionList, before: ConnectionList] | undefined;
  private key: TupleKey | undefined;
  private readonly book = new PoolBook();
  private readonly closes = new CloseNotes((pool) => this.book.get(pool ?? -1)?.tally.idleCloses);
  private looks = 0;
  private first: TableObservation | undefined;
  private last: TableObservation | undefined;
  private notFollowed = 0;
  private readonly gaps = new Map<string, Gap>();

  constructor(private readonly filter?: RowFilter) {}

  take(observation: Observation): void {
    if (observation.kind === 'closed') this.takeClosed(observation);
    if (observation.kind !== 'table' && observation.kind !== 'gap' && observation.kind !== 'closed') return;
    for (const gap of observation.gaps) this.noteGap(gap);
    if (observation.kind === 'table' && observation.scope === 'all') this.look(observation);
  }

  /** What was seen so far; `undefined` before the first complete table. */
  report(): PoolsSeen | undefined {
    const { first, last, lists } = this;
    if (first === undefined || last === undefined || lists === undefined) return undefined;
    const { origin } = last;
    const described = describePools(this.book, lists[0], origin, {
      lastLook: Math.max(0, this.looks - 1),
      namespace: last.namespace,
    });
    const opensSeen = described.pools.reduce(
      (sum, { direction, connecting, past }) =>
        direction === 'outbound' ? sum + past.created + past.connectFailed + connecting : sum,
      0,
    );
    const opened = (last.counters?.ActiveOpens ?? Number.NaN) - (first.counters?.ActiveOpens ?? Number.NaN);
    // The kernel counts for all, also for those that the filter leaves out.
    const activeOpens = this.looks > 1 && opened >= 0 && this.filter === undefined ? opened : undefined;
    return {
      origin,
      watchedMs: millis(origin.monotonic - first.origin.monotonic),
      looks: this.looks,
      ...described,
      opensSeen,
      ...(activeOpens !== undefined && { activeOpens }),
      gaps: [
        ...this.allGaps(),
        ...missedOpens(activeOpens, opensSeen, origin.monotonic - first.origin.monotonic),
      ],
    };
  }

  /** What the kernel says of connections at their end, for those that a look has shown. */
  private takeClosed({ sockets, origin }: ClosedObservation): void {
    const { key, lists } = this;
    if (key === undefined || lists === undefined) return;
    for (let row = 0; row < sockets.length; row++) {
      key.load(sockets, row);
      const entry = lists[0].find(key);
      if (entry < 0 || !lists[0].hasCookieOf(entry, sockets, row)) continue;
      this.closes.announce(lists[0], entry, sockets, row, origin.monotonic);
    }
  }

  private look(observation: TableObservation): void {
    const { monotonic, time } = observation.origin;
    this.key ??= new TupleKey(Math.floor(monotonic * 1000) | 0);
    const [before, now] = this.lists ?? [new ConnectionList(), new ConnectionList()];
    now.restart(Math.min(observation.sockets.length, MOST_CONNECTIONS));
    for (const [, { tally }] of this.book.all()) tally.begin();
    const elapsed = this.last === undefined ? undefined : monotonic - this.last.origin.monotonic;
    const pass = new LookPass(observation.sockets, this.book, {
      before,
      now,
      closes: this.closes,
      key: this.key,
      elapsed,
      longIdleMs: Math.max(
        LONG_IDLE.ms,
        (monotonic - (this.first?.origin.monotonic ?? monotonic)) * LONG_IDLE.share,
      ),
      at: monotonic,
      slackMs: SLACK_MS + observation.tookMs,
    });
    this.notFollowed = pass.run(this.filter);
    this.lists = [now, before];
    const lookBefore = this.last?.origin.monotonic ?? monotonic;
    for (const [, { tally, isUnresolved }] of this.book.all())
      tally.finish({ at: monotonic, time, lookBefore, look: this.looks }, isUnresolved);
    this.sumRemotes();
    this.looks++;
    this.first ??= observation;
    this.last = observation;
  }

  private sumRemotes(): void {
    for (const remote of this.book.allRemotes()) remote.openNow = 0;
    for (const [, { remote, tally }] of this.book.all())
      if (remote !== undefined) remote.openNow += tally.open;
    for (const remote of this.book.allRemotes()) remote.highest = Math.max(remote.highest, remote.openNow);
  }

  private noteGap(gap: Gap): void {
    if (this.gaps.size < KEPT_GAPS) this.gaps.set(`${gap.what}\0${gap.why}`, gap);
  }

  private allGaps(): Gap[] {
    const gaps = [...this.gaps.values()];
    if (this.notFollowed === 0) return gaps;
    return [
      ...gaps,
      { what: 'pools', why: `${this.notFollowed} connections were not followed: there are too many` },
    ];
  }
}

/** Short connections that leave no TIME-WAIT here: only the kernel's counter tells of them. */
function missedOpens(activeOpens: number | undefined, seen: number, ms: number): Gap[] {
  const missed = (activeOpens ?? 0) - seen;
  if (missed < Math.max(MISSED.least, seen) || missed < (MISSED.perSecond * ms) / 1000) return [];
  return [
    {
      what: 'pool_churn',
      why: `the kernel counted ${activeOpens} connects in this namespace, only ${seen} were seen: connections that come and go between two looks mostly leave no trace; look more often (--interval 50ms), or at the packets (sockwatch capture)`,
    },
  ];
}

interface PassOptions {
  readonly before: ConnectionList;
  readonly now: ConnectionList;
  readonly closes: CloseNotes;
  readonly key: TupleKey;
  /** Time since the look before, ms; `undefined` at the first. */
  readonly elapsed: number | undefined;
  readonly longIdleMs: number;
  /** A look is stamped when it begins, and reads times until it ends. */
  readonly slackMs: number;
  /** Monotonic ms. */
  readonly at: number;
}

/** One pass over the rows of a table: no object and no text per row, but for the first look at a connection. */
class LookPass {
  private readonly found: Uint8Array;
  private readonly useOf;
  private readonly probe;
  private readonly movedOf;
  private readonly columns;

  constructor(
    private readonly table: SocketTable,
    private readonly book: PoolBook,
    private readonly options: PassOptions,
  ) {
    this.found = new Uint8Array(options.before.length);
    this.useOf = useReader(table);
    this.probe = probeReader(table);
    this.movedOf = movedReader(table);
    this.columns = columnsOf(table);
  }

  /** Gives the number of connections that found no room. */
  run(filter: RowFilter | undefined): number {
    const { table, book } = this;
    const { before, now, key } = this.options;
    const poolOf = book.finder(table, directionFinder(table));
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
      if (pool === undefined || entry < 0) continue;
      now.pool[entry] = pool;
      this.enter(row, entry, known);
    }
    this.countGone();
    return left;
  }

  /** The entry of the look before that is the same connection, or -1. TIME-WAIT has a socket, and a cookie, of its own. */
  private knownEntry(row: number): number {
    const { before, key } = this.options;
    key.load(this.table, row);
    const entry = before.find(key);
    if (entry < 0) return -1;
    const turned = this.table.state[row] === TIME_WAIT;
    const again = before.state[entry] === TIME_WAIT && (!turned || this.isSetAgain(entry, row));
    return again || !(turned || before.hasCookieOf(entry, this.table, row)) ? -1 : entry;
  }

  /** Between two looks its port was used once more (tcp_tw_reuse), and closed: the time that is left rises only so. */
  private isSetAgain(entry: number, row: number): boolean {
    const left = this.columns.timer?.[row] ?? Number.NaN;
    return left > (this.options.before.timeWaitMs[entry] ?? Number.NaN) + SLACK_MS;
  }

  /** Owners come late, or with accept(). */
  private isWorthAsking(known: number, row: number): boolean {
    const entry = this.book.get(this.options.before.pool[known] ?? -1);
    if (entry === undefined) return true;
    return (
      entry.isUnresolved && this.table.state[row] !== TIME_WAIT && (this.columns.inode?.[row] ?? 1) !== 0
    );
  }

  private enter(row: number, entry: number, known: number): void {
    const { now, before } = this.options;
    const pool = this.book.get(now.pool[entry] ?? NOT_COUNTED);
    now.state[entry] = this.table.state[row] ?? 0;
    now.timeWaitMs[entry] =
      now.state[entry] === TIME_WAIT ? (this.columns.timer?.[row] ?? Number.NaN) : Number.NaN;
    if (known >= 0) this.found[known] = 1;
    if (pool === undefined) {
      now.marks[entry] = known < 0 ? 0 : (before.marks[known] ?? 0);
      now.bornAt[entry] = known < 0 ? this.options.at - this.leastAge(row) : (before.bornAt[known] ?? 0);
      this.countBytes(row, entry, known);
      now.moved[entry] = this.movedBytes(row);
      return;
    }
    if (known < 0) this.welcome(row, entry, pool.tally);
    else if (before.pool[known] === NOT_COUNTED && !isConnecting(before.state[known]))
      this.join(entry, known, pool.tally);
    else {
      now.marks[entry] = (before.marks[known] ?? 0) & ~(MARKS.busy | MARKS.idle);
      now.bornAt[entry] = before.bornAt[known] ?? 0;
      if (isConnecting(before.state[known])) this.arrive(row, entry, pool.tally);
      else if (now.pool[entry] !== before.pool[known]) this.moveMarks(known, pool.tally);
      this.noteReuse(row, entry, known, pool.tally);
      if (hasEnded(this.table.state[row]) && !hasEnded(before.state[known])) pool.tally.closedNow++;
      this.noteClosing(row, entry, known);
      if (this.table.state[row] !== CLOSE_WAIT && isHeldCloseWait(before, known)) pool.tally.leftCloseWait++;
    }
    now.moved[entry] = this.movedBytes(row);
    now.sentBytes[entry] = this.columns.bytesSent?.[row] || 0;
    this.countBytes(row, entry, known);
    this.tally(row, entry, known, pool);
  }

  /** A connection that no look has shown before. */
  private welcome(row: number, entry: number, tally: PoolTally): void {
    const { now, at, elapsed } = this.options;
    const ageMs = this.leastAge(row);
    now.bornAt[entry] = at - ageMs;
    const state = this.table.state[row];
    // A port that was left over before the watch is no connection of it.
    if (isConnecting(state) || (elapsed === undefined && state === TIME_WAIT)) return;
    tally.seen++;
    if (elapsed !== undefined && ageMs <= elapsed + this.options.slackMs) {
      now.marks[entry] = MARKS.created;
      tally.createdNow++;
      if (hasEnded(state)) tally.closedNow++;
      return;
    }
    now.marks[entry] = MARKS.older;
    if (elapsed !== undefined) tally.takeBackClosed();
  }

  /** It was there before, but the filter takes it only now. */
  private join(entry: number, known: number, tally: PoolTally): void {
    const { now, before } = this.options;
    now.marks[entry] = MARKS.older;
    now.bornAt[entry] = before.bornAt[known] ?? 0;
    tally.seen++;
  }

  /** Its handshake is over: only now it counts, since those that are refused or given up were none. */
  private arrive(row: number, entry: number, tally: PoolTally): void {
    if (isConnecting(this.table.state[row])) return;
    const { marks } = this.options.now;
    marks[entry] = (marks[entry] ?? 0) | MARKS.created;
    tally.seen++;
    tally.createdNow++;
  }

  /** The owner of a connection was found later than the connection. */
  private moveMarks(known: number, to: PoolTally): void {
    const { before, at, elapsed = 0 } = this.options;
    const from = this.book.get(before.pool[known] ?? -1)?.tally;
    const marks = before.marks[known] ?? 0;
    const isRecent = (before.bornAt[known] ?? 0) >= at - 2 * elapsed - SLACK_MS;
    for (const [tally, one] of [
      [from, -1],
      [to, 1],
    ] as const) {
      if (tally === undefined) continue;
      tally.seen += one;
      if ((marks & MARKS.reused) !== 0) tally.reused += one;
      if ((marks & MARKS.answered) !== 0) tally.answered += one;
      if ((marks & MARKS.created) !== 0) tally.addCreated(one, isRecent);
    }
  }

  private countBytes(row: number, entry: number, known: number): void {
    const { now, before } = this.options;
    const { newBytes, bytesAgain, bytesAcked, bytesReceived, unacked } = this.columns;
    const acked = bytesAcked?.[row] || 0;
    const isStill = this.table.state[row] === ESTABLISHED && !((unacked?.[row] ?? 0) > 0);
    const sent = (newBytes?.[row] || 0) - (bytesAgain?.[row] || 0);
    if (isStill) now.begun[entry] = acked - sent;
    else now.begun[entry] = known < 0 ? Number.NaN : (before.begun[known] ?? Number.NaN);
    now.ackedBytes[entry] = acked;
    now.receivedBytes[entry] = bytesReceived?.[row] || 0;
  }

  private noteClosing(row: number, entry: number, known: number): void {
    const { now, before, closes, at, elapsed = 0 } = this.options;
    const state = this.table.state[row];
    now.closedLow[entry] = before.closedLow[known] ?? Number.NaN;
    now.closedHigh[entry] = before.closedHigh[known] ?? Number.NaN;
    if (before.state[known] !== ESTABLISHED || state === ESTABLISHED) return;
    const closed = closes.closing(before, known, this.table, row, { at, elapsed });
    if (closed === undefined) return;
    now.marks[entry] = (now.marks[entry] ?? 0) | closed.mark;
    now.closedLow[entry] = closed.low;
    now.closedHigh[entry] = closed.high;
  }

  private noteReuse(row: number, entry: number, known: number, tally: PoolTally): void {
    const { now, before } = this.options;
    const marks = now.marks[entry] ?? 0;
    this.noteAnswer(row, entry, known, tally);
    if ((marks & MARKS.reused) !== 0 || !(this.movedBytes(row) > (before.moved[known] ?? 0))) return;
    now.marks[entry] = (now.marks[entry] ?? 0) | MARKS.reused;
    tally.reused++;
  }

  /** A FIN counts as a byte, but only in another state. */
  private noteAnswer(row: number, entry: number, known: number, tally: PoolTally): void {
    const { now, before } = this.options;
    const marks = now.marks[entry] ?? 0;
    if ((marks & MARKS.answered) !== 0 || this.table.state[row] !== ESTABLISHED) return;
    if (!((this.columns.bytesReceived?.[row] || 0) > (before.receivedBytes[known] ?? Number.NaN))) return;
    now.marks[entry] = marks | MARKS.answered;
    tally.answered++;
  }

  /** Times count from the handshake on where nothing was sent or received since: a connection is at least as old. */
  private leastAge(row: number): number {
    if (this.table.state[row] !== ESTABLISHED && this.table.state[row] !== CLOSE_WAIT) return 0;
    return Math.max(this.columns.sent?.[row] || 0, this.columns.received?.[row] || 0);
  }

  private movedBytes(row: number): number {
    const { bytesSent, bytesReceived } = this.columns;
    return (bytesSent?.[row] || 0) + (bytesReceived?.[row] || 0);
  }

  private tally(row: number, entry: number, known: number, { identity, tally }: PoolEntry): void {
    const { now } = this.options;
    now.quietMs[entry] = now.answerMs[entry] = now.rttMs[entry] = Number.NaN;
    switch (this.table.state[row]) {
      case ESTABLISHED:
        this.tallyOpen(row, entry, known, identity.direction === 'outbound', tally);
        this.tallyUse(row, entry, known, identity.direction === 'outbound', tally);
        break;
      case SYN_SENT:
      case SYN_RECV:
        tally.connecting++;
        break;
      case CLOSE_WAIT:
        this.tallyCloseWait(row, entry, known, tally);
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
    const { now } = this.options;
    const { columns } = this;
    tally.open++;
    if (!outbound && columns.inode?.[row] === 0) tally.waiting++;
    now.quietMs[entry] = Math.min(columns.sent?.[row] ?? Number.NaN, columns.received?.[row] ?? Number.NaN);
    now.answerMs[entry] = (columns.received?.[row] ?? Number.NaN) - (columns.sent?.[row] ?? Number.NaN);
    now.rttMs[entry] = columns.rtt?.[row] ?? Number.NaN;
    if (
      ((now.marks[entry] ?? 0) & MARKS.created) !== 0 &&
      (now.quietMs[entry] ?? 0) >= this.options.longIdleMs
    )
      tally.longIdle++;
    const shape = this.followTraffic(row, entry, known, outbound);
    tally.traffic.add(shape);
    this.probe(row, now.quietMs[entry] ?? Number.NaN, tally.probes, shape);
    tally.longLived.add(
      this.options.at - (now.bornAt[entry] ?? Number.NaN),
      now.quietMs[entry] ?? Number.NaN,
    );
    if (columns.hasBytes) tally.hasBytes = true;
    tally.bytesSent += columns.bytesSent?.[row] || 0;
    tally.bytesReceived += columns.bytesReceived?.[row] || 0;
    tally.retransmissions += columns.retransmits?.[row] || 0;
  }

  private followTraffic(row: number, entry: number, known: number, outbound: boolean): TrafficShape {
    const { now, before, at } = this.options;
    if (!outbound && this.columns.inode?.[row] === 0) return 'unknown';
    now.traffic.follow(entry, before.traffic, known, at, outbound, this.movedOf(row));
    return now.traffic.shapeOf(entry, at);
  }

  private tallyUse(row: number, entry: number, known: number, outbound: boolean, tally: PoolTally): void {
    const { now } = this.options;
    const { segmentsOut, segmentsIn, allSegmentsOut, retransmits } = this.columns;
    // Nobody works on what was not accepted.
    if (!outbound && this.columns.inode?.[row] === 0) return;
    const out = (segmentsOut?.[row] || 0) - (retransmits?.[row] || 0);
    const more = out - (segmentsIn?.[row] || 0);
    now.received[entry] = segmentsIn?.[row] || 0;
    now.plainAcks[entry] = (allSegmentsOut?.[row] || 0) - (segmentsOut?.[row] || 0);
    const balance = outbound ? more : -more;
    now.balance[entry] = balance;
    let use = this.useOf(row, outbound);
    if (use === USE.unsure && this.hasSentLast(row, entry, known)) use = outbound ? USE.busy : USE.idle;
    if (segmentsOut !== undefined && segmentsIn !== undefined) {
      tally.levels.learn(use, balance);
      if (use === USE.unsure) use = this.tellUse(known, balance, tally);
    }
    tally.addUse(use, ((now.marks[entry] ?? 0) & MARKS.reused) !== 0);
    if (!outbound && this.columns.inode?.[row] !== 0)
      tally.serving.add((this.table.recvQueue[row] ?? 0) > 0, use === USE.busy);
    if (use === USE.busy) now.marks[entry] = (now.marks[entry] ?? 0) | MARKS.busy;
    if (use === USE.idle) now.marks[entry] = (now.marks[entry] ?? 0) | MARKS.idle;
  }

  private hasSentLast(row: number, entry: number, known: number): boolean {
    const { now, before } = this.options;
    if (known < 0 || before.state[known] !== ESTABLISHED || this.columns.allSegmentsOut === undefined)
      return false;
    return sentAfterReceipt(
      (now.plainAcks[entry] ?? 0) - (before.plainAcks[known] ?? 0),
      (now.received[entry] ?? 0) - (before.received[known] ?? 0),
      this.columns.received?.[row] ?? 0,
    );
  }

  private tellUse(known: number, balance: number, tally: PoolTally): Use {
    const { before } = this.options;
    const marks = known < 0 ? 0 : (before.marks[known] ?? 0);
    const change = balance - (before.balance[known] ?? 0);
    const use = useByChange((marks & MARKS.busy) !== 0, (marks & MARKS.idle) !== 0, change);
    return use === USE.unsure ? tally.levels.tell(balance) : use;
  }

  /**
   * With inode 0 it waits in an accept queue, or nobody holds it: no leak (KERNEL.md 9). Neither is one on which an answer is still
   * being sent.
   */
  private tallyCloseWait(row: number, entry: number, known: number, tally: PoolTally): void {
    const { now, before } = this.options;
    tally.closeWait++;
    if (this.columns.inode?.[row] === 0) return;
    let marks = now.marks[entry] ?? 0;
    const again = (marks & MARKS.closeWait) !== 0;
    if (!again) tally.cameToCloseWait++;
    if (again && (now.sentBytes[entry] ?? 0) > (before.sentBytes[known] ?? 0)) {
      if ((marks & MARKS.halfClosed) === 0) tally.leftCloseWait++;
      marks |= MARKS.halfClosed;
    }
    now.marks[entry] = marks | MARKS.closeWait;
    if ((marks & MARKS.halfClosed) !== 0 && !((this.columns.sent?.[row] ?? 0) >= ANSWERED_MS)) return;
    tally.heldCloseWait++;
    if (again) tally.stuckCloseWait++;
    const ms = this.columns.acked?.[row] ?? Number.NaN;
    if (!(tally.oldestCloseWaitMs >= ms)) tally.oldestCloseWaitMs = ms;
  }

  private countGone(): void {
    const { before, closes, at, elapsed = 0 } = this.options;
    for (let entry = 0; entry < before.length; entry++) {
      if (this.found[entry] === 1) continue;
      closes.gone(before, entry, { at, elapsed });
      const pool = this.book.get(before.pool[entry] ?? -1);
      const state = before.state[entry];
      if (pool === undefined || hasEnded(state)) continue;
      if (isHeldCloseWait(before, entry)) pool.tally.leftCloseWait++;
      if (!isConnecting(state)) pool.tally.closedNow++;
      else if (state === SYN_SENT) pool.tally.connectFailed++;
    }
    closes.endLook();
  }
}

/** Closed by its process: FIN-WAIT, CLOSING, LAST-ACK and TIME-WAIT, whether or not the peer has heard. */
const hasEnded = (state: number | undefined): boolean =>
  state !== ESTABLISHED && state !== SYN_SENT && state !== SYN_RECV && state !== CLOSE_WAIT;

/** One that was answered on has been counted. */
const isHeldCloseWait = ({ state, marks }: ConnectionList, entry: number): boolean =>
  state[entry] === CLOSE_WAIT &&
  ((marks[entry] ?? 0) & (MARKS.closeWait | MARKS.halfClosed)) === MARKS.closeWait;

const isConnecting = (state: number | undefined): boolean => state === SYN_SENT || state === SYN_RECV;

function columnsOf(table: SocketTable) {
  const bytesSent = table.column('bytesSent') ?? table.column('bytesAcked');
  const bytesReceived = table.column('bytesReceived');
  return {
    inode: table.column('inode'),
    timer: table.column('timerMs'),
    sent: table.column('lastSentMs'),
    received: table.column('lastReceivedMs'),
    acked: table.column('lastAckMs'),
    rtt: table.column('rttMs'),
    retransmits: table.column('retransmitsTotal'),
    segmentsOut: table.column('dataSegmentsOut'),
    allSegmentsOut: table.column('segmentsOut'),
    segmentsIn: table.column('dataSegmentsIn'),
    bytesSent,
    bytesReceived,
    newBytes: table.column('bytesSent'),
    bytesAgain: table.column('bytesRetransmitted'),
    bytesAcked: table.column('bytesAcked'),
    unacked: table.column('unacked'),
    hasBytes: bytesSent !== undefined || bytesReceived !== undefined,
  };
}

/** TCP and MPTCP; an MPTCP connection is counted once, not its subflows. */
function isConnection({ protocol, state, flags }: SocketTable, row: number): boolean {
  if (protocol[row] !== TCP && protocol[row] !== MPTCP) return false;
  if (state[row] === LISTEN) return false;
  const not = ROW_FLAGS.mptcpSubflow | ROW_FLAGS.remoteAny;
  return ((flags[row] ?? 0) & not) === 0;
}
