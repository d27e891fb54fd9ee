import type { Outcome, RuleTotal, WirePool, WireRetries } from '../model/trace.js';
import { FLOW, type Flows, INT } from './flows.js';
import { MARK, type MARKS } from './marks.js';
import { Sketch } from './sketch.js';

const M = MARK as Readonly<Record<(typeof MARKS)[number], number>>;
const MOST_PAIRS = 10_000;
const MOST_ATTEMPTS = 64;
const SHOWN = 20;
const LEAST_FOR_A_POOL = 3;
/** A pause this many times the one before, after failures: a circuit breaker opened. */
const PAUSE = 5;
/** So many failed attempts are more than a few retries. */
const STORM = 10;

/** Names of addresses, as the decoder's address book has them. */
export type NameOf = (family: 4 | 6, address: number) => string;

interface Pair {
  readonly client: number;
  readonly server: number;
  readonly family: 4 | 6;
  readonly serverAddress: number;
  readonly serverPort: number;
  connections: number;
  open: number;
  highest: number;
  requests: number;
  refused: number;
  unanswered: number;
  failed: number;
  /** The first connection that failed. */
  example: { readonly id: number; readonly frame: number } | undefined;
  readonly timeWait: [number, number];
  readonly lifetimes: Sketch;
  readonly idle: Sketch;
  first: number;
  last: number;
  /** When each attempt began, once one has failed: the first of them. */
  readonly attempts: number[];
  watched: boolean;
}

/** Connections by client address and server: pools and retries as the wire shows them. What comes after 10,000 pairs is not told apart. */
export class Pairs {
  private readonly rows: Pair[] = [];
  private readonly known = new Map<number, number>();

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
      open: 0,
      highest: 0,
      requests: 0,
      refused: 0,
      unanswered: 0,
      failed: 0,
      example: undefined,
      timeWait: [0, 0],
      lifetimes: new Sketch(1),
      idle: new Sketch(1),
      first: flows.timeOf(slot, M.first),
      last: 0,
      attempts: [],
      watched: false,
    });
    this.known.set(key, this.rows.length - 1);
    return this.rows.length - 1;
  }

  opened(row: number, time: number): void {
    const pair = this.rows[row];
    if (pair === undefined) return;
    pair.connections++;
    pair.open++;
    if (pair.open > pair.highest) pair.highest = pair.open;
    pair.last = time;
    if (pair.attempts.length < MOST_ATTEMPTS) pair.attempts.push(time);
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
  finished(flows: Flows, slot: number, outcome: Outcome): void {
    const pair = this.rows[flows.int(slot, INT.pair)];
    if (pair === undefined) return;
    pair.requests += flows.requests[slot] ?? 0;
    pair.lifetimes.add(flows.timeOf(slot, M.last) - flows.timeOf(slot, M.first));
    if (outcome === 'refused') pair.refused++;
    if (outcome === 'timed_out' || outcome === 'unresolved' || outcome === 'half_open') pair.unanswered++;
    if (outcome !== 'established' && outcome !== 'midstream') {
      pair.failed++;
      pair.example ??= { id: flows.int(slot, INT.id), frame: flows.frameOf(slot, M.first) };
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

  /** Clients that try again at once, over and over, though they fail: no back-off. */
  storms(name: NameOf): RuleTotal[] {
    return this.rows.flatMap((pair) => {
      const { failed, example } = pair;
      if (failed < STORM || example === undefined) return [];
      const { pattern, client, server, attempts, highestParallel } = retriesOf(pair, name);
      if (pattern !== 'hammering') return [];
      const message = `${client} tried ${server} ${attempts} times without back-off, ${failed} in vain, ${highestParallel} at a time at most`;
      const examples = [{ id: example.id, frames: [example.frame], message }];
      return [{ rule: 'retry_storm' as const, severity: 'warning' as const, connections: failed, examples }];
    });
  }

  /** Pairs whose attempts failed, the most failures first. */
  retries(name: NameOf): WireRetries[] {
    return this.rows
      .filter(({ failed, connections }) => failed >= 2 && connections >= 3)
      .sort((a, b) => b.failed - a.failed)
      .slice(0, SHOWN)
      .map((pair) => retriesOf(pair, name));
  }
}

const serverText = ({ family, serverAddress, serverPort }: Pair, name: NameOf): string => {
  const host = name(family, serverAddress);
  return family === 6 ? `[${host}]:${serverPort}` : `${host}:${serverPort}`;
};

function poolOf(pair: Pair, name: NameOf): WirePool {
  const seconds = (pair.last - pair.first) / 1e9;
  const lifetime = pair.lifetimes.percentiles();
  const idle = pair.idle.percentiles();
  return {
    client: name(pair.family, pair.client),
    server: serverText(pair, name),
    connections: pair.connections,
    highest: pair.highest,
    perSecond: seconds > 0 ? pair.connections / seconds : pair.connections,
    requests: pair.requests,
    ...(lifetime && { lifetime }),
    ...(idle && { idle }),
    timeWait: { client: pair.timeWait[0], server: pair.timeWait[1] },
    refused: pair.refused,
    unanswered: pair.unanswered,
  };
}

function retriesOf(pair: Pair, name: NameOf): WireRetries {
  const times = [...pair.attempts].sort((a, b) => a - b);
  const gapsMs = times.slice(1).map((time, index) => (time - (times[index] ?? time)) / 1e6);
  return {
    client: name(pair.family, pair.client),
    server: serverText(pair, name),
    attempts: pair.connections,
    failed: pair.failed,
    pattern: patternOf(gapsMs),
    gapsMs: gapsMs.slice(0, 16),
    highestParallel: pair.highest,
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
