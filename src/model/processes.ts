import type { Endpoint } from './endpoint.js';
import type { Owner } from './sockets.js';
import type { Millis } from './units.js';

/** What the threads of a process were doing at one moment. Counts of threads. */
export interface ThreadFacts {
  readonly threads: number;
  /** Of so many of them it is known; the rest of this is of those. */
  readonly looked: number;
  /** In accept(). */
  readonly accepting: number;
  /** In epoll_wait(), select() or poll() for several descriptors. */
  readonly polling: number;
  /** In poll() for one descriptor, which cannot be seen: so Java waits in a blocking read. */
  readonly pollingOne: number;
  /** Inodes of the sockets that threads wait to read from; one entry per thread. */
  readonly readingFrom: readonly number[];
  /** Waiting for another thread or process, a timer or a signal. */
  readonly parked: number;
  /** On a processor or ready for one. */
  readonly running: number;
  /** In uninterruptible sleep: storage, mostly. */
  readonly blockedOnDisk: number;
}

/** Throttling of a control group since it was made. */
export interface ThrottleFacts {
  /** Periods in which its quota was used up. */
  readonly times: number;
  readonly ms: Millis;
}

/** What may keep a process from accept(). Absent: could not be read. */
export interface ProcessFacts {
  /** One letter as in ps: `R`, `S`, `D`, `T` (stopped), `t` (traced), `Z`. */
  readonly state: string;
  readonly threads?: ThreadFacts;
  /** Time on processors, and time ready for one without getting it, of the threads that are there: cumulative. */
  readonly cpuMs?: Millis;
  readonly runWaitMs?: Millis;
  readonly throttled?: ThrottleFacts;
}

/** One process that holds the listener: what it does now, and what it did since the look before. */
export interface AcceptorFacts {
  readonly owner: Owner;
  readonly now: ProcessFacts;
  readonly since?: {
    readonly windowMs: number;
    /** Processors that it used: 1 = one all the time. */
    readonly cpus?: number;
    /** Time that its threads were ready for a processor and got none. */
    readonly runWaitMs?: number;
    readonly throttledTimes?: number;
    readonly throttledMs?: number;
  };
}

/** The connections of a listener that were accepted, beside the threads that wait to read from them. */
export interface HeldConnections {
  readonly accepted: number;
  /** Nothing unread, and no data for a second. */
  readonly idle: number;
  /** Threads in read() on one of the idle ones. */
  readonly readers: number;
  /** Threads in read() on any of them that has nothing unread: they wait for its client, however often that asks. */
  readonly bound: number;
  /** The address that most threads wait for in read() on connections that they made; absent: none does. */
  readonly downstream?: Downstream;
}

/** Threads that wait for an answer of one remote address and port. */
export interface Downstream {
  readonly remote: Endpoint;
  readonly threads: number;
  /** Threads of the same processes that do not wait for each other or a timer. */
  readonly working: number;
}
