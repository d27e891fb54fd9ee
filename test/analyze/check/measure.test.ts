import { describe, expect, it } from 'vitest';
import { type CheckWish, measure, mergeLooks } from '../../../src/analyze/check/measure.js';
import { parsePlace } from '../../../src/analyze/check/selection.js';
import { DEFAULT_THRESHOLDS } from '../../../src/analyze/thresholds.js';
import type { Metric } from '../../../src/model/check.js';
import type { Since } from '../../../src/model/check-look.js';
import type { HostFacts } from '../../../src/model/host-facts.js';
import type { SocketTable } from '../../../src/model/table.js';
import { startWatch, step } from '../../../src/watch/step.js';
import { samplesAt } from '../../support/samples.js';
import { buildTable, listen, look as lookAt, row, waiting } from '../../support/table-builder.js';
import { Timeline } from '../../watch/timeline.js';

const wishFor = (metrics: Metric[], rest: Partial<CheckWish> = {}): CheckWish => ({
  metrics,
  selection: { places: [] },
  expect: [],
  by: 'total',
  ...rest,
});

function look(table: SocketTable, facts: HostFacts = {}, since?: Since) {
  const { report } = step(startWatch({ thresholds: DEFAULT_THRESHOLDS, oneLook: true }), lookAt(1000, table));
  return { report, facts, since };
}

const told = (table: SocketTable, wish: CheckWish, facts?: HostFacts, since?: Since) =>
  measure(look(table, facts, since), wish).map(({ subject, value, text }) => [subject, value, text]);

const nginx = { pid: 812, name: 'nginx', fd: 6 };
const java = { pid: 7, name: 'java', fd: 9 };

describe('what a check measures', () => {
  it('accept queues: capacity is one more than the backlog, a reuseport group is its fullest member', () => {
    const table = buildTable([
      listen('0.0.0.0:443', [129, 128], { inode: 1 }),
      listen('127.0.0.1:80', [0, 4], { inode: 2 }),
      listen('0.0.0.0:90', [1, 9], { inode: 3 }),
      listen('0.0.0.0:90', [5, 9], { inode: 4 }),
    ]);
    expect(measure(look(table), wishFor(['accept-queue']))).toMatchObject([
      { subject: '0.0.0.0:443', value: 129, capacity: 129 },
      { subject: '0.0.0.0:90', value: 5, capacity: 10 },
      { subject: '127.0.0.1:80', value: 0, capacity: 5 },
    ]);
  });

  it('accept queues that were higher between two looks: in how many of the samples they were full', () => {
    const textOf = (lengths: readonly number[]) => {
      const line = new Timeline();
      const queue = { length: 0, backlog: 4 };
      line.queue(0, queue);
      line.take(samplesAt(1000, { key: 'ns:7', lengths, backlog: 4 }));
      const report = line.queue(1000, queue);
      return measure({ report, facts: {}, since: undefined }, wishFor(['accept-queue']))[0]?.text;
    };
    const empty = Array.from({ length: 101 }, () => 0);
    const every = '102 samples, 10 ms apart (10 ms at most)';
    expect(textOf([...empty, 5])).toBe(`accept queue at 5/5 (100%) for a moment, full in 1 of ${every}`);
    expect(textOf([...empty, 4])).toBe(`accept queue at 4/5 (80%) for a moment, in ${every}`);
  });

  it('only what was selected; what was named and is not there is unknown, once', () => {
    const table = buildTable([
      listen('10.0.0.1:443', [1, 8], { inode: 1 }),
      listen('0.0.0.0:80', [0, 8], { inode: 2 }),
    ]);
    const at = (text: string) =>
      wishFor(['accept-queue', 'oldest-wait'], { selection: { places: [parsePlace(text, 'x')] } });
    expect(told(table, at('443')).map(([subject]) => subject)).toContain('10.0.0.1:443');
    expect(told(table, at('10.0.0.1:443'))[0]?.[1]).toBe(1);
    expect(measure(look(table), at('10.0.0.2:443'))).toMatchObject([{ unknown: 'no such listener' }]);
  });

  it('how long the oldest connection has waited', () => {
    const table = buildTable([
      listen('0.0.0.0:443', [2, 8], { inode: 1 }),
      waiting('10.0.0.1:443', '10.0.0.9:1000', 1200),
      waiting('10.0.0.1:443', '10.0.0.9:1001', 300),
    ]);
    expect(told(table, wishFor(['oldest-wait']))).toEqual([
      ['0.0.0.0:443', 1.2, 'oldest connection has waited 1.2 s for accept()'],
    ]);
  });

  it('overflows since the last run name a listener only where its drops fit', () => {
    const table = buildTable([
      listen('0.0.0.0:443', [9, 8], { inode: 1, drops: 5 }),
      listen('0.0.0.0:80', [0, 8], { inode: 2, drops: 0 }),
    ]);
    const [first, second] = look(table).report.listeners.map(({ listener }) => listener.key);
    const since = (drops: [string | undefined, number][]): Since => ({
      windowMs: 60_000,
      counters: { ListenOverflows: 3 },
      drops: new Map(drops.map(([key, value]) => [key ?? '', value])),
    });
    const overflows = wishFor(['overflows']);
    expect(told(table, overflows)).toEqual([['', undefined, 'no run to compare with']]);
    expect(told(table, overflows, {}, since([[first, 4]]))).toEqual([
      ['', 3, '3 accept-queue overflows in 60.0 s at 0.0.0.0:443'],
    ]);
    expect(
      told(
        table,
        overflows,
        {},
        since([
          [first, 4],
          [second, 1],
        ]),
      )[0]?.[2],
    ).toBe('3 accept-queue overflows in 60.0 s; segments were dropped by 0.0.0.0:443, 0.0.0.0:80');
    // One drop cannot be three overflows.
    expect(told(table, overflows, {}, since([[second, 1]]))[0]?.[2]).not.toContain(' at ');
  });

  it('listeners that must be there, and who must hold them', () => {
    const table = buildTable([listen('0.0.0.0:443', [0, 8], { inode: 1 }, { owners: [nginx] })]);
    const expecting = (text: string) =>
      wishFor(['listener'], { expect: [parsePlace(text, 'x', { withProcess: true })] });
    expect(told(table, expecting('443'))).toEqual([['443', 1, '443 listens']]);
    expect(told(table, expecting('443=nginx'))[0]?.[1]).toBe(1);
    expect(told(table, expecting('443=apache'))).toEqual([
      ['443=apache', 0, '443=apache listens, but nginx holds it'],
    ]);
    expect(told(table, expecting('8080'))).toEqual([['8080', 0, 'nothing listens at 8080']]);
  });

  it('CLOSE-WAIT of a process; those that wait in an accept queue are no leak', () => {
    const table = buildTable([
      listen('0.0.0.0:443', [1, 8], { inode: 1 }),
      ...[1, 2, 3].map((port) =>
        row({
          state: 'close-wait',
          local: '10.0.0.1:443',
          remote: `10.0.0.9:${port}`,
          owners: [java],
          columns: { inode: 100 + port, lastAckMs: port * 1000 },
        }),
      ),
      row({ state: 'close-wait', local: '10.0.0.1:443', remote: '10.0.0.9:9', columns: { inode: 0 } }),
    ]);
    expect(told(table, wishFor(['close-wait', 'close-wait-age']))).toEqual([
      ['java', 3, 'java/7 has not closed 3 connections that the peer has closed'],
      ['java', 3, 'oldest CLOSE-WAIT of java/7 is at least 3.0 s old'],
    ]);
  });

  it('ephemeral ports per source and destination, TIME-WAIT included, inbound left out', () => {
    const out = (port: number, state: 'established' | 'time-wait', remote = '10.0.0.9:3306') =>
      row({ state, local: `10.0.0.1:${port}`, remote, columns: { inode: port } });
    const table = buildTable([
      listen('0.0.0.0:40000', [0, 8], { inode: 1 }),
      out(40001, 'established'),
      out(40002, 'time-wait'),
      out(40003, 'established', '10.0.0.8:3306'),
      row({ local: '10.0.0.1:40000', remote: '10.0.0.7:5000', columns: { inode: 9 } }),
    ]);
    const facts = { portRange: [40_000, 40_009] as const, reservedPorts: 2 };
    expect(measure(look(table, facts), wishFor(['ephemeral-ports']))).toMatchObject([
      { subject: '10.0.0.1>10.0.0.9:3306', value: 2, capacity: 8 },
      { subject: '10.0.0.1>10.0.0.8:3306', value: 1, capacity: 8 },
    ]);
    expect(measure(look(table), wishFor(['ephemeral-ports']))[0]?.unknown).toBe('no range');
  });

  it('connections by what was asked, and pools', () => {
    const table = buildTable([
      listen('0.0.0.0:443', [0, 8], { inode: 1 }),
      row({ local: '10.0.0.1:443', remote: '10.0.0.9:1000', owners: [nginx], columns: { inode: 2 } }),
      row({ local: '10.0.0.1:40001', remote: '10.0.0.5:3306', owners: [java], columns: { inode: 3 } }),
      row({ local: '10.0.0.1:40002', remote: '10.0.0.5:3306', owners: [java], columns: { inode: 4 } }),
    ]);
    const by = (key: CheckWish['by']) =>
      told(table, wishFor(['connections'], { by: key })).map((one) => one.slice(0, 2));
    expect(by('total')).toEqual([['', 3]]);
    expect(by('process')).toEqual([
      ['nginx', 1],
      ['java', 2],
    ]);
    expect(by('remote')).toEqual([
      ['10.0.0.9', 1],
      ['10.0.0.5', 2],
    ]);
    expect(by('listener')).toEqual([['443', 1]]);
    expect(told(table, wishFor(['pool']))).toEqual([
      ['java>10.0.0.5:3306', 2, 'java/7 has 2 connections to 10.0.0.5:3306'],
    ]);
  });

  it('connects that were retried, per destination', () => {
    const sent = (port: number, timerRetransmits: number) =>
      row({
        state: 'syn-sent',
        local: `10.0.0.1:${port}`,
        remote: '10.0.0.5:80',
        columns: { inode: port, timerKind: 0, timerMs: 500, timerRetransmits },
      });
    const table = buildTable([sent(40001, 0), sent(40002, 1), sent(40003, 4)]);
    expect(told(table, wishFor(['syn-retries']))).toEqual([
      ['10.0.0.5:80', 2, '2 connects to 10.0.0.5:80 unanswered after a retry'],
    ]);
  });

  it('numbers of sockstat; what cannot be read is unknown, not 0', () => {
    const facts: HostFacts = { timeWait: 5, orphans: 2, memoryPages: 90, memoryLimits: [50, 100, 200] };
    const metrics: Metric[] = ['time-wait', 'orphans', 'tcp-memory'];
    expect(measure(look(buildTable([]), facts), wishFor(metrics))).toMatchObject([
      { value: 5 },
      { value: 2 },
      { value: 90, capacity: 100 },
    ]);
    for (const one of measure(look(buildTable([])), wishFor(metrics)))
      expect(one.unknown).toBe('could not be read');
  });

  it('of several looks the highest counts', () => {
    const looks = [1, 7, 3].map((length) =>
      measure(
        look(buildTable([listen('0.0.0.0:443', [length, 8], { inode: 1 })])),
        wishFor(['accept-queue']),
      ),
    );
    expect(mergeLooks(looks)).toMatchObject([{ value: 7 }]);
  });

  it('a listener that any look has seen is not missing, whether it came or went', () => {
    const place = { selection: { places: [parsePlace('443', 'x')] } };
    const seenBy = (isThere: boolean) =>
      measure(
        look(buildTable(isThere ? [listen('0.0.0.0:443', [1, 8], { inode: 1 })] : [])),
        wishFor(['accept-queue', 'overflows'], place),
      );
    const accepting = (...there: boolean[]) =>
      mergeLooks(there.map(seenBy)).filter(({ metric }) => metric === 'accept-queue');
    for (const there of [
      [false, true],
      [true, false],
    ])
      expect(accepting(...there)).toMatchObject([{ subject: '0.0.0.0:443', value: 1 }]);
    expect(accepting(false, false)).toMatchObject([{ subject: '443', unknown: 'no such listener' }]);
  });
});
