import { describe, expect, it } from 'vitest';
import { parseRange } from '../../src/analyze/ranges.js';
import { DEFAULT_THRESHOLDS } from '../../src/analyze/thresholds.js';
import type { CheckItem, Measure, Status } from '../../src/model/check.js';
import type { CheckState } from '../../src/model/check-state.js';
import type { TableObservation } from '../../src/model/observation.js';
import {
  AT_ONCE,
  compareRuns,
  judgeMeasures,
  keptCounters,
  keptListeners,
  newsOf,
  nextHistory,
} from '../../src/watch/check-memory.js';
import { startWatch, step } from '../../src/watch/step.js';
import { listen, look, type RowSpec } from '../support/table-builder.js';

const COUNTERS = { ListenOverflows: 10, ListenDrops: 10, PassiveOpens: 5, ActiveOpens: 1 };

function seen(atMs: number, rows: RowSpec[], counters: Record<string, number>, origin: object = {}) {
  const plain = look(atMs, rows, { counters });
  const observation: TableObservation = { ...plain, origin: { ...plain.origin, bootId: 'b1', ...origin } };
  const { report } = step(startWatch({ thresholds: DEFAULT_THRESHOLDS, oneLook: true }), observation);
  return { observation, report };
}

function stateOf({ observation, report }: ReturnType<typeof seen>): CheckState {
  const { bootId, netns, time, monotonic } = observation.origin;
  return {
    check: 'x',
    ...(bootId !== undefined && { bootId }),
    ...(netns !== undefined && { netns }),
    time,
    monotonic,
    counters: keptCounters(observation.counters),
    listeners: keptListeners(report.listeners),
    history: new Map(),
  };
}

const dropsOf = (since: ReturnType<typeof compareRuns>) =>
  typeof since === 'object' ? [...since.drops] : since;

const compare = (before: CheckState | undefined, { observation, report }: ReturnType<typeof seen>) =>
  compareRuns(before, observation.origin, observation.counters, report.listeners);

const port443 = (drops: number, rest: RowSpec = {}, inode = 1) =>
  listen('0.0.0.0:443', [0, 8], { inode, drops }, rest);

describe('what happened between two runs', () => {
  const before = stateOf(seen(1000, [port443(5)], COUNTERS));

  it('counters and drops of the same socket are compared', () => {
    const since = compare(before, seen(61_000, [port443(9)], { ...COUNTERS, ListenOverflows: 12 }));
    expect(since).toMatchObject({ windowMs: 60_000, counters: { ListenOverflows: 2, ListenDrops: 0 } });
    expect(dropsOf(since)).toEqual([['ns:1', 4]]);
  });

  it.each([
    ['no state', undefined, {}, undefined],
    ['another boot', before, { origin: { bootId: 'b2' } }, 'another boot'],
    ['another namespace', before, { origin: { netns: 'other' } }, 'another network namespace'],
    ['a state from the future', { ...before, monotonic: 1e9 }, {}, 'from the future'],
    ['a counter that went down', before, { counters: { ...COUNTERS, ListenOverflows: 9 } }, 'gone down'],
  ])(
    '%s: a baseline, never a false alarm',
    (_name, state, {
      counters = COUNTERS,
      origin = {},
    }: { counters?: typeof COUNTERS; origin?: object }, why) => {
      const result = compare(state, seen(61_000, [port443(9)], counters, origin));
      if (why === undefined) expect(result).toBeUndefined();
      else expect(result).toContain(why);
    },
  );

  it('a listener that was restarted counts from 0, also with the inode of the old one', () => {
    const withCookie = stateOf(seen(1000, [port443(500, { cookie: 7 })], COUNTERS));
    const since = compare(withCookie, seen(2000, [port443(3, { cookie: 8 })], COUNTERS));
    expect(dropsOf(since)).toEqual([['ns:1', 3]]);
  });

  it('a counter of 32 bits that wrapped has not gone down', () => {
    const high = stateOf(seen(1000, [port443(2 ** 32 - 2)], COUNTERS));
    const since = compare(high, seen(2000, [port443(3)], COUNTERS));
    expect(dropsOf(since)).toEqual([['ns:1', 5]]);
  });
});

const measureOf = (value: number, rest: Partial<Measure> = {}): Measure => ({
  metric: 'accept-queue',
  subject: '0.0.0.0:443',
  value,
  capacity: 100,
  text: 'x',
  ...rest,
});
const limits = { warning: parseRange('@70:', 'w'), critical: parseRange('@90:', 'c') };
const judged = (
  measure: Measure,
  history: CheckState['history'] = new Map(),
  persistence = AT_ONCE,
  isPercent = true,
) => judgeMeasures([measure], () => ({ limits, isPercent }), history, persistence)[0] as CheckItem;

describe('judging', () => {
  it('percentages of the capacity, or the value itself', () => {
    expect([69, 70, 89, 90, 200].map((value) => judged(measureOf(value)).status)).toEqual([
      'ok',
      'warning',
      'warning',
      'critical',
      'critical',
    ]);
    expect(judged(measureOf(75, { capacity: 1000 })).status).toBe('ok');
    expect(judged(measureOf(75, { capacity: 1000 }), new Map(), AT_ONCE, false).status).toBe('warning');
  });

  it('what could not be measured is unknown, and without a capacity there is no percentage', () => {
    expect(judged({ metric: 'orphans', subject: '', text: 'x', unknown: 'no' }).status).toBe('unknown');
    expect(judged({ metric: 'accept-queue', subject: '', text: 'x', value: 5 }).status).toBe('unknown');
    expect(judged({ metric: 'overflows', subject: '', text: 'no run yet' }).status).toBe('ok');
  });

  it('--for 2/3: after two of the last three runs, each measure for itself', () => {
    const persistence = { least: 2, of: 3 };
    let history: CheckState['history'] = new Map();
    const statuses: [Status, Status][] = [];
    for (const value of [95, 10, 95, 75, 10, 10]) {
      const item = judged(measureOf(value), history, persistence);
      statuses.push([item.raw, item.status]);
      history = nextHistory([item], history, persistence);
    }
    expect(statuses).toEqual([
      ['critical', 'ok'],
      ['ok', 'ok'],
      ['critical', 'critical'],
      // One critical and one warning of the last three: two were at least a warning.
      ['warning', 'warning'],
      ['ok', 'warning'],
      ['ok', 'ok'],
    ]);
    expect(history.size).toBe(1);
    const other = judged(measureOf(95, { subject: 'other' }), history, persistence);
    expect(other.status).toBe('ok');
  });
});

describe('news', () => {
  const trouble = (value: number, subject = '0.0.0.0:443') => [judged(measureOf(value, { subject }))];
  const MINUTE = 60_000;

  it('is told when it changes, after the time of --renotify, and once when it is over', () => {
    let told: CheckState['told'];
    const say = (items: CheckItem[], minute: number) => {
      const result = newsOf(items, told, minute * MINUTE, 30 * MINUTE);
      told = result.told;
      return result.news;
    };
    expect(say(trouble(10), 0)).toBe('none');
    expect(say(trouble(95), 1)).toBe('changed');
    expect(say(trouble(99), 2)).toBe('unchanged');
    expect(say(trouble(75), 3)).toBe('changed');
    expect(say([...trouble(75), ...trouble(75, 'other')], 4)).toBe('changed');
    expect(say([...trouble(75), ...trouble(75, 'other')], 33)).toBe('unchanged');
    expect(say([...trouble(75), ...trouble(75, 'other')], 34)).toBe('repeated');
    expect(say([...trouble(75), ...trouble(75, 'other')], 35)).toBe('unchanged');
    expect(say(trouble(10), 36)).toBe('recovered');
    expect(say(trouble(10), 37)).toBe('none');
  });

  it('a clock that went back does not silence a problem', () => {
    const { told } = newsOf(trouble(95), undefined, 1e9, 30 * MINUTE);
    expect(newsOf(trouble(95), told, 1000, 30 * MINUTE).news).toBe('repeated');
  });
});
