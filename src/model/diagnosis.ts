import type { ClosedReport } from './closed.js';
import type { Endpoint } from './endpoint.js';
import type { Finding } from './findings.js';
import type { ListenerReport } from './listener.js';
import type { Home, Namespace } from './namespace.js';
import type { Counters, Gap, Origin } from './observation.js';
import type { PoolDirection, PoolsReport } from './pools.js';
import type { RouteFacts } from './routes.js';
import type { Owner, TimerKind } from './sockets.js';
import type { StackFacts } from './stack-facts.js';
import type { Sureness } from './trace-findings.js';
import type { Bytes, Millis } from './units.js';

/** What a finding is about. All absent: the network namespace, or the host. */
export interface Subject {
  /** Address and port of a listener, or the source address of connections. */
  readonly local?: Endpoint;
  readonly remote?: Endpoint;
  readonly owner?: Owner;
}

/** `certain`: counted; `likely`: inferred from what was counted; `suspected`: other causes look the same. */
export interface DiagnosisFinding extends Finding {
  readonly sure: Sureness;
  readonly about: Subject;
  /** What it does to users, in one sentence. */
  readonly why: string;
  readonly advice: string;
  /** Names of settings whose values matter here. */
  readonly settings: readonly string[];
  /** Of several namespaces: which one, where it is not that of sockwatch. */
  readonly namespace?: Namespace;
  /** Of several namespaces: the settings of its own. */
  readonly values?: Readonly<Record<string, string>>;
}

/** Sockets of one owner and end that are closed half-way, by state. */
export interface HalfClosed {
  readonly state: 'fin-wait-1' | 'fin-wait-2' | 'closing' | 'last-ack';
  /** `none`: no process holds them any more. */
  readonly owner: Owner | 'none' | 'unknown';
  readonly direction: PoolDirection;
  readonly end: Endpoint;
  readonly count: number;
  /** In that state at an earlier look too. */
  readonly stuck: number;
  /** Of those, in FIN-WAIT-2 for 30 s or longer without a byte from the peer. */
  readonly silent: number;
  /** Of those, outbound with nothing received after what was sent last: an answer may still come. */
  readonly asking: number;
  /** More than at the first look. */
  readonly growth: number;
  /** Time since the last segment of the peer, of the oldest. */
  readonly oldestMs?: Millis;
  /** Whose last segment was sent again at least twice. */
  readonly unanswered: number;
}

/** Attempts to connect to one address and port that looks have seen: a lower bound. */
export interface Connecting {
  readonly remote: Endpoint;
  readonly owner: Owner | 'none' | 'unknown';
  /** In SYN-SENT at the last look; of those, whose SYN was sent again. */
  readonly open: number;
  readonly retried: number;
  readonly mostRetries: number;
  /** Seen in SYN-SENT at any look. */
  readonly attempts: number;
  /** Whose SYN was sent again, at any look. */
  readonly everRetried: number;
  /** Begun during the watch, in its first and its second half. */
  readonly begun: readonly [firstHalf: number, secondHalf: number];
  readonly established: number;
  /** Gone without having been established; of those, whose SYN had been sent again. */
  readonly gone: number;
  readonly goneUnanswered: number;
  /** The age at which those were given up lies between the age at their last look and that at the look after it. */
  readonly gaveUpMs?: { readonly least: Millis; readonly most: Millis };
  /** The same of those that went before their SYN was sent again: given up, refused, or established and closed between two looks. */
  readonly leftEarlyMs?: { readonly least: Millis; readonly most: Millis };
  /** A connection to it that is open was seen, of whatever process. */
  readonly isAnswered: boolean;
  /** Time since an attempt was last in SYN-SENT, or found to be gone, after its SYN was sent again. Absent: none was. */
  readonly unansweredMs?: Millis;
  /** Time since an attempt was last in SYN-SENT, or found to be gone. */
  readonly triedMs: Millis;
  readonly oldestMs?: Millis;
}

/** A connection whose queue was never seen empty. */
export interface StuckQueue {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly owner: Owner | 'none' | 'unknown';
  readonly direction: PoolDirection;
  /** Time from its first look with a queue to the last, and looks. */
  readonly forMs: Millis;
  readonly looks: number;
  readonly firstBytes: Bytes;
  readonly bytes: Bytes;
  /** Bytes that left the queue meanwhile: read by the process, or acknowledged by the peer. Absent: not known. */
  readonly moved?: Bytes;
  /** Time since data last came from the peer. */
  readonly lastReceivedMs?: Millis;
}

export interface StuckSend extends StuckQueue {
  /** What the peer says it still takes, at the last look. Absent: the source does not say. */
  readonly window?: Bytes;
  readonly timer?: TimerKind;
  readonly retransmits: number;
}

/** Connections of one owner and end that a window or a buffer held up for a share of the watch. */
export interface Limited {
  readonly owner: Owner | 'none' | 'unknown';
  readonly direction: PoolDirection;
  readonly end: Endpoint;
  readonly by: 'receive window' | 'send buffer';
  readonly count: number;
  /** The largest share of the watch, 1 = all of it. */
  readonly share: number;
}

/** Local ports in use from one source address to one destination. */
export interface PortUse {
  readonly source: Endpoint;
  readonly remote: Endpoint;
  readonly owner: Owner | 'none' | 'unknown';
  readonly total: number;
  readonly timeWait: number;
  /** Of those, old enough that tcp_tw_reuse may take their port again. */
  readonly reusable: number;
}

/** Per window between two looks: how far two counters of the namespace rose. */
export interface AttemptWindow {
  readonly ms: number;
  readonly opened: number;
  /** Attempts that failed: refused, unreachable, or given up by the kernel. */
  readonly failed: number;
}

/** What a watch over several looks saw of single connections. */
export interface ConnectionsSeen {
  readonly connections: number;
  /** Other sockets of the last look: UDP, and Unix but for listeners. */
  readonly udp: number;
  readonly unix: number;
  readonly timeWait: { readonly outbound: number; readonly inbound: number };
  readonly halfClosed: readonly HalfClosed[];
  readonly connecting: readonly Connecting[];
  readonly unread: readonly StuckQueue[];
  readonly unsent: readonly StuckSend[];
  readonly limited: readonly Limited[];
  /** Most ports first. */
  readonly ports: readonly PortUse[];
  /** Different local ports of the range in use, over all destinations. */
  readonly portsInUse?: number;
  readonly attempts: readonly AttemptWindow[];
  /** Connections that were not followed: there were too many. */
  readonly notFollowed: number;
}

/** Open descriptors of a process and their limit (RLIMIT_NOFILE, soft). */
export interface ProcessDescriptors {
  readonly owner: Owner;
  /** With numbers below the limit. */
  readonly open: number;
  /** The others. */
  readonly above?: number;
  readonly limit: number;
}

/** What rules may need, each of which may be missing. */
export const NEEDS = ['looks', 'owners', 'descriptors', 'counters', 'settings', 'sockstat', 'times'] as const;
export type Need = (typeof NEEDS)[number];

/** Everything that a rule of `diagnose` may look at. */
export interface DiagnosisFacts {
  readonly origin: Origin;
  readonly watchedMs: Millis;
  readonly looks: number;
  /** Of the last look, each with the worst that any look found. */
  readonly listeners: readonly ListenerReport[];
  /** Of the namespace, from any look. */
  readonly host: readonly Finding[];
  readonly pools: PoolsReport;
  readonly seen: ConnectionsSeen;
  /** How far counters of the namespace rose from the first look to the last. */
  readonly counters?: Counters;
  /** Absent: a recording has none. */
  readonly stack?: { readonly first: StackFacts; readonly last: StackFacts };
  readonly descriptors?: readonly ProcessDescriptors[];
  /** At the end of the watch, where connects were not answered; absent: a recording has none. */
  readonly routes?: RouteFacts;
  /** Connections and attempts that ended during the watch; absent where nobody tells of them. */
  readonly closed?: ClosedReport;
  /** Only some sockets were asked for: counters of the namespace and numbers of the host say nothing of them. */
  readonly filtered?: true;
  /** Attempts count while they go on, or so long after: what `live` says is true now. Absent: all of the watch. */
  readonly currentMs?: Millis;
  readonly gaps: readonly Gap[];
}

/** What was watched in one network namespace. */
export interface DiagnosisPart {
  readonly facts: DiagnosisFacts;
  /** Absent: that of sockwatch, or the only one. */
  readonly namespace?: Namespace;
}

/** How much was looked at, so that "nothing found" means something. */
export interface LookedAt {
  readonly looks: number;
  readonly listeners: number;
  readonly connections: number;
  readonly udp: number;
  /** Those that are no listeners. */
  readonly unix: number;
  readonly processes: number;
  readonly counters: number;
  readonly settings: number;
  readonly rules: number;
}

/** Whatever sentences of a diagnosis may name beside addresses: what `--redact` must know. */
export interface Named {
  readonly owners: readonly Owner[];
  readonly ends: readonly Endpoint[];
  readonly homes: readonly Home[];
  readonly devices: readonly string[];
}

export interface Diagnosis {
  readonly origin: Origin;
  readonly watchedMs: Millis;
  /** Longest time between two complete looks. */
  readonly apartMs?: Millis;
  readonly named: Named;
  /** Worst first; what another finding explains comes behind it. */
  readonly findings: readonly DiagnosisFinding[];
  readonly lookedAt: LookedAt;
  /** Values of the settings that findings name. */
  readonly settings: Readonly<Record<string, string>>;
  /** How many were looked into, where it was more than one. */
  readonly namespaces?: number;
  readonly gaps: readonly Gap[];
  /** Some rules could not be judged, as `gaps` say. */
  readonly isPartial?: true;
  /** Nothing is here of what was asked for. */
  readonly unmatched?: Gap;
}
