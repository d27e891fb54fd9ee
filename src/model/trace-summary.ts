import type { Severity } from './findings.js';
import type { Outcome } from './trace.js';
import type { Sureness, TraceRule } from './trace-findings.js';
import type { Moment, Nanos } from './trace-moment.js';

/** Shares of a distribution, ns. */
export interface Percentiles {
  readonly count: number;
  readonly p50: Nanos;
  readonly p90: Nanos;
  readonly p99: Nanos;
  readonly max: Nanos;
}

export const PHASE_NAMES = [
  'synToSynAck',
  'synAckToAck',
  'connect',
  'tls',
  'firstResponse',
  'close',
  'duration',
] as const;
export type PhaseName = (typeof PHASE_NAMES)[number];

/** One rule over all connections. */
export interface RuleTotal {
  readonly rule: TraceRule;
  readonly severity: Severity;
  readonly sure: Sureness;
  readonly connections: number;
  /** The first few: ids, and frames to look at. */
  readonly examples: readonly {
    readonly id: number;
    readonly frames: readonly number[];
    readonly message: string;
  }[];
}

/** Connections of one client address to one server, seen on the wire. */
export interface WirePool {
  readonly client: string;
  readonly server: string;
  readonly connections: number;
  /** Most at the same time. */
  readonly highest: number;
  /** Begun per second, between the first and the last beginning; of less than a second it is not made more. */
  readonly perSecond: number;
  readonly requests: number;
  /** Of those that were seen from their beginning to their close. */
  readonly lifetime?: Percentiles;
  readonly idle?: Percentiles;
  /** Who keeps TIME_WAIT, connections each. */
  readonly timeWait: { readonly client: number; readonly server: number };
  readonly refused: number;
  readonly unanswered: number;
}

/** Attempts of one client to reach one server that failed. */
export interface WireRetries {
  readonly client: string;
  readonly server: string;
  /** Connections whose beginning is in the capture. */
  readonly attempts: number;
  readonly failed: number;
  /** `back_off`: the pauses grow; `hammering`: they do not; `paused`: a pause far longer than those before (circuit breaker). */
  readonly pattern: 'back_off' | 'hammering' | 'paused' | 'unclear';
  /** Between the beginnings of the first 64 attempts. */
  readonly gapsMs: readonly number[];
  readonly highestParallel: number;
}

export interface TrustNote {
  readonly what:
    | 'one_sided'
    | 'snap_length'
    | 'dropped'
    | 'duplicates'
    | 'clock_back'
    | 'collisions'
    | 'missing'
    | 'evicted'
    | 'midstream'
    | 'fragments'
    | 'undecoded';
  readonly count: number;
  readonly frames: readonly number[];
  /** What was seen, and which conclusions cannot be drawn from this capture: one sentence each. */
  readonly message: string;
  readonly limits: string;
}

export interface TraceSummary {
  readonly packets: number;
  readonly tcpPackets: number;
  readonly udpPackets: number;
  readonly otherPackets: number;
  readonly connections: number;
  readonly quicConnections: number;
  readonly start?: Moment;
  readonly end?: Moment;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly phases: Readonly<Partial<Record<PhaseName, Percentiles>>>;
  readonly bytes: { readonly client: number; readonly server: number };
  readonly retransmissions: { readonly client: number; readonly server: number };
  /** Segments with payload, the base of a retransmission rate. */
  readonly dataSegments: number;
  readonly http: { readonly requests: number; readonly responses: number };
  readonly rules: readonly RuleTotal[];
  readonly pools: readonly WirePool[];
  readonly retries: readonly WireRetries[];
  readonly trust: readonly TrustNote[];
}
