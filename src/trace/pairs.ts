import type { Outcome } from '../model/trace.js';
import type { TraceFinding } from '../model/trace-findings.js';
import type { RuleTotal, WirePool, WireRetries } from '../model/trace-summary.js';
import { churnOf } from './churn.js';
import { Durations } from './durations.js';
import { seconds } from './findings/facts.js';
import { FLOW, type Flows, INT } from './flows.js';
import { MARK, type MARKS } from './marks.js';

const M = MARK as Readonly<Record<(typeof MARKS)[number], number>>;
const MOST_PAIRS = 10_000;
const MOST_ATTEMPTS = 64;
const SHOWN = 20;
const LEAST_FOR_A_POOL = 3;
/** A pause this many times the one before, after failures: a circuit breaker opened. */
const PAUSE = 5;
/** So many failed attempts are more than a few retries. */
const STORM = 10;
/** Less than a second says nothing about how many there are in one. */
const LEAST_SPAN_NS = 1e9;
/** Times of connections that are counted once they are over: 8 MB. */
const MOST_SPANS = 500_000;

/** Names of addresses, as the decoder's address book has them. */
export type NameOf = (family: 4 | 6, address: number) => string;

interface Pair {
  readonly client: number;
  readonly server: number;
  readonly family: 4 | 6;
  readonly serverAddress: number;
  readonly serverPort: number;
  connections: number;
  /** Those whose beginning is in the capture. */
  tries: number;
  established: number;
  open: number;
  highest: number;
  requests: number;
  refused: number;
  unanswered: number;
  failed: number;
  /** The first connection that failed, and the first that did not. */
  example: Example | undefined;
  sound: Example | undefined;
  readonly timeWait: [number, number];
  /** Of those that were seen from their beginning to their close. */
  readonly lifetimes: Durations;
  readonly idle: Durations;
  /** Begin of the first and of the last whose beginning is in the capture. */
  first: number;
  last: number;
  /** When each attempt began, once one has failed: the first of them. */
  readonly attempts: number[];
  /** What `patternOf` said when there were so many attempts. */
  judged: { readonly attempts: number; readonly pattern: WireRetries['pattern'] } | undefined;
  /** Begin and end of each connection in turn, where they are counted once they are over. */
  readonly spans: number[];
  watched: boolean;
}

interface Example {
  readonly id: number;
  readonly frame: number;
}

/** Connections by client address and server: pools and retries as the wire shows them. What comes after 10,000 pairs is not told apart. */
export class Pairs {
  private readonly rows: Pair[] = [];
  private readonly known = new Map<number, number>();
  private spans = 0;

  /** The row of a pair, interned; -1 where there are too many. */
  pairOf(flows: Flows, slot: number): number {
    const server = flows.int(slot, INT.server);
    const clientIsHigh = flows.int(slot, INT.clientIsHigh) === 1;
    const client = flows.int(slot, clientIsHigh ? INT.high : INT.low);
    const key = server * 2 ** 32 + (client >>> 0);
    const found = this.known.get(key);
    if (found !== undefined) return found;
    if (this.rows.length >= MOST_PAIRS) return -1;
    const ports = flows.int(slot, INT.ports);
    this.rows.push({
      client,
      server,
      family: (flows.int(slot, INT.kind) & 2) === 0 ? 4 : 6,
      serverAddress: flows.int(slot, clientIsHigh ? INT.low : INT.high),
      serverPort: clientIsHigh ? ports >>> 16 : ports & 0xffff,
      connections: 0,
      tries: 0,
      established: 0,
      open: 0,
      highest: 0,
      requests: 0,
      refused: 0,
      unanswered: 0,
      failed: 0,
      example: undefined,
      sound: undefined,
      timeWait: [0, 0],
      lifetimes: new Durations(),
      idle: new Durations(),
      first: Number.POSITIVE_INFINITY,
      last: 0,
      attempts: [],
      judged: undefined,
      spans: [],
      watched: false,
    });
    this.known.set(key, this.rows.length - 1);
    return this.rows.length - 1;
  }

  opened(row: number, flows: Flows, slot: number): void {
    const pair = this.rows[row];
    if (pair === undefined) return;
    begin(pair, flows, slot);
    pair.open++;
    if (pair.open > pair.highest) pair.highest = pair.open;
  }

  /** A connection that is over, where only then it is known whether it counts. */
  counted(flows: Flows, slot: number, outcome: Outcome): void {
    const row = this.pairOf(flows, slot);
    const pair = this.rows[row];
    if (pair === undefined) return;
    begin(pair, flows, slot);
    if (this.spans < MOST_SPANS) {
      this.spans++;
      const end = flows.frameOf(slot, M.closed) === 0 ? M.last : M.closed;
      pair.spans.push(flows.timeOf(slot, M.first), flows.timeOf(slot, end));
    }
    this.finished(row, flows, slot, outcome);
  }

  /** One that was taken for given up is there after all. */
  reopened(row: number): void {
    const pair = this.rows[row];
    if (pair === undefined) return;
    pair.open++;
    if (pair.open > pair.highest) pair.highest = pair.open;
  }

  closed(row: number): void {
    const pair = this.rows[row];
    if (pair !== undefined && pair.open > 0) pair.open--;
  }

  /** What became of a connection, from its columns. */
  finished(row: number, flows: Flows, slot: number, outcome: Outcome): void {
    const pair = this.rows[row];
    if (pair === undefined) return;
    pair.requests += flows.requests[slot] ?? 0;
    if (isAttempt(flows, slot) && flows.has(slot, FLOW.closed))
      pair.lifetimes.add(flows.timeOf(slot, M.last) - flows.timeOf(slot, M.first));
    if (outcome === 'refused') pair.refused++;
    if (outcome === 'timed_out' || outcome === 'unresolved' || outcome === 'half_open') pair.unanswered++;
    if (hasFailed(outcome)) {
      pair.failed++;
      pair.example ??= exampleOf(flows, slot);
    } else if (isAttempt(flows, slot)) {
      pair.established++;
      pair.sound ??= exampleOf(flows, slot);
    }
    const clientFin = flows.frameOf(slot, M.clientFin);
    const serverFin = flows.frameOf(slot, M.serverFin);
    if (clientFin !== 0 && serverFin !== 0 && !flows.has(slot, FLOW.reset)) {
      const side = clientFin < serverFin ? 0 : 1;
      pair.timeWait[side]++;
    }
    if (clientFin !== 0 || serverFin !== 0) this.addIdle(pair, flows, slot);
  }

  private addIdle(pair: Pair, flows: Flows, slot: number): void {
    const clientFin =
      flows.frameOf(slot, M.clientFin) === 0 ? Number.POSITIVE_INFINITY : flows.timeOf(slot, M.clientFin);
    const serverFin =
      flows.frameOf(slot, M.serverFin) === 0 ? Number.POSITIVE_INFINITY : flows.timeOf(slot, M.serverFin);
    const data = Math.max(flows.timeOf(slot, M.clientData), flows.timeOf(slot, M.serverData));
    const hasData = flows.frameOf(slot, M.clientData) !== 0 || flows.frameOf(slot, M.serverData) !== 0;
    const idle = Math.min(clientFin, serverFin) - data;
    if (hasData && idle >= 0) pair.idle.add(idle);
  }

  /** From now on connections of this pair are told whole: one of them ended with an unsafe request unanswered. */
  watch(row: number): void {
    const pair = this.rows[row];
    if (pair !== undefined) pair.watched = true;
  }

  isWatched(row: number): boolean {
    return this.rows[row]?.watched === true;
  }

  /** Pairs with several connections, the busiest first. */
  pools(name: NameOf): WirePool[] {
    return this.rows
      .filter(({ connections }) => connections >= LEAST_FOR_A_POOL)
      .sort((a, b) => b.connections - a.connections)
      .slice(0, SHOWN)
      .map((pair) => poolOf(pair, name));
  }

  /** What is wrong with pairs, and with none of their connections alone. */
  rules(name: NameOf): RuleTotal[] {
    return [...this.storms(name), ...this.churns(name)];
  }

  private churns(name: NameOf): RuleTotal[] {
    return this.rows.flatMap((pair) => {
      const { established, sound } = pair;
      if (sound === undefined) return [];
      return churnOf({ pool: poolOf(pair, name), established, seconds: secondsOf(pair), sound }) ?? [];
    });
  }

  /** What a connection that failed has to say of its pair: it is one more of a storm. */
  stormOf(row: number, outcome: Outcome, frame: number): TraceFinding | undefined {
    const pair = this.rows[row];
    if (pair === undefined || pair.failed < STORM || !hasFailed(outcome)) return undefined;
    if (this.judge(pair) !== 'hammering') return undefined;
    return {
      rule: 'retry_storm',
      severity: 'warning',
      sure: 'certain',
      frames: [frame],
      message: `the client has now failed ${pair.failed} times and tries again without back-off`,
      evidence: [`pauses of ${pausesOf(pair)}`],
      advice: 'let the client wait longer after each failure, with jitter, or stop for a while',
    };
  }

  /** Sorting attempts anew for each connection of a flood would cost too much: only when there are more of them. */
  private judge(pair: Pair): WireRetries['pattern'] {
    const attempts = pair.attempts.length;
    if (pair.judged?.attempts !== attempts) pair.judged = { attempts, pattern: patternOf(gapsOf(pair)) };
    return pair.judged.pattern;
  }

  /** Clients that try again at once, over and over, though they fail: no back-off. */
  private storms(name: NameOf): RuleTotal[] {
    return this.rows.flatMap((pair) => {
      const { failed, example } = pair;
      if (failed < STORM || example === undefined) return [];
      const { pattern, client, server, attempts, highestParallel } = retriesOf(pair, name);
      if (pattern !== 'hammering') return [];
      const message = `${client} tried ${server} ${attempts} times without back-off, ${failed} in vain, ${highestParallel} at a time at most`;
      const examples = [{ id: example.id, frames: [example.frame], message }];
      return [
        {
          rule: 'retry_storm' as const,
          severity: 'warning' as const,
          sure: 'certain' as const,
          connections: failed,
          examples,
        },
      ];
    });
  }

  /** Pairs whose attempts failed, the most failures first. */
  retries(name: NameOf): WireRetries[] {
    return this.rows
      .filter(({ failed, tries }) => failed >= 2 && tries >= 3)
      .sort((a, b) => b.failed - a.failed)
      .slice(0, SHOWN)
      .map((pair) => retriesOf(pair, name));
  }
}

const serverText = ({ family, serverAddress, serverPort }: Pair, name: NameOf): string => {
  const host = name(family, serverAddress);
  return family === 6 ? `[${host}]:${serverPort}` : `${host}:${serverPort}`;
};

const hasFailed = (outcome: Outcome): boolean => outcome !== 'established' && outcome !== 'midstream';

/** Its SYN or SYN-ACK is in the capture: it is known when it began. */
const isAttempt = (flows: Flows, slot: number): boolean => flows.has(slot, FLOW.roleSyn | FLOW.roleSynAck);

const exampleOf = (flows: Flows, slot: number): Example => ({
  id: flows.int(slot, INT.id),
  frame: flows.frameOf(slot, M.first),
});

function begin(pair: Pair, flows: Flows, slot: number): void {
  pair.connections++;
  if (!isAttempt(flows, slot)) return;
  const time = flows.timeOf(slot, M.first);
  pair.tries++;
  if (time < pair.first) pair.first = time;
  if (time > pair.last) pair.last = time;
  if (pair.attempts.length < MOST_ATTEMPTS) pair.attempts.push(time);
}

/** From the first to the last beginning, one second at least. */
const secondsOf = ({ tries, first, last }: Pair): number =>
  tries === 0 ? 1 : Math.max(LEAST_SPAN_NS, last - first) / 1e9;

/** Most spans at the same time. One that ends when another begins is not at the same time. */
function highestOf(spans: readonly number[]): number {
  const begins = spans.filter((_, index) => index % 2 === 0).sort((a, b) => a - b);
  const ends = spans.filter((_, index) => index % 2 === 1).sort((a, b) => a - b);
  let closed = 0;
  let highest = 0;
  begins.forEach((begin, index) => {
    while ((ends[closed] ?? Number.POSITIVE_INFINITY) <= begin && closed < index) closed++;
    highest = Math.max(highest, index + 1 - closed);
  });
  return highest;
}

function poolOf(pair: Pair, name: NameOf): WirePool {
  const lifetime = pair.lifetimes.percentiles();
  const idle = pair.idle.percentiles();
  return {
    client: name(pair.family, pair.client),
    server: serverText(pair, name),
    connections: pair.connections,
    highest: pair.highest || highestOf(pair.spans),
    perSecond: pair.tries / secondsOf(pair),
    requests: pair.requests,
    ...(lifetime && { lifetime }),
    ...(idle && { idle }),
    timeWait: { client: pair.timeWait[0], server: pair.timeWait[1] },
    refused: pair.refused,
    unanswered: pair.unanswered,
  };
}

/** Pauses between the beginnings of attempts, ms. */
function gapsOf({ attempts }: Pair): number[] {
  const times = [...attempts].sort((a, b) => a - b);
  return times.slice(1).map((time, index) => (time - (times[index] ?? time)) / 1e6);
}

const pausesOf = (pair: Pair): string =>
  gapsOf(pair)
    .slice(0, 6)
    .map((ms) => seconds(ms * 1e6))
    .join(', ');

function retriesOf(pair: Pair, name: NameOf): WireRetries {
  const gapsMs = gapsOf(pair);
  return {
    client: name(pair.family, pair.client),
    server: serverText(pair, name),
    attempts: pair.tries,
    failed: pair.failed,
    pattern: patternOf(gapsMs),
    gapsMs,
    highestParallel: pair.highest || highestOf(pair.spans),
  };
}

/** Growing pauses are back-off; equal ones hammering; one far longer than those before, a circuit breaker. */
export function patternOf(gapsMs: readonly number[]): WireRetries['pattern'] {
  if (gapsMs.length < 2) return 'unclear';
  const grows = gapsMs.slice(1).filter((gap, index) => gap >= (gapsMs[index] ?? 0) * 1.3).length;
  if (grows >= (gapsMs.length - 1) * 0.75) return 'back_off';
  const sorted = [...gapsMs].sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? 0;
  const longest = sorted.at(-1) ?? 0;
  if (longest >= 1000 && longest >= median * PAUSE && gapsMs.length >= 4) return 'paused';
  return 'hammering';
}
