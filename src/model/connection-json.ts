import type { OwnerJson } from './parts-json.js';
import type { SocketState, TimerKind, UnixKind } from './sockets.js';

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
