import { LINEAR_TIMEOUTS, synTimeout } from '../../analyze/syn-schedule.js';
import type { Connecting } from '../../model/diagnosis.js';
import { type Endpoint, formatEndpoint } from '../../model/endpoint.js';
import type { SocketTable } from '../../model/table.js';
import { millis } from '../../model/units.js';
import { type End, ownerAt, pidOf, socketKey } from './ends.js';

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

interface Destination {
  readonly remote: Endpoint;
  readonly owner: End['owner'];
  open: number;
  retried: number;
  mostRetries: number;
  attempts: number;
  everRetried: number;
  /** Monotonic ms of attempts that began during the watch. */
  readonly begun: number[];
  established: number;
  gone: number;
  goneUnanswered: number;
  readonly ends: (readonly [least: number, most: number])[];
  oldestMs: number;
  /** Monotonic ms: last in SYN-SENT, or found to be gone; the same after a repetition, or NaN. */
  triedAt: number;
  unansweredAt: number;
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
    return joined([...this.destinations.values()]).map(({ begun, ends, oldestMs, ...all }) => {
      const { triedAt, unansweredAt, ...rest } = all;
      return {
        ...rest,
        triedMs: millis(at - triedAt),
        ...(!Number.isNaN(unansweredAt) && { unansweredMs: millis(at - unansweredAt) }),
        begun: [begun.filter((time) => time < middle).length, begun.filter((time) => time >= middle).length],
        ...(ends.length > 0 && { gaveUpMs: middleOf(ends) }),
        ...(rest.open > 0 && { oldestMs: millis(oldestMs) }),
      };
    });
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
    const made = { remote, owner, ...nothing() };
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
    for (const row of others) elsewhere.add(socketKey(table, row));
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
      if (attempt.retries > 0 && destination.ends.length < KEPT_ENDS)
        destination.ends.push([attempt.seenAt - attempt.begunAt, at - attempt.begunAt]);
    }
  }
}

function noteTry(destination: Destination, retries: number, at: number): void {
  destination.triedAt = at;
  if (retries > 0) destination.unansweredAt = at;
}

/** Attempts that had ended before their process was found are of the one process that connects there, where it is but one. */
function joined(destinations: readonly Destination[]): readonly Destination[] {
  const byRemote = new Map<string, Destination[]>();
  for (const one of destinations) {
    const remote = formatEndpoint(one.remote);
    byRemote.set(remote, [...(byRemote.get(remote) ?? []), one]);
  }
  return [...byRemote.values()].flatMap((all) => {
    const named = all.filter(({ owner }) => typeof owner === 'object');
    const [only] = named;
    return only === undefined || named.length > 1 ? all : [all.reduce(sumOf, { ...only, ...nothing() })];
  });
}

const nothing = () => ({
  open: 0,
  retried: 0,
  mostRetries: 0,
  attempts: 0,
  everRetried: 0,
  begun: [],
  established: 0,
  gone: 0,
  goneUnanswered: 0,
  ends: [],
  oldestMs: 0,
  triedAt: Number.NaN,
  unansweredAt: Number.NaN,
});

const sumOf = (sum: Destination, one: Destination): Destination => ({
  remote: sum.remote,
  owner: sum.owner,
  open: sum.open + one.open,
  retried: sum.retried + one.retried,
  mostRetries: Math.max(sum.mostRetries, one.mostRetries),
  attempts: sum.attempts + one.attempts,
  everRetried: sum.everRetried + one.everRetried,
  begun: [...sum.begun, ...one.begun],
  established: sum.established + one.established,
  gone: sum.gone + one.gone,
  goneUnanswered: sum.goneUnanswered + one.goneUnanswered,
  ends: [...sum.ends, ...one.ends],
  oldestMs: Math.max(sum.oldestMs, one.open > 0 ? one.oldestMs : 0),
  triedAt: later(sum.triedAt, one.triedAt),
  unansweredAt: later(sum.unansweredAt, one.unansweredAt),
});

const later = (a: number, b: number): number => (Number.isNaN(a) || b > a ? b : a);

/** The times of all in between, where they agree; else those of the one in the middle. */
function middleOf(ends: readonly (readonly [number, number])[]) {
  const least = Math.max(...ends.map(([low]) => low));
  const most = Math.min(...ends.map(([, high]) => high));
  if (least <= most) return { least: millis(least), most: millis(most) };
  const [low, high] = [...ends].sort(([a], [b]) => a - b)[ends.length >> 1] ?? [0, 0];
  return { least: millis(low), most: millis(high) };
}
