import type { ClosedObservation, Gap, Observation, TableObservation } from '../model/observation.js';
import { type EndsTold, type Pool, type PoolsSeen, ROW_POOL } from '../model/pools.js';
import { millis } from '../model/units.js';
import { BetweenLooks } from './pools/between-looks.js';
import { CloseNotes } from './pools/close-notes.js';
import { columnsOf } from './pools/columns.js';
import { ConnectionList, TupleKey } from './pools/connection-list.js';
import { countedOpens, missedOpens, opensSeen } from './pools/counted-opens.js';
import { EndedTuples } from './pools/ended-tuples.js';
import { SLACK_MS } from './pools/look.js';
import { LookPass, MOST_CONNECTIONS, type RowFilter } from './pools/look-pass.js';
import { PoolBook, type RemoteTally } from './pools/pool-book.js';
import { describePools } from './pools/pool-facts.js';

/** Without data for so long, and for this share of the watch, a connection is forgotten rather than at rest. */
const LONG_IDLE = { ms: 60_000, share: 0.1 };
const KEPT_GAPS = 100;

/**
 * Follows connections from look to look by 4-tuple and cookie, and sums them by process and remote, or process and listener.
 * Only complete tables count (scope `all`). A connection counts from the first look at which the filter takes it. Nothing here
 * reads a clock; memory is bounded: 2^20 connections, 20,000 pools.
 */
export class PoolWatch {
  private lists: readonly [now: ConnectionList, before: ConnectionList] | undefined;
  private key: TupleKey | undefined;
  private readonly book = new PoolBook();
  private readonly closes = new CloseNotes((pool) => {
    const entry = this.book.get(pool ?? -1);
    return entry && { book: entry.tally.idleCloses, isOutbound: entry.identity.direction === 'outbound' };
  });
  private looks = 0;
  private first: Pick<TableObservation, 'origin' | 'counters'> | undefined;
  private last: TableObservation | undefined;
  private notFollowed = 0;
  /** Looks that did not tell on which connections data moved. */
  private staleLooks = 0;
  private readonly ended = new EndedTuples();
  /** Of the last look. */
  private between: BetweenLooks | undefined;
  private endsTold: EndsTold | undefined;
  private apartMs = 0;
  /** Connections whose end the kernel told of, that no look had shown, and that have no pool. */
  private endedUnseen = 0;
  private readonly gaps = new Map<string, Gap>();
  /** Of the last look, and of the last report. */
  private poolOfRow: Int32Array | undefined;
  private numbers: ReadonlyMap<Pool, number> = new Map();

  /** @param keepsRows for `placesOf` */
  constructor(
    private readonly filter?: RowFilter,
    private readonly keepsRows = false,
  ) {}

  take(observation: Observation): void {
    if (observation.kind === 'closed') this.takeClosed(observation);
    if (observation.kind !== 'table' && observation.kind !== 'gap' && observation.kind !== 'closed') return;
    for (const gap of observation.gaps) this.noteGap(gap);
    if (observation.kind === 'table' && observation.scope === 'all') this.look(observation);
  }

  /** Remotes of the last look, by a key that is the same in every namespace. */
  remotes(): ReadonlyMap<number | string, RemoteTally> {
    return this.book.allRemotes();
  }

  /** What was seen so far; `undefined` before the first complete table. */
  report(): PoolsSeen | undefined {
    const { first, last, lists } = this;
    if (first === undefined || last === undefined || lists === undefined) return undefined;
    const { origin } = last;
    const { numbers, ...described } = describePools(this.book, lists[0], origin, {
      lastLook: Math.max(0, this.looks - 1),
      namespace: last.namespace,
    });
    this.numbers = numbers;
    const ms = millis(origin.monotonic - first.origin.monotonic);
    // The kernel counts for all, also for those that the filter leaves out.
    const counted =
      this.looks > 1 && this.filter === undefined
        ? countedOpens(first.counters, last.counters, described.pools, this.endedUnseen)
        : [];
    const activeOpens = counted.find(({ direction }) => direction === 'outbound')?.counted;
    return {
      origin,
      watchedMs: ms,
      looks: this.looks,
      ...described,
      opensSeen: opensSeen(described.pools, 'outbound'),
      ...(counted.length > 0 && { counted }),
      ...(this.looks > 1 && { apartMs: millis(this.apartMs) }),
      ...(activeOpens !== undefined && { activeOpens }),
      ...(this.endsTold && { endsTold: this.endsTold }),
      gaps: [...this.allGaps(), ...missedOpens(counted, ms, this.endsTold)],
    };
  }

  /** By row of the last table: the place of its pool in `pools`, which are those of the last report in whatever order, or one of `ROW_POOL`. */
  placesOf(pools: readonly Pool[]): Int32Array {
    const places = new Map(pools.map((pool, place) => [this.numbers.get(pool), place]));
    return (this.poolOfRow ?? new Int32Array(0)).map((number) =>
      number < 0 ? number : (places.get(number) ?? ROW_POOL.none),
    );
  }

  /** What the kernel says of connections at their end. */
  private takeClosed({ sockets, origin, incomplete }: ClosedObservation): void {
    const { key, lists, last, book, closes, ended, filter } = this;
    if (key === undefined || lists === undefined || last === undefined) return;
    this.endsTold = incomplete || this.endsTold === 'some' ? 'some' : 'all';
    if (sockets.length === 0) return;
    this.between ??= new BetweenLooks({
      at: last.origin.monotonic,
      table: last.sockets,
      list: lists[0],
      older: lists[1],
      key,
      book,
      closes,
      ended,
      filter,
    });
    this.endedUnseen += this.between.take(sockets, origin.monotonic);
  }

  private look(observation: TableObservation): void {
    const { origin, counters } = observation;
    const { monotonic, time } = origin;
    this.key ??= new TupleKey(Math.floor(monotonic * 1000) | 0);
    const [before, now] = this.lists ?? [new ConnectionList(), new ConnectionList()];
    now.restart(Math.min(observation.sockets.length, MOST_CONNECTIONS));
    for (const [, { tally }] of this.book.all()) tally.begin();
    if (this.keepsRows) this.poolOfRow = new Int32Array(observation.sockets.length).fill(ROW_POOL.none);
    const elapsed = this.last === undefined ? undefined : monotonic - this.last.origin.monotonic;
    this.apartMs = Math.max(this.apartMs, elapsed ?? 0);
    const pass = new LookPass({
      table: observation.sockets,
      columns: columnsOf(observation.sockets),
      book: this.book,
      before,
      now,
      closes: this.closes,
      key: this.key,
      ended: this.ended,
      elapsed,
      longIdleMs: Math.max(
        LONG_IDLE.ms,
        (monotonic - (this.first?.origin.monotonic ?? monotonic)) * LONG_IDLE.share,
      ),
      at: monotonic,
      slackMs: SLACK_MS + observation.tookMs,
      poolOfRow: this.poolOfRow,
    });
    this.notFollowed = pass.run(this.filter);
    this.lists = [now, before];
    this.ended.clear();
    this.between = undefined;
    const lookBefore = this.last?.origin.monotonic ?? monotonic;
    for (const [, { tally, isUnresolved }] of this.book.all())
      tally.finish({ at: monotonic, time, lookBefore, look: this.looks }, isUnresolved);
    this.sumRemotes();
    this.looks++;
    if (this.hasStale()) this.staleLooks++;
    this.first ??= { origin, ...(counters && { counters }) };
    this.last = observation;
  }

  private hasStale(): boolean {
    for (const [, { tally }] of this.book.all()) if (tally.stale > 0) return true;
    return false;
  }

  private sumRemotes(): void {
    for (const remote of this.book.allRemotes().values()) remote.openNow = 0;
    for (const [, { remote, tally }] of this.book.all())
      if (remote !== undefined) remote.openNow += tally.open;
    for (const remote of this.book.allRemotes().values())
      remote.highest = Math.max(remote.highest, remote.openNow);
  }

  private noteGap(gap: Gap): void {
    if (this.gaps.size < KEPT_GAPS) this.gaps.set(`${gap.what}\0${gap.why}`, gap);
  }

  private allGaps(): Gap[] {
    const { notFollowed, staleLooks, looks } = this;
    const all = [...this.gaps.values()];
    if (notFollowed > 0)
      all.push({ what: 'pools', why: `${notFollowed} connections were not followed: there are too many` });
    if (staleLooks > 0)
      all.push({
        what: 'pools',
        why: `at ${staleLooks} of ${looks} looks the recording does not tell which connections were used, but for those whose queues changed: their use and idle times are of the other looks, or not known`,
      });
    return all;
  }
}
