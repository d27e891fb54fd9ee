import type { ConnectionJson, TimerJson } from '../model/connection-json.js';
import { directionFinder } from '../model/direction.js';
import type { Namespace } from '../model/namespace.js';
import type { SocketRow } from '../model/socket-row.js';
import type { SocketTable } from '../model/table.js';
import { endJson, hexOf, known, ownersJson, roundKnown } from './json-parts.js';
import { namespaceName } from './labels.js';
import type { Names } from './names.js';

/** Where only the inode is known, the name would say it again. */
export const namespaceJson = (namespace: Namespace, names: Names) => ({
  netns: namespace.id,
  netns_name: Object.keys(namespace).length === 1 ? undefined : namespaceName(namespace, names),
});

/** Gives a function that turns a row of the table into JSON; the row must not be a listener. */
export function connectionWriter(
  table: SocketTable,
  names: Names,
  netns: string | undefined,
): (index: number) => ConnectionJson {
  const row = table.cursor();
  const directionOf = directionFinder(table);
  return (index) => {
    row.index = index;
    const isTcp = row.protocol === 'tcp' || row.protocol === 'mptcp';
    return known({
      protocol: row.protocol,
      unix_kind: row.protocol === 'unix' ? row.unixKind : undefined,
      state: row.state,
      direction: isTcp ? directionOf(index) : undefined,
      ...endsJson(row, names),
      ...(row.namespace === undefined ? { netns } : namespaceJson(row.namespace, names)),
      cookie: row.cookie,
      waiting: isTcp ? row.isWaiting : undefined,
      ...queuesJson(row),
      inode: row.inode,
      owners: ownersJson(row.owners, names),
      timer: timerJson(row),
      ...tcpInfoJson(row),
      drops: row.drops,
      ...restJson(row),
    });
  };
}

function endsJson(row: SocketRow, names: Names) {
  const local = endJson(row.local, names);
  const remote = row.remote && endJson(row.remote, names);
  return {
    local: local.text,
    local_address: local.address,
    local_port: local.port,
    local_hex: hexOf(row.local, names),
    // A Unix socket without a name has none.
    remote: remote?.text || undefined,
    remote_address: remote?.address,
    remote_port: remote?.port,
  };
}

function queuesJson(row: SocketRow) {
  const queues = row.queues;
  if (queues?.kind !== 'stream') return {};
  return { recv_queue_bytes: queues.unread as number, send_queue_bytes: queues.unacked as number };
}

/** `undefined`: none runs. */
export function timerJson({ timer }: SocketRow): TimerJson | undefined {
  return timer && { kind: timer.kind, in_ms: timer.inMs, retransmits: timer.retransmits };
}

const restJson = (row: SocketRow) => ({
  mark: row.number('mark'),
  cgroup_id: row.number('cgroupId'),
  receiver_limited_ms: row.number('receiverLimitedMs'),
  buffer_limited_ms: row.number('bufferLimitedMs'),
  congestion: row.table.note(row.index, 'congestion'),
  ulp: row.table.note(row.index, 'ulp'),
});

const tcpInfoJson = (row: SocketRow) => ({
  rtt_ms: roundKnown(row.number('rttMs')),
  last_sent_ms: row.number('lastSentMs'),
  last_received_ms: row.number('lastReceivedMs'),
  last_ack_ms: row.number('lastAckMs'),
  bytes_sent: row.number('bytesSent'),
  bytes_received: row.number('bytesReceived'),
  retransmits: row.number('retransmitsTotal'),
});
