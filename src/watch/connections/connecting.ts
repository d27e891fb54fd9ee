import { LINEAR_TIMEOUTS, synTimeout } from '../../analyze/syn-schedule.js';
import type { Connecting } from '../../model/diagnosis.js';
import { formatEndpoint } from '../../model/endpoint.js';
import type { SocketTable } from '../../model/table.js';
import { millis } from '../../model/units.js';
import { type Destination, joined, middleOf, nothing, silentFinder } from './destinations.js';
import { ownerAt, pidOf, socketKey } from './ends.js';

const MOST_ATTEMPTS = 20_000;
/** Times at which attempts were given up, per destination. */
const KEPT_ENDS = 200;

interface Attempt {
  readonly destination: Destination;
  /** Monotonic ms; before the watch: by the timer of the SYN. */
  readonly begunAt: number;
  readonly isNew: boolean;
  retries: number;
  seenAt: number;
}

/** Follows what is in SYN-SENT by cookie: how long it tries, and how it ends. What comes and goes between two looks is not seen. */
export class ConnectingWatch {
  private readonly attempts = new Map<number | string, Attempt>();
  private readonly destinations = new Map<string, Destination>();
  private firstAt: number | undefined;
  notFollowed = 0;

  /** tcp_syn_linear_timeouts of the namespace. */
  linear = LINEAR_TIMEOUTS;

  /** `rows`: those in SYN-SENT; `others`: all other connections, which what was followed may have become. Monotonic ms. */
  take(table: SocketTable, rows: readonly number[], others: Iterable<number>, at: number): void {
    for (const destination of this.destinations.values()) destination.open = destination.retried = 0;
    for (const row of rows) this.see(table, row, at);
    if (this.attempts.size > rows.length) this.endGone(table, others, at);
    this.firstAt ??= at;
  }

  seen(at: number): Connecting[] {
    const middle = ((this.firstAt ?? at) + at) / 2;
    return joined([...this.destinations.values()]).map(
      ({ begun, ends, earlyEnds, oldestMs, words: _, port: __, triedAt, unansweredAt, ...rest }) => ({
        ...rest,
        triedMs: millis(at - triedAt),
        ...(!Number.isNaN(unansweredAt) && { unansweredMs: millis(at - unansweredAt) }),
        begun: [begun.filter((time) => time < middle).length, begun.filter((time) => time >= middle).length],
        ...(ends.length > 0 && { gaveUpMs: middleOf(ends) }),
        ...(earlyEnds.length > 0 && { leftEarlyMs: middleOf(earlyEnds) }),
        ...(rest.open > 0 && { oldestMs: millis(oldestMs) }),
      }),
    );
  }

  private see(table: SocketTable, row: number, at: number): void {
    const retries = table.get('timerRetransmits', row) ?? 0;
    const key = socketKey(table, row);
    let attempt = this.attempts.get(key);
    if (attempt === undefined) {
      const destination = this.attempts.size < MOST_ATTEMPTS ? this.destinationOf(table, row) : undefined;
      if (destination === undefined) {
        this.notFollowed++;
        return;
      }
      const begunAt = at - this.ageOf(table, row, retries);
      const isNew = this.firstAt !== undefined && begunAt > this.firstAt;
      attempt = { destination, begunAt, isNew, retries: 0, seenAt: at };
      this.attempts.set(key, attempt);
      destination.attempts++;
      if (isNew) destination.begun.push(begunAt);
    }
    const { destination } = attempt;
    if (destination.open === 0) destination.oldestMs = 0;
    if (retries > 0 && attempt.retries === 0) destination.everRetried++;
    attempt.retries = Math.max(attempt.retries, retries);
    attempt.seenAt = at;
    destination.open++;
    if (retries > 0) destination.retried++;
    noteTry(destination, retries, at);
    destination.mostRetries = Math.max(destination.mostRetries, retries);
    destination.oldestMs = Math.max(destination.oldestMs, at - attempt.begunAt);
  }

  private destinationOf(table: SocketTable, row: number): Destination | undefined {
    const { remote } = table.row(row);
    if (remote === undefined) return undefined;
    const owner = ownerAt(table, row);
    const key = `${pidOf(owner)} ${formatEndpoint(remote)}`;
    const known = this.destinations.get(key);
    if (known !== undefined) return known;
    const made = {
      remote,
      owner,
      words: table.remoteAddress.slice(row * 4, row * 4 + 4),
      port: table.remotePort[row] ?? 0,
      ...nothing(),
    };
    this.destinations.set(key, made);
    return made;
  }

  /** By the timer of the next SYN; without one, as little as it may be. */
  private ageOf(table: SocketTable, row: number, retries: number): number {
    const next = synTimeout(retries + 1, this.linear);
    const ms = table.get('timerMs', row);
    return ms === undefined ? synTimeout(retries, this.linear) : Math.max(0, next - ms);
  }

  private endGone(table: SocketTable, others: Iterable<number>, at: number): void {
    const elsewhere = new Set<number | string>();
    const find = silentFinder(this.destinations.values());
    for (const row of others) {
      elsewhere.add(socketKey(table, row));
      for (const destination of find(table, row)) destination.isAnswered = true;
    }
    for (const [key, attempt] of this.attempts) {
      if (attempt.seenAt === at) continue;
      this.attempts.delete(key);
      const { destination } = attempt;
      if (elsewhere.has(key)) {
        destination.established++;
        continue;
      }
      noteTry(destination, attempt.retries, at);
      destination.gone++;
      if (attempt.retries > 0) destination.goneUnanswered++;
      const ends = attempt.retries > 0 ? destination.ends : destination.earlyEnds;
      if (ends.length < KEPT_ENDS) ends.push([attempt.seenAt - attempt.begunAt, at - attempt.begunAt]);
    }
  }
}

function noteTry(destination: Destination, retries: number, at: number): void {
  destination.triedAt = at;
  if (retries > 0) destination.unansweredAt = at;
}
