import { describe, expect, it } from 'vitest';
import { CLOSE_KINDS, type CloseKind } from '../../src/model/closed.js';
import { formatEndpoint } from '../../src/model/endpoint.js';
import type { ClosedObservation, Counters } from '../../src/model/observation.js';
import type { Report } from '../../src/model/report.js';
import { Histogram } from '../../src/watch/closed/histogram.js';
import { closedBatch, listen, type RowSpec } from '../support/table-builder.js';
import { Timeline } from './timeline.js';

const WEB = { pid: 812, fd: 6, name: 'nginx' };
const APP = { pid: 900, fd: 9, name: 'app' };
const LISTENER = listen('0.0.0.0:443', [0, 128], { inode: 7 }, { owners: [WEB] });
const NO_OVERFLOW = {
  TCPTimeWaitOverflow: 0,
  PassiveOpens: 0,
  ActiveOpens: 0,
  ListenOverflows: 0,
  ListenDrops: 0,
};

interface Ended extends RowSpec {
  readonly kind?: CloseKind;
}

/** What was told of sockets that ended, at `atMs`. */
function closed(
  atMs: number,
  rows: readonly Ended[],
  rest: Partial<ClosedObservation> = {},
): ClosedObservation {
  return closedBatch(
    atMs,
    rows.map(({ kind = 'connection', columns, ...row }) => ({
      state: 'close',
      queues: null,
      ...row,
      columns: { segmentsOut: 5, segmentsIn: 5, ...columns, closeKind: CLOSE_KINDS.indexOf(kind) },
    })),
    rest,
  );
}

/** Came in, and was closed as it should be: 20 bytes sent, and the FIN acknowledged. */
const served = (remote: string, rest: Ended = {}): Ended => ({
  local: '10.0.0.1:443',
  remote,
  ...rest,
  columns: {
    bytesSent: 20,
    bytesAcked: 21,
    dataSegmentsOut: 1,
    dataSegmentsIn: 1,
    bytesReceived: 11,
    ...rest.columns,
  },
});
const asked = (remote: string, rest: Ended = {}): Ended => ({
  local: '10.0.0.1:40000',
  remote,
  ...rest,
  columns: {
    bytesSent: 10,
    bytesAcked: 12,
    dataSegmentsOut: 1,
    dataSegmentsIn: 1,
    bytesReceived: 20,
    ...rest.columns,
  },
});

/** A look before and one after, with what ended between. */
function between(
  ended: readonly ClosedObservation[],
  before: readonly RowSpec[] = [LISTENER],
  after: readonly RowSpec[] = [LISTENER],
  counters: Counters = NO_OVERFLOW,
): Report {
  const line = new Timeline();
  line.look(0, { rows: before, counters: NO_OVERFLOW });
  for (const one of ended) line.take(one);
  return line.look(1000, { rows: after, counters });
}

const texts = ({ closed: told }: Report): string[] =>
  (told?.groups ?? []).map(
    ({ direction, end, closed: count }) => `${direction} ${formatEndpoint(end)} ${count}`,
  );
const only = ({ closed: told }: Report) => {
  expect(told?.groups).toHaveLength(1);
  return told?.groups[0];
};

describe('connections that ended', () => {
  it('belong to their listener, or to the remote', () => {
    const ended = [served('10.0.0.9:4000'), served('10.0.0.9:4001'), asked('10.0.0.5:3306')];
    const report = between([closed(900, ended)], [LISTENER], [LISTENER], { TCPTimeWaitOverflow: 0 });
    expect(texts(report).sort()).toEqual(['inbound 0.0.0.0:443 2', 'outbound 10.0.0.5:3306 1']);
    expect(report.closed).toMatchObject({ closed: 3, inbound: 2, outbound: 1, closedPerSecond: 3, lost: 0 });
    expect(report.closed?.groups[0]).toMatchObject({
      owners: [WEB],
      ownersOf: 'listener',
      closedPerSecond: 2,
    });
    expect(report.listeners[0]?.window).toMatchObject({ closedPerSecond: 2, arrivalsPerSecond: 2 });
  });

  it('are counted once as arrivals, though a TIME-WAIT is left of them, and exact for none of two listeners', () => {
    const other = listen('0.0.0.0:80', [0, 128], { inode: 8 });
    const left = (local: string, port: number): RowSpec => ({
      state: 'time-wait',
      local,
      remote: `10.0.0.9:${port}`,
    });
    const ports = [4000, 4001, 4002];
    const ends = ports.flatMap((port) => [
      served(`10.0.0.9:${port}`),
      served(`10.0.0.9:${port}`, { local: '10.0.0.1:80' }),
    ]);
    const waiting = ports.flatMap((port) => [left('10.0.0.1:443', port), left('10.0.0.1:80', port)]);
    const rows = [LISTENER, other];
    const counters = { ...NO_OVERFLOW, PassiveOpens: 6 };
    const report = between([closed(900, ends)], rows, [...rows, ...waiting], counters);
    for (const { window } of report.listeners)
      expect(window).toMatchObject({ arrivalsPerSecond: 3, rateBasis: 'lower_bound' });

    // Told late: they had ended before a look that has counted what is left of them.
    const late = between([closed(900, ends)], [...rows, ...waiting], [...rows, ...waiting], counters);
    for (const { window } of late.listeners) expect(window).toMatchObject({ arrivalsPerSecond: 0 });
  });

  it.each<[string, RowSpec[], Ended[]]>([
    [
      'at another listener',
      [listen('0.0.0.0:80', [0, 128], { inode: 8 })],
      [served('10.0.0.9:4001', { local: '10.0.0.1:80' })],
    ],
    [
      'at one that no table has had',
      [],
      [served('10.0.0.9:4001', { local: '10.0.0.1:900', columns: { bytesAcked: 20 } })],
    ],
  ])('%s take the right to all new connections of the namespace from a listener', (_name, others, ends) => {
    const rows = [LISTENER, ...others];
    const counters = { ...NO_OVERFLOW, PassiveOpens: 500 };
    const windowOf = (ended: readonly Ended[]) =>
      between([closed(900, ended)], rows, rows, counters).listeners.find(
        ({ listener }) => listener.key === 'ns:7',
      )?.window;
    const own = served('10.0.0.9:4000');
    expect(windowOf([own])).toMatchObject({ arrivalsPerSecond: 500, rateBasis: 'passive_opens' });
    expect(windowOf([own, ...ends])).toMatchObject({ arrivalsPerSecond: 1, rateBasis: 'lower_bound' });
  });

  it('show that two listeners are in use, where looks do not read the connections', () => {
    const rows = [LISTENER, listen('0.0.0.0:80', [0, 128], { inode: 8 })];
    const observation = { scope: 'listeners' as const };
    const line = new Timeline();
    line.look(0, { rows, counters: NO_OVERFLOW, observation });
    line.take(closed(900, [served('10.0.0.9:4000'), served('10.0.0.9:4001', { local: '10.0.0.1:80' })]));
    const counters = { ...NO_OVERFLOW, PassiveOpens: 500 };
    const report = line.look(1000, {
      rows: [listen('0.0.0.0:443', [3, 128], { inode: 7 }), ...rows.slice(1)],
      counters,
      observation,
    });
    expect(report.listeners.map(({ window }) => window?.rateBasis)).not.toContain('passive_opens');
  });

  it('are those of the process that a table before has seen with the same cookie', () => {
    const open: RowSpec = {
      local: '10.0.0.1:40000',
      remote: '10.0.0.5:3306',
      cookie: 77,
      owners: [APP],
      columns: { inode: 9, lastSentMs: 500 },
    };
    const report = between([closed(900, [asked('10.0.0.5:3306', { cookie: 77 })])], [LISTENER, open]);
    expect(only(report)).toMatchObject({ owners: [APP], ownersOf: 'socket' });
    // Half a second old at that look: so old at least, and how much older nobody knows.
    expect(only(report)?.recent.lastedAtLeast?.max).toBe(500);
    expect(only(report)?.recent.lastedAtMost).toBeUndefined();
  });

  it('lasted at most since the table before, which did not have them', () => {
    const columns = { lastSentMs: 40, lastReceivedMs: 30, lastAckMs: 10 };
    const report = between([closed(900, [served('10.0.0.9:4000', { columns })])]);
    const recent = only(report)?.recent;
    // Told 10 ms after the last acknowledgement, which was its end.
    expect(recent?.lastedAtLeast?.max).toBe(30);
    expect(recent?.lastedAtMost?.max).toBe(900);
    expect(recent?.idle?.max).toBe(20);
  });

  it('lasted exactly as long as the direction that carried nothing says', () => {
    const columns = {
      dataSegmentsOut: Number.NaN,
      bytesSent: 0,
      bytesAcked: 1,
      lastSentMs: 120,
      lastReceivedMs: 30,
      lastAckMs: 0,
    };
    const recent = only(between([closed(900, [served('10.0.0.9:4000', { columns })])]))?.recent;
    expect([recent?.lastedAtLeast?.max, recent?.lastedAtMost?.max]).toEqual([120, 120]);
  });

  it.each([
    ['finished', served('10.0.0.9:4000'), { finished: 1 }],
    [
      'reset: our FIN was not acknowledged',
      served('10.0.0.9:4000', { columns: { bytesAcked: 20 } }),
      { reset: 1 },
    ],
    [
      'timed out: while we sent again',
      served('10.0.0.9:4000', { columns: { bytesAcked: 0, retransmitsNow: 9, retransmitsTotal: 9 } }),
      { timed_out: 1 },
    ],
    [
      'finished, with bytes sent twice',
      served('10.0.0.9:4000', { columns: { bytesSent: 40, bytesRetransmitted: 20, retransmitsTotal: 1 } }),
      { finished: 1 },
    ],
    ['reset by this side', { local: '10.0.0.1:443', kind: 'aborted' } satisfies Ended, { reset: 1 }],
    [
      'unknown without tcp_info',
      served('10.0.0.9:4000', { columns: { segmentsOut: Number.NaN } }),
      { unknown: 1 },
    ],
  ])('%s', (_name, row, endings) => {
    expect(only(between([closed(900, [row])]))?.recent.endings).toEqual(endings);
  });

  describe('of which not all left their numbers', () => {
    const gone: Ended = {
      local: '10.0.0.1:443',
      kind: 'aborted',
      columns: { segmentsOut: Number.NaN, segmentsIn: Number.NaN },
    };
    const recentOf = (rows: readonly Ended[]) => only(between([closed(900, rows)]))?.recent;

    it('have no sums where none did', () => {
      const recent = recentOf([gone, gone]);
      for (const name of [
        'sentInAll',
        'receivedInAll',
        'bytesAreLeast',
        'bytesSent',
        'retransmissions',
        'busyMs',
      ])
        expect(recent).not.toHaveProperty(name);
      expect(recent?.closed).toBe(2);
    });

    it('have lower bounds where some did', () => {
      const recent = recentOf([gone, served('10.0.0.9:4000', { columns: { retransmitsTotal: 2 } })]);
      expect(recent).toMatchObject({
        closed: 2,
        sentInAll: 20,
        receivedInAll: 10,
        bytesAreLeast: true,
        retransmissions: 2,
      });
      expect(recent?.bytesSent?.count).toBe(1);
    });

    it('have exact ones where all did, zeros included', () => {
      const none = { bytesSent: Number.NaN, bytesAcked: 1, dataSegmentsOut: Number.NaN };
      const recent = recentOf([served('10.0.0.9:4000'), served('10.0.0.9:4001', { columns: none })]);
      expect(recent).toMatchObject({ sentInAll: 20, receivedInAll: 20, retransmissions: 0 });
      expect(recent?.bytesSent).toMatchObject({ count: 2, max: 20 });
      expect(recent).not.toHaveProperty('bytesAreLeast');
    });

    it('have none of a direction that the kernel counts in segments only', () => {
      const recent = recentOf([served('10.0.0.9:4000', { columns: { bytesSent: Number.NaN } })]);
      expect(recent).not.toHaveProperty('sentInAll');
      expect(recent).toMatchObject({ receivedInAll: 10, bytesAreLeast: true });
    });
  });

  describe('whose far port the kernel has forgotten', () => {
    const mptcp: RowSpec = { ...LISTENER, flags: ['mptcpSubflow'], ulp: 'mptcp' };
    const row: Ended = { local: '10.0.0.1:443', kind: 'aborted', cookie: 5 };
    const client: Ended = { ...row, local: '0.0.0.0:40000', remote: '10.0.0.5:*' };
    const open: RowSpec = {
      local: '10.0.0.1:443',
      remote: '10.0.0.9:4000',
      cookie: 5,
      columns: { inode: 9 },
    };
    const subflow: RowSpec = { ...open, flags: ['mptcpSubflow'], ulp: 'mptcp' };
    const asked = { ...NO_OVERFLOW, MPTcpExtMPCapableSYNRX: 3, MPTcpExtMPCapableSYNTX: 0 };
    const asking = { ...NO_OVERFLOW, MPTcpExtMPCapableSYNRX: 0, MPTcpExtMPCapableSYNTX: 3 };
    const nobody = { ...asked, MPTcpExtMPCapableSYNRX: 0 };
    const early = { ...NO_OVERFLOW, MPTcpExtMPCapableSYNRX: 0 };
    const RESET = { endings: { reset: 1 }, closers: { self: 1 } };
    const UNKNOWN = { endings: { unknown: 1 }, closers: { unknown: 1 } };
    const PEER = { endings: { unknown: 1 }, closers: { peer: 1 } };

    it.each<[string, Ended, readonly RowSpec[], Counters, object]>([
      ['at a listener of TCP', row, [LISTENER], asked, RESET],
      ['at one of MPTCP, which somebody has asked for', row, [mptcp], asked, UNKNOWN],
      ['at one of MPTCP, which nobody has asked for', row, [mptcp], nobody, RESET],
      ['at one of MPTCP, with a kernel that does not count', row, [mptcp], NO_OVERFLOW, UNKNOWN],
      ['a subflow by the look before', row, [mptcp, subflow], asked, UNKNOWN],
      ['a subflow that was half closed then', row, [mptcp, { ...subflow, state: 'close-wait' }], asked, PEER],
      ['no subflow by a look that tells of them', row, [mptcp, open], asked, RESET],
      ['a subflow of a listener that went', { ...row, remote: '10.0.0.9:*' }, [subflow], asked, UNKNOWN],
      ['a client, where nobody asks for MPTCP', client, [LISTENER], asked, RESET],
      ['a client, where somebody does', client, [LISTENER], asking, UNKNOWN],
      ['a client, with a kernel that counts servers only', client, [LISTENER], early, UNKNOWN],
      ['a client, without MPTCP', client, [LISTENER], NO_OVERFLOW, RESET],
    ])('%s', (_name, ended, before, counters, recent) => {
      const report = between([closed(900, [ended])], before, before, counters);
      expect(only(report)?.recent).toMatchObject(recent);
      expect(report.closed?.closed).toBe(1);
    });

    it('may be of MPTCP where nobody could read the counters', () => {
      const line = new Timeline();
      line.look(0, { rows: [mptcp] });
      line.take(closed(900, [row]));
      expect(only(line.look(1000, { rows: [mptcp] }))?.recent).toMatchObject(UNKNOWN);
    });

    it('are judged by what is known where too many come between two looks', () => {
      const line = new Timeline();
      line.look(0, { rows: [LISTENER], counters: NO_OVERFLOW });
      const thousand = closed(
        900,
        Array.from({ length: 1000 }, (_, n) => ({ ...(n === 0 ? client : row), cookie: n + 1 })),
      );
      for (let batch = 0; batch < 100; batch++) line.take(thousand);
      const report = line.look(1000, { rows: [LISTENER], counters: NO_OVERFLOW });
      const endings = report.closed?.groups.map(({ recent }) => recent.endings);
      expect(endings).toEqual([{ unknown: 100 }, { reset: 99_900 }]);
    });
  });

  it('that only opened and never finished is no reset where nobody knows who opened it', () => {
    const row = {
      local: '10.0.0.1:45000',
      remote: '10.0.0.9:46000',
      columns: { bytesAcked: 11, bytesSent: 10 },
    };
    expect(only(between([closed(900, [row])]))?.recent.endings).toEqual({ unknown: 1 });
  });

  it('came in through a listener that no table has had, where the SYN was not theirs', () => {
    const row = served('10.0.0.9:46000', { local: '10.0.0.1:45000', columns: { bytesAcked: 20 } });
    expect(texts(between([closed(900, [row])]))).toEqual(['inbound 10.0.0.1:45000 1']);
  });

  it('leave a TIME-WAIT on the side that closed first', () => {
    const left: RowSpec = { state: 'time-wait', local: '10.0.0.1:443', remote: '10.0.0.9:4000' };
    const ended = [closed(900, [served('10.0.0.9:4000'), served('10.0.0.9:4001')])];
    expect(only(between(ended, [LISTENER], [LISTENER, left]))?.recent.closers).toEqual({ self: 1, peer: 1 });
    const full = { ...NO_OVERFLOW, TCPTimeWaitOverflow: 3 };
    expect(only(between(ended, [LISTENER], [LISTENER, left], full))?.recent.closers).toEqual({
      self: 1,
      unknown: 1,
    });
  });

  it('were closed by the peer where the table before saw its FIN', () => {
    const half: RowSpec = {
      state: 'close-wait',
      local: '10.0.0.1:443',
      remote: '10.0.0.9:4000',
      cookie: 5,
      columns: { inode: 9 },
    };
    const columns = { bytesAcked: 20, lastSentMs: 3000, lastReceivedMs: 2500 };
    const report = between(
      [closed(900, [served('10.0.0.9:4000', { cookie: 5, columns })])],
      [LISTENER, half],
    );
    expect(only(report)?.recent).toMatchObject({
      closers: { peer: 1 },
      idleBy: { peer: { count: 1, max: 2500 } },
    });
  });

  it('that were refused or given up are counted apart', () => {
    const attempt = (segmentsIn: number): Ended => ({
      ...asked('10.0.0.5:81'),
      kind: 'attempt',
      columns: { segmentsIn },
    });
    const report = between([
      closed(900, [attempt(1), attempt(1), attempt(Number.NaN)], { failedConnects: 2 }),
    ]);
    expect(only(report)).toMatchObject({ closed: 0, refused: 2, unanswered: 1 });
    expect(report.closed).toMatchObject({ closed: 0, failedConnects: 5, failedWithoutDestination: 2 });
  });

  it('that are missing make all numbers lower bounds, for ever after', () => {
    const line = new Timeline();
    line.look(0, { rows: [LISTENER] });
    line.take(closed(900, [], { incomplete: true, lost: 12 }));
    const missing = line.look(1000, { rows: [LISTENER] });
    const what = 'connections that ended';
    expect(missing.gaps).toEqual([{ what, why: '12 events were lost: the numbers are lower bounds' }]);
    expect(missing.closed).toMatchObject({ incomplete: true, lost: 12, lostInWindow: 12 });
    expect(missing.listeners[0]?.window).toMatchObject({ closedPerSecond: 0, closedIsLeast: true });
    line.take(closed(1900, [], { incomplete: true, lost: 29_142 }));
    expect(line.look(1950, { rows: [LISTENER] }).gaps).toEqual([
      { what, why: '29,154 events were lost: the numbers are lower bounds' },
    ]);
    line.take(closed(1990, []));
    const later = line.look(2000, { rows: [LISTENER] });
    expect(later.closed).toMatchObject({ incomplete: true, lost: 29_154, lostInWindow: 0 });
    expect(later.listeners[0]?.window).not.toHaveProperty('closedIsLeast');
    const { lost: _lost, ...uncounted } = closed(2900, [], { incomplete: true });
    line.take(uncounted);
    const unknown = line.look(3000, { rows: [LISTENER] });
    expect(unknown.closed?.lost).toBeUndefined();
    expect(unknown.gaps[0]?.why).toBe('an unknown number of events was lost: the numbers are lower bounds');
  });

  it('still belong to a listener that went with them', () => {
    expect(texts(between([closed(900, [served('10.0.0.9:4000')])], [LISTENER], []))).toEqual([
      'inbound 0.0.0.0:443 1',
    ]);
  });

  it('are forgotten as recent after a while, and stay counted', () => {
    const line = new Timeline();
    line.look(0, { rows: [LISTENER] });
    line.take(closed(900, [served('10.0.0.9:4000')]));
    expect(only(line.look(1000, { rows: [LISTENER] }))?.recent.closed).toBe(1);
    line.take(closed(89_900, []));
    const later = only(line.look(90_000, { rows: [LISTENER] }));
    expect(later).toMatchObject({ closed: 1, closedPerSecond: 0 });
    expect(later?.recent.closed).toBe(0);
  });

  it('have no rate where nobody told of the window, rather than 0', () => {
    const line = new Timeline();
    line.look(0, { rows: [LISTENER] });
    line.take(closed(900, [served('10.0.0.9:4000')]));
    line.look(1000, { rows: [LISTENER] });
    const silent = line.look(2000, { rows: [LISTENER] });
    expect(silent.closed).toMatchObject({ closed: 1 });
    expect(silent.closed).not.toHaveProperty('closedPerSecond');
    expect(only(silent)?.closedPerSecond).toBeUndefined();
    expect(silent.listeners[0]?.window).not.toHaveProperty('closedPerSecond');
    line.take(closed(2900, []));
    expect(line.look(3000, { rows: [LISTENER] }).closed).toMatchObject({ closedPerSecond: 0 });
  });

  it('leave an earlier state as it was', () => {
    const line = new Timeline();
    line.look(0, { rows: [LISTENER] });
    line.take(closed(900, [served('10.0.0.9:4000')]));
    const first = line.look(1000, { rows: [LISTENER] });
    line.take(closed(1900, [served('10.0.0.9:4001')]));
    line.look(2000, { rows: [LISTENER] });
    expect(only(first)).toMatchObject({ closed: 1 });
    expect(only(first)?.recent.closed).toBe(1);
  });

  it('take no more room however many remotes there are', () => {
    const rows = Array.from({ length: 3000 }, (_, n) => asked(`10.1.${n >> 8}.${n & 255}:80`));
    const report = between([closed(900, rows)]);
    expect(report.closed?.groups.length).toBe(2000);
    expect(report.closed).toMatchObject({ outbound: 3000, notShown: 1000 });
  });
});

describe('a histogram', () => {
  const of = (values: readonly number[]) => {
    const all = new Histogram();
    for (const value of values) all.add(value);
    return all;
  };
  const EDGES = ['low', 'middle', 'high'] as const;

  it('is right within a tenth, and exact in its count and its largest', () => {
    for (let shift = 1; shift < 200; shift += 7) {
      const all = of(Array.from({ length: 999 }, (_, at) => 100 + at * shift));
      const spread = all.spread();
      expect(spread).toMatchObject({ count: 999, max: 100 + 998 * shift });
      expect(Math.abs((spread?.p50 ?? 0) / (100 + 499 * shift) - 1)).toBeLessThan(0.1);
      expect(Math.abs((spread?.p95 ?? 0) / (100 + 949 * shift) - 1)).toBeLessThan(0.1);
    }
  });

  it.each([0, 0.0004, 0.017, 1, 8, 20, 939, 1000, 123_456, 7 * 2 ** 39])(
    'is exact where all are %d',
    (value) => {
      for (const edge of EDGES)
        expect(of([value, value, value]).spread(edge)).toEqual({
          count: 3,
          p50: value,
          p95: value,
          max: value,
        });
    },
  );

  it('has bounds on the right side of the truth, and near it', () => {
    for (let value = 0.002; value < 1e12; value *= 1.37) {
      const all = of([value / 100, value, value, value * 100]);
      const [low, , high] = EDGES.map((edge) => all.spread(edge)?.p50 ?? Number.NaN);
      expect(low).toBeLessThanOrEqual(value);
      expect(low).toBeGreaterThan(value / 1.21);
      expect(high).toBeGreaterThanOrEqual(value);
      expect(high).toBeLessThan(value * 1.21);
    }
  });

  it('has zeros as zeros, and what is hardly more as no less', () => {
    const all = of([0, 0, 0, 0.0004, 0.0004, 0.0005, 5]);
    expect(EDGES.map((edge) => all.spread(edge)?.p50)).toEqual([0, 0.00106, 0.00117]);
    expect(EDGES.map((edge) => of([0, 0, 5]).spread(edge)?.p50)).toEqual([0, 0, 0]);
  });

  it('says no more digits than it knows', () => {
    const all = of([1, 54_321, 1_000_000]);
    expect(EDGES.map((edge) => all.spread(edge)?.p50)).toEqual([46_300, 50_500, 55_200]);
  });

  it('keeps its bounds where it is merged, and leaves a copy as it was', () => {
    const all = of([500]);
    const copy = all.copy();
    all.merge(of([20, 20, 20]));
    expect(all.spread('low')).toEqual({ count: 4, p50: 20, p95: 430, max: 500 });
    expect(copy.spread('low')).toEqual({ count: 1, p50: 500, p95: 500, max: 500 });
  });
});
