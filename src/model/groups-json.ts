import type { GapJson, OriginJson } from './parts-json.js';
import type { SocketState } from './sockets.js';

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
