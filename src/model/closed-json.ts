import type { Closer, Ending } from './closed.js';

/**
 * Quantiles of `count` connections, right within a tenth, in three digits; exact where all are equal. `lasted_at_least_ms` is never above the true
 * quantile, `lasted_at_most_ms` never below it, and both are within a fifth. `max` is exact.
 */
export interface SpreadJson {
  count: number;
  p50: number;
  p95: number;
  max: number;
}

/** Connections that ended at one listener, or that one process had to one remote; `recent` is of the last 30 to 60 s. */
export interface ClosedGroupJson {
  direction: 'inbound' | 'outbound';
  /** Where it was, with `--netns`. */
  netns?: string;
  netns_name?: string;
  /** Of the listener (inbound) or of the remote (outbound). */
  end: string;
  end_address?: string;
  end_port?: number;
  /** Absent: nobody saw whose they were. */
  owners?: { pid: number; name: string; fd: number }[];
  /** `listener`: the owners of the listener; `socket`: those of the connections themselves. */
  owners_of?: 'socket' | 'listener';
  /** Since listening began. */
  closed: number;
  closed_per_second?: number;
  refused: number;
  unanswered: number;
  recent: ClosedRecentJson;
}

export interface ClosedRecentJson {
  over_ms: number;
  closed: number;
  endings: Partial<Record<Ending, number>>;
  closed_first: Partial<Record<Closer, number>>;
  lasted_at_least_ms?: SpreadJson;
  lasted_at_most_ms?: SpreadJson;
  /** From the last data in either direction to the end; of connections that carried data. */
  idle_before_close_ms?: SpreadJson;
  idle_before_close_by_self_ms?: SpreadJson;
  idle_before_close_by_peer_ms?: SpreadJson;
  /** Of those of which it is known: `count` of `bytes_sent_each`. Absent: of none. */
  bytes_sent?: number;
  bytes_received?: number;
  /** Some left no numbers (the kernel forgets those of what is aborted): bytes, retransmissions and times are lower bounds. */
  bytes_are_least?: true;
  bytes_sent_each?: SpreadJson;
  bytes_received_each?: SpreadJson;
  rtt_ms?: SpreadJson;
  /** Absent, like what follows: none left its numbers. */
  retransmissions?: number;
  retransmitting_connections?: number;
  busy_ms?: number;
  receiver_limited_ms?: number;
  buffer_limited_ms?: number;
}

/** Connections that ended. Where `incomplete`, all numbers are lower bounds. */
export interface ClosedJson {
  source: 'netlink' | 'ss' | 'recording';
  since_ms: number;
  closed: number;
  closed_per_second?: number;
  inbound: number;
  outbound: number;
  failed_connects: number;
  failed_connects_per_second?: number;
  /** Of those, how many have a destination that the kernel does not tell. */
  failed_connects_without_destination: number;
  unconnected: number;
  /** Sockets of whose end the kernel could not tell us, by its own count; absent: nobody counts them. */
  lost?: number;
  lost_in_window?: number;
  incomplete: boolean;
  /** Connections that no group had room for. */
  not_shown: number;
  /** The most first, at most 200. */
  groups: ClosedGroupJson[];
  groups_left_out: number;
}
