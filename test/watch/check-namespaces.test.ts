import { describe, expect, it } from 'vitest';
import { DEFAULT_THRESHOLDS } from '../../src/analyze/thresholds.js';
import { CheckBaseline, stateOf } from '../../src/cli/check-baseline.js';
import type { CheckState } from '../../src/model/check-state.js';
import type { Namespace } from '../../src/model/namespace.js';
import type { NamespacesObservation, TableObservation } from '../../src/model/observation.js';
import { formatCheckState, parseCheckState } from '../../src/parse/check-state.js';
import { startWatch, step } from '../../src/watch/step.js';
import { all, DB, HOST, into, WEB } from '../support/namespaces.js';
import { listen } from '../support/table-builder.js';

const SIGHT = 'pid:1 run:2:3';

interface Seen {
  readonly namespace: Namespace;
  readonly overflows: number;
  readonly drops?: number;
  readonly mark?: string;
}

/** One look of a run: a listener with the same inode in each namespace. */
function lookAt(
  atMs: number,
  seen: readonly Seen[],
  rest: Partial<NamespacesObservation> & { boot?: string } = {},
) {
  const { boot = 'b1', ...others } = rest;
  const looks = seen.map(({ namespace, overflows, drops = 0, mark }): TableObservation => {
    const rows = [listen('0.0.0.0:443', [0, 8], { inode: 1, drops })];
    const table = into(namespace, atMs, rows, { counters: { ListenOverflows: overflows } });
    return {
      ...table,
      origin: { ...table.origin, bootId: boot, ...(mark !== undefined && { netnsMark: mark }) },
    };
  });
  const observation = all(atMs, looks, { sight: SIGHT, ...others });
  return { ...observation, origin: { ...observation.origin, bootId: boot } };
}

/** What a run with one look says: of each namespace since the run before, and what it leaves for the next. */
function run(before: CheckState | undefined, observation: NamespacesObservation) {
  const watch = startWatch({ thresholds: DEFAULT_THRESHOLDS, oneLook: true });
  const { state, report } = step(watch, observation);
  const baseline = new CheckBaseline(before, false);
  baseline.begin(report, observation);
  const since = new Map(
    [...(state.namespaces ?? [])].map(([id, one]) => {
      if (one.report === undefined) throw new Error(`no report of ${id}`);
      const { counters, isNew, drops } = baseline.sinceIn(one.report, observation.sight) ?? {};
      return [id, counters && { overflows: counters.ListenOverflows, isNew, drops: [...(drops ?? [])] }];
    }),
  );
  const left = parseCheckState(formatCheckState(stateOf(report, observation, 'x')));
  return { since, left, news: baseline.newsOf(observation) };
}

const host = { namespace: HOST, overflows: 100, mark: 'c3' };
const web = { namespace: WEB, overflows: 5, drops: 5, mark: 'c7' };

describe('a check of all namespaces, against its run before', () => {
  const { left: before } = run(undefined, lookAt(1000, [host, web]));

  it('keeps each namespace with its names, mark and counters', () => {
    expect(before.sight).toBe(SIGHT);
    expect(before.namespaces?.get('101')).toEqual({
      namespace: WEB,
      mark: 'c7',
      counters: { ListenOverflows: 5 },
    });
  });

  it('one that came since is compared with zero, and is said to be new; one that went is named', () => {
    const { since, news } = run(
      before,
      lookAt(61_000, [host, { namespace: DB, overflows: 9, drops: 9, mark: 'c8' }]),
    );
    expect(since.get('102')).toEqual({ overflows: 9, isNew: true, drops: [['102:1', 9]] });
    expect(since.get('ns')).toMatchObject({ overflows: 0, isNew: undefined });
    expect(news).toMatchObject({
      came: [DB],
      went: [{ id: '101', name: 'web', unit: 'web.service' }],
      notes: [],
    });
  });

  it('one that got the inode of another is new too: nothing of the other is subtracted', () => {
    const { since, news } = run(
      before,
      lookAt(61_000, [host, { ...web, mark: 'c9', overflows: 6, drops: 6 }]),
    );
    expect(since.get('101')).toEqual({ overflows: 6, isNew: true, drops: [['101:1', 6]] });
    expect(news?.came).toEqual([WEB]);
    expect(news?.went).toEqual([WEB]);
  });

  it('the same one is compared with itself', () => {
    const { since, news } = run(before, lookAt(61_000, [host, { ...web, overflows: 6, drops: 7 }]));
    expect(since.get('101')).toEqual({ overflows: 1, isNew: undefined, drops: [['101:1', 2]] });
    expect(news).toMatchObject({ came: [], went: [] });
  });

  it.each([
    ['another pid namespace', { sight: 'pid:9 run:2:3' }],
    ['processes that could not be seen', { sight: undefined }],
  ])('%s now: one that is new to the state is a baseline, and none is said to be gone', (_name, rest) => {
    const { since, news } = run(before, {
      ...lookAt(61_000, [host, { namespace: DB, overflows: 9 }]),
      ...rest,
    } as NamespacesObservation);
    expect(since.get('102')).toBeUndefined();
    expect(news).toMatchObject({ came: [], went: [] });
    expect(news?.notes[0]).toMatch(/^1 namespace the run before did not see, but may have been there/);
  });

  it('processes that the run before could not see: the same', () => {
    const { sight: _, ...blind } = before;
    const { since } = run(blind, lookAt(61_000, [host, { namespace: DB, overflows: 9 }]));
    expect(since.get('102')).toBeUndefined();
  });

  it('another boot: nothing is compared', () => {
    const { since, news } = run(
      before,
      lookAt(61_000, [host, { namespace: DB, overflows: 9 }], { boot: 'b2' }),
    );
    expect([...since.values()]).toEqual([undefined, undefined]);
    expect(news).toBeUndefined();
  });

  it('one that was found and could not be read then was there all the same', () => {
    const { left } = run(undefined, lookAt(1000, [host], { unread: [DB] }));
    const { since, news } = run(left, lookAt(61_000, [host, { namespace: DB, overflows: 9, mark: 'c8' }]));
    expect(since.get('102')).toBeUndefined();
    expect(news).toMatchObject({ came: [], went: [] });
  });

  it('without marks: a counter that fell is of another one; else it is said that the inode is all there is', () => {
    const unmarked = { namespace: WEB, overflows: 5, drops: 5 };
    const { left } = run(undefined, lookAt(1000, [unmarked]));
    expect(run(left, lookAt(61_000, [{ ...unmarked, overflows: 2, drops: 2 }])).since.get('101')).toEqual({
      overflows: 2,
      isNew: true,
      drops: [['101:1', 2]],
    });
    const same = run(left, lookAt(61_000, [{ ...unmarked, overflows: 6 }]));
    expect(same.since.get('101')).toMatchObject({ overflows: 1, isNew: undefined });
    expect(same.news?.notes).toEqual([expect.stringMatching(/^1 namespace known by inode alone/)]);
  });

  const OTHER: Namespace = { id: '103', name: 'db' };

  it('of some of them: one that nobody asked for is known to have been there, and is no news', () => {
    const { left } = run(undefined, lookAt(1000, [web], { others: [HOST, OTHER] }));
    expect(left.namespaces?.get('103')).toEqual({ namespace: OTHER, isOther: true });
    const db = { namespace: DB, overflows: 9, drops: 9, mark: 'c8' };
    const made = run(left, lookAt(61_000, [web, db], { others: [HOST] }));
    expect(made.since.get('102')).toEqual({ overflows: 9, isNew: true, drops: [['102:1', 9]] });
    expect(made.news).toEqual({ came: [DB], went: [], notes: [] });
    // Its name means another one now, which was there before: nothing is known of what it counted.
    const renamed = { ...db, namespace: { id: '103', name: 'db' } };
    const moved = run(left, lookAt(61_000, [renamed], { others: [HOST, WEB] }));
    expect(moved.since.get('103')).toBeUndefined();
    expect(moved.news).toEqual({
      came: [],
      went: [],
      notes: ['1 namespace that the run before saw, but did not look into: a new baseline'],
    });
    const gone = run(left, lookAt(61_000, [renamed], { others: [HOST] }));
    expect(gone.news?.went).toEqual([WEB]);
    // Its inode is that of another one now.
    const reused = run(left, lookAt(61_000, [renamed], { others: [HOST, { id: WEB.id, name: 'cache' }] }));
    expect(reused.news?.went).toEqual([WEB]);
  });

  it('a mark of another kind says nothing', () => {
    const { since } = run(before, lookAt(61_000, [host, { ...web, mark: 'm5', overflows: 6 }]));
    expect(since.get('101')).toMatchObject({ overflows: 1, isNew: undefined });
  });
});
