import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Observation } from '../../src/model/observation.js';
import { monotonicMillis } from '../../src/model/units.js';
import { cpuMillis } from '../support/cpu-time.js';
import { samplesAt } from '../support/samples.js';
import { listen, look, type RowSpec, waiting } from '../support/table-builder.js';
import { Timeline } from './timeline.js';

const listener = fc.record({
  port: fc.integer({ min: 80, max: 82 }),
  inode: fc.integer({ min: 1, max: 4 }),
  length: fc.nat(12),
  backlog: fc.constantFrom(0, 1, 4, 9),
  drops: fc.option(fc.constantFrom(0, 1, 5, 2 ** 32 - 1)),
  waits: fc.option(fc.array(fc.nat(5000), { maxLength: 12 })),
});

type Made = typeof listener extends fc.Arbitrary<infer T> ? T : never;

const toRows = ({ port, inode, length, backlog, drops, waits }: Made): RowSpec[] => [
  listen(`0.0.0.0:${port}`, [length, backlog], { inode, ...(drops !== null && { drops }) }),
  ...(waits ?? []).map((ms, n) => waiting(`10.0.0.1:${port}`, `10.0.0.9:${n + 1}`, ms)),
];

const samples = fc.uniqueArray(
  fc.record({
    key: fc.integer({ min: 1, max: 6 }).map((inode) => `ns:${inode}`),
    lengths: fc.array(fc.nat(12), { minLength: 1, maxLength: 6 }),
    backlog: fc.constantFrom(0, 1, 4, 9),
    drops: fc.array(fc.constantFrom(0, 1, 5, 2 ** 32 - 1), { maxLength: 6 }),
  }),
  { selector: ({ key }) => key, maxLength: 5 },
);

const observation = fc
  .record({
    step: fc.constantFrom(-500, 0, 1, 250, 1000, 70_000),
    listeners: fc.array(listener, { maxLength: 4 }),
    overflows: fc.option(fc.nat(20)),
    opens: fc.nat(500),
    scope: fc.constantFrom('all' as const, 'troubled' as const, 'listeners' as const),
    fails: fc.boolean(),
    sampled: fc.option(samples, { freq: 2 }),
  })
  .map(({ listeners, overflows, opens, scope, step, fails, sampled }) => ({
    step,
    at: (ms: number): Observation => {
      if (fails && step === 250) return { kind: 'gap', origin: look(ms, []).origin, gaps: [] };
      if (sampled !== null) return samplesAt(ms, sampled, { looks: 6 });
      const counters = {
        PassiveOpens: opens,
        ...(overflows !== null && { ListenOverflows: overflows, ListenDrops: overflows }),
      };
      return look(ms, listeners.flatMap(toRows), { scope, counters });
    },
  }));

/** Every number of a value, with its path. */
function numbersOf(value: unknown, path: string): [string, number][] {
  if (typeof value === 'number') return [[path, value]];
  if (typeof value !== 'object' || value === null || path.endsWith('.table')) return [];
  return Object.entries(value).flatMap(([name, part]) => numbersOf(part, `${path}.${name}`));
}

describe('whatever is seen', () => {
  it('no number is negative, NaN or infinite, and every alert that is cleared was raised', () => {
    fc.assert(
      fc.property(fc.array(observation, { maxLength: 12 }), (observations) => {
        const line = new Timeline();
        const open = new Set<string>();
        let ms = 10_000;
        for (const { step, at } of observations) {
          ms = Math.max(0, ms + step);
          const report = line.take(at(ms));
          const { listeners, countersDelta, rates, findings, pace, windowMs } = report;
          const wrong = numbersOf({ listeners, countersDelta, rates, findings, pace, windowMs }, '').filter(
            ([, value]) => !(value >= 0 && value < Number.POSITIVE_INFINITY),
          );
          expect(wrong).toEqual([]);
          for (const { phase, alert, lastedMs = 0 } of report.events) {
            expect(open.has(alert.id)).toBe(phase !== 'raised');
            expect(lastedMs).toBeGreaterThanOrEqual(0);
            if (phase === 'raised') open.add(alert.id);
            if (phase === 'cleared') open.delete(alert.id);
          }
          for (const { id } of report.alerts) expect(open).toContain(id);
          expect(line.state.alerts.size).toBe(open.size);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is left as it was: a state can be stepped again, with the same report', () => {
    fc.assert(
      fc.property(fc.array(observation, { minLength: 2, maxLength: 6 }), (observations) => {
        const line = new Timeline();
        const table = observations.map(({ at }, n) => at(n * 500));
        for (const one of table.slice(0, -1)) line.take(one);
        const before = line.state;
        const last = table.at(-1) as Observation;
        const first = line.take(last);
        line.state = before;
        expect(line.take(last)).toEqual(first);
      }),
    );
  });
});

describe('what is remembered', () => {
  it('is bounded: listeners that come and go are forgotten', () => {
    const line = new Timeline();
    for (let n = 0; n < 500; n++) line.queue(n * 1000, { length: 10, inode: n + 1 });
    expect(line.state.tracks.size).toBeLessThanOrEqual(62);
    expect(line.state.alerts.size).toBeLessThanOrEqual(6);
  });

  it('is little for each listener, however fast the looks', () => {
    const line = new Timeline();
    for (let n = 0; n < 3000; n++) line.queue(n * 20, { length: n % 11 });
    const [track] = [...line.state.tracks.values()];
    expect(track?.history.length).toBeLessThanOrEqual(602);
    expect(track?.episodes.length).toBeLessThanOrEqual(100);
  });

  it('starts anew with the clock, and keeps its alerts', () => {
    const line = new Timeline();
    line.queue(50_000, { length: 10 });
    const origin = { ...look(0, []).origin, monotonic: monotonicMillis(0) };
    const report = line.take({ ...look(0, [listen('0.0.0.0:443', [10, 9], { inode: 7 })]), origin });
    expect(report).not.toHaveProperty('windowMs');
    expect(report.events).toEqual([]);
    expect(report.alerts).toHaveLength(1);
  });
});

it('10,000 listeners take little time', () => {
  const line = new Timeline();
  const rows = Array.from({ length: 10_000 }, (_, n) =>
    listen(`10.0.${n >> 8}.${n & 255}:80`, [n % 3, 128], { inode: n + 1, drops: n }),
  );
  // The best of several: the first finds nothing compiled.
  const times = [0, 1, 2, 3].map((n) => {
    const observation = look(n * 1000, rows, { counters: { ListenOverflows: n, PassiveOpens: n * 5 } });
    const started = cpuMillis();
    expect(line.take(observation).listeners).toHaveLength(10_000);
    return cpuMillis() - started;
  });
  expect(Math.min(...times)).toBeLessThan(1000);
});
