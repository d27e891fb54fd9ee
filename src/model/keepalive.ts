import type { TrafficShapes } from './traffic.js';
import type { Millis } from './units.js';

/** Who sent the first FIN: the other side, or the process here. */
export const CLOSERS = ['peer', 'self'] as const;
export type Closer = (typeof CLOSERS)[number];

/** Connections that were closed after the same time without data, at different moments: a timeout. */
export interface IdleClose {
  /** Absent: the states that were seen do not tell. */
  readonly by?: Closer;
  /** They ended by a reset, without a FIN of either side. Who sent it the sockets do not say. */
  readonly reset?: true;
  /** Middle of what fits all of them, and how far off it may be. */
  readonly ms: Millis;
  readonly withinMs: Millis;
  /** Of so many that this side closed while they were idle, these were closed after that time. */
  readonly closes: number;
  readonly of: number;
}

/** Requests on connections that had been closed for idleness: they met the FIN, on the way or later, and were reset. */
export interface LostRequests {
  /** Whose FIN they met; absent: a reset without a FIN, at the time at which idle connections end so. */
  readonly by?: Closer;
  readonly count: number;
  /** Time without data before the request, the median; absent on the side that only saw that it was reset. */
  readonly afterMs?: Millis;
}

/** How the idle connections of a pool ended, as far as that was seen. */
export interface IdleCloses {
  readonly timeout?: IdleClose;
  readonly lost?: LostRequests;
  /**
   * Closed from here, by the timeout where there is one, else after some idleness and at different moments, and ended by a reset: data that came after the FIN, a request
   * or a close_notify of TLS, or peers that aborted.
   */
  readonly resets?: number;
  /** FINs of the peer that were answered with as many bytes as a close_notify of TLS has: nothing was lost with them. */
  readonly alerts?: number;
}

/** TCP keep-alive of established connections, by their timers (KERNEL.md 10). */
export interface ProbeFacts {
  /** With a keep-alive timer. */
  readonly kept: number;
  /** Without any timer: a peer that vanishes is never noticed. */
  readonly bare: number;
  /** Of those, without data for as long as `LONG_IDLE_MS` or longer. */
  readonly bareLongIdle: number;
  /** What data did on those during the watch: a guess; absent where it cannot be told. */
  readonly longIdleTraffic?: TrafficShapes;
  /** Probes without an answer. */
  readonly unanswered: number;
  /** Until the next probe of any. */
  readonly nextProbeMs?: Millis;
}

/** Shorter than the shortest idle timeouts of balancers and NAT that are in wide use (AWS NLB: 350 s; many firewalls: 300 s or more). */
export const LONG_IDLE_MS = 300_000;
