import { TIME_WAIT } from '../../analyze/codes.js';
import { type Endpoint, formatEndpoint } from '../../model/endpoint.js';
import type { SocketTable } from '../../model/table.js';
import { millis } from '../../model/units.js';
import type { End } from './ends.js';

type Span = readonly [least: number, most: number];

/** Where one process connects to, and how that went. */
export interface Destination {
  readonly remote: Endpoint;
  readonly owner: End['owner'];
  /** As the table has them: of the address, and the port. */
  readonly words: Uint32Array;
  readonly port: number;
  /** A connection to it that is open was seen. */
  isAnswered: boolean;
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
  /** Ages at the last look that had them and at the next: of those whose SYN had been sent again, and of the others. */
  readonly ends: Span[];
  readonly earlyEnds: Span[];
  oldestMs: number;
  /** Monotonic ms: last in SYN-SENT, or found to be gone; the same after a repetition, or NaN. */
  triedAt: number;
  unansweredAt: number;
}

/** Finds destinations of which no answer is known by now, by a row that goes there. */
export function silentFinder(
  destinations: Iterable<Destination>,
): (table: SocketTable, row: number) => readonly Destination[] {
  const byPort = new Map<number, Destination[]>();
  for (const destination of destinations) {
    if (destination.isAnswered) continue;
    const all = byPort.get(destination.port);
    if (all === undefined) byPort.set(destination.port, [destination]);
    else all.push(destination);
  }
  return ({ remotePort, remoteAddress, state }, row) => {
    const all = byPort.get(remotePort[row] ?? 0);
    // What ended up to a minute ago tells nothing of now.
    if (all === undefined || state[row] === TIME_WAIT) return NOBODY;
    return all.filter(({ words }) => words.every((word, at) => word === remoteAddress[row * 4 + at]));
  };
}

const NOBODY: readonly Destination[] = [];

/** Attempts that had ended before their process was found are of the one process that connects there, where it is but one. */
export function joined(destinations: readonly Destination[]): readonly Destination[] {
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

export const nothing = () => ({
  isAnswered: false,
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
  earlyEnds: [],
  oldestMs: 0,
  triedAt: Number.NaN,
  unansweredAt: Number.NaN,
});

const sumOf = (sum: Destination, one: Destination): Destination => ({
  remote: sum.remote,
  owner: sum.owner,
  words: sum.words,
  port: sum.port,
  isAnswered: sum.isAnswered || one.isAnswered,
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
  earlyEnds: [...sum.earlyEnds, ...one.earlyEnds],
  oldestMs: Math.max(sum.oldestMs, one.open > 0 ? one.oldestMs : 0),
  triedAt: later(sum.triedAt, one.triedAt),
  unansweredAt: later(sum.unansweredAt, one.unansweredAt),
});

const later = (a: number, b: number): number => (Number.isNaN(a) || b > a ? b : a);

/** The times of all in between, where they agree; else those of the one in the middle. */
export function middleOf(ends: readonly Span[]) {
  const least = Math.max(...ends.map(([low]) => low));
  const most = Math.min(...ends.map(([, high]) => high));
  if (least <= most) return { least: millis(least), most: millis(most) };
  const [low, high] = [...ends].sort(([a], [b]) => a - b)[ends.length >> 1] ?? [0, 0];
  return { least: millis(low), most: millis(high) };
}
