import type { Finding } from '../../src/model/findings.js';
import type { Listener, ListenerReport } from '../../src/model/listener.js';
import type { Report } from '../../src/model/report.js';
import { PROTOCOLS, type Protocol, SOCKET_STATES, type SocketState } from '../../src/model/sockets.js';
import { SocketTable } from '../../src/model/table.js';
import {
  bytes,
  connections,
  millis,
  monotonicMillis,
  ratio,
  segments,
  wallMillis,
} from '../../src/model/units.js';

/** A report made by hand: one full listener, one that is well, one on a Unix path, one of unknown limit. */

const ip = (a: number, b: number, c: number, d: number) => ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;

interface RowText {
  readonly protocol?: Protocol;
  readonly state?: SocketState;
  readonly local?: readonly [number, number];
  readonly remote?: readonly [number, number];
  readonly queues?: readonly [number, number];
  readonly inode?: number;
  readonly name?: string;
}

export function addRow(table: SocketTable, row: RowText): number {
  const index = table.append();
  table.protocol[index] = PROTOCOLS.indexOf(row.protocol ?? 'tcp');
  table.state[index] = SOCKET_STATES.indexOf(row.state ?? 'established');
  table.family[index] = 4;
  const [address, port] = row.local ?? [ip(10, 0, 0, 5), 443];
  table.localAddress[index * 4 + 3] = address;
  table.localPort[index] = port;
  table.setFlag(index, 'localPortKnown');
  if (row.remote) {
    table.remoteAddress[index * 4 + 3] = row.remote[0];
    table.remotePort[index] = row.remote[1];
    table.setFlag(index, 'remotePortKnown');
  } else table.setFlag(index, 'remoteAny');
  if (row.queues) {
    table.recvQueue[index] = row.queues[0];
    table.sendQueue[index] = row.queues[1];
    table.setFlag(index, 'queues');
  }
  if (row.inode !== undefined) table.set('inode', index, row.inode);
  if (row.name !== undefined) table.setOwners(index, [{ pid: 812, fd: 9, name: row.name }]);
  return index;
}

export function sampleTable(processName = 'nginx'): SocketTable {
  const table = new SocketTable();
  addRow(table, { state: 'listen', local: [0, 443], queues: [129, 128], inode: 81234 });
  const served = addRow(table, {
    remote: [ip(198, 51, 100, 7), 40112],
    queues: [0, 14480],
    inode: 9001,
    name: processName,
  });
  table.set('rttMs', served, 88.1);
  addRow(table, { remote: [ip(203, 0, 113, 9), 51022], queues: [517, 0], inode: 0 });
  const pool = addRow(table, {
    local: [ip(10, 0, 0, 5), 40000],
    remote: [ip(10, 0, 0, 9), 3306],
    queues: [0, 0],
    inode: 9003,
    name: processName,
  });
  table.set('lastSentMs', pool, 10);
  const dns = addRow(table, {
    protocol: 'udp',
    state: 'unconnected',
    local: [0, 53],
    queues: [0, 0],
    inode: 9004,
  });
  table.set('drops', dns, 44);
  return table;
}

export const full: Finding = {
  rule: 'accept_queue_full',
  severity: 'critical',
  subject: '4026531840/81234',
  message: 'accept queue full: 129 of 128',
  evidence: [
    {
      metric: 'accept_queue.length',
      value: 129,
      unit: 'connections',
      text: '129 connections wait for accept()',
    },
  ],
  advice: 'nginx/812 does not call accept() fast enough: look at its workers',
};

const fullListener: Listener = {
  key: '4026531840/81234',
  protocol: 'tcp',
  local: { kind: 'ip', address: { family: 4, words: [0, 0, 0, 0] }, port: 443 },
  netns: '4026531840',
  inode: 81234,
  cookie: '3f70b',
  acceptQueue: {
    length: connections(129),
    backlog: connections(128),
    capacity: connections(129),
    fill: ratio(1),
    free: connections(0),
  },
  synQueue: { length: connections(3), limit: connections(128), retransmitted: connections(1) },
  droppedSegments: segments(37),
  waiting: {
    count: connections(129),
    oldestMs: millis(4100),
    reset: connections(0),
    abandoned: connections(2),
    unread: bytes(517),
    clients: [],
  },
  owners: [
    { pid: 813, name: 'nginx', fd: 6 },
    { pid: 812, name: 'nginx', fd: 6 },
  ],
  row: 0,
};

const quietListener: Listener = {
  key: '4026531840/5',
  protocol: 'tcp',
  local: { kind: 'ip', address: { family: 6, words: [0, 0, 0, 0] }, port: 22, dualStack: true },
  inode: 5,
  acceptQueue: {
    length: connections(0),
    backlog: connections(128),
    capacity: connections(129),
    fill: ratio(0),
  },
  synQueue: { length: connections(0), retransmitted: connections(0) },
  droppedSegments: segments(0),
  row: 0,
};

const unixListener: Listener = {
  key: '4026531840/6',
  protocol: 'unix',
  unixKind: 'stream',
  local: { kind: 'unix', path: '@/run/app.sock' },
  inode: 6,
  acceptQueue: {
    length: connections(1),
    backlog: connections(16),
    capacity: connections(17),
    fill: ratio(1 / 17),
  },
  owners: [],
  row: 0,
};

const unlimited: Listener = {
  key: '4026531840/7',
  protocol: 'tcp',
  local: { kind: 'ip', address: { family: 4, words: [0, 0, 0, ip(127, 0, 0, 53)] }, port: 53, device: 'lo' },
  acceptQueue: { length: connections(2) },
  row: 0,
};

export function sampleReport(
  change: { processName?: string; host?: string; listeners?: ListenerReport[] } = {},
): Report {
  const { processName = 'nginx', host = 'web-01' } = change;
  const owners = fullListener.owners?.map((owner) => ({ ...owner, name: processName }));
  return {
    origin: {
      time: wallMillis(Date.UTC(2026, 10, 20, 19, 15, 6, 215)),
      monotonic: monotonicMillis(812345),
      host,
      netns: '4026531840',
      source: 'ss',
      bootId: '0c6f',
    },
    listeners: change.listeners ?? [
      { listener: { ...fullListener, ...(owners && { owners }) }, verdict: 'full', findings: [full] },
      { listener: unlimited, verdict: 'unknown_limit', findings: [] },
      { listener: unixListener, verdict: 'ok', findings: [] },
      { listener: quietListener, verdict: 'ok', findings: [] },
    ],
    sockets: { table: sampleTable(processName), ageMs: millis(0), complete: true },
    counters: { ListenOverflows: 3, ListenDrops: 3 },
    sysctls: { somaxconn: 4096 },
    rates: {},
    findings: [],
    alerts: [],
    events: [],
    gaps: [{ what: 'ss', why: 'ss line 12: expected a port, got "htpp"', line: 12 }],
    pace: { tookMs: millis(5), skippedTicks: 0 },
  };
}

export const allRows = Uint32Array.of(1, 2, 3, 4);
