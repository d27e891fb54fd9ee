import { describe, expect, it } from 'vitest';
import { diagnoseAll } from '../../src/analyze/diagnose-all.js';
import { DEFAULT_THRESHOLDS } from '../../src/analyze/thresholds.js';
import type { Namespace } from '../../src/model/namespace.js';
import type { TableObservation } from '../../src/model/observation.js';
import { diagnosisText } from '../../src/render/diagnose/text.js';
import { PLAIN_NAMES } from '../../src/render/names.js';
import { DiagnosisWatches } from '../../src/watch/diagnosis-of-all.js';
import { all, DB, HOST, into, WEB } from '../support/namespaces.js';
import { type RowSpec, row } from '../support/table-builder.js';

const unread = (pid: number): RowSpec =>
  row({
    local: '10.0.0.1:40000',
    remote: '10.0.0.9:3306',
    cookie: 5,
    queues: [60_000, 0],
    owners: [{ pid, fd: 9, name: 'java' }],
    columns: { inode: 9, lastSentMs: 500, lastReceivedMs: 480, bytesReceived: 90_000 },
  });

function watched(seconds: number, at: (second: number) => readonly TableObservation[]) {
  const watch = new DiagnosisWatches({ thresholds: DEFAULT_THRESHOLDS });
  for (let second = 0; second < seconds; second++) watch.take(all(second * 1000, at(second)));
  return watch;
}

const subjects = (watch: DiagnosisWatches) =>
  diagnoseAll(watch.facts())
    .findings.filter(({ severity }) => severity !== 'info')
    .map(({ rule, namespace, about }) => `${rule} ${namespace?.id} ${about.owner?.pid}`);

describe('a diagnosis of several namespaces', () => {
  it('keeps the same 4-tuple in two of them apart, and names those that are not our own', () => {
    const watch = watched(6, (second) => [
      into(HOST, second * 1000, [unread(1)]),
      into(WEB, second * 1000, []),
      into(DB, second * 1000, [unread(3)]),
    ]);
    expect(subjects(watch)).toEqual(['app_not_reading undefined 1', 'app_not_reading 102 3']);
    const diagnosis = diagnoseAll(watch.facts());
    expect(diagnosis.namespaces).toBe(3);
    const text = [...diagnosisText(diagnosis, PLAIN_NAMES, { color: false, width: 200 })].join('');
    expect(text).toMatch(/^! +java\/1 /m);
    expect(text).toMatch(/^! +netns db: java\/3 /m);
    expect(text).toContain('in 3 network namespaces,');
    // What is missing in all of them is one line.
    expect(text.match(/descriptors of processes are not known/g)).toHaveLength(1);
    expect(text).toContain('(in 3 namespaces)');
  });

  it('one that got the inode of another is another one: nothing is followed from one to the next', () => {
    const look = (second: number, mark: string) => {
      const table = into(DB, second * 1000, [unread(3)], {
        counters: { ActiveOpens: mark === 'c1' ? 500 : 3 },
      });
      return { ...table, origin: { ...table.origin, netnsMark: mark } };
    };
    // Too short for a verdict in either, long enough in both together.
    const split = watched(6, (second) => [look(second, `c${second}`)]);
    expect(subjects(split)).toEqual([]);
    const whole = watched(6, (second) => [look(second, 'c1')]);
    expect(subjects(whole)).toEqual(['app_not_reading 102 3']);
  });

  it('keeps what was found of a namespace, and of the one that was made anew under its name', () => {
    const watch = watched(12, (second) => {
      const mark = second < 6 ? 'c1' : 'c2';
      const table = into(HOST, second * 1000, [unread(mark === 'c1' ? 3 : 4)]);
      return [{ ...table, origin: { ...table.origin, netnsMark: mark } }];
    });
    expect(subjects(watch)).toEqual(['app_not_reading undefined 3', 'app_not_reading undefined 4']);
  });

  it('counts what the kernel counts by namespace for each of them', () => {
    const failing = (namespace: Namespace, second: number) =>
      into(namespace, second * 1000, [], {
        counters: { ActiveOpens: second * 10, AttemptFails: second * 10, EstabResets: 0, OutRsts: 0 },
      });
    const watch = watched(6, (second) => [failing(WEB, second), failing(DB, second)]);
    const refused = diagnoseAll(watch.facts()).findings.filter(({ rule }) => rule === 'connect_refused');
    expect(
      refused.map(({ namespace, message }) => [namespace?.id, /in \d+ namespaces/.test(message)]),
    ).toEqual([
      ['101', false],
      ['102', false],
    ]);
  });

  it('forgets namespaces that went where there are too many, and says so', () => {
    const watch = watched(1100, (second) => [
      into(HOST, second * 1000, []),
      into({ id: `9${second}` }, second * 1000, []),
    ]);
    expect(watch.facts()).toHaveLength(1000);
    expect(watch.gaps).toEqual([
      { what: 'namespaces', why: '101 that went early were forgotten: there are too many' },
    ]);
  });
});
