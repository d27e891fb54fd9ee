import type { CloseWaitFacts, PoolCounts, PoolPast } from '../../model/pools.js';
import { connections, millis, ratio } from '../../model/units.js';

import { IdleCloseBook } from '../keepalive.js';
import { ExchangeTally } from './exchange-tally.js';
import { Growth } from './growth.js';
import { LongTally } from './long-tally.js';
import { NewTimeline } from './new-timeline.js';
import { ProbeTally } from './probe-tally.js';
import { ServeTally } from './serve-tally.js';
import { TrafficTally } from './traffic.js';
import { USE, type Use, UseLevels } from './use.js';
import { WaveRuns } from './wave-runs.js';
import { WaveWindows } from './wave-windows.js';

/** Monotonic ms of a look and of the one before, its wall clock and its number. */
interface LookMoment {
  readonly at: number;
  readonly time: number;
  readonly lookBefore: number;
  readonly look: number;
}

/** Numbers of one pool: those of the look that goes on, and what lasts from look to look. */
export class PoolTally {
  // Of this look.
  open = 0;
  connecting = 0;
  busy = 0;
  idle = 0;
  unknownUse = 0;
  /** Open, with numbers of an earlier look. */
  stale = 0;
  /** Of which it cannot be told. */
  unsure = 0;
  private unsureAndStill = 0;
  /** Made during the watch, and without data for long. */
  longIdle = 0;
  private surelyBusy = 0;
  /** Outbound, with answers that the process has not read. */
  private unread = 0;
  waiting = 0;
  closeWait = 0;
  heldCloseWait = 0;
  stuckCloseWait = 0;
  askedCloseWait = 0;
  oldestCloseWaitMs = Number.NaN;
  finWait = 0;
  lastAck = 0;
  timeWait = 0;
  createdNow = 0;
  closedNow = 0;
  bytesSent = 0;
  bytesReceived = 0;
  retransmissions = 0;
  hasBytes = false;
  // Of the watch.
  lastAt = Number.NaN;
  private looks = 0;
  /** At which the numbers of all that are open were of that look. */
  private toldLooks = 0;
  /** The look before the first, or the first of the watch: monotonic ms. */
  private sinceAt = Number.NaN;
  private first = 0;
  private lowest = 0;
  private highest = 0;
  private highestBusy = 0;
  private highestMaybeBusy = 0;
  private neverIdleLooks = 0;
  /** At the looks after the first. */
  private busySum = 0;
  private openSum = 0;
  private created = 0;
  /** Monotonic ms of the look that found the last of them. */
  private createdAt = Number.NaN;
  private closed = 0;
  private firstCloseWait = 0;
  private mostStuck = 0;
  private stuckRises = 0;
  /** Held in CLOSE-WAIT: came, and closed or answered, during the watch. */
  cameToCloseWait = 0;
  leftCloseWait = 0;
  private openBefore = 0;
  private createdBefore = 0;
  private closedBefore = 0;
  private readonly waves = new WaveRuns();
  private readonly growth = new Growth();
  private readonly windows = new WaveWindows();
  readonly levels = new UseLevels();
  readonly idleCloses = new IdleCloseBook();
  readonly probes = new ProbeTally();
  readonly longLived = new LongTally();
  readonly traffic = new TrafficTally();
  private readonly newByTime = new NewTimeline();
  readonly serving = new ServeTally();
  readonly exchanges = new ExchangeTally();
  /** Ended with their bytes known, and of those without any. */
  private bytesKnown = 0;
  private bare = 0;
  /** Came and went since the last look. */
  private endedNow = 0;
  /** Of those, as many TIME-WAITs may come that cannot be told by their ends. */
  leftOversToCome = 0;
  /** Moved, or carried much. */
  reused = 0;
  moved = 0;
  /** Only what they left was seen: nothing is known of their use. */
  traces = 0;
  answered = 0;
  seen = 0;
  connectFailed = 0;

  /** `moved`: data went either way since its first look. */
  addUse(use: Use, moved: boolean): void {
    if (use === USE.unknown) this.unknownUse++;
    else if (use === USE.busy || use === USE.active || use === USE.recent || use === USE.unread) this.busy++;
    else if (use !== USE.unsure) this.idle++;
    if (use === USE.busy || use === USE.active) this.surelyBusy++;
    if (use === USE.unread) this.unread++;
    if (use === USE.unsure) this.unsure++;
    if (use === USE.unsure && !moved) this.unsureAndStill++;
  }

  /** Before the rows of a look. */
  begin(): void {
    this.openBefore = this.open;
    this.createdBefore = this.createdNow;
    this.closedBefore = this.closedNow;
    this.open = this.connecting = this.busy = this.idle = 0;
    this.unread = this.stale = 0;
    this.longIdle = this.unsure = this.unsureAndStill = this.surelyBusy = this.unknownUse = this.waiting = 0;
    this.closeWait = this.heldCloseWait = this.stuckCloseWait = this.askedCloseWait = 0;
    this.finWait = this.lastAck = this.timeWait = 0;
    this.createdNow = this.closedNow = 0;
    this.bytesSent = this.bytesReceived = this.retransmissions = 0;
    this.oldestCloseWaitMs = Number.NaN;
    this.probes.begin();
    this.longLived.begin();
    this.traffic.begin();
    this.serving.begin();
  }

  /** After the rows of a look. With `unresolved`, what came at this look may get a process at the next, and counts only then. */
  finish({ at, time, lookBefore, look }: LookMoment, unresolved: boolean): void {
    const open = unresolved ? Math.max(0, this.open - this.createdNow) : this.open;
    const busy = Math.min(this.busy, open);
    if (this.looks === 0) {
      this.sinceAt = lookBefore;
      // A pool that is new began with nothing, one whose process was found late with what it had.
      this.first = this.lowest = Math.max(0, this.open - this.createdNow);
      this.firstCloseWait = lookBefore === at ? this.heldCloseWait : this.stuckCloseWait;
    } else if (this.stuckCloseWait > this.mostStuck) this.stuckRises++;
    this.mostStuck = Math.max(this.mostStuck, this.stuckCloseWait);
    this.looks++;
    const isTold = this.stale === 0;
    if (isTold) this.toldLooks++;
    if (!this.isEmpty || this.looks === 1) this.lastAt = at;
    this.lowest = Math.min(this.lowest, open);
    this.highest = Math.max(this.highest, open);
    this.highestBusy = Math.max(this.highestBusy, busy);
    this.highestMaybeBusy = Math.max(this.highestMaybeBusy, busy + this.unsure);
    if (isTold && open > 0 && busy + this.unsure === open) this.neverIdleLooks++;
    // The first look has nothing to compare with: much is unsure there.
    if (this.looks > 1 && isTold) {
      this.busySum += this.surelyBusy;
      this.openSum += open;
    }
    const came = this.createdNow + this.endedNow;
    this.created += came;
    if (came > 0) this.createdAt = at;
    this.newByTime.add(look, came);
    this.closed += this.closedNow + this.endedNow;
    this.endedNow = this.leftOversToCome = 0;
    if (isTold) {
      this.growth.add(at, this.longIdle);
      this.serving.finish();
    }
    const turnover = { created: this.createdNow, closed: this.closedNow, open: this.openBefore };
    this.waves.add(time, turnover, {
      created: this.createdNow + this.createdBefore,
      closed: this.closedNow + this.closedBefore,
      open: this.openBefore + this.closedBefore,
    });
    this.windows.add(at, time, turnover);
  }

  /** `count` that came and went since the last look, and what one of them carried: many exchanges, or not. */
  addEnded(count: number, exchanges: number, isMuch: boolean): void {
    this.endedNow += count;
    this.seen += count;
    this.exchanges.add(exchanges);
    if (isMuch) this.reused += count;
    if (Number.isNaN(exchanges)) this.traces += count;
  }

  /** `count` ended; whether they had carried a byte either way. `undefined`: not known. */
  addBytes(count: number, isBare: boolean | undefined): void {
    if (isBare === undefined) return;
    this.bytesKnown += count;
    if (isBare) this.bare += count;
  }

  /** Connections made at an earlier look (`recent`: at the last) whose process is known only now. */
  addCreated(count: number, recent: boolean): void {
    this.created = Math.max(0, this.created + count);
    if (recent) this.createdBefore = Math.max(0, this.createdBefore + count);
  }

  /** Time from the look before its first connections to `now`, ms: the time in which those were created. */
  sinceMs(now: number): number {
    return now - this.sinceAt;
  }

  /** A connection that a look had missed (dumps are not atomic): it had not ended. */
  takeBackClosed(): void {
    if (this.closed > 0) this.closed--;
  }

  get isEmpty(): boolean {
    return this.open + this.connecting + this.closeWait + this.finWait + this.lastAck + this.timeWait === 0;
  }

  counts(): PoolCounts {
    const isKnown = this.stale === 0 && (this.unknownUse < this.open || this.open === 0);
    return {
      open: connections(this.open),
      connecting: connections(this.connecting),
      ...(isKnown && {
        busy: connections(this.busy),
        idle: connections(this.idle),
        unsure: connections(this.unsure),
      }),
      waiting: connections(this.waiting),
      closeWait: connections(this.closeWait),
      finWait: connections(this.finWait),
      lastAck: connections(this.lastAck),
      timeWait: connections(this.timeWait),
    };
  }

  past(now: number, lastLook: number): PoolPast {
    const waves = this.waves.times();
    const exchanges = this.exchanges.describe();
    const slow = waves.length === 0 ? this.windows.describe(this.sinceMs(now)) : undefined;
    return {
      looks: this.looks,
      toldLooks: this.toldLooks,
      watchedMs: millis(this.sinceMs(now)),
      first: connections(this.first),
      lowest: connections(this.lowest),
      highest: connections(Math.max(this.highest, this.open)),
      idleGrowth: this.growth.quarters(now),
      highestBusy: connections(this.highestBusy),
      highestMaybeBusy: connections(this.highestMaybeBusy),
      neverIdleLooks: this.neverIdleLooks,
      neverSeenUsed: connections(this.unsureAndStill),
      busyShare: ratio(this.openSum === 0 ? 0 : this.busySum / this.openSum),
      unread: connections(this.unread),
      created: this.created,
      closed: this.closed,
      ...(this.createdAt <= now && { sinceCreatedMs: millis(now - this.createdAt) }),
      createdByTime: this.newByTime.read(lastLook),
      reused: this.reused,
      moved: this.moved,
      traces: this.traces,
      ...(exchanges && { exchanges }),
      ...(this.bytesKnown > 0 && { bare: { count: this.bare, of: this.bytesKnown } }),
      answered: this.answered,
      seen: this.seen,
      connectFailed: this.connectFailed,
      waves: slow?.times ?? waves,
      ...(slow && { waveMs: millis(slow.longestMs) }),
    };
  }

  closeWaits(): CloseWaitFacts {
    return {
      stuck: connections(this.stuckCloseWait),
      asked: connections(this.askedCloseWait),
      growth: this.heldCloseWait - this.firstCloseWait,
      rises: this.stuckRises,
      came: this.cameToCloseWait,
      left: this.leftCloseWait,
      ...(Number.isFinite(this.oldestCloseWaitMs) && { oldestMs: millis(this.oldestCloseWaitMs) }),
    };
  }
}
