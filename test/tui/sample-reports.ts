import type { Endpoint } from '../../src/model/endpoint.js';
import type { Alert, AlertEvent, Finding, Severity, Verdict } from '../../src/model/findings.js';
import { parseIp } from '../../src/model/ip.js';
import type { Listener, ListenerReport, ListenerWindow, Waiting } from '../../src/model/listener.js';
import type { Report } from '../../src/model/report.js';
import { type Owner, PROTOCOLS, SOCKET_STATES, type SocketState } from '../../src/model/sockets.js';
import { SocketTable } from '../../src/model/table.js';
import {
  bytes,
  connections,
  millis,
  monotonicMillis,
  perSecond,
  ratio,
  segments,
  wallMillis,
} from '../../src/model/units.js';
import { sampleClosed } from './sample-closed.js';

/** 2026-11-20 12:04:31 UTC. */
export const NOW = Date.UTC(2026, 10, 20, 12, 4, 31);

export function ip(text: string): Endpoint {
  const at = text.lastIndexOf(':');
  const host = text.slice(0, at).replace(/^\[|\]$/g, '');
  const address = parseIp(host);
  if (address === undefined) throw new Error(`no address: ${text}`);
  return { kind: 'ip', address, port: Number(text.slice(at + 1)) };
}

export interface ListenerSketch {
  readonly local: Endpoint;
  readonly length: number;
  /** Absent: limit unknown. */
  readonly backlog?: number;
  readonly owners?: readonly Owner[];
  readonly verdict?: Verdict;
  readonly findings?: readonly Finding[];
  readonly peak?: number;
  readonly droppedPerSecond?: number;
  readonly arrivals?: number;
  readonly ended?: number;
  readonly oldestMs?: number;
  readonly syn?: number;
  /** Lengths of the last minute, one per second, oldest first. */
  readonly history?: readonly number[];
  readonly bound?: boolean;
}

const waitingOf = (sketch: ListenerSketch): Waiting => ({
  count: connections(sketch.length),
  ...(sketch.oldestMs !== undefined && { oldestMs: millis(sketch.oldestMs) }),
  abandoned: connections(Math.min(2, sketch.length)),
  reset: connections(0),
  unread: bytes(sketch.length * 512),
  clients: Array.from({ length: Math.min(8, sketch.length) }, (_, index) => ({
    remote: ip(`198.51.100.${7 + index}:${40112 + index}`),
    state: index === 1 ? 'close-wait' : 'established',
    waitedMs: millis(Math.max(0, (sketch.oldestMs ?? 100) - index * 90)),
    unread: bytes(512),
  })),
});

function listenerOf(sketch: ListenerSketch, row: number): Listener {
  const { local, length, backlog, owners } = sketch;
  const isUnix = local.kind === 'unix';
  return {
    key: `4026531840/${81_200 + row}`,
    protocol: isUnix ? 'unix' : 'tcp',
    ...(isUnix && { unixKind: 'stream' as const }),
    local,
    netns: '4026531840',
    inode: 81_200 + row,
    cookie: (0x3f00 + row).toString(16),
    acceptQueue: {
      length: connections(length),
      ...(backlog !== undefined && {
        backlog: connections(backlog),
        capacity: connections(backlog + 1),
        fill: ratio(length / (backlog + 1)),
        free: connections(Math.max(0, backlog + 1 - length)),
      }),
    },
    ...(!isUnix && {
      synQueue: {
        length: connections(sketch.syn ?? 0),
        ...(backlog !== undefined && { limit: connections(backlog) }),
        retransmitted: connections(0),
      },
      droppedSegments: segments(37),
    }),
    waiting: waitingOf(sketch),
    ...(owners !== undefined && { owners }),
    row,
  };
}

function windowOf(sketch: ListenerSketch): ListenerWindow {
  const { history = [], length } = sketch;
  return {
    windowMs: millis(1000),
    ageMs: millis(125_000),
    peak: connections(sketch.peak ?? length),
    peakAt: NOW - 4000,
    droppedDelta: segments(sketch.droppedPerSecond ?? 0),
    droppedPerSecond: perSecond(sketch.droppedPerSecond ?? 0),
    recentOverflows: [false, false, (sketch.droppedPerSecond ?? 0) > 0],
    ...(sketch.arrivals !== undefined && { arrivalsPerSecond: perSecond(sketch.arrivals) }),
    ...(sketch.arrivals !== undefined && { acceptsPerSecond: perSecond(sketch.arrivals / 2) }),
    ...(sketch.ended !== undefined && { closedPerSecond: perSecond(sketch.ended) }),
    ...(sketch.ended !== undefined && sketch.bound === true && { closedIsLeast: true as const }),
    rateBasis: sketch.bound === true ? 'lower_bound' : 'passive_opens',
    history: history.map((value, index) => [(history.length - 1 - index) * 1000, value] as const),
  };
}

export const listenerReport = (sketch: ListenerSketch, row: number): ListenerReport => ({
  listener: listenerOf(sketch, row),
  window: windowOf(sketch),
  verdict: sketch.verdict ?? 'ok',
  findings: sketch.findings ?? [],
});

export const finding = (severity: Severity, message: string, more: Partial<Finding> = {}): Finding => ({
  rule: 'accept_queue_full',
  severity,
  subject: 'host',
  message,
  evidence: [],
  ...more,
});

const nginx = [
  { pid: 812, fd: 6, name: 'nginx' },
  { pid: 813, fd: 6, name: 'nginx' },
  { pid: 814, fd: 6, name: 'nginx' },
  { pid: 815, fd: 6, name: 'nginx' },
];
const rise = (from: number, to: number): number[] =>
  Array.from({ length: 60 }, (_, second) => Math.round(from + ((to - from) * second * second) / 3481));

const fullFinding = finding('critical', 'accept queue full: 129 of 129', {
  rule: 'accept_queue_overflow',
  subject: '4026531840/81200',
  evidence: [
    {
      metric: 'accept_queue.length',
      value: 129,
      unit: 'connections',
      text: '129 connections wait for accept(), 129 fit',
    },
    {
      metric: 'dropped_segments_delta',
      value: 3,
      unit: 'segments',
      text: 'this listener dropped 3 segments in the last second',
    },
  ],
  advice:
    'nginx/812 does not call accept() often enough: look at what its workers do, add workers, or raise the backlog argument of listen (nginx: listen 443 backlog=...) and net.core.somaxconn of this namespace',
});

/** A server in trouble: what the pictures of the documentation show. */
export const SKETCHES: readonly ListenerSketch[] = [
  {
    local: ip('0.0.0.0:443'),
    length: 129,
    backlog: 128,
    owners: nginx,
    verdict: 'overflowing',
    findings: [fullFinding],
    peak: 129,
    droppedPerSecond: 3,
    arrivals: 389,
    ended: 361,
    oldestMs: 4100,
    syn: 12,
    history: rise(4, 129),
  },
  {
    local: ip('0.0.0.0:80'),
    length: 98,
    backlog: 128,
    owners: nginx,
    verdict: 'filling',
    findings: [
      finding('warning', 'accept queue at 75%: 98 of 129', {
        rule: 'accept_queue_filling',
        subject: '4026531840/81201',
      }),
    ],
    peak: 101,
    arrivals: 20,
    oldestMs: 320,
    syn: 1,
    history: rise(20, 98),
  },
  {
    local: ip('127.0.0.1:5432'),
    length: 3,
    backlog: 244,
    owners: [{ pid: 501, fd: 3, name: 'postgres' }],
    arrivals: 3,
    ended: 2,
    oldestMs: 12,
    history: rise(0, 3),
    bound: true,
  },
  {
    local: ip('[::]:22'),
    length: 0,
    backlog: 128,
    owners: [{ pid: 77, fd: 3, name: 'sshd' }],
    arrivals: 0,
    history: rise(0, 0),
  },
  { local: ip('0.0.0.0:9100'), length: 0, backlog: 4096, arrivals: 0, history: rise(0, 0) },
  {
    local: { kind: 'unix', path: '@/run/app.sock' },
    length: 1,
    backlog: 16,
    owners: [{ pid: 990, fd: 9, name: 'app' }],
    oldestMs: 40,
    history: rise(0, 1),
  },
];

/** Names and numbers that break screens. */
export const HOSTILE: readonly ListenerSketch[] = [
  {
    local: ip('0.0.0.0:8443'),
    length: 40,
    backlog: 8,
    owners: [{ pid: 1, fd: 3, name: '\x1b[31mred\x07' }],
    verdict: 'full',
    findings: [finding('critical', 'accept queue full: 40 of 9', { subject: '4026531840/81200' })],
    peak: 40,
  },
  {
    local: ip('[2001:db8:1234:5678:9abc:def0:1234:5678]:65535'),
    length: 7,
    verdict: 'unknown_limit',
    owners: [{ pid: 4242, fd: 3, name: '網頁伺服器' }],
  },
  {
    local: { kind: 'unix', path: '/run/\u202egnp.sock\u0000\n{bold}x{/bold}' },
    length: 0,
    backlog: 0,
    owners: [],
  },
  { local: ip('127.0.0.1:53'), length: 2, backlog: 10, owners: [{ pid: 5, fd: 1, name: '🦊e\u0301' }] },
  { local: ip('0.0.0.0:111'), length: 1, backlog: 4096 },
];

export interface SocketSketch {
  readonly state: SocketState;
  readonly local: string;
  readonly remote: string;
  readonly recv?: number;
  readonly send?: number;
  readonly rtt?: number;
  readonly inode?: number;
  readonly owners?: readonly Owner[];
}

export function addSocket(table: SocketTable, sketch: SocketSketch): number {
  const row = table.append();
  table.protocol[row] = PROTOCOLS.indexOf('tcp');
  table.state[row] = SOCKET_STATES.indexOf(sketch.state);
  setEnd(table, row, 'local', sketch.local);
  setEnd(table, row, 'remote', sketch.remote);
  table.setFlag(row, 'queues');
  table.recvQueue[row] = sketch.recv ?? 0;
  table.sendQueue[row] = sketch.send ?? 0;
  if (sketch.rtt !== undefined) table.set('rttMs', row, sketch.rtt);
  if (sketch.inode !== undefined) table.set('inode', row, sketch.inode);
  if (sketch.owners !== undefined) table.setOwners(row, sketch.owners);
  return row;
}

function setEnd(table: SocketTable, row: number, side: 'local' | 'remote', text: string): void {
  const end = ip(text);
  if (end.kind !== 'ip') return;
  table.family[row] = end.address.family;
  (side === 'local' ? table.localAddress : table.remoteAddress).set(end.address.words, row * 4);
  (side === 'local' ? table.localPort : table.remotePort)[row] = end.port ?? 0;
  table.setFlag(row, side === 'local' ? 'localPortKnown' : 'remotePortKnown');
}

/** A few connections of every kind. */
export function sampleTable(): SocketTable {
  const table = new SocketTable();
  const worker = (pid: number) => [{ pid, fd: 12, name: 'nginx' }];
  const local = '10.0.0.5:443';
  const add = (sketch: Partial<SocketSketch> & { remote: string }) =>
    addSocket(table, { state: 'established', local, inode: 9000 + table.length, ...sketch });
  const first = add({ remote: '198.51.100.7:40112', send: 14_480, rtt: 88.1, owners: worker(813) });
  table.set('bytesSent', first, 1_234_567);
  table.set('memReceive', first, 2304);
  table.set('timerKind', first, 0);
  table.set('timerMs', first, 240);
  add({ remote: '203.0.113.12:33120', send: 2896, rtt: 61.2, owners: worker(813) });
  add({ remote: '203.0.113.9:51022', rtt: 12.4, owners: worker(813) });
  add({ remote: '198.51.100.7:40118', state: 'close-wait', recv: 1, rtt: 91, owners: worker(814) });
  const waiting = add({ remote: '198.51.100.9:40990', recv: 512, inode: 0, rtt: 20 });
  table.set('lastSentMs', waiting, 4100);
  add({ remote: '192.0.2.17:39002', rtt: 20.3, owners: worker(812) });
  add({ remote: '192.0.2.81:1841', state: 'syn-recv', inode: 0 });
  add({ local: '[fd00::5]:443', remote: '[2001:db8::77]:52110', rtt: 23.9, owners: worker(812) });
  add({ remote: '203.0.113.9:51001', state: 'time-wait', inode: 0 });
  add({ remote: '203.0.113.90:50411', state: 'fin-wait-2', inode: 0 });
  for (let port = 0; port < 12; port++) {
    add({
      local: `10.0.0.5:${50_000 + port}`,
      remote: '10.0.0.9:3306',
      rtt: 0.2,
      owners: [{ pid: 600, fd: 20 + port, name: 'java' }],
    });
  }
  return table;
}

/** `count` established connections with queues and times that differ, as a busy proxy has them. */
export function bigTable(count: number, shift = 0): SocketTable {
  const table = new SocketTable();
  for (let index = 0; index < count; index++) {
    const row = table.append();
    table.state[row] = SOCKET_STATES.indexOf(index % 17 === 0 ? 'time-wait' : 'established');
    table.family[row] = 4;
    table.localAddress[row * 4 + 3] = 0x0a000005;
    table.remoteAddress[row * 4 + 3] = 0xc0000000 + ((index * 7919) % 0xffff);
    table.localPort[row] = index % 3 === 0 ? 443 : 80;
    table.remotePort[row] = 1024 + (index % 60_000);
    for (const flag of ['queues', 'localPortKnown', 'remotePortKnown'] as const) table.setFlag(row, flag);
    table.recvQueue[row] = (index * 31 + shift) % 5000;
    table.sendQueue[row] = (index * 17 + shift * 3) % 9000;
    table.set('inode', row, 100_000 + index);
    table.set('rttMs', row, ((index * 13) % 2000) / 10);
  }
  return table;
}

export function alertOf(report: ListenerReport): Alert | undefined {
  const worst = report.findings[0];
  if (worst === undefined) return undefined;
  const { local } = report.listener;
  return {
    id: `${worst.rule}/${report.listener.key}`,
    finding: worst,
    subjectText: local.kind === 'unix' ? local.path : `0.0.0.0:${local.port}`,
    raisedAt: NOW - 12_000,
    changedAt: NOW - (worst.severity === 'critical' ? 2000 : 20_000),
  };
}

export function sampleReport(
  changes: Partial<Report> & { sketches?: readonly ListenerSketch[] } = {},
): Report {
  const { sketches = SKETCHES, ...rest } = changes;
  const listeners = sketches.map(listenerReport);
  const alerts = listeners.flatMap((report) => alertOf(report) ?? []);
  return {
    origin: {
      time: wallMillis(NOW),
      monotonic: monotonicMillis(812_345),
      host: 'web-01',
      netns: '4026531840',
      source: 'ss',
    },
    windowMs: millis(1000),
    listeners,
    sockets: { table: sampleTable(), ageMs: millis(0), complete: true },
    rates: { newPerSecond: perSecond(412), openedPerSecond: perSecond(37), overflowsPerSecond: perSecond(3) },
    findings: [
      finding('info', 'owners hidden for 12 sockets', {
        rule: 'owners_hidden',
        advice: 'run as root or with CAP_SYS_PTRACE',
      }),
    ],
    alerts,
    closed: sampleClosed(),
    events: [],
    gaps: [],
    pace: { intervalMs: millis(1000), tookMs: millis(12), skippedTicks: 0 },
    ...rest,
  };
}

export const raised = (alert: Alert, phase: AlertEvent['phase'] = 'raised'): AlertEvent => ({
  phase,
  time: NOW,
  alert,
  ...(phase === 'cleared' && { lastedMs: 12_000 }),
});
