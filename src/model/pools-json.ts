import type { Rule, Severity } from './findings.js';
import type { FindingJson } from './json.js';
import type { Closer } from './keepalive.js';
import type { EvidenceJson, GapJson, OriginJson } from './parts-json.js';
import type { EndsTold, HikariBasis, PoolDirection, PoolOwner } from './pools.js';
import type { Owner } from './sockets.js';
import type { Sureness } from './trace-findings.js';

/*
 * What other programs read of `sockwatch pools`: names stay, more fields may come, absent means unknown. The files in
 * schema/ are made from these types (`npm run schema`).
 */

/** How something is spread over the open connections: nearest ranks, ms. */
export interface SpreadJson {
  p50: number;
  p95: number;
  max: number;
}

/** What HikariCP said of itself. */
export interface HikariJson {
  name: string;
  total: number;
  active: number;
  idle: number;
  /** Threads that wait for a connection. */
  waiting: number;
  maximum?: number;
  minimum_idle?: number;
  /** Why it stands beside these sockets; all but `process` (`--hikari-pid`) are guesses. */
  match?: HikariBasis;
  /** Between its line (or the end of the log) and the last look; absent: unknown. */
  age_ms?: number;
  /** Sentences on where it and the sockets differ. */
  disagreements: string[];
}

/** Counts of open connections by what data did on them between looks. Inferred: a WebSocket that only echoes looks like requests and answers. */
export interface TrafficJson {
  basis: 'inferred';
  /** Data went one way only, in several stretches between looks: server-sent events, streams, logs that are shipped. */
  push: number;
  /** Both ways, and without the rhythm of requests and answers: WebSockets. */
  two_way: number;
  request_response: number;
  /** No data moved while it was watched. */
  silent: number;
  /** Watched for less than a second or three looks, or not to be told. */
  unknown: number;
}

/** The connections of one process to one remote (outbound), or of one process and listener (inbound). */
export interface PoolJson {
  direction: PoolDirection;
  pid?: number;
  process?: string;
  /**
   * Instead of a process. `none`: none holds the sockets any more (TIME-WAIT, say), whether or not it lives; `unknown`: processes were not looked at,
   * or could not be; `shared`: one of the processes that share the listener, not known which (not accepted yet, or gone before a look).
   */
  owner?: Exclude<PoolOwner, Owner>;
  netns?: string;
  /** What people call that namespace, where it was asked for (`--netns`). */
  netns_name?: string;
  /** Outbound. */
  remote?: string;
  /** Inbound: the listener. */
  local?: string;
  /** By the port: a guess. */
  service?: string;
  /** Established. */
  open: number;
  connecting: number;
  /** Inferred from queues and times. */
  busy?: number;
  idle?: number;
  /** Neither: their last data went both ways within one jiffy, in which order is not known. */
  unsure?: number;
  /** Busy and idle are inferences, never the pool's own numbers. */
  use_basis?: 'inferred';
  /** Established, inbound, not accepted yet. */
  waiting: number;
  /** CLOSE-WAIT, FIN-WAIT, CLOSING and LAST-ACK together. */
  half_closed: number;
  close_wait: number;
  /** In CLOSE-WAIT at an earlier look too, and held by the process. */
  close_wait_stuck: number;
  close_wait_growth: number;
  fin_wait: number;
  last_ack: number;
  time_wait: number;
  /** Open at once, at any look. */
  highest: number;
  highest_busy: number;
  lowest: number;
  /** What came and went between two looks is counted where the kernel told of its end (`ends_told`); else lower bounds. */
  created: number;
  closed: number;
  created_per_second?: number;
  closed_per_second?: number;
  /** Connections on which data moved again at a later look, or that carried 10 segments with data or more each way; and all that were seen. */
  reused: number;
  seen: number;
  /** Seen connecting, never open, and gone at the next look: refused or given up. */
  connect_failed: number;
  age_ms?: SpreadJson;
  /** Some were there at the first look: their ages are lower bounds. */
  age_at_least?: true;
  /** Since data were last sent or received. */
  idle_ms?: SpreadJson;
  /** Of the new connections of its group (addresses of one service, or processes behind one port): this one's share, 1 = all. */
  share_of_new?: number;
  /** The same for each part of the watch, oldest first; null where none came. */
  share_of_new_by_time?: (number | null)[];
  /** A minute old or older; of those, with data in the last 10 s, and without any for more than 60 s and 350 s. Lower bounds. */
  long_lived: number;
  long_lived_moving: number;
  long_lived_quiet_60s: number;
  long_lived_quiet_350s: number;
  /** What data did on the open connections while they were watched, a guess; absent where it can be told of none, as after one look. */
  traffic?: TrafficJson;
  /** Connections that were idle for this long were closed, at different moments: measured, within `idle_close_within_ms`. */
  idle_close_ms?: number;
  idle_close_within_ms?: number;
  /** Who sent the first FIN; absent: unknown. */
  idle_close_by?: Closer;
  /** They ended by a reset without any FIN; who sent it the sockets do not say. */
  idle_close_reset?: true;
  /** So many were closed after that time, of so many that this side closed while they were idle. */
  idle_close_count?: number;
  idle_close_of?: number;
  /** Requests that met the FIN of an idle connection and were reset, and whose FIN that was; absent: a reset without a FIN, at the idle time that was measured. */
  lost_requests?: number;
  lost_requests_by?: Closer;
  /** Established ones with a keep-alive timer; those of them with probes without an answer; the time until the next probe. */
  tcp_keepalive: number;
  tcp_keepalive_unanswered: number;
  tcp_keepalive_next_ms?: number;
  /** Without any timer, to other hosts, and those of them idle for 5 minutes or longer. */
  no_tcp_keepalive: number;
  no_tcp_keepalive_idle: number;
  rtt_ms?: SpreadJson;
  /** Of the open connections since they were made. */
  bytes_sent?: number;
  bytes_received?: number;
  retransmissions?: number;
  looks: number;
  hikari?: HikariJson;
  findings: Rule[];
}

/** One remote address and port, over all processes: what a limit of its server counts of this host, or of the one namespace that was looked into. */
export interface PoolRemoteJson {
  remote: string;
  /** Where several namespaces were looked into: of a loopback or link-local address, which is another host in each. The others are summed over all. */
  netns?: string;
  netns_name?: string;
  service?: string;
  processes: number;
  open: number;
  connecting: number;
  busy?: number;
  idle?: number;
  unsure?: number;
  time_wait: number;
  highest: number;
  created_per_second?: number;
  closed_per_second?: number;
}

export interface PoolFindingJson {
  rule: Rule;
  severity: Severity;
  sure: Sureness;
  subject: {
    direction: PoolDirection;
    pid?: number;
    process?: string;
    remote?: string;
    local?: string;
    netns?: string;
  };
  message: string;
  evidence: EvidenceJson[];
  advice?: string;
}

/** Output of `sockwatch pools --format json`. */
export interface PoolsJson extends OriginJson {
  schema: 'sockwatch.pools/1';
  /** From the first look to the last. */
  seconds: number;
  looks: number;
  /** Longest time between two looks: what was shorter may have been missed, and numbers per second are lower bounds. */
  longest_gap_ms?: number;
  pools: PoolJson[];
  remotes: PoolRemoteJson[];
  findings: PoolFindingJson[];
  /** Pools in the log of HikariCP that no sockets could be put beside. */
  hikari_unmatched?: HikariJson[];
  /** Connections opened from this namespace, by the kernel's counter; compare `created` of the outbound pools. */
  active_opens?: number;
  /** The kernel told of connections that ended between two looks: of all, or some of that was lost. Absent: nobody told. */
  ends_told?: EndsTold;
  gaps: GapJson[];
}

/** One line of `sockwatch pools --format ndjson`, between a header and an end line. */
export type PoolLineJson = { schema: 'sockwatch.pool/1' } & PoolJson;

/** A finding as the other commands have it, and what it is about. */
export interface PoolHeaderFindingJson extends FindingJson {
  sure: Sureness;
  about: PoolFindingJson['subject'];
}

/** First line of that. */
export interface PoolsHeaderJson extends OriginJson {
  schema: 'sockwatch.header/1';
  seconds: number;
  looks: number;
  longest_gap_ms?: number;
  remotes: PoolRemoteJson[];
  findings: PoolHeaderFindingJson[];
  hikari_unmatched?: HikariJson[];
  active_opens?: number;
  ends_told?: EndsTold;
}
