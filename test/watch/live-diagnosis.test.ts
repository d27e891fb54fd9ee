import { describe, expect, it } from 'vitest';
import type { ClosedGroup } from '../../src/model/closed.js';
import { millis } from '../../src/model/units.js';
import { LiveDiagnosis } from '../../src/watch/live-diagnosis.js';
import { ended } from '../support/ended.js';
import { buildTable, listen, look as lookAt, type RowSpec, row, waiting } from '../support/table-builder.js';
import { sampleClosed } from '../tui/sample-closed.js';
import { alertTexts, eventTexts, Timeline } from './timeline.js';

const OWNERS = [{ pid: 812, fd: 9, name: 'java' }];
const connection = (rest: RowSpec = {}): RowSpec =>
  row({
    local: '10.0.0.1:40000',
    remote: '10.0.0.9:3306',
    cookie: 5,
    owners: OWNERS,
    ...rest,
    columns: { inode: 9, lastSentMs: 500, lastReceivedMs: 480, bytesReceived: 90_000, ...rest.columns },
  });
const UNREAD = connection({ queues: [60_000, 0] });

describe('diagnosis beside live', () => {
  it('raises an alert, and clears it when its trouble has been over for a while', () => {
    const timeline = new Timeline({ companion: new LiveDiagnosis() });
    const events: string[] = [];
    for (let second = 0; second < 20; second++)
      events.push(
        ...eventTexts(timeline.look(second * 1000, { rows: [second < 5 ? UNREAD : connection()] })),
      );
    expect(events).toEqual(['raised app_not_reading warning', 'cleared app_not_reading warning']);
  });

  it('tells who is stopped as the cause of what is not read, and findings of listeners once', () => {
    const causes = (state: string) => {
      const timeline = new Timeline({ companion: new LiveDiagnosis() });
      const inbound = { ...UNREAD, local: '10.0.0.1:80' };
      for (let second = 0; ; second++) {
        const wait = waiting('10.0.0.1:80', '10.0.0.9:7', second * 1000);
        const report = timeline.look(second * 1000, {
          rows: [listen('10.0.0.1:80', [1, 9], { inode: 7 }, { owners: OWNERS }), inbound, wait],
          observation: { processes: new Map([[812, { state }]]) },
        });
        if (second < 6) continue;
        return report.alerts.map(
          ({ finding: { rule, causedBy } }) => `${rule}${causedBy ? ` < ${causedBy}` : ''}`,
        );
      }
    };
    expect(causes('T').toSorted()).toEqual([
      'app_not_reading < stopped_acceptor',
      'oldest_wait < stopped_acceptor',
      'stopped_acceptor',
    ]);
    expect(causes('S')).toContain('app_not_reading');
  });

  it('tells where connects are refused, of the last minute alone', () => {
    const companion = new LiveDiagnosis();
    const [group] = sampleClosed().groups;
    if (group === undefined) throw new Error('the sample has a group');
    const to = (remote: string, refused: number): ClosedGroup => ({
      ...group,
      id: remote,
      direction: 'outbound',
      end: buildTable([row({ local: remote })]).row(0).local,
      refused,
    });
    const where = (second: number) => {
      const failed = second * 5;
      const groups = [to('10.0.0.9:80', Math.min(failed, 300)), to('10.0.0.9:81', Math.max(0, failed - 300))];
      const counters = { ActiveOpens: failed, AttemptFails: failed, EmbryonicRsts: 0, OutRsts: failed };
      return companion
        .take(lookAt(second * 1000, [], { counters }), [], { ...sampleClosed(), groups })
        .filter(({ finding: { rule } }) => rule === 'connect_refused')
        .map(({ subjectText }) => subjectText);
    };
    const told = Array.from({ length: 200 }, (_, second) => where(second));
    expect(told[50]).toEqual(['to 10.0.0.9:80']);
    // More went to the first in all.
    expect(told[110]).toEqual(['to 10.0.0.9:81']);
  });

  it('keeps its findings while only the listeners are looked at', () => {
    const timeline = new Timeline({ companion: new LiveDiagnosis() });
    for (let second = 0; second < 4; second++) timeline.look(second * 1000, { rows: [UNREAD] });
    for (let second = 4; second < 20; second++) {
      const report = timeline.look(second * 1000, { rows: [], observation: { scope: 'listeners' } });
      expect(alertTexts(report)).toEqual(['warning app_not_reading']);
    }
  });

  it('is one alert whether or not the process is known', () => {
    const timeline = new Timeline({ companion: new LiveDiagnosis() });
    const events: string[] = [];
    for (let second = 0; second < 8; second++) {
      const { owners: _, ...unowned } = UNREAD;
      events.push(...eventTexts(timeline.look(second * 1000, { rows: [second < 4 ? unowned : UNREAD] })));
    }
    expect(events).toEqual(['raised app_not_reading warning']);
  });

  const trying = (cookie: number, rest: RowSpec = {}) =>
    connection({
      state: 'syn-sent',
      cookie,
      queues: [0, 1],
      columns: { timerKind: 0, timerMs: 500, timerRetransmits: 1 },
      ...rest,
    });
  const alertsAt = (seconds: number, rowsAt: (second: number) => RowSpec[]) => {
    const timeline = new Timeline({ companion: new LiveDiagnosis() });
    return Array.from({ length: seconds }, (_, second) =>
      alertTexts(timeline.look(second * 1000, { rows: rowsAt(second) })),
    );
  };

  it('ends ten seconds after the last connect was given up, and not before', () => {
    const seen = alertsAt(40, (second) => (second < 20 ? [trying(100 + (second >> 1))] : []));
    expect(seen[19]).toEqual(['critical connect_timeout']);
    // Found to be gone at 20 s: it counts for 5 s, and then its alert is quiet for 5 s.
    expect(seen[29]).toEqual(['critical connect_timeout']);
    expect(seen[30]).toEqual([]);
    expect(seen.slice(30).flat()).toEqual([]);
  });

  it('ends as soon after connects that were answered in the end', () => {
    const seen = alertsAt(30, (second) => [second < 10 ? trying(100) : connection({ cookie: 100 })]);
    expect(seen[9]).toEqual(['warning connect_timeout']);
    expect(seen[20]).toEqual([]);
  });

  it('stays while clients that wait for three seconds try again every eight', () => {
    const seen = alertsAt(60, (second) => (second % 8 < 3 ? [trying(100 + (second >> 3))] : []));
    expect(new Set(seen.slice(3).map((texts) => texts.length))).toEqual(new Set([1]));
  });

  it('ends ten seconds after connects were refused', () => {
    const timeline = new Timeline({ companion: new LiveDiagnosis() });
    const seen = Array.from({ length: 40 }, (_, second) => {
      const failed = Math.min(second, 10) * 30;
      const counters = { ActiveOpens: failed, AttemptFails: failed, EmbryonicRsts: 0, OutRsts: 0 };
      return alertTexts(timeline.look(second * 1000, { counters }));
    });
    expect(seen[10]).toContain('warning connect_refused');
    expect(seen[21]).toEqual([]);
  });

  const pools = (timeline: Timeline, second: number, rows: RowSpec[]) =>
    timeline.look(second * 1000, { rows }).pools ?? [];
  const short = (n: number) =>
    connection({
      local: `10.0.0.1:${50_000 + n}`,
      cookie: 1000 + n,
      columns: { bytesSent: 100, bytesAcked: 102, segmentsOut: 4, segmentsIn: 4, lastSentMs: 5 },
    });
  const shorts = (from: number, count: number) => Array.from({ length: count }, (_, n) => short(from + n));

  it('counts in its pools what came and went between two looks, and where the kernel told of all', () => {
    const timeline = new Timeline({ companion: new LiveDiagnosis() });
    pools(timeline, 0, []);
    timeline.take(ended(500, shorts(0, 20)));
    expect(pools(timeline, 1, [])).toMatchObject([
      {
        owner: 'none',
        open: 0,
        createdPerSecond: 20,
        endsTold: 'all',
        past: { created: 20, closed: 20, highest: 0 },
      },
    ]);
    timeline.take(ended(1500, shorts(20, 5), { incomplete: true }));
    expect(pools(timeline, 2, [])).toMatchObject([{ endsTold: 'some', past: { created: 25 } }]);
  });

  it('tells of connections that are made for each request, until ten seconds after the last of them', () => {
    const timeline = new Timeline({ companion: new LiveDiagnosis() });
    const seen = Array.from({ length: 70 }, (_, second) => {
      const report = timeline.look(second * 1000, {});
      if (second < 40) timeline.take(ended(second * 1000 + 500, shorts(5 * second, 5)));
      return report.alerts.map(({ finding, subjectText }) => `${finding.rule} ${subjectText}`);
    });
    const alert = ['pool_churn to 10.0.0.9:3306'];
    // As long as `diagnose` looks.
    expect(seen[4]).toEqual([]);
    expect(seen[5]).toEqual(alert);
    expect(seen[49]).toEqual(alert);
    // Found at 40 s: they count for 5 s, and then the alert is quiet for 5 s.
    expect(seen[50]).toEqual([]);
    expect(seen.slice(50).flat()).toEqual([]);
  });

  it('does not take a pool that is used again and again for that', () => {
    const rows = (second: number) =>
      Array.from({ length: 5 }, (_, n) =>
        connection({
          local: `10.0.0.1:${41_000 + n}`,
          cookie: 70 + n,
          columns: {
            bytesReceived: 1000 * second,
            bytesSent: 100 * second,
            lastSentMs: 200,
            lastReceivedMs: 190,
          },
        }),
      );
    expect(alertsAt(20, rows).flat()).toEqual([]);
  });

  it('tells of a pool that may be at its maximum, until one of its connections is idle', () => {
    const rows = (second: number) =>
      Array.from({ length: 5 }, (_, n) =>
        connection({
          local: `10.0.0.1:${41_000 + n}`,
          cookie: 70 + n,
          columns:
            second < 20 || n > 0
              ? {
                  bytesReceived: 1000 * second,
                  bytesSent: 100 * second,
                  lastSentMs: 100,
                  lastReceivedMs: 400,
                }
              : { bytesReceived: 20_000, bytesSent: 2000, lastSentMs: 900, lastReceivedMs: 500 },
        }),
      );
    const seen = alertsAt(40, rows);
    expect(seen[4]).toEqual([]);
    expect(seen[19]).toEqual(['warning pool_exhausted']);
    expect(seen[30]).toEqual([]);
  });

  it('counts them in both stretches of time that it watches', () => {
    const timeline = new Timeline({ companion: new LiveDiagnosis() });
    for (let second = 0; second < 100; second++) {
      const [pool] = pools(timeline, second, []);
      if (second > 0) expect(pool?.past.created).toBe(2 * Math.round((pool?.past.watchedMs ?? 0) / 1000));
      timeline.take(ended(second * 1000 + 500, shorts(2 * second, 2)));
    }
  });

  it('does not count what ended between looks at too many sockets, and says that some did', () => {
    const timeline = new Timeline({ companion: new LiveDiagnosis() });
    const crowd = Array.from({ length: 20_001 }, (_, n) => ({
      ...connection({ cookie: 5000 + n }),
      local: `10.0.${2 + (n >> 14)}.1:${n & 16_383}`,
    }));
    pools(timeline, 0, [connection()]);
    expect(timeline.look(1000, { rows: crowd })).not.toHaveProperty('pools');
    timeline.take(ended(1500, shorts(0, 20)));
    expect(pools(timeline, 2, [connection()])).toMatchObject([
      { open: 1, endsTold: 'some', past: { created: 0, highest: 1 } },
    ]);
  });

  it('says nothing of pools that it does not follow any more', () => {
    const timeline = new Timeline({ companion: new LiveDiagnosis() });
    const crowd = Array.from({ length: 20_001 }, (_, n) =>
      connection({ cookie: 5000 + n, local: `10.0.${2 + (n >> 14)}.1:${n & 16_383}` }),
    );
    for (let second = 0; second < 10; second++) {
      timeline.look(second * 1000, {});
      timeline.take(ended(second * 1000 + 500, shorts(5 * second, 5)));
    }
    expect(alertTexts(timeline.look(10_000, {}))).toEqual(['warning pool_churn']);
    expect(timeline.look(11_000, { rows: crowd }).findings).toEqual([]);
  });

  it('counts once what ended in one of several namespaces', () => {
    const timeline = new Timeline({ companion: new LiveDiagnosis() });
    const round = (at: number) => {
      const looks = ['1', '2'].map((netns) => {
        const one = lookAt(at, [listen('10.0.0.1:80', [0, 9], { inode: 7 })]);
        return { ...one, origin: { ...one.origin, netns }, namespace: { id: netns } };
      });
      const { origin } = lookAt(at, []);
      return timeline.take({
        kind: 'namespaces',
        origin: { ...origin, netns: '1' },
        looks,
        tookMs: millis(1),
        skippedTicks: 0,
        gaps: [],
      });
    };
    round(0);
    const told = ended(500, shorts(0, 7));
    timeline.take({ ...told, origin: { ...told.origin, netns: '2' } });
    const { pools: some = [], poolOfRow } = round(1000);
    expect(some.filter(({ direction }) => direction === 'outbound')).toMatchObject([
      { netns: '2', past: { created: 7 } },
    ]);
    expect(poolOfRow).toHaveLength(2);
  });

  it('starts anew where the clock does', () => {
    const timeline = new Timeline({ companion: new LiveDiagnosis() });
    for (let second = 100; second < 104; second++) timeline.look(second * 1000, { rows: [UNREAD] });
    expect(timeline.look(0, { rows: [UNREAD] }).findings).toEqual([]);
  });

  it('keeps namespaces that are looked at by turns apart, and tells their pools', () => {
    const companion = new LiveDiagnosis();
    const look = (second: number, netns: string, rows: RowSpec[]) => {
      const { origin } = lookAt(second * 1000, rows);
      return companion.take(lookAt(second * 1000, rows, { origin: { ...origin, netns } }), []);
    };
    let [unread, fine]: ReturnType<typeof companion.take>[] = [[], []];
    for (let second = 0; second < 6; second++) {
      unread = look(second, '1', [UNREAD]);
      fine = look(second, '2', [connection(), connection({ local: '10.0.0.1:40001', cookie: 6 })]);
    }
    expect(unread?.map(({ finding }) => finding.rule)).toEqual(['app_not_reading']);
    expect(fine).toEqual([]);
    expect(companion.poolsOf('1')?.pools).toMatchObject([{ owner: { pid: 812 }, port: 3306, open: 1 }]);
    expect(companion.poolsOf('2')?.pools).toMatchObject([{ open: 2, past: { looks: 6 } }]);
    expect(companion.poolsOf('3')).toBeUndefined();
  });
});
