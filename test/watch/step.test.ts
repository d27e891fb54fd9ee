import { describe, expect, it } from 'vitest';
import { gapsToSay } from '../../src/analyze/hidden-owners.js';
import { DEFAULT_THRESHOLDS } from '../../src/analyze/thresholds.js';
import type { GapObservation, Observation } from '../../src/model/observation.js';
import { millis, monotonicMillis, wallMillis } from '../../src/model/units.js';
import { watchReports } from '../../src/watch/reports.js';
import { samplesAt } from '../support/samples.js';
import { buildTable, listen, look, waiting } from '../support/table-builder.js';
import { alertTexts, eventTexts, findingTexts, OWNER, Timeline } from './timeline.js';

const overflowed = (count: number, rest = {}) => ({
  ListenOverflows: count,
  ListenDrops: count,
  PassiveOpens: 100,
  ...rest,
});
const originAt = (ms: number): Observation['origin'] => look(ms, []).origin;
const failedAt = (ms: number): GapObservation => ({
  kind: 'gap',
  origin: originAt(ms),
  gaps: [{ what: 'sockets', why: 'ss was not found' }],
  fault: 'missing',
  remedy: 'install iproute2',
});

describe('a window', () => {
  it('there is none at the first look', () => {
    const report = new Timeline().queue(0, { length: 3, drops: 5 }, overflowed(5));
    expect(report).not.toHaveProperty('windowMs');
    expect(report).not.toHaveProperty('countersDelta');
    expect(report.listeners[0]).not.toHaveProperty('window');
    expect(report).toMatchObject({ rates: {}, counters: { ListenOverflows: 5 } });
  });

  it('has deltas, rates, peak and history', () => {
    const line = new Timeline();
    line.queue(0, { length: 3, drops: 5 }, overflowed(5));
    line.queue(1000, { length: 8, drops: 5 }, overflowed(5, { PassiveOpens: 120 }));
    const report = line.queue(3000, { length: 2, drops: 9 }, overflowed(8, { PassiveOpens: 160 }));
    expect(report).toMatchObject({
      windowMs: 2000,
      countersDelta: { ListenOverflows: 3, PassiveOpens: 40 },
      rates: { newPerSecond: 20, overflowsPerSecond: 1.5 },
    });
    expect(report.listeners[0]?.window).toEqual({
      windowMs: 2000,
      ageMs: 3000,
      peak: 8,
      peakAt: 1_700_000_001_000,
      // It overflowed, and no look saw it full.
      isPeakLeast: true,
      droppedDelta: 4,
      droppedPerSecond: 2,
      overflowsDelta: 3,
      recentOverflows: [false, true],
      arrivalsPerSecond: 20,
      acceptsPerSecond: 23,
      rateBasis: 'passive_opens',
      history: [
        [3000, 3],
        [2000, 8],
        [0, 2],
      ],
    });
  });

  it('does not mind the wall clock', () => {
    const line = new Timeline();
    line.queue(0, { length: 0 }, overflowed(0));
    const jumped = look(1000, buildTable([]), { counters: overflowed(10) });
    const origin = { ...jumped.origin, time: wallMillis(0) };
    expect(line.take({ ...jumped, origin })).toMatchObject({
      windowMs: 1000,
      rates: { overflowsPerSecond: 10 },
    });
  });

  it.each([
    ['a counter that went down', {}, overflowed(3)],
    ['another boot', { bootId: 'b' }, overflowed(50)],
    ['another namespace', { netns: 'other' }, overflowed(50)],
    ['a clock that started anew', { monotonic: monotonicMillis(10) }, overflowed(50)],
  ])('%s is a baseline, no spike', (_, origin, counters) => {
    const line = new Timeline();
    line.queue(1000, { length: 0, drops: 9 }, overflowed(9));
    const { origin: now, ...rest } = look(2000, [listen('0.0.0.0:443', [0, 9], { inode: 7, drops: 50 })], {
      counters,
    });
    const report = line.take({ ...rest, origin: { ...now, ...origin } });
    expect(report).not.toHaveProperty('countersDelta');
    expect(report.rates).toEqual({});
    expect(findingTexts(report).filter((text) => text.includes('overflow'))).toEqual([]);
    expect(report.findings).toEqual([]);
  });

  it('the drops of a socket with another cookie are another counter', () => {
    const line = new Timeline();
    const at = (ms: number, cookie: number, drops: number) =>
      line.look(ms, { rows: [listen('*:80', [0, 9], { inode: 7, drops }, { cookie })] }).listeners[0]?.window;
    at(0, 1, 5);
    expect(at(1000, 1, 7)?.droppedDelta).toBe(2);
    expect(at(2000, 2, 9)).not.toHaveProperty('droppedDelta');
  });
});

describe('overflows between two looks', () => {
  const two = (ms: number, line: Timeline, drops: readonly [number, number], overflows: number, fill = 0) =>
    line.look(ms, {
      queues: [
        { length: fill, drops: drops[0] },
        { length: 0, local: '0.0.0.0:80', inode: 8, drops: drops[1] },
      ],
      counters: overflowed(overflows),
    });

  it('are of the only listener that dropped segments', () => {
    const line = new Timeline();
    two(0, line, [0, 0], 0);
    const report = two(1000, line, [5, 0], 3);
    expect(report.listeners.map(({ verdict, listener }) => [listener.key, verdict])).toEqual([
      ['ns:7', 'overflowing'],
      ['ns:8', 'ok'],
    ]);
    expect(report.listeners[0]?.window?.overflowsDelta).toBe(3);
    expect(report.listeners[1]?.window?.overflowsDelta).toBe(0);
    expect(report.findings).toEqual([]);
    expect(report.listeners[0]?.findings[0]?.evidence[0]).toEqual({
      metric: 'ListenOverflows',
      value: 3,
      unit: 'segments',
      text: 'ListenOverflows of the namespace rose by 3, and only this listener dropped segments',
    });
  });

  it('of two that dropped are of neither: candidates, the fullest first', () => {
    const line = new Timeline();
    two(0, line, [0, 0], 0, 9);
    const report = two(1000, line, [2, 3], 5);
    for (const { window } of report.listeners) expect(window).not.toHaveProperty('overflowsDelta');
    expect(report.listeners.map(({ verdict }) => verdict)).not.toContain('overflowing');
    expect(report.findings).toMatchObject([
      {
        rule: 'accept_queue_overflow',
        severity: 'warning',
        subject: 'host',
        message:
          'an accept queue of this namespace overflowed since the last look: 5 segments dropped in 1.0 s; candidates: 0.0.0.0:443 (nginx/812), 0.0.0.0:80 (nginx/812)',
      },
    ]);
    expect(eventTexts(report)).toContain('raised accept_queue_overflow warning');
    expect(report.alerts.find(({ finding }) => finding.subject === 'host')?.subjectText).toBe('host');
    expect(eventTexts(two(2000, line, [4, 5], 9))).toContain('changed accept_queue_overflow critical');
  });

  it('that no listener shows name nobody', () => {
    const line = new Timeline();
    two(0, line, [0, 0], 0);
    const { findings } = two(1000, line, [0, 0], 4);
    expect(findings[0]?.message).toContain('no listener that is left shows it');
  });

  it('on a kernel without drops per listener are of any of them', () => {
    const line = new Timeline();
    const at = (ms: number, overflows: number) =>
      line.look(ms, {
        queues: [{ length: 0 }, { length: 8, local: '0.0.0.0:80', inode: 8 }],
        counters: overflowed(overflows),
      });
    at(0, 0);
    const [finding] = at(1000, 2).findings;
    expect(finding?.message).toContain('candidates: 0.0.0.0:80 (nginx/812), 0.0.0.0:443 (nginx/812)');
    expect(finding?.evidence[1]?.text).toContain('by how full they were of late');
  });
});

describe('a stopped acceptor', () => {
  it('is said after 2 s, with the head of the queue as the proof', () => {
    const line = new Timeline();
    const verdicts = [0, 500, 1000, 1500, 2000, 2500].map(
      (ms) => line.queue(ms, { length: 2, waits: [ms + 100, ms + 50] }).listeners[0]?.verdict,
    );
    expect(verdicts).toEqual(['ok', 'ok', 'filling', 'filling', 'stopped_acceptor', 'stopped_acceptor']);
  });

  it('is a slow one while others take the places of those that leave', () => {
    const line = new Timeline();
    const verdicts = Array.from({ length: 9 }, (_, n) => {
      const report = line.queue(n * 500, { length: 3, waits: [700, 400, 200] });
      return report.listeners[0]?.verdict;
    });
    expect(verdicts).not.toContain('stopped_acceptor');
    expect(verdicts.at(-1)).toBe('slow_acceptor');
  });

  it('looks that show no waiting connections neither prove nor disprove it', () => {
    const line = new Timeline();
    const listenersOnly = { observation: { scope: 'listeners' as const } };
    line.queue(0, { length: 2, waits: [100, 90] });
    for (const ms of [500, 1000, 1500]) {
      const report = line.look(ms, { queues: [{ length: 2 }], ...listenersOnly });
      expect(report.listeners[0]?.window).not.toHaveProperty('stalledMs');
    }
    const aged = line.queue(2000, { length: 2, waits: [2100, 2090] });
    expect(aged.listeners[0]?.window?.stalledMs).toBe(2000);
  });
});

describe('rates of one listener', () => {
  const at = (line: Timeline, ms: number, opens: number, clients: readonly number[], others = 0) =>
    line.look(ms, {
      queues: [{ length: 0 }, { length: others, local: '0.0.0.0:80', inode: 8 }],
      rows: clients.map((port) => ({
        local: '10.0.0.1:443',
        remote: `10.0.0.9:${port}`,
        columns: { inode: 1000 + port },
      })),
      counters: { PassiveOpens: opens },
    });
  const windowAt = (report: ReturnType<typeof at>, key: string) =>
    report.listeners.find(({ listener }) => listener.key === key)?.window;

  it('are those of the namespace where nothing came to any other', () => {
    const line = new Timeline();
    at(line, 0, 100, [1, 2]);
    const report = at(line, 2000, 110, [2, 3]);
    expect(windowAt(report, 'ns:7')).toMatchObject({
      arrivalsPerSecond: 5,
      acceptsPerSecond: 5,
      rateBasis: 'passive_opens',
    });
  });

  it('are lower bounds where several are active: connections that were not there before', () => {
    const line = new Timeline();
    at(line, 0, 100, [1, 2], 1);
    const report = at(line, 1000, 110, [2, 3, 4], 2);
    expect(windowAt(report, 'ns:7')).toMatchObject({ arrivalsPerSecond: 2, rateBasis: 'lower_bound' });
    expect(windowAt(report, 'ns:8')).toMatchObject({ arrivalsPerSecond: 1, acceptsPerSecond: 0 });
  });

  it('are zero for all where the namespace had no new connection', () => {
    const line = new Timeline();
    at(line, 0, 100, []);
    const report = at(line, 1000, 100, []);
    expect(windowAt(report, 'ns:7')).toMatchObject({ arrivalsPerSecond: 0, rateBasis: 'passive_opens' });
    expect(windowAt(report, 'ns:8')).toMatchObject({ arrivalsPerSecond: 0, rateBasis: 'passive_opens' });
  });

  it('are unknown without counters and connections', () => {
    const line = new Timeline();
    const listeners = { queues: [{ length: 0 }], observation: { scope: 'listeners' as const } };
    line.look(0, listeners);
    expect(line.look(1000, listeners).listeners[0]?.window).not.toHaveProperty('arrivalsPerSecond');
  });

  it('tell the time to full', () => {
    const line = new Timeline();
    line.queue(0, { length: 0 });
    expect(line.queue(1000, { length: 4 }).listeners[0]?.window?.timeToFullMs).toBe(1500);
  });
});

describe('a look that failed', () => {
  it('repeats the last good report, with the fault and its age', () => {
    const line = new Timeline();
    const good = line.queue(0, { length: 8 });
    line.take(failedAt(1000));
    const report = line.take(failedAt(3000));
    expect(report.listeners).toBe(good.listeners);
    expect(report).toMatchObject({
      origin: { monotonic: 3000 },
      rates: {},
      gaps: [{ what: 'sockets', why: 'ss was not found' }],
      pace: { fault: { why: 'ss was not found', remedy: 'install iproute2', sinceMs: 2000 } },
      sockets: { ageMs: 3000 },
    });
    expect(report).not.toHaveProperty('windowMs');
  });

  it('raises an alert once, keeps the others, and clears it when looks are good again', () => {
    const line = new Timeline();
    line.queue(0, { length: 8 });
    expect(eventTexts(line.take(failedAt(1000)))).toEqual(['raised source_error critical']);
    const later = line.take(failedAt(60_000));
    expect(eventTexts(later)).toEqual([]);
    expect(alertTexts(later)).toEqual(['critical source_error', 'warning accept_queue_filling']);
    const good = line.queue(61_000, { length: 8 });
    expect(good.pace).not.toHaveProperty('fault');
    expect(good.findings).toEqual([]);
    expect(good.windowMs).toBe(61_000);
    const events = [62, 63, 64, 65, 66].flatMap((s) => eventTexts(line.queue(s * 1000, { length: 8 })));
    expect(events).toEqual(['cleared source_error critical']);
  });

  it('first of all has nothing to repeat', () => {
    expect(new Timeline().take(failedAt(0))).toMatchObject({
      listeners: [],
      findings: [{ rule: 'source_error', message: 'sockets cannot be read: ss was not found' }],
      pace: { fault: { sinceMs: 0 } },
    });
  });
});

describe('the sockets of a report', () => {
  it('are the newest complete table, with its age', () => {
    const line = new Timeline();
    const all = line.queue(0, { length: 0 });
    const troubled = line.look(1500, { queues: [{ length: 0 }], observation: { scope: 'troubled' } });
    expect(troubled.sockets).toEqual({ table: all.sockets?.table, ageMs: 1500, complete: true });
    expect(line.queue(2000, { length: 0 }).sockets).toMatchObject({ ageMs: 0, complete: true });
  });

  it('are the newest table where there is no complete one', () => {
    const line = new Timeline();
    line.look(0, { observation: { scope: 'listeners' } });
    const second = buildTable([listen('*:80', [0, 9])]);
    const report = line.take(look(1000, second, { scope: 'troubled' }));
    expect(report.sockets).toEqual({ table: second, ageMs: 0, complete: false });
  });
});

describe('what belongs to no listener', () => {
  const withCounters = (counters: Record<string, number>, sysctls = {}) => {
    const line = new Timeline();
    const zero = Object.fromEntries(Object.keys(counters).map((name) => [name, 0]));
    line.look(0, { counters: zero, sysctls });
    return line
      .look(1000, { counters, sysctls })
      .findings.map(({ severity, message }) => `${severity}: ${message}`);
  };

  it('SYN cookies: a SYN queue was full; not where every SYN gets one', () => {
    expect(withCounters({ TCPReqQFullDoCookies: 3 }, { tcpSyncookies: 1 })).toEqual([
      'warning: a SYN queue was full: 3 SYNs answered with SYN cookies in the last 1.0 s',
    ]);
    expect(withCounters({ TCPReqQFullDoCookies: 3 }, { tcpSyncookies: 2 })).toEqual([]);
    expect(withCounters({ TCPReqQFullDrop: 1 })).toEqual([
      'critical: a SYN queue was full: 1 SYN dropped in the last 1.0 s, for SYN cookies are off',
    ]);
  });

  it('UDP sockets that drop, known from the look before', () => {
    const line = new Timeline();
    const udp = (drops: number) => ({
      protocol: 'udp' as const,
      state: 'unconnected' as const,
      local: '0.0.0.0:514',
      owners: [OWNER],
      columns: { inode: 21, drops },
    });
    expect(line.look(0, { rows: [udp(40)] }).findings).toEqual([]);
    const report = line.look(1000, { rows: [udp(44)] });
    expect(report.findings).toMatchObject([
      {
        rule: 'udp_drops',
        severity: 'warning',
        message: 'UDP socket 0.0.0.0:514 dropped 4 datagrams in the last 1.0 s',
        advice: expect.stringContaining('let nginx/812 read faster'),
      },
    ]);
    expect(report.alerts[0]?.subjectText).toBe('0.0.0.0:514');
    expect(line.look(2000, { rows: [udp(44)] }).findings).toEqual([]);
  });

  it('hidden owners: one note in the words of the first time, beside the gap', () => {
    const gap = (count: number) => ({ what: 'owners', why: `hidden for ${count} sockets: run as root` });
    const line = new Timeline();
    const hidden = (ms: number, count: number) =>
      line.look(ms, {
        rows: [listen('*:80', [0, 9], { inode: 4 })],
        observation: { gaps: [gap(count), { what: 'x', why: 'y' }, { what: 'x', why: 'y' }] },
      });
    const messages = [hidden(0, 12), hidden(1000, 13)].map(({ findings }) =>
      findings.map(({ message }) => message),
    );
    expect(messages).toEqual([
      ['owners hidden for 12 sockets: run as root'],
      ['owners hidden for 12 sockets: run as root'],
    ]);
    const report = hidden(2000, 1);
    expect(report).toMatchObject({ gaps: [gap(1), { what: 'x', why: 'y' }], events: [] });
    // Programs find it there; people have been told.
    expect(gapsToSay(report)).toEqual([{ what: 'x', why: 'y' }]);
    const ofOthers = { ...report, gaps: [{ ...gap(3), what: 'web: owners' }] };
    expect(gapsToSay(ofOthers)).toEqual([]);
    expect(line.look(3000, {}).findings).toEqual([]);
    const oneLook = new Timeline({ oneLook: true });
    const once = oneLook.look(0, { observation: { gaps: [gap(12)] } });
    expect(once).toMatchObject({ gaps: [gap(12)], findings: [] });
    expect(gapsToSay(once)).toEqual([gap(12)]);
  });
});

describe('observations between looks', () => {
  it('make no report of their own', async () => {
    async function* observations(): AsyncGenerator<Observation> {
      yield look(0, []);
      yield samplesAt(500, { key: 'ns:7', lengths: [3] });
      yield { kind: 'event', origin: originAt(600), event: 'owner', text: 'x' };
      yield {
        kind: 'closed',
        origin: originAt(700),
        sockets: buildTable([]),
        incomplete: false,
        spanMs: millis(700),
        unconnected: 0,
        failedConnects: 0,
        gaps: [],
      };
      yield failedAt(1000);
    }
    const times: number[] = [];
    for await (const { origin } of watchReports(observations(), { thresholds: DEFAULT_THRESHOLDS }))
      times.push(origin.monotonic);
    expect(times).toEqual([0, 1000]);
  });
});

it('the worst listener comes first', () => {
  const line = new Timeline();
  const { listeners } = line.look(0, {
    queues: [
      { length: 0, inode: 1, local: '0.0.0.0:1' },
      { length: 7, inode: 2, local: '0.0.0.0:2' },
      { length: 10, inode: 3, local: '0.0.0.0:3' },
    ],
    rows: [waiting('10.0.0.1:1', '10.0.0.9:1', 5)],
  });
  expect(listeners.map(({ listener }) => listener.inode)).toEqual([3, 2, 1]);
});
