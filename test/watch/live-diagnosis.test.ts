import { describe, expect, it } from 'vitest';
import type { ClosedGroup } from '../../src/model/closed.js';
import { LiveDiagnosis } from '../../src/watch/live-diagnosis.js';
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

  it('forgets what was long ago: connects that were given up a minute before', () => {
    const timeline = new Timeline({ companion: new LiveDiagnosis() });
    const trying = (cookie: number) =>
      connection({
        state: 'syn-sent',
        cookie,
        queues: [0, 1],
        columns: { timerKind: 0, timerMs: 500, timerRetransmits: 1 },
      });
    const open = (second: number) =>
      alertTexts(timeline.look(second * 1000, { rows: second < 10 ? [trying(100 + (second >> 1))] : [] }));
    const seen = Array.from({ length: 120 }, (_, second) => open(second));
    expect(seen[9]).toEqual(['critical connect_timeout']);
    expect(seen[119]).toEqual([]);
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
    expect(companion.poolsOf('1')).toMatchObject([{ owner: { pid: 812 }, port: 3306, open: 1 }]);
    expect(companion.poolsOf('2')).toMatchObject([{ open: 2, past: { looks: 6 } }]);
    expect(companion.poolsOf('3')).toBeUndefined();
  });
});
