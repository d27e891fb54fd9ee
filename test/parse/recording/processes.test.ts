import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParseError } from '../../../src/model/errors.js';
import type { Observation, TableObservation } from '../../../src/model/observation.js';
import type { ProcessFacts } from '../../../src/model/processes.js';
import { millis } from '../../../src/model/units.js';
import { RecordingDecoder } from '../../../src/parse/recording/decoder.js';
import { PLAIN_NAMES } from '../../../src/render/names.js';
import { RecordingEncoder } from '../../../src/render/recording/encoder.js';
import { Pseudonyms } from '../../../src/render/redact.js';
import { listen, look } from '../../support/table-builder.js';

const anyCount = fc.nat(500);
const anyMillis = fc.nat(1e9).map(millis);
const anyFacts: fc.Arbitrary<ProcessFacts> = fc
  .record({
    state: fc.constantFrom('R', 'S', 'D', 'T', 't', 'Z'),
    threads: fc.option(
      fc.record({
        threads: anyCount,
        looked: anyCount,
        accepting: anyCount,
        polling: anyCount,
        pollingOne: anyCount,
        parked: anyCount,
        running: anyCount,
        blockedOnDisk: anyCount,
        readingFrom: fc.array(fc.nat(3), { maxLength: 3 }),
      }),
      { nil: undefined },
    ),
    times: fc.option(fc.record({ cpuMs: anyMillis, runWaitMs: anyMillis }), { nil: undefined }),
    throttled: fc.option(fc.record({ times: anyCount, ms: anyMillis }), { nil: undefined }),
  })
  .map(({ state, threads, times, throttled }) => ({
    state,
    ...(threads && { threads }),
    ...times,
    ...(throttled && { throttled }),
  }));
/** Few pids and sockets, so that they come back unchanged. */
const anyProcesses = fc
  .uniqueArray(fc.tuple(fc.nat(4), anyFacts), { selector: ([pid]) => pid, maxLength: 4 })
  .map((list) => new Map(list));

const lookWith = (at: number, processes: TableObservation['processes']) =>
  look(at, [listen('0.0.0.0:443', [3, 8], { inode: 9 })], { ...(processes && { processes }) });

function record(
  looks: readonly TableObservation[],
  names: ConstructorParameters<typeof RecordingEncoder>[0],
) {
  const encoder = new RecordingEncoder(names, '0.1.0', 2500);
  const [first] = looks as [TableObservation];
  return [encoder.head(first.origin).text, ...looks.map((one) => encoder.encode(one)?.text ?? '')];
}

function replay(lines: readonly string[]): Observation[] {
  const decoder = new RecordingDecoder();
  return lines.flatMap((line, index) => {
    const decoded = decoder.decode(line, `line ${index + 1}`);
    return decoded.kind === 'observation' ? [decoded.observation()] : [];
  });
}

const processesOf = (looks: readonly Observation[]) =>
  looks.map((one) => (one.kind === 'table' ? one.processes : undefined));

describe('processes in a recording', () => {
  it('come back as they were at every look', () => {
    fc.assert(
      fc.property(fc.array(anyProcesses, { minLength: 1, maxLength: 6 }), (all) => {
        const looks = all.map((processes, at) => lookWith(1000 * (at + 1), processes));
        expect(processesOf(replay(record(looks, PLAIN_NAMES)))).toEqual(
          all.map((processes) => (processes.size === 0 ? undefined : processes)),
        );
      }),
    );
  });

  it('are not of the look before, nor told again where their sockets are the same', () => {
    const threads = {
      threads: 40,
      looked: 40,
      accepting: 0,
      polling: 0,
      pollingOne: 0,
      parked: 0,
      running: 0,
      blockedOnDisk: 0,
      readingFrom: Array.from({ length: 40 }, (_, n) => 100_000 + n),
    };
    const busy = new Map([[7, { state: 'S', threads, cpuMs: millis(1234.5) }]]);
    const lines = record(
      [lookWith(1000, busy), lookWith(2000, busy), lookWith(2100, undefined), lookWith(2200, busy)],
      PLAIN_NAMES,
    );
    const [one, two, three, four] = processesOf(replay(lines));
    expect(one?.get(7)).toEqual({ state: 'S', threads, cpuMs: 1235 });
    expect(two).toEqual(one);
    expect(three).toBeUndefined();
    expect(four).toEqual(one);
    expect(lines[2]?.length).toBeLessThan((lines[1]?.length ?? 0) - 300);
    expect(lines[2]).not.toContain('100001');
  });

  it('are 16 at most, and tell no names', () => {
    const many = new Map(Array.from({ length: 40 }, (_, pid) => [pid + 1, { state: 'S' }] as const));
    const lines = record([lookWith(1000, many)], new Pseudonyms(undefined, true));
    const [processes] = processesOf(replay(lines));
    expect([...(processes?.keys() ?? [])]).toEqual(Array.from({ length: 16 }, (_, pid) => pid + 1));
  });

  it('are none in a recording that was made before they were written', () => {
    const [looked] = replay(record([lookWith(1000, undefined)], PLAIN_NAMES));
    expect(looked).not.toHaveProperty('processes');
  });

  it.each([
    ['no list', 7],
    ['no pid', [['x', 'S', {}]]],
    ['a state of two letters', [[1, 'SS', {}]]],
    ['an escape as its state', [[1, '\x1b', {}]]],
    ['no fields', [[1, 'S']]],
    ['threads that are no numbers', [[1, 'S', { threads: ['x'] }]]],
    ['a forged number of processes', Array.from({ length: 2000 }, (_, pid) => [pid, 'S', {}])],
  ])('are refused with %s', (_, processes) => {
    const [head = '', key = ''] = record([lookWith(1000, undefined)], PLAIN_NAMES);
    const forged = `${JSON.stringify({ ...JSON.parse(key), processes })}\n`;
    expect(() => replay([head, forged])).toThrow(ParseError);
  });
});
