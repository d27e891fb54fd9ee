import type { Rule, Severity, Verdict } from './findings.js';
import type { EvidenceJson, OwnerJson } from './parts-json.js';
import type { UnixKind } from './sockets.js';

/** Connections that are complete and wait for accept(). */
export interface WaitingJson {
  /** Rows that are visible. */
  count: number;
  /** How long the first of them has waited. */
  oldest_ms?: number;
  /** Clients that reset while they waited. Above 0 only where netlink gave the same length before and after it listed who waits; absent where they may as well have been accepted. */
  reset?: number;
  /** Clients that sent FIN while they waited. */
  abandoned: number;
  /** Request bytes that wait with them. */
  unread_bytes: number;
}

export interface SynQueueJson {
  /** SYN-RECV rows: too low where SYN cookies are sent. */
  length: number;
  limit?: number;
  /** Requests whose SYN-ACK was sent again. */
  retransmitted: number;
}

/** All members of a SO_REUSEPORT port: their waiting rows and SYN queue cannot be told apart. */
export interface GroupJson {
  id: string;
  members: number;
  syn_queue?: SynQueueJson;
  waiting?: WaitingJson;
}

export interface AcceptQueueJson {
  /** Connections. */
  length: number;
  /** Connections; absent: the source does not know it. */
  backlog?: number;
  /** Backlog + 1. */
  capacity?: number;
  /** Length / capacity; may exceed 1. */
  fill?: number;
  /** Highest length since the watch began. */
  peak?: number;
  peak_time?: string;
  /** It may have been higher for a moment: one sample alone saw it, or segments were dropped and no sample saw it full. */
  peak_is_least?: true;
  /** What was sampled since the look before; absent: nothing was. */
  samples?: QueueSamplesJson;
}

/** Samples of one accept queue between looks. Shares are of the samples, 1 = all. */
export interface QueueSamplesJson {
  count: number;
  /** Samples per second that were reached. */
  rate_hz: number;
  /** Longest time between two: what was shorter may have been missed. */
  longest_gap_ms: number;
  /** Connections. */
  peak: number;
  /** It overflowed, and no sample saw it full: it was higher than `peak`. */
  peak_is_least?: true;
  mean: number;
  busy_share: number;
  above_warning_share: number;
  above_critical_share: number;
  full_share: number;
  /** How often it became full. */
  full_times: number;
  /** It was full for at least so long without a break: from the first to the last sample of it. Absent where no two samples in a row saw it full. */
  longest_full_ms?: number;
  /** Samples by fill: empty; above 0 % and below 10 %; from 10 %, 20 %, ... 90 %; full. */
  histogram: number[];
}

/** What only several looks can tell. Rates are estimates; `rate_basis` says of which kind. */
export interface ListenerWindowJson {
  age_ms: number;
  dropped_segments_per_second?: number;
  overflows_delta?: number;
  arrivals_per_second?: number;
  accepts_per_second?: number;
  rate_basis?: 'passive_opens' | 'lower_bound';
  /** Connections that ended, as far as they were told. */
  closed_per_second?: number;
  /** Some were not told: `closed.lost_in_window` of the snapshot says how many, of all. */
  closed_is_least?: true;
  time_to_full_ms?: number;
  stalled_ms?: number;
  full_ms?: number;
}

/** One listening socket: its identity is network namespace and inode (or cookie), never address and port. */
export interface ListenerJson {
  protocol: 'tcp' | 'mptcp' | 'unix';
  unix_kind?: UnixKind;
  local: string;
  local_address?: string;
  local_port?: number;
  /** Bytes of a Unix path that is not UTF-8. */
  local_hex?: string;
  dual_stack?: true;
  netns?: string;
  /** What people call that namespace, where it was asked for (`--netns`). */
  netns_name?: string;
  /** Container of its process: its name, else the first digits of its id. */
  container?: string;
  container_id?: string;
  /** Uid of the Kubernetes pod. */
  pod?: string;
  /** systemd unit. */
  unit?: string;
  /** Of a Unix socket: the inode of the mount namespace in which `local` is its path, where that is not sockwatch's: below /proc/PID/root of an owner. */
  mount_namespace?: string;
  inode?: number;
  cookie?: string;
  accept_queue: AcceptQueueJson;
  syn_queue?: SynQueueJson;
  dropped_segments?: number;
  dropped_segments_delta?: number;
  waiting?: WaitingJson;
  group?: GroupJson;
  window?: ListenerWindowJson;
  /** Absent: unknown; `[]`: none. */
  owners?: OwnerJson[];
  verdict: Verdict;
  /** Worst of the findings; absent: none. */
  severity?: Severity;
  findings: Rule[];
  evidence: EvidenceJson[];
  advice?: string;
}
