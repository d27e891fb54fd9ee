import type { Endpoint } from './endpoint.js';
import type { Finding, Verdict } from './findings.js';
import type { Home, Namespace } from './namespace.js';
import type { Owner, UnixKind } from './sockets.js';
import type { Bytes, Connections, Millis, PerSecond, Ratio, Segments } from './units.js';

/** One connection that is complete and waits for accept(). */
export interface WaitingConnection {
  readonly remote?: Endpoint;
  readonly state: 'established' | 'close-wait';
  /** How long it has waited: `lastsnd` of a socket that could not have sent yet (KERNEL.md 6). */
  readonly waitedMs?: Millis;
  /** Request bytes already there. */
  readonly unread?: Bytes;
}

/** The connections that wait for one listener, or for all members of a SO_REUSEPORT group. */
export interface Waiting {
  readonly count: Connections;
  readonly oldestMs?: Millis;
  /** Clients that reset while they waited: length less visible rows, where one look gave both. */
  readonly reset?: Connections;
  /** Clients that sent FIN and wait no more (CLOSE-WAIT). */
  readonly abandoned: Connections;
  readonly unread: Bytes;
  /** The longest waiting first, at most 50. */
  readonly clients: readonly WaitingConnection[];
}

export interface SynQueue {
  /** SYN-RECV rows: exact without SYN cookies, too low with them. */
  readonly length: Connections;
  /** The listen backlog, not tcp_max_syn_backlog (KERNEL.md 2). */
  readonly limit?: Connections;
  /** Requests whose SYN-ACK was sent again: with a full accept queue the mark of S2. */
  readonly retransmitted: Connections;
}

/** The kernel shares the rows of a SO_REUSEPORT port among all its listeners: they are known for the group only. */
export interface ReuseportGroup {
  readonly id: string;
  readonly members: number;
  readonly synQueue?: SynQueue;
  readonly waiting?: Waiting;
}

/** What one look tells of one listener. Absent = unknown. */
export interface Listener {
  /** Network namespace and inode (or cookie): address and port are not unique. */
  readonly key: string;
  readonly protocol: 'tcp' | 'mptcp' | 'unix';
  readonly unixKind?: UnixKind;
  readonly local: Endpoint;
  readonly netns?: string;
  /** The same with its names, where they were asked for (`--netns`). */
  readonly namespace?: Namespace;
  /** Where its process lives, the one with the lowest pid that lives anywhere; else where the first process of its namespace does. */
  readonly home?: Home;
  readonly inode?: number;
  readonly cookie?: string;
  readonly acceptQueue: {
    readonly length: Connections;
    /** Absent: limit unknown (KERNEL.md 8, OPS.md 4). */
    readonly backlog?: Connections;
    readonly capacity?: Connections;
    readonly fill?: Ratio;
    readonly free?: Connections;
  };
  readonly synQueue?: SynQueue;
  /** Counter of the socket since it was made; wraps at 2^32. */
  readonly droppedSegments?: Segments;
  readonly waiting?: Waiting;
  readonly group?: ReuseportGroup;
  readonly owners?: readonly Owner[];
  /** Row of the table that it came from. */
  readonly row: number;
}

/** What several looks tell: deltas over `windowMs`, and what was seen since the watch began. */
export interface ListenerWindow {
  readonly windowMs: Millis;
  /** Time since it was first seen by this run. */
  readonly ageMs: Millis;
  readonly peak: Connections;
  /** Wall clock, ms. */
  readonly peakAt: number;
  /** It may have been higher for a moment: no look but one saw it, or segments were dropped though no look saw it full. */
  readonly isPeakLeast?: true;
  /** What was seen between the looks; absent: nobody looked. */
  readonly samples?: SampleFacts;
  /** The same since the watch began. */
  readonly allSamples?: SampleFacts;
  readonly droppedDelta?: Segments;
  readonly droppedPerSecond?: PerSecond;
  /** Overflows of the namespace that only this listener can have had, by KERNEL.md 4; absent = cannot be told. */
  readonly overflowsDelta?: Segments;
  /** Of the last three windows: which had an overflow that only this listener can have had; newest last. */
  readonly recentOverflows: readonly boolean[];
  /** Estimates: connections that entered, and that were accepted, per second. */
  readonly arrivalsPerSecond?: PerSecond;
  readonly acceptsPerSecond?: PerSecond;
  /** How the two rates were found: `passive_opens` (only active listener of the namespace), `lower_bound`. */
  readonly rateBasis?: 'passive_opens' | 'lower_bound';
  /** Connections that ended per second, as far as they were told. */
  readonly closedPerSecond?: PerSecond;
  /** Some were not told: `closed.lostInWindow` of the report says how many, of all. */
  readonly closedIsLeast?: true;
  /** At the present net rate; absent when it does not fill. */
  readonly timeToFullMs?: Millis;
  /** How long the length has been above zero without one sign of accept(). */
  readonly stalledMs?: Millis;
  /** How long the queue has been full. */
  readonly fullMs?: Millis;
  /** Lengths of the last 60 s, oldest first, one per refresh: [ms before now, length]. */
  readonly history: readonly (readonly [number, number])[];
}

/** An overflow needs a full queue (KERNEL.md 2): where no sample of the window saw it full, its peak was higher than theirs. */
export const isPeakMissed = ({ samples, overflowsDelta }: ListenerWindow): boolean =>
  samples !== undefined && samples.fullShare === 0 && (overflowsDelta ?? 0) > 0;

/** What the samples of a stretch of time say of one listener. Shares are of the samples, 1 = all. */
export interface SampleFacts {
  readonly count: number;
  /** Looks per second that were reached. */
  readonly rateHz: number;
  /** What was shorter may have been missed. */
  readonly longestGapMs: Millis;
  /** Highest length of this stretch. */
  readonly peak: Connections;
  readonly mean: number;
  readonly busyShare: Ratio;
  readonly warningShare: Ratio;
  readonly criticalShare: Ratio;
  readonly fullShare: Ratio;
  /** How often it became full. */
  readonly fullRuns: number;
  /** At least so long without a break: from the first to the last sample of a run. Absent: none had two samples. */
  readonly longestFullMs?: Millis;
  /** Samples by fill: empty, then ten steps of 10 %, then full. */
  readonly histogram: readonly number[];
}

/** A listener as every output shows it: facts, window where there was one, verdict, findings. */
export interface ListenerReport {
  readonly listener: Listener;
  readonly window?: ListenerWindow;
  readonly verdict: Verdict;
  /** Worst first. */
  readonly findings: readonly Finding[];
}
