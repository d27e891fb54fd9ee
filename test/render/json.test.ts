import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv, type ValidateFunction } from 'ajv';
import { describe, expect, it } from 'vitest';
import { makeSchemas } from '../../scripts/schema.js';
import type { AlertEvent } from '../../src/model/findings.js';
import { connections as count, millis, perSecond, ratio, segments } from '../../src/model/units.js';
import { GROUP_WRITERS, toGroupsJson } from '../../src/render/groups.js';
import { toAlertJson, toSnapshotJson } from '../../src/render/json.js';
import { snapshotJson, snapshotNdjson } from '../../src/render/snapshot-json.js';
import { allRows, full, sampleReport } from './sample.js';

const schemaText = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../schema/${name}.schema.json`, import.meta.url)), 'utf8');

const validators = new Map<string, ValidateFunction>();
/** What the schema has against a value. */
function faults(name: string, value: unknown): unknown {
  let validate = validators.get(name);
  if (validate === undefined) {
    validate = new Ajv({ allowUnionTypes: true }).compile(JSON.parse(schemaText(name)));
    validators.set(name, validate);
  }
  return validate(value) ? [] : validate.errors;
}

function join(pieces: Iterable<string | Uint8Array>): string {
  let text = '';
  // Bytes are good until the next piece is asked for.
  for (const piece of pieces) text += typeof piece === 'string' ? piece : Buffer.from(piece).toString();
  return text;
}
const lines = (pieces: Iterable<string | Uint8Array>): Record<string, unknown>[] =>
  join(pieces)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('the schema files', () => {
  it('are what the types say', () => {
    for (const [file, text] of makeSchemas()) {
      const name = file.replace(/^schema\/|\.schema\.json$/g, '');
      expect(schemaText(name), `${file}: run npm run schema`).toBe(text);
    }
  });

  it('refuse what is not a snapshot', () => {
    const { listeners, ...rest } = toSnapshotJson(sampleReport());
    expect(listeners).toHaveLength(4);
    expect(faults('snapshot', rest)).toMatchObject([{ message: "must have required property 'listeners'" }]);
    expect(faults('snapshot', { ...rest, listeners: [{}] })).not.toEqual([]);
  });

  it('take fields of later versions', () => {
    expect(faults('snapshot', { ...toSnapshotJson(sampleReport()), new_field: 1 })).toEqual([]);
  });
});

describe('sockwatch.snapshot/1', () => {
  it('has the names of the contract', () => {
    const said = toSnapshotJson(sampleReport(), { connections: allRows });
    expect(said).toMatchObject({
      schema: 'sockwatch.snapshot/1',
      time: '2026-11-20T19:15:06.215Z',
      host: 'web-01',
      netns: '4026531840',
      source: 'ss',
      boot_id: '0c6f',
      monotonic_ms: 812345,
      counters: { ListenOverflows: 3, ListenDrops: 3 },
      namespaces: [{ id: '4026531840', sysctls: { 'net.core.somaxconn': 4096 } }],
      gaps: [{ what: 'ss', why: 'ss line 12: expected a port, got "htpp"', line: 12 }],
    });
    expect(said.listeners[0]).toEqual({
      protocol: 'tcp',
      local: '0.0.0.0:443',
      local_address: '0.0.0.0',
      local_port: 443,
      netns: '4026531840',
      inode: 81234,
      cookie: '3f70b',
      accept_queue: { length: 129, backlog: 128, capacity: 129, fill: 1 },
      syn_queue: { length: 3, limit: 128, retransmitted: 1 },
      dropped_segments: 37,
      waiting: { count: 129, oldest_ms: 4100, reset: 0, abandoned: 2, unread_bytes: 517 },
      owners: [
        { pid: 813, name: 'nginx', fd: 6 },
        { pid: 812, name: 'nginx', fd: 6 },
      ],
      verdict: 'full',
      severity: 'critical',
      findings: ['accept_queue_full'],
      evidence: full.evidence,
      advice: full.advice,
    });
    expect(said.connections?.[1]).toEqual({
      protocol: 'tcp',
      state: 'established',
      direction: 'inbound',
      local: '10.0.0.5:443',
      local_address: '10.0.0.5',
      local_port: 443,
      remote: '203.0.113.9:51022',
      remote_address: '203.0.113.9',
      remote_port: 51022,
      netns: '4026531840',
      waiting: true,
      recv_queue_bytes: 517,
      send_queue_bytes: 0,
      inode: 0,
      owners: [],
    });
  });

  it('leaves out what is unknown, and keeps what is none', () => {
    const { listeners, connections } = toSnapshotJson(sampleReport());
    expect(listeners[1]).toEqual({
      protocol: 'tcp',
      local: '127.0.0.53%lo:53',
      local_address: '127.0.0.53%lo',
      local_port: 53,
      accept_queue: { length: 2 },
      verdict: 'unknown_limit',
      findings: [],
      evidence: [],
    });
    expect(listeners[2]).toMatchObject({ protocol: 'unix', local: '@/run/app.sock', owners: [] });
    expect(listeners[3]).toMatchObject({ local: '[::]:22', local_address: '::', dual_stack: true });
    expect(connections).toBeUndefined();
  });

  it('tells direction only where listeners are known', () => {
    const directions = (report = sampleReport()) =>
      toSnapshotJson(report, { connections: allRows }).connections?.map(({ direction }) => direction);
    expect(directions()).toEqual(['inbound', 'inbound', 'outbound', undefined]);
    const report = sampleReport();
    if (report.sockets) report.sockets.table.state[0] = report.sockets.table.state[1] ?? 0;
    expect(directions(report)).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('fits its schema, with and without a window', () => {
    const report = sampleReport();
    expect(faults('snapshot', toSnapshotJson(report, { connections: allRows }))).toEqual([]);
    const window = {
      windowMs: millis(1000),
      ageMs: millis(60_000),
      peak: count(129),
      peakAt: Date.UTC(2026, 10, 20),
      droppedDelta: segments(2),
      droppedPerSecond: perSecond(2),
      recentOverflows: [false, true],
      arrivalsPerSecond: perSecond(389),
      rateBasis: 'passive_opens' as const,
      closedPerSecond: perSecond(7),
      closedIsLeast: true as const,
      history: [],
    };
    const listeners = report.listeners.map((listener) => ({ ...listener, window }));
    const said = toSnapshotJson({
      ...report,
      listeners,
      windowMs: millis(1000),
      countersDelta: { ListenDrops: 1 },
    });
    expect(faults('snapshot', said)).toEqual([]);
    expect(said).toMatchObject({ window_ms: 1000, counters_delta: { ListenDrops: 1 } });
    expect(said.listeners[0]).toMatchObject({
      accept_queue: { peak: 129, peak_time: '2026-11-20T00:00:00.000Z' },
      dropped_segments_delta: 2,
      window: {
        age_ms: 60_000,
        arrivals_per_second: 389,
        rate_basis: 'passive_opens',
        closed_per_second: 7,
        closed_is_least: true,
      },
    });
  });

  it('tells what was sampled, and that a peak may have been higher', () => {
    const samples = {
      count: 1000,
      rateHz: 99.98765,
      longestGapMs: millis(12.34567),
      peak: count(5),
      mean: 0.0312345,
      busyShare: ratio(0.04),
      warningShare: ratio(0.03),
      criticalShare: ratio(0.02),
      fullShare: ratio(1 / 3),
      fullRuns: 2,
      longestFullMs: millis(30),
      histogram: [960, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 20],
    };
    const window = {
      windowMs: millis(10_000),
      ageMs: millis(60_000),
      peak: count(5),
      peakAt: Date.UTC(2026, 10, 20),
      isPeakLeast: true as const,
      samples,
      recentOverflows: [],
      history: [],
    };
    const report = sampleReport();
    const listeners = report.listeners.map((listener) => ({ ...listener, window }));
    const said = toSnapshotJson({ ...report, listeners });
    expect(faults('snapshot', said)).toEqual([]);
    expect(said.listeners[0]?.accept_queue).toMatchObject({
      peak: 5,
      peak_is_least: true,
      samples: {
        count: 1000,
        rate_hz: 99.988,
        longest_gap_ms: 12.346,
        mean: 0.031,
        busy_share: 0.04,
        above_warning_share: 0.03,
        above_critical_share: 0.02,
        full_share: 0.333333,
        full_times: 2,
        longest_full_ms: 30,
        histogram: samples.histogram,
      },
    });
  });

  it('a peak of samples is a lower bound where an overflow fell between them', () => {
    const samples = {
      count: 4,
      rateHz: 4,
      longestGapMs: millis(250),
      peak: count(2),
      mean: 1,
      busyShare: ratio(0.5),
      warningShare: ratio(0),
      criticalShare: ratio(0),
      fullShare: ratio(0),
      fullRuns: 0,
      histogram: [2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0],
    };
    const window = {
      windowMs: millis(1000),
      ageMs: millis(1000),
      peak: count(2),
      peakAt: 0,
      samples,
      recentOverflows: [],
      history: [],
    };
    const samplesOf = (more: object) => {
      const report = sampleReport();
      const listeners = report.listeners.map((one) => ({ ...one, window: { ...window, ...more } }));
      const said = toSnapshotJson({ ...report, listeners });
      expect(faults('snapshot', said)).toEqual([]);
      return said.listeners[0]?.accept_queue.samples;
    };
    expect(samplesOf({ overflowsDelta: 13 })).toMatchObject({ peak: 2, peak_is_least: true });
    const quiet = samplesOf({ overflowsDelta: 0 });
    expect(quiet).not.toHaveProperty('peak_is_least');
    expect(quiet).not.toHaveProperty('longest_full_ms');
  });

  it('is the same streamed, with one connection on a line', () => {
    const text = join(snapshotJson(sampleReport(), { connections: allRows }));
    expect(JSON.parse(text)).toEqual(toSnapshotJson(sampleReport(), { connections: allRows }));
    expect(text.split('\n').filter((line) => line.startsWith('{"protocol"'))).toHaveLength(8);
    const none = sampleReport({ listeners: [] });
    expect(JSON.parse(join(snapshotJson(none)))).toEqual(toSnapshotJson(none));
  });

  it('keeps a fill above 1', () => {
    const [first] = sampleReport().listeners;
    if (first === undefined) throw new Error('the sample has a listener');
    const listener = { ...first.listener, acceptQueue: { ...first.listener.acceptQueue, fill: ratio(4.88) } };
    const said = toSnapshotJson(sampleReport({ listeners: [{ ...first, listener }] }));
    expect(said.listeners[0]?.accept_queue.fill).toBe(4.88);
  });
});

describe('ndjson', () => {
  it('is a header, one socket per line and an end that counts', () => {
    const said = lines(snapshotNdjson(sampleReport(), { listeners: true, connections: allRows }));
    expect(said.map(({ schema }) => schema)).toEqual([
      'sockwatch.header/1',
      ...Array(8).fill('sockwatch.socket/1'),
      'sockwatch.end/1',
    ]);
    expect(said.slice(1, -1).map(({ kind }) => kind)).toEqual([
      ...Array(4).fill('listener'),
      ...Array(4).fill('connection'),
    ]);
    expect(faults('header', said[0])).toEqual([]);
    for (const socket of said.slice(1, -1)) expect(faults('socket', socket)).toEqual([]);
    expect(faults('end', said.at(-1))).toEqual([]);
    expect(said.at(-1)).toMatchObject({ listeners: 4, connections: 4, gaps: [{ line: 12 }] });
  });
});

describe('groups', () => {
  const groups = (by: 'state' | 'process' | 'remote' | 'port') =>
    toGroupsJson(sampleReport(), { by, rows: allRows }).groups.map(({ key, direction, sockets }) => [
      key,
      ...(direction === undefined ? [] : [direction]),
      sockets,
    ]);

  it('counts by state, process, remote host and port of the service', () => {
    expect(groups('state')).toEqual([
      ['established', 3],
      ['unconnected', 1],
    ]);
    expect(groups('process')).toEqual([
      ['nginx/812', 2],
      ['-', 1],
      ['?', 1],
    ]);
    expect(groups('remote')).toEqual([
      ['-', 1],
      ['10.0.0.9', 1],
      ['198.51.100.7', 1],
      ['203.0.113.9', 1],
    ]);
    expect(groups('port')).toEqual([
      ['443', 'inbound', 2],
      ['3306', 'outbound', 1],
      ['53', 1],
    ]);
  });

  it('fits its schemas', () => {
    const json = toGroupsJson(sampleReport(), { by: 'port', rows: allRows });
    expect(faults('groups', json)).toEqual([]);
    expect(JSON.parse(join(GROUP_WRITERS.json(json)))).toEqual(json);
    const [header, first, ...rest] = lines(GROUP_WRITERS.ndjson(json));
    expect(faults('header', header)).toEqual([]);
    expect(faults('group', first)).toEqual([]);
    expect(faults('end', rest.at(-1))).toEqual([]);
    expect(first).toMatchObject({ schema: 'sockwatch.group/1', key: '443', sockets: 2, waiting: 1 });
  });

  it('reads as a table and as records', () => {
    const json = toGroupsJson(sampleReport(), { by: 'port', rows: allRows });
    expect(join(GROUP_WRITERS.table(json, { color: false }))).toBe(`\
PORT     SOCKETS  WAITING  RECV-Q  SEND-Q  STATES
443            2        1     517  14,480  established 2
to 3306        1        0       0       0  established 1
53             1        0       0       0  unconnected 1
`);
    expect(join(GROUP_WRITERS.csv(json)).split('\r\n').slice(0, 3)).toEqual([
      'port,direction,sockets,waiting,recv_queue_bytes,send_queue_bytes,states',
      '443,inbound,2,1,517,14480,established 2',
      '3306,outbound,1,0,0,0,established 1',
    ]);
  });
});

describe('sockwatch.alert/1', () => {
  it('says what, where, since when and how long', () => {
    const event: AlertEvent = {
      phase: 'cleared',
      time: Date.UTC(2026, 10, 20, 19, 16),
      lastedMs: 54_000,
      alert: {
        id: 'accept_queue_full 4026531840/81234',
        finding: full,
        subjectText: '0.0.0.0:443',
        raisedAt: Date.UTC(2026, 10, 20, 19, 15, 6),
        changedAt: 0,
      },
    };
    const said = toAlertJson(event, sampleReport().origin);
    expect(said).toEqual({
      schema: 'sockwatch.alert/1',
      phase: 'cleared',
      time: '2026-11-20T19:16:00.000Z',
      host: 'web-01',
      netns: '4026531840',
      rule: 'accept_queue_full',
      severity: 'critical',
      subject: '0.0.0.0:443',
      message: full.message,
      evidence: full.evidence,
      advice: full.advice,
      since: '2026-11-20T19:15:06.000Z',
      lasted_ms: 54_000,
    });
    expect(faults('alert', said)).toEqual([]);
  });
});
