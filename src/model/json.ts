import type { ChangeKind } from './changes.js';
import type { ClosedJson } from './closed-json.js';
import type { Rule, Severity, Verdict } from './findings.js';
import type { Runtime } from './namespace.js';
import type { SocketState, Source, TimerKind, UnixKind } from './sockets.js';

/*
 * What other programs read: names stay, more fields may come, absent means unknown. Field names end in their unit.
 * The files in schema/ are made from these types (`npm run schema`).
 */

/** One descriptor of one process that holds the socket. */
export interface OwnerJson {
  pid: number;
  name: string;
  fd: number;
}

/** One measured fact behind a verdict. */
export interface EvidenceJson {
  metric: string;
  value: number;
  unit: string;
  text: string;
}

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

export interface TimerJson {
  kind: TimerKind;
  in_ms: number;
  retransmits: number;
}

/** One socket that does not listen. */
export interface ConnectionJson {
  protocol: 'tcp' | 'mptcp' | 'udp' | 'unix' | 'raw';
  unix_kind?: UnixKind;
  state: SocketState;
  direction?: 'inbound' | 'outbound';
  local: string;
  local_address?: string;
  local_port?: number;
  local_hex?: string;
  /** Absent: no peer. */
  remote?: string;
  remote_address?: string;
  remote_port?: number;
  netns?: string;
  netns_name?: string;
  cookie?: string;
  /** Complete, not accepted yet. */
  waiting?: boolean;
  recv_queue_bytes?: number;
  send_queue_bytes?: number;
  inode?: number;
  /** Absent: unknown; `[]`: none. */
  owners?: OwnerJson[];
  timer?: TimerJson;
  rtt_ms?: number;
  last_sent_ms?: number;
  last_received_ms?: number;
  last_ack_ms?: number;
  bytes_sent?: number;
  bytes_received?: number;
  retransmits?: number;
  /** UDP: datagrams that this socket dropped since it was made; TCP: segments. */
  drops?: number;
  /** Absent: none, or not told (only to CAP_NET_ADMIN). */
  mark?: number;
  /** The inode of the directory in a cgroup2. Only netlink tells it: ss prints a path. */
  cgroup_id?: number;
  /** While the window of the peer was full. */
  receiver_limited_ms?: number;
  /** While the send buffer was too small. */
  buffer_limited_ms?: number;
  /** The algorithm of congestion control. */
  congestion?: string;
  /** The protocol on top of TCP, such as `mptcp` or `tls`; to others than CAP_NET_ADMIN older kernels do not tell it. */
  ulp?: string;
}

/** A finding that belongs to no listener. */
export interface FindingJson {
  rule: Rule;
  severity: Severity;
  subject: string;
  message: string;
  evidence: EvidenceJson[];
  advice?: string;
}

/** What could not be read or understood. */
export interface GapJson {
  what: string;
  why: string;
  line?: number;
}

/** Counters by the kernel's names (`ListenOverflows`, `PassiveOpens`). */
export type CountersJson = Record<string, number>;

/** One network namespace; where it belongs to a container, a pod or a unit is told by its first process. */
export interface NamespaceJson {
  /** Inode. */
  id: string;
  /** `host`, or the name of its file in /run/netns. */
  name?: string;
  /** Name of the container, else the first digits of its id. */
  container?: string;
  container_id?: string;
  runtime?: Runtime;
  pod?: string;
  unit?: string;
  counters?: CountersJson;
  /** By the names of /proc/sys: `net.core.somaxconn`. */
  sysctls?: Record<string, number>;
}

/** Where and when. */
export interface OriginJson {
  /** ISO 8601, UTC. */
  time: string;
  host: string;
  netns?: string;
  source: Source;
  boot_id?: string;
  monotonic_ms?: number;
  /** Time since the look before; absent where there is only one. */
  window_ms?: number;
}

export interface SnapshotJson extends OriginJson {
  schema: 'sockwatch.snapshot/1';
  listeners: ListenerJson[];
  /** With --connections or --all only. */
  connections?: ConnectionJson[];
  counters?: CountersJson;
  /** Change within the window. */
  counters_delta?: CountersJson;
  namespaces?: NamespaceJson[];
  /** Connections that ended: `live` only. */
  closed?: ClosedJson;
  findings: FindingJson[];
  /** What came, went or changed hands since the look before; absent: nothing. */
  changes?: ChangeJson[];
  gaps: GapJson[];
}

/** Something that is good to know and no trouble. */
export interface ChangeJson {
  event: ChangeKind;
  /** Of a takeover. */
  rule?: Rule;
  severity: 'info';
  /** ISO 8601, UTC. */
  time: string;
  netns?: string;
  /** `0.0.0.0:443`, `netns web`. */
  subject: string;
  message: string;
  evidence: EvidenceJson[];
}

/** One change on a line of its own: `live --format ndjson`. */
export type EventJson = { schema: 'sockwatch.event/1'; host: string } & ChangeJson;

/** First line of `--format ndjson`. */
export interface HeaderJson extends OriginJson {
  schema: 'sockwatch.header/1';
  counters?: CountersJson;
  namespaces?: NamespaceJson[];
  findings: FindingJson[];
  group_by?: GroupKey;
}

/** One line of `--format ndjson`. */
export type SocketJson =
  | ({ schema: 'sockwatch.socket/1'; kind: 'listener' } & ListenerJson)
  | ({ schema: 'sockwatch.socket/1'; kind: 'connection' } & ConnectionJson);

/** Last line of `--format ndjson`: without it the output was cut off. */
export interface EndJson {
  schema: 'sockwatch.end/1';
  listeners: number;
  connections: number;
  groups?: number;
  pools?: number;
  gaps: GapJson[];
}

export const GROUP_KEYS = ['state', 'process', 'remote', 'port'] as const;
export type GroupKey = (typeof GROUP_KEYS)[number];

/** Sockets that share a state, process, remote host or local port. */
export interface SocketGroupJson {
  /** The shared value: `established`, `nginx/812`, `10.0.0.9`, `443`; `?` where unknown, `-` for none. */
  key: string;
  /** With `port`: the local port of what came in, the remote port of what went out. */
  direction?: 'inbound' | 'outbound';
  sockets: number;
  /** Sockets by state. */
  states: Partial<Record<SocketState, number>>;
  /** Of those, complete and not accepted yet. */
  waiting: number;
  recv_queue_bytes: number;
  send_queue_bytes: number;
}

/** One line of `snapshot --group-by ... --format ndjson`. */
export type GroupLineJson = { schema: 'sockwatch.group/1' } & SocketGroupJson;

/** Output of `snapshot --group-by`. */
export interface GroupsJson extends OriginJson {
  schema: 'sockwatch.groups/1';
  group_by: GroupKey;
  groups: SocketGroupJson[];
  gaps: GapJson[];
}

/** One event of an alert: what `live --format ndjson` and `--on-alert` programs get. */
export interface AlertJson {
  schema: 'sockwatch.alert/1';
  phase: 'raised' | 'changed' | 'cleared';
  /** ISO 8601, UTC. */
  time: string;
  host: string;
  netns?: string;
  rule: Rule;
  severity: Severity;
  /** `0.0.0.0:443`, the path of a Unix socket, or `host`. */
  subject: string;
  message: string;
  evidence: EvidenceJson[];
  advice?: string;
  /** When it was raised; ISO 8601, UTC. */
  since: string;
  /** With `cleared` only. */
  lasted_ms?: number;
}
