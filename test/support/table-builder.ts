import { parseIp } from '../../src/model/ip.js';
import type { ClosedObservation, TableObservation } from '../../src/model/observation.js';
import {
  type Owner,
  PROTOCOLS,
  type Protocol,
  SOCKET_STATES,
  type SocketState,
  UNIX_KINDS,
  type UnixKind,
} from '../../src/model/sockets.js';
import { type OptionalColumn, type RowFlag, SocketTable } from '../../src/model/table.js';
import { millis, monotonicMillis, wallMillis } from '../../src/model/units.js';

/** One socket of a table for a test. Addresses as `10.0.0.1:443`, `[::1]%lo:443`, `*:443` (dual stack), or a path. */
export interface RowSpec {
  readonly state?: SocketState;
  readonly protocol?: Protocol;
  readonly local?: string;
  readonly remote?: string;
  /** Recv-Q and Send-Q; `null`: not printed. */
  readonly queues?: readonly [number, number] | null;
  readonly cookie?: number;
  readonly owners?: readonly Owner[];
  readonly unixKind?: UnixKind;
  readonly flags?: readonly RowFlag[];
  /** The protocol on top of TCP. */
  readonly ulp?: string;
  readonly columns?: Partial<Record<OptionalColumn, number>>;
}

export const row = (spec: RowSpec): RowSpec => spec;

/** A listener: `listen('0.0.0.0:443', [129, 128], {inode: 7})`. */
export const listen = (
  local: string,
  queues: readonly [number, number],
  columns: RowSpec['columns'] = {},
  rest: RowSpec = {},
): RowSpec => ({ state: 'listen', local, queues, columns, ...rest });

/** A connection that waits for accept() for `waitedMs`. */
export const waiting = (local: string, remote: string, waitedMs?: number, rest: RowSpec = {}): RowSpec => ({
  state: 'established',
  local,
  remote,
  columns: { inode: 0, ...(waitedMs !== undefined && { lastSentMs: waitedMs }) },
  ...rest,
});

export function buildTable(rows: readonly RowSpec[]): SocketTable {
  const table = new SocketTable();
  for (const spec of rows) addRow(table, spec);
  return table;
}

function addRow(table: SocketTable, spec: RowSpec): void {
  const index = table.append();
  const protocol = spec.protocol ?? 'tcp';
  table.protocol[index] = PROTOCOLS.indexOf(protocol);
  table.state[index] = SOCKET_STATES.indexOf(spec.state ?? 'established');
  table.unixKind[index] = UNIX_KINDS.indexOf(spec.unixKind ?? 'stream');
  if (spec.queues !== null) {
    table.setFlag(index, 'queues');
    [table.recvQueue[index], table.sendQueue[index]] = spec.queues ?? [0, 0];
  }
  addEnd(table, index, 'local', spec.local ?? '127.0.0.1:80', protocol);
  if (spec.remote === undefined) table.setFlag(index, 'remoteAny');
  else addEnd(table, index, 'remote', spec.remote, protocol);
  if (spec.cookie !== undefined) {
    table.cookieLow[index] = spec.cookie;
    table.setFlag(index, 'cookie');
  }
  if (spec.owners !== undefined) table.setOwners(index, spec.owners);
  if (spec.ulp !== undefined) table.setNote(index, 'ulp', spec.ulp);
  for (const flag of spec.flags ?? []) table.setFlag(index, flag);
  for (const [column, value] of Object.entries(spec.columns ?? {})) {
    table.set(column as OptionalColumn, index, value);
  }
}

function addEnd(
  table: SocketTable,
  index: number,
  side: 'local' | 'remote',
  text: string,
  protocol: Protocol,
): void {
  const isLocal = side === 'local';
  if (protocol === 'unix') {
    (isLocal ? table.localName : table.remoteName)[index] = table.intern(text);
    return;
  }
  const [, host = '', device = '', port = ''] = /^(.*?)(?:%(.*))?:(\d+|\*)$/.exec(text) ?? [];
  const address = parseIp(host === '*' ? '::' : host.replace(/^\[|\]$/g, ''));
  if (address === undefined) throw new Error(`no address: ${text}`);
  if (isLocal) table.family[index] = address.family;
  if (isLocal && host === '*') table.setFlag(index, 'localDualStack');
  (isLocal ? table.localAddress : table.remoteAddress).set(address.words, index * 4);
  (isLocal ? table.localName : table.remoteName)[index] = table.intern(device);
  if (port === '*') return;
  (isLocal ? table.localPort : table.remotePort)[index] = Number(port);
  table.setFlag(index, isLocal ? 'localPortKnown' : 'remotePortKnown');
}

/** A look at `atMs` of a monotonic clock, in namespace `ns`, on host `web-01`. */
export function look(
  atMs: number,
  rows: readonly RowSpec[] | SocketTable,
  rest: Partial<TableObservation> = {},
): TableObservation {
  return {
    kind: 'table',
    origin: {
      time: wallMillis(1_700_000_000_000 + atMs),
      monotonic: monotonicMillis(atMs),
      host: 'web-01',
      netns: 'ns',
      source: 'ss',
    },
    scope: 'all',
    sockets: rows instanceof SocketTable ? rows : buildTable(rows),
    tookMs: millis(3),
    skippedTicks: 0,
    gaps: [],
    ...rest,
  };
}

/** What was told of sockets that ended, at `atMs`. */
export const closedBatch = (
  atMs: number,
  rows: readonly RowSpec[],
  rest: Partial<ClosedObservation> = {},
): ClosedObservation => ({
  kind: 'closed',
  origin: { ...look(atMs, []).origin, source: 'netlink' },
  sockets: buildTable(rows),
  incomplete: false,
  lost: 0,
  spanMs: millis(1000),
  unconnected: 0,
  failedConnects: 0,
  gaps: [],
  ...rest,
});
