import type { Outcome } from '../model/trace.js';
import type { WirePool, WireRetries } from '../model/trace-summary.js';
import { Durations } from './durations.js';
import { seconds } from './findings/facts.js';
import { FLOW, type Flows, INT } from './flows.js';
import { MARK, type MARKS } from './marks.js';

const M = MARK as Readonly<Record<(typeof MARKS)[number], number>>;
const MOST_ATTEMPTS = 64;
/** A pause this many times the one before, after failures: a circuit breaker opened. */
const PAUSE = 5;
/** Less than a second says nothing about how many there are in one. */
const LEAST_SPAN_NS = 1e9;

/** Names of addresses, as the decoder's address book has them. */
export type NameOf = (family: 4 | 6, address: number) => string;

/** All connections of one client to one server. */
export interface Pair {
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

export interface Example {
  readonly id: number;
  readonly frame: number;
}

/** Its client is the id of an address, its server a row of `Servers`. */
export function makePair(
  flows: Flows,
  slot: number,
  { client, server }: Pick<Pair, 'client' | 'server'>,
): Pair {
  const clientIsHigh = flows.int(slot, INT.clientIsHigh) === 1;
  const ports = flows.int(slot, INT.ports);
  return {
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
  };
}

const serverText = ({ family, serverAddress, serverPort }: Pair, name: NameOf): string => {
  const host = name(family, serverAddress);
  return family === 6 ? `[${host}]:${serverPort}` : `${host}:${serverPort}`;
};

export const hasFailed = (outcome: Outcome): boolean => outcome !== 'established' && outcome !== 'midstream';

/** Its SYN or SYN-ACK is in the capture: it is known when it began. */
export const isAttempt = (flows: Flows, slot: number): boolean =>
  flows.has(slot, FLOW.roleSyn | FLOW.roleSynAck);

export const exampleOf = (flows: Flows, slot: number): Example => ({
  id: flows.int(slot, INT.id),
  frame: flows.frameOf(slot, M.first),
});

export function begin(pair: Pair, flows: Flows, slot: number): void {
  pair.connections++;
  if (!isAttempt(flows, slot)) return;
  const time = flows.timeOf(slot, M.first);
  pair.tries++;
  if (time < pair.first) pair.first = time;
  if (time > pair.last) pair.last = time;
  if (pair.attempts.length < MOST_ATTEMPTS) pair.attempts.push(time);
}

/** From the first to the last beginning, one second at least. */
export const secondsOf = ({ tries, first, last }: Pair): number =>
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

export function poolOf(pair: Pair, name: NameOf): WirePool {
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
export function gapsOf({ attempts }: Pair): number[] {
  const times = [...attempts].sort((a, b) => a - b);
  return times.slice(1).map((time, index) => (time - (times[index] ?? time)) / 1e6);
}

export const pausesOf = (pair: Pair): string =>
  gapsOf(pair)
    .slice(0, 6)
    .map((ms) => seconds(ms * 1e6))
    .join(', ');

export function retriesOf(pair: Pair, name: NameOf): WireRetries {
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
