import type { Thresholds } from '../analyze/thresholds.js';
import type { ClosedReport } from '../model/closed.js';
import type { Finding } from '../model/findings.js';
import type { ListenerReport } from '../model/listener.js';
import {
  type ClosedObservation,
  type Counters,
  isOtherMark,
  type Origin,
  type TableObservation,
} from '../model/observation.js';
import type { PoolsAtLook } from '../model/pools.js';
import type { Report } from '../model/report.js';
import type { SocketTable } from '../model/table.js';
import type { Millis } from '../model/units.js';
import type { KeptProcesses } from './acceptor-facts.js';
import { type AlertBook, NO_ALERTS } from './alerts.js';
import type { Arrivals } from './arrivals.js';
import type { ClosedState } from './closed.js';
import type { HandsState } from './hands.js';
import { NO_OVERFLOWS, type OverflowState } from './overflows.js';
import { NOTHING_SAMPLED, type SampledState } from './samples.js';
import type { Track } from './track.js';
import { NO_UDP, type UdpState } from './udp.js';

export interface CompanionFinding {
  readonly finding: Finding;
  readonly subjectText: string;
}

/** What judges connections beside the listeners. It has a memory of its own, of the looks that it was shown. */
export interface Companion {
  /** `closed`: what had ended by then, where somebody tells. */
  take(
    observation: TableObservation,
    listeners: readonly ListenerReport[],
    closed?: ClosedReport,
  ): readonly CompanionFinding[];
  /** What ended between two looks. */
  takeClosed(observation: ClosedObservation): void;
  /** Of one network namespace, at the last look at all of its sockets; `undefined`: they were not followed. */
  poolsOf(netns: string | undefined): PoolsAtLook | undefined;
}

export interface WatchConfig {
  readonly thresholds: Thresholds;
  readonly companion?: Companion | undefined;
  /** One look and no more: 90 % is critical at once, and there are no windows and alerts. */
  readonly oneLook?: boolean;
  /** How long lengths of queues are kept; 60 s. */
  readonly historyMs?: number;
}

/** The newest table, or the newest with all sockets, and when it was read (monotonic). */
export interface KeptSockets {
  readonly table: SocketTable;
  readonly monotonic: number;
  readonly complete: boolean;
}

/** What is known after an observation. A value: `step` makes a new one, and is otherwise without memory. */
export interface WatchState {
  readonly config: WatchConfig;
  /** Of the last good look. */
  readonly origin?: Origin | undefined;
  readonly counters?: Counters | undefined;
  readonly report?: Report | undefined;
  readonly tracks: ReadonlyMap<string, Track>;
  readonly overflows: OverflowState;
  /** Of the time since the last good look. */
  readonly sampled: SampledState;
  readonly arrivals?: Arrivals | undefined;
  readonly udp: UdpState;
  /** Owners of queues. */
  readonly processes?: KeptProcesses | undefined;
  readonly alerts: AlertBook;
  readonly sockets?: KeptSockets | undefined;
  /** Connections that ended; absent where nobody tells of them. */
  readonly closed?: ClosedState | undefined;
  /** Since when (monotonic) the source has failed. */
  readonly failingSince?: number | undefined;
  /** Words that said first that owners are hidden: said once, not anew with each number. */
  readonly ownersHidden?: string | undefined;
  /** Who holds which listeners; absent before the first look that showed owners. */
  readonly hands?: HandsState | undefined;
  /** With `--netns all`: the state of each namespace, by id. What is above is then of all of them. */
  readonly namespaces?: ReadonlyMap<string, WatchState> | undefined;
}

export interface Step {
  readonly state: WatchState;
  readonly report: Report;
}

export const DEFAULT_HISTORY_MS = 60_000;

export const startWatch = (config: WatchConfig): WatchState => ({
  config,
  tracks: new Map(),
  overflows: NO_OVERFLOWS,
  sampled: NOTHING_SAMPLED,
  udp: NO_UDP,
  alerts: NO_ALERTS,
});

/** Length of the window that a look ends; absent for the first, and where clock, boot or namespace are others. */
export function windowOf(state: WatchState, origin: Origin): Millis | undefined {
  const before = state.origin;
  if (before === undefined || isOtherKernel(before, origin)) return undefined;
  const length = origin.monotonic - before.monotonic;
  return length > 0 ? (length as Millis) : undefined;
}

/** Counters and times of the look before mean nothing here. */
export const isOtherKernel = (before: Origin, origin: Origin): boolean =>
  before.bootId !== origin.bootId || isOtherNamespace(before, origin) || origin.monotonic < before.monotonic;

/** Also where it has the inode of the one before. */
export const isOtherNamespace = (before: Origin, origin: Origin): boolean =>
  before.netns !== origin.netns || isOtherMark(before.netnsMark, origin.netnsMark);
