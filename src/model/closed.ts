import type { Endpoint } from './endpoint.js';
import type { Namespace } from './namespace.js';
import type { Owner } from './sockets.js';
import type { Bytes, Millis, PerSecond } from './units.js';

/**
 * What a row of a ClosedObservation was. `connection`: was established, with both ends known. `aborted`: was established, and the kernel
 * disconnected it, which makes it forget the far port and the numbers: this side ended it with a RST (SO_LINGER 0, connect(AF_UNSPEC)), or
 * it was a subflow of MPTCP whose side closed last, however it ended; what is known around it tells which (watch/closed/mptcp.ts).
 * `attempt`: a connect() that never got so far.
 */
export const CLOSE_KINDS = ['connection', 'aborted', 'attempt'] as const;
export type CloseKind = (typeof CLOSE_KINDS)[number];

/**
 * How it ended. `finished`: our FIN was acknowledged. `reset`: it was not, so a RST of either side ended it. `timed_out`: it was not, while we
 * were sending again. `refused`: the SYN was answered by a RST. `unanswered`: a connect() that was given up.
 */
export const ENDINGS = ['finished', 'reset', 'timed_out', 'refused', 'unanswered', 'unknown'] as const;
export type Ending = (typeof ENDINGS)[number];

/** Who closed first, as far as states that were seen tell: a TIME-WAIT is left on the side that did. */
export const CLOSERS = ['self', 'peer', 'unknown'] as const;
export type Closer = (typeof CLOSERS)[number];

/**
 * Quantiles of what was measured of `count` connections, right within a tenth; those of lower bounds are never above the true ones, those of upper
 * bounds never below, and within a fifth. Exact where all are equal; `max` always is.
 */
export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

/** Connections that ended at one listener, or that one process had to one remote. */
export interface ClosedGroup {
  /** Stays the same from report to report. */
  readonly id: string;
  readonly direction: 'inbound' | 'outbound';
  /** Of the listener, or of the remote. */
  readonly end: Endpoint;
  /** Where that was; absent: where sockwatch runs, and no other was asked for. */
  readonly namespace?: Namespace;
  readonly owners?: readonly Owner[] | undefined;
  /** `listener`: those of the listener, for nobody saw whose socket it was. */
  readonly ownersOf: 'socket' | 'listener';
  /** Connections that ended since the watch began, and in the last window. */
  readonly closed: number;
  readonly closedPerSecond?: PerSecond;
  /** connect() that failed since the watch began: refused, or given up. */
  readonly refused: number;
  readonly unanswered: number;
  /** What follows is of the last one to two times `CLOSED_SPAN_MS`. */
  readonly recent: ClosedRecent;
}

export interface ClosedRecent {
  readonly overMs: Millis;
  readonly closed: number;
  readonly endings: Readonly<Partial<Record<Ending, number>>>;
  readonly closers: Readonly<Partial<Record<Closer, number>>>;
  /** ms; the true quantile lies between: it lasted at least, and at most where an earlier look did not have it. */
  readonly lastedAtLeast?: Spread;
  readonly lastedAtMost?: Spread;
  /** ms from the last data in either direction to the end, the closing itself included; of connections that carried data. */
  readonly idle?: Spread;
  readonly idleBy: Readonly<Partial<Record<Closer, Spread>>>;
  readonly bytesSent?: Spread;
  readonly bytesReceived?: Spread;
  /** Of those of which it is known, as many as `bytesSent` counts; absent: of none. */
  readonly sentInAll?: Bytes;
  readonly receivedInAll?: Bytes;
  /** Some left no numbers (the kernel forgets those of what is aborted): sums, those below too, are lower bounds. */
  readonly bytesAreLeast?: true;
  readonly rttMs?: Spread;
  /** Segments sent again, in all, and by how many connections; absent like what follows: none left its numbers. */
  readonly retransmissions?: number;
  readonly retransmitting?: number;
  readonly busyMs?: Millis;
  readonly receiverLimitedMs?: Millis;
  readonly bufferLimitedMs?: Millis;
}

/** What is known of connections that ended. */
export interface ClosedReport {
  /** How it is known; `recording`: told in sums. */
  readonly from: 'netlink' | 'ss';
  /** Time since listening began. */
  readonly sinceMs: Millis;
  readonly groups: readonly ClosedGroup[];
  /** They may be of several namespaces. */
  readonly ofSeveral?: true;
  /** Both directions; since listening began, and in the last window. */
  readonly closed: number;
  readonly closedPerSecond?: PerSecond;
  readonly inbound: number;
  readonly outbound: number;
  /** Failed connect(), those without a known destination included. */
  readonly failedConnects: number;
  readonly failedConnectsPerSecond?: PerSecond;
  readonly failedWithoutDestination: number;
  /** Sockets that ended without ever being connected, listeners among them. */
  readonly unconnected: number;
  /** Ended, and not told to us, since listening began; absent: nobody counts them. All numbers then are "at least". */
  readonly lost?: number;
  readonly lostInWindow?: number;
  readonly incomplete: boolean;
  /** Connections of groups that there was no room for. */
  readonly notShown: number;
}

/** Whether some of those that ended in the last window may not have been told. */
export const isWindowLeast = ({ incomplete, lostInWindow }: ClosedReport): boolean =>
  incomplete && lostInWindow !== 0;
