import type { Endpoint } from './endpoint.js';
import type { Finding } from './findings.js';
import type { HikariStats } from './hikari.js';
import type { IdleCloses, ProbeFacts } from './keepalive.js';
import type { Namespace } from './namespace.js';
import type { Gap, Origin } from './observation.js';
import type { Owner } from './sockets.js';
import type { Sureness } from './trace-findings.js';
import type { TrafficShapes } from './traffic.js';
import type { Bytes, Connections, Millis, PerSecond, Ratio } from './units.js';

/** How something is spread over the open connections of a pool. */
export interface Spread {
  readonly p50: Millis;
  readonly p95: Millis;
  readonly max: Millis;
}

/** Connections at the last look, by what they do. */
export interface PoolCounts {
  /** Established; those that wait for accept() too. */
  readonly open: Connections;
  /** SYN-SENT, or SYN-RECV of a listener. */
  readonly connecting: Connections;
  /**
   * Inferred: data in a queue or not acknowledged, or a request sent (outbound) or received (inbound) after the last answer.
   * Absent: the source has no times of connections.
   */
  readonly busy?: Connections;
  /** Inferred: answered, or never used. A transaction that is open but quiet looks the same (KERNEL.md 10). */
  readonly idle?: Connections;
  /** Neither: last data went both ways within one jiffy, so that a request may be under way again. */
  readonly unsure?: Connections;
  /** Established, inbound, not accepted yet. */
  readonly waiting: Connections;
  readonly closeWait: Connections;
  /** FIN-WAIT-1, FIN-WAIT-2 and CLOSING: closed here first. */
  readonly finWait: Connections;
  readonly lastAck: Connections;
  /** No sockets any more, but ports. */
  readonly timeWait: Connections;
}

/** What was seen of a pool, from the look before its first connections (or the first of all) to the last. */
export interface PoolPast {
  readonly looks: number;
  /** Of those, with the numbers of all connections: a recording may leave out which of them were used. */
  readonly toldLooks: number;
  readonly watchedMs: Millis;
  /** Open at the first look, the least and the most at any. */
  readonly first: Connections;
  readonly lowest: Connections;
  readonly highest: Connections;
  /** Open ones that were made during the watch and are without data for long, after each quarter of it. */
  readonly idleGrowth: readonly number[];
  readonly highestBusy: Connections;
  /** With those of which it cannot be told. */
  readonly highestMaybeBusy: Connections;
  /** Looks at which connections were open and none of them was surely idle. */
  readonly neverIdleLooks: number;
  /** Unsure at the last look, and without data since the first: they may have been idle all the time. */
  readonly neverSeenUsed: Connections;
  /** Of all connections at all looks after the first, how many were surely busy. */
  readonly busyShare: Ratio;
  /** Outbound, with answers that the process had not read at the last look. */
  readonly unread: Connections;
  /** With those that came and went between two looks where the kernel told of their end; else lower bounds. */
  readonly created: number;
  readonly closed: number;
  /** Time since the look that found the last of those created; absent: none was. */
  readonly sinceCreatedMs?: Millis;
  /** Those created in each part of the watch, eight parts at most, oldest first: the same parts for all pools. */
  readonly createdByTime: readonly number[];
  /** Connections on which data moved between two looks after the one that first showed them, or that carried many requests and answers by their segments. */
  readonly reused: number;
  /** Only the former. */
  readonly moved: number;
  /** Of those seen, so many only as what they left (TIME-WAIT), or without numbers: nothing is known of their use. */
  readonly traces: number;
  /** What connections had carried when they ended, where the kernel told of that. */
  readonly exchanges?: ExchangeFacts;
  /** Of those that ended with their bytes known, how many had carried none either way. */
  readonly bare?: { readonly count: number; readonly of: number };
  /** Likewise, on which bytes came. */
  readonly answered: number;
  readonly seen: number;
  /** SYN-SENT at one look and gone at the next: refused, given up, or (seldom) open in between and closed by the peer. */
  readonly connectFailed: number;
  /** Wall clock of moments at which half of the connections or more were replaced, or began to be; the last ones. */
  readonly waves: readonly number[];
  /** How long it took at most, where it took longer than from look to look. */
  readonly waveMs?: Millis;
}

/**
 * Segments with data each way from which on a connection has carried more than its greeting: a TLS handshake, or the login of a database with a
 * single query, take fewer.
 */
export const MANY_EXCHANGES = 10;

/** Segments with data of connections that ended, of the direction that had fewer: the last 64 of them. */
export interface ExchangeFacts {
  readonly median: number;
  /** So many of them were within a tenth of the median. */
  readonly near: number;
  readonly of: number;
}

/** CLOSE-WAIT of sockets that the process holds (KERNEL.md 9), and on which it does not answer any more. */
export interface CloseWaitFacts {
  /** In that state at an earlier look already. */
  readonly stuck: Connections;
  /** Of those, inbound with a request that nothing was sent after: the process may still be at work on it. */
  readonly asked: Connections;
  /** Looks at which more were stuck than ever before: a single one is a burst. */
  readonly rises: number;
  /** That came into that state during the watch, and that left it or were answered on: of a leak hardly any. */
  readonly came: number;
  readonly left: number;
  /** More (or less) than at the first look. */
  readonly growth: number;
  /** Time since the last segment of the peer: a lower bound of the time since its FIN. */
  readonly oldestMs?: Millis;
}

export const DIRECTIONS = ['outbound', 'inbound'] as const;
export type PoolDirection = (typeof DIRECTIONS)[number];

/** Accepted connections of a listener, over the last looks in a row at which requests waited unread. */
export interface ServeFacts {
  readonly looks: number;
  /** Requests under way (inferred), at least and at most at one of these looks. */
  readonly least: Connections;
  readonly most: Connections;
  /** Connections with bytes that the process has not read: now, and at least at any of these looks. */
  readonly unread: Connections;
  readonly leastUnread: Connections;
}

/** Connections that last: WebSockets, server-sent events, streams and pools alike. Lower bounds: ages are. */
export interface LongLived {
  /** A minute old or older. */
  readonly count: Connections;
  /** Of those, with data in the last ten seconds. */
  readonly moving: Connections;
  /** Without data for longer than balancers keep them by default: 60 s (AWS ALB), 350 s (AWS NLB). */
  readonly quiet60s: Connections;
  readonly quiet350s: Connections;
}

/**
 * Who holds the connections. `none`: no process holds the sockets any more; `unknown`: they could not be read; `shared`: not accepted yet, or gone before
 * a look, through a listener of several processes, so that nobody can tell which of them.
 */
export type PoolOwner = Owner | 'none' | 'unknown' | 'shared';

/** The connections of one process to one remote, or of one process and listener. */
export interface Pool extends PoolCounts {
  readonly direction: PoolDirection;
  readonly owner: PoolOwner;
  readonly netns?: string;
  /** The same with its names, where they were asked for (`--netns`). */
  readonly namespace?: Namespace;
  /** Remote address and port (outbound), address and port of the listener (inbound). */
  readonly end: Endpoint;
  readonly port?: number;
  readonly service?: string;
  /** Lower bounds. Absent: only one look. */
  readonly createdPerSecond?: PerSecond;
  readonly closedPerSecond?: PerSecond;
  readonly age?: Spread;
  /** Some connections were there at the first look: they are at least as old as `age` says. */
  readonly agesAtLeast: boolean;
  /** The smaller of the times since data were last sent and received, of all open connections. */
  readonly quiet?: Spread;
  readonly rtt?: Spread;
  /** Since the open connections were made. */
  readonly bytesSent?: Bytes;
  readonly bytesReceived?: Bytes;
  readonly retransmissions?: number;
  readonly past: PoolPast;
  readonly closeWaits: CloseWaitFacts;
  readonly idleCloses: IdleCloses;
  readonly probes: ProbeFacts;
  readonly longLived: LongLived;
  /** Of the open ones; absent: of none it can be told, as after a single look. */
  readonly traffic?: TrafficShapes;
  /** Inbound, while requests wait to be read. */
  readonly serving?: ServeFacts;
}

/** A remote address and port, over all processes and network namespaces: what its server sees of this host. */
export interface RemoteSum {
  readonly end: Endpoint;
  /** Of a loopback or link-local address, which is another host in each network namespace, where several were looked into. */
  readonly netns?: string;
  readonly namespace?: Namespace;
  readonly service?: string;
  readonly processes: number;
  readonly open: Connections;
  readonly connecting: Connections;
  readonly busy?: Connections;
  readonly idle?: Connections;
  readonly unsure?: Connections;
  readonly timeWait: Connections;
  /** Open at once. */
  readonly highest: Connections;
  readonly createdPerSecond?: PerSecond;
  readonly closedPerSecond?: PerSecond;
}

/** `certain`: counted; `likely`: inferred from what was counted; `suspected`: other causes look the same. */
export interface PoolFinding extends Finding {
  readonly sure: Sureness;
  /** Index into `pools`; absent: it is about a namespace. */
  readonly pool?: number;
  /** Where it is about no pool. */
  readonly direction?: PoolDirection;
  readonly netns?: string;
}

/** A pool with what was found of it. */
export interface JudgedPool extends Pool {
  readonly findings: readonly PoolFinding[];
  /** As in `PoolsSeen`. */
  readonly endsTold?: EndsTold;
}

/** Instead of a place among pools: the row is in none of them (UDP, say), or the table shows its connection twice. */
export const ROW_POOL = { none: -1, again: -2 } as const;

/** Pools as they were at one look. */
export interface PoolsAtLook {
  readonly pools: readonly JudgedPool[];
  /** By row of the table of that look: the place of its pool in `pools`, or one of `ROW_POOL`. */
  readonly poolOfRow: Int32Array;
}

/** Ports in TIME-WAIT and nothing else: of no process, and nothing to say about. */
export const isLeftOver = ({ owner, past }: Pool, findings: readonly PoolFinding[]): boolean =>
  findings.length === 0 &&
  (owner === 'none' || owner === 'shared') &&
  past.highest === 0 &&
  past.created === 0;

export const HIKARI_BASES = ['process', 'same_total', 'only_pool'] as const;
export type HikariBasis = (typeof HIKARI_BASES)[number];

/** Which share of the new connections of its group a pool got: over the watch, and in each part of it where any came. */
export interface NewShare {
  readonly share: Ratio;
  readonly byTime: readonly (Ratio | undefined)[];
}

/** HikariCP's own numbers and the sockets side by side. */
export interface HikariMatch {
  readonly stats: HikariStats;
  /** Index into `pools`; absent: no pool can be told to be this one. */
  readonly pool?: number;
  /** Why it was put beside that pool; all but `process`, which the user named, are guesses. */
  readonly by?: HikariBasis;
  /** Time between its line and the last look, ms; absent: unknown. */
  readonly ageMs?: Millis;
  /** Whole sentences; empty: they agree. */
  readonly disagreements: readonly string[];
}

/** Connections that one network namespace opened (outbound) or completed (inbound) during the watch, by the kernel's count. */
export interface CountedOpens {
  readonly direction: PoolDirection;
  readonly netns?: string;
  readonly counted: number;
  /** Connects among them that failed (AttemptFails, which counts requests in SYN-RECV too): at most. */
  readonly failed: number;
  /** Those that looks have shown. */
  readonly seen: number;
  /** Connections of both directions of whose end the kernel told, and that no look had shown; 0 where nobody tells. */
  readonly ended: number;
}

/** All that was seen in one watch. */
export interface PoolsSeen {
  readonly origin: Origin;
  /** From the first look to the last. */
  readonly watchedMs: Millis;
  readonly looks: number;
  readonly pools: readonly Pool[];
  readonly remotes: readonly RemoteSum[];
  /** Connections that this namespace opened during the watch by the kernel's count, beside those that were seen. */
  readonly activeOpens?: number;
  /** Outbound connections that were seen to be opened, or to fail. */
  readonly opensSeen?: number;
  /** The kernel told of connections that ended between two looks: of all, or some of that was lost. Absent: nobody told. */
  readonly endsTold?: EndsTold;
  /** The same and more of each namespace; absent with a filter, or after one look. */
  readonly counted?: readonly CountedOpens[];
  /** Longest time between two looks: what is shorter may have been missed. Absent: only one look. */
  readonly apartMs?: Millis;
  readonly gaps: readonly Gap[];
}

export const ENDS_TOLD = ['all', 'some'] as const;
export type EndsTold = (typeof ENDS_TOLD)[number];

export interface PoolsReport extends PoolsSeen {
  readonly findings: readonly PoolFinding[];
  readonly hikari: readonly HikariMatch[];
  /** Left out by a limit: sentences about the others may name them. */
  readonly leftOut?: readonly Pool[];
  /** By pool, as `pools`. */
  readonly shares: readonly (NewShare | undefined)[];
}
