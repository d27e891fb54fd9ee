import type { ConnectionJson } from '../model/connection-json.js';
import type { ListenerJson } from '../model/listener-json.js';
import type { OwnerJson } from '../model/parts-json.js';
import type { Report } from '../model/report.js';
import { type CsvValue, csvRecord } from './csv.js';
import { connectionWriter } from './json-connection.js';
import { listenerJson } from './json-listener.js';
import { type Names, PLAIN_NAMES } from './names.js';

export interface CsvOptions {
  readonly listeners: boolean;
  readonly connections?: Uint32Array;
  readonly names?: Names;
}

type Fields<T> = Readonly<Record<string, (from: T) => CsvValue>>;

/** Columns of a listener's record by the names of the JSON fields, dots replaced. */
const LISTENER_FIELDS: Fields<ListenerJson> = {
  accept_queue_length: (from) => from.accept_queue.length,
  accept_queue_backlog: (from) => from.accept_queue.backlog,
  accept_queue_capacity: (from) => from.accept_queue.capacity,
  accept_queue_fill: (from) => from.accept_queue.fill,
  syn_queue_length: (from) => from.syn_queue?.length,
  waiting_count: (from) => from.waiting?.count,
  waiting_oldest_ms: (from) => from.waiting?.oldest_ms,
  dropped_segments: (from) => from.dropped_segments,
  group_members: (from) => from.group?.members,
  verdict: (from) => from.verdict,
  severity: (from) => from.severity,
  findings: (from) => from.findings.join(' '),
  advice: (from) => from.advice,
};

const CONNECTION_FIELDS: Fields<ConnectionJson> = {
  direction: (from) => from.direction,
  remote: (from) => from.remote,
  remote_address: (from) => from.remote_address,
  remote_port: (from) => from.remote_port,
  waiting: (from) => from.waiting,
  recv_queue_bytes: (from) => from.recv_queue_bytes,
  send_queue_bytes: (from) => from.send_queue_bytes,
  rtt_ms: (from) => from.rtt_ms,
  last_sent_ms: (from) => from.last_sent_ms,
  last_received_ms: (from) => from.last_received_ms,
  drops: (from) => from.drops,
};

/** With `--netns`, after all others. */
const PLACE_FIELDS: Fields<ListenerJson | ConnectionJson> = {
  netns_name: (from) => from.netns_name,
  container: (from) => ('container' in from ? from.container : undefined),
  pod: (from) => ('pod' in from ? from.pod : undefined),
  unit: (from) => ('unit' in from ? from.unit : undefined),
};

const SHARED_FIELDS: Fields<ListenerJson | ConnectionJson> = {
  protocol: (from) => from.protocol,
  state: (from) => ('state' in from ? from.state : 'listen'),
  local: (from) => from.local,
  local_address: (from) => from.local_address,
  local_port: (from) => from.local_port,
  netns: (from) => from.netns,
  inode: (from) => from.inode,
  cookie: (from) => from.cookie,
  process: (from) => ownerField(from.owners, ({ name }) => name),
  pid: (from) => ownerField(from.owners, ({ pid }) => String(pid)),
};

/** Several owners in one field; empty where unknown or none. */
const ownerField = (owners: readonly OwnerJson[] | undefined, of: (owner: OwnerJson) => string) => {
  const texts = [...new Set(owners?.map(of))];
  const [only] = texts;
  return texts.length === 1 && only !== undefined && /^\d{1,10}$/.test(only) ? Number(only) : texts.join(' ');
};

/** Records for spreadsheets, head first: the columns of what was asked for, empty = unknown. */
export function* snapshotCsv(report: Report, options: CsvOptions): Generator<string> {
  const names = options.names ?? PLAIN_NAMES;
  names.learn(report);
  const { listeners, connections } = options;
  const fields = {
    ...SHARED_FIELDS,
    ...(listeners && LISTENER_FIELDS),
    ...(connections && CONNECTION_FIELDS),
    ...(report.namespaces && PLACE_FIELDS),
  } as Fields<ListenerJson | ConnectionJson>;
  yield csvRecord(Object.keys(fields));
  if (listeners) {
    for (const one of report.listeners) yield* record(fields, listenerJson(one, names), CONNECTION_FIELDS);
  }
  if (connections === undefined || report.sockets === undefined) return;
  const write = connectionWriter(report.sockets.table, names, report.origin.netns);
  for (const row of connections) yield* record(fields, write(row), LISTENER_FIELDS);
}

/** `foreign`: columns of the other kind, which stay empty. */
function* record<T extends ListenerJson | ConnectionJson>(
  fields: Fields<ListenerJson | ConnectionJson>,
  from: T,
  foreign: object,
): Generator<string> {
  yield csvRecord(Object.entries(fields).map(([name, read]) => (name in foreign ? undefined : read(from))));
}
