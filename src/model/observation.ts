import type { SourceFault } from './errors.js';
import type { HostFacts } from './host-facts.js';
import type { Home, Namespace } from './namespace.js';
import type { ProcessFacts } from './processes.js';
import type { ListenerSamples, SampledFamily } from './samples.js';
import type { Source } from './sockets.js';
import type { StackFacts } from './stack-facts.js';
import type { SocketTable } from './table.js';
import type { Millis, MonotonicMillis, WallMillis } from './units.js';

/** Where and when something was seen. Differences of time come from `monotonic`: the wall clock may jump. */
export interface Origin {
  readonly time: WallMillis;
  readonly monotonic: MonotonicMillis;
  readonly host: string;
  /** Inode of the network namespace, as text; absent where it could not be read (saved output). */
  readonly netns?: string;
  /** What tells that namespace from another one that gets its inode later; absent where nothing does. */
  readonly netnsMark?: NetnsMark;
  readonly source: Source;
  readonly bootId?: string;
}

/** `c12092`: the kernel's cookie of the namespace (SO_NETNS_COOKIE, Linux 5.14); `m1795267525.68`: when it was mounted on its file. */
export type NetnsMark = string;

/** Whether a namespace is surely another than the one that had its inode: marks of different kinds cannot be compared. */
export const isOtherMark = (before: NetnsMark | undefined, now: NetnsMark | undefined): boolean =>
  before !== undefined && now !== undefined && before[0] === now[0] && before !== now;

/** Counters of one network namespace by the kernel's names (`ListenOverflows`, `PassiveOpens`, ...). */
export type Counters = Readonly<Record<string, number>>;

/** Settings that bound queues, of one namespace. Absent: could not be read. */
export interface Sysctls {
  readonly somaxconn?: number;
  readonly tcpMaxSynBacklog?: number;
  readonly tcpSyncookies?: number;
  readonly tcpAbortOnOverflow?: number;
}

/** Something that could not be read or understood: never fatal, always said. */
export interface Gap {
  readonly what: string;
  readonly why: string;
  readonly line?: number;
  /** Of several namespaces those in which it is missing; absent: in all, or in none. */
  readonly of?: readonly Namespace[];
}

/** What was asked of the kernel, so that "not there" can be told from "not asked". */
export const SCOPES = ['listeners', 'troubled', 'all'] as const;
/**
 * `listeners`: LISTEN and SYN-RECV rows only. `troubled`: those and the connections on ports whose queue is not empty.
 * `all`: every socket of the protocols.
 */
export type Scope = (typeof SCOPES)[number];

export interface TableObservation {
  readonly kind: 'table';
  readonly origin: Origin;
  readonly scope: Scope;
  readonly sockets: SocketTable;
  readonly counters?: Counters;
  readonly sysctls?: Sysctls;
  /** Numbers and settings of the network stack, where they were asked for. */
  readonly stack?: StackFacts;
  /** Descriptors in use and their limit, by pid, for owners of listeners whose queue is not empty. */
  readonly descriptors?: ReadonlyMap<number, { readonly open: number; readonly limit: number }>;
  /** Where owners of listeners live, by pid; those without a container, pod or unit are left out. */
  readonly homes?: ReadonlyMap<number, Home>;
  /** Where they were asked for. */
  readonly facts?: HostFacts;
  /** The namespace of `origin.netns`, where it was asked for (`--netns`). */
  readonly namespace?: Namespace;
  /** What those processes do, by pid. Recordings have 16 of them at most, and older ones none. */
  readonly processes?: ReadonlyMap<number, ProcessFacts>;
  /** How long reading took, and how many ticks were left out since the last one because of it. */
  readonly tookMs: Millis;
  readonly skippedTicks: number;
  readonly gaps: readonly Gap[];
}

/** A network namespace that was asked for by name, and is not there, or may not be entered. */
export interface MissingNamespace {
  /** As it was asked for: a name, a pid or a path. */
  readonly asked: string;
  readonly why: string;
  readonly fault: SourceFault;
  readonly remedy?: string;
}

/**
 * One look into every network namespace (`--netns all`), or into several that were asked for. A namespace that is not among the looks has gone, or may
 * not be entered.
 */
export interface NamespacesObservation {
  readonly kind: 'namespaces';
  /** Of sockwatch itself: of all, its namespace is one of them. */
  readonly origin: Origin;
  /** One for each namespace, with its own `origin.netns`, counters and settings; a gap where that namespace could not be read now. */
  readonly looks: readonly (TableObservation | GapObservation)[];
  /** Found and not read: they may not be entered, or ended before it. Absent in recordings. */
  readonly unread?: readonly Namespace[];
  /** Those of them that may not be entered; and how many processes live in namespaces that cannot even be seen. Absent in recordings. */
  readonly closed?: readonly Namespace[];
  readonly hiddenProcesses?: number;
  /** From where namespaces were looked for, where every process could be seen: two looks with the same one see the same namespaces. */
  readonly sight?: string;
  /** Asked for by name, and not looked into; said among the gaps too. Absent in recordings. */
  readonly missing?: readonly MissingNamespace[];
  /** Those that were found and that nobody asked for, where only some were asked for. Absent in recordings. */
  readonly others?: readonly Namespace[];
  readonly tookMs: Millis;
  readonly skippedTicks: number;
  /** What concerns all: owners that are hidden, namespaces that may not be entered. */
  readonly gaps: readonly Gap[];
}

/** Whatever a successful look gives. */
export type LookObservation = TableObservation | NamespacesObservation;

/** What many looks at the listeners of one kind and namespace saw since the observation of that kind before. */
export interface SamplesObservation {
  readonly kind: 'samples';
  /** Of the end of the stretch. */
  readonly origin: Origin;
  readonly family: SampledFamily;
  /** First and last look. */
  readonly from: MonotonicMillis;
  readonly to: MonotonicMillis;
  readonly looks: number;
  /** Longest time between two looks: what was shorter may have been missed. */
  readonly longestGapMs: Millis;
  /**
   * Whose queue was not empty, who dropped segments, and who was not there at every look. Any other listener of this kind was seen by
   * all looks, always empty.
   */
  readonly listeners: readonly ListenerSamples[];
}

/** Sockets that ended since the last observation: `closeKind` of each row says what it was (model/closed.ts). */
export interface ClosedObservation {
  readonly kind: 'closed';
  readonly origin: Origin;
  readonly sockets: SocketTable;
  /** True where some are missing. */
  readonly incomplete: boolean;
  /** How many are missing; absent where nobody counts them. */
  readonly lost?: number | undefined;
  /** The time in which they ended: since the last observation of this kind, or since listening began. */
  readonly spanMs: Millis;
  /** Ended without a row: listeners, sockets that never connected. */
  readonly unconnected: number;
  /** connect() that failed, of which the kernel does not tell the destination: without a row. */
  readonly failedConnects: number;
  readonly gaps: readonly Gap[];
}

export interface EventObservation {
  readonly kind: 'event';
  readonly origin: Origin;
  readonly event: 'namespace' | 'owner' | 'takeover';
  readonly text: string;
}

/** A look that failed: the last good data stand, with their age. */
export interface GapObservation {
  readonly kind: 'gap';
  readonly origin: Origin;
  readonly gaps: readonly Gap[];
  readonly fault?: string;
  readonly remedy?: string;
  /** As in a table. */
  readonly namespace?: Namespace;
}

export type Observation =
  | TableObservation
  | NamespacesObservation
  | SamplesObservation
  | ClosedObservation
  | EventObservation
  | GapObservation;
