import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countYounger, followAcceptor, IDLE } from '../../src/watch/acceptor.js';
import { countNew } from '../../src/watch/arrivals.js';
import { addEpisode, type Episode, shortBursts } from '../../src/watch/bursts.js';
import { counterDeltas, dropDelta } from '../../src/watch/counters.js';
import { addPoint, type History, peakOf, timeToFull } from '../../src/watch/history.js';
import { attributeOverflows, NO_OVERFLOWS } from '../../src/watch/overflows.js';

describe('counters', () => {
  it('rise; what is new has no rise', () => {
    expect(
      counterDeltas(
        { ListenOverflows: 3, PassiveOpens: 10 },
        { ListenOverflows: 5, PassiveOpens: 10, New: 1 },
      ),
    ).toEqual({ ListenOverflows: 2, PassiveOpens: 0 });
  });

  it('that fell are of another kernel or namespace: a baseline; a gauge may fall', () => {
    expect(counterDeltas({ ListenOverflows: 3 }, { ListenOverflows: 2 })).toBeUndefined();
    expect(
      counterDeltas({ PassiveOpens: 3, ListenOverflows: 0 }, { PassiveOpens: 2, ListenOverflows: 9 }),
    ).toBeUndefined();
    expect(counterDeltas({ CurrEstab: 9, PassiveOpens: 1 }, { CurrEstab: 4, PassiveOpens: 2 })).toEqual({
      PassiveOpens: 1,
    });
    expect(counterDeltas(undefined, { ListenOverflows: 2 })).toBeUndefined();
  });

  it.each([
    [3, 5, 2],
    [5, 5, 0],
    [2 ** 32 - 2, 3, 5],
    [500, 3, undefined],
    [undefined, 3, undefined],
    [3, undefined, undefined],
  ])('of a socket: from %s to %s rose by %s', (before, now, delta) => {
    expect(dropDelta(before, now)).toBe(delta);
  });
});

describe('attribution of overflows', () => {
  const attribute = (overflows: number | undefined, drops: Record<string, number>, state = NO_OVERFLOWS) =>
    attributeOverflows(state, overflows, new Map(Object.entries(drops)));

  it.each([
    [3, { a: 3 }],
    [3, { a: 6 }],
  ])('%i with drops %j is of the only one that dropped', (overflows, drops) => {
    expect(attribute(overflows, drops)).toMatchObject({ holder: { key: 'a', overflows }, unattributed: 0 });
  });

  it.each([
    ['fewer drops than overflows', 3, { a: 2 }],
    ['more than two for each', 3, { a: 7 }],
    ['two that dropped', 3, { a: 2, b: 1 }],
    ['none that dropped', 3, {}],
  ])('%s: nobody is named', (_, overflows, drops) => {
    const { holder, unattributed, droppers } = attribute(overflows, drops as Record<string, number>);
    expect(holder).toBeUndefined();
    expect(unattributed).toBe(overflows);
    expect(droppers).toEqual(Object.keys(drops));
  });

  it('no overflow, or no counter: nothing to attribute', () => {
    expect(attribute(0, { a: 3 })).toMatchObject({ unattributed: 0 });
    expect(attribute(0, { a: 3 })).not.toHaveProperty('holder');
    expect(attribute(undefined, { a: 3 })).toMatchObject({ unattributed: 0, state: NO_OVERFLOWS });
  });

  it('takes two windows together, for the counters are read after the sockets', () => {
    const first = attribute(3, { a: 2 });
    expect(attribute(2, { a: 3 }, first.state)).toMatchObject({ holder: { key: 'a' } });
    expect(attribute(0, { a: 1 }, first.state)).toMatchObject({ holder: { key: 'a', overflows: 3 } });
    expect(attribute(4, { b: 3 }, first.state).holder).toBeUndefined();
  });

  it('goes on with the same listener while it is the only one that drops', () => {
    const { state } = attribute(5, { a: 5 });
    expect(attribute(6, { a: 5 }, state).holder).toEqual({ key: 'a', overflows: 5 });
    expect(attribute(6, { b: 5 }, state).holder).toBeUndefined();
    expect(attribute(6, { a: 5, b: 1 }, state).holder).toBeUndefined();
  });

  it('does not depend on the order of the listeners', () => {
    const drops = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 9 })));
    fc.assert(
      fc.property(fc.nat(20), drops, (overflows, entries) => {
        const forward = attributeOverflows(NO_OVERFLOWS, overflows, new Map(entries));
        const sorted = new Map([...new Map(entries)].reverse());
        expect(attributeOverflows(NO_OVERFLOWS, overflows, sorted)).toEqual(forward);
        expect((forward.holder?.overflows ?? 0) + forward.unattributed).toBe(overflows);
      }),
    );
  });
});

describe('signs of accept()', () => {
  const ages = (...values: number[]) => Float64Array.from(values);
  /** Two looks, 1 s apart. */
  const after = (
    before: { length: number; waits?: Float64Array },
    now: { length: number; waits?: Float64Array; passiveOpens?: number },
  ) => {
    const first = followAcceptor(IDLE, undefined, { monotonic: 0, ...before });
    return followAcceptor(first, { monotonic: 0, length: before.length }, { monotonic: 1000, ...now });
  };

  it('a shorter queue', () => {
    expect(after({ length: 5 }, { length: 4 })).toMatchObject({ accepts: true, stalledWindows: 0 });
  });

  it('none while the head stays', () => {
    const stalled = after({ length: 2, waits: ages(300, 100) }, { length: 2, waits: ages(1300, 1100) });
    expect(stalled).toMatchObject({ accepts: false, stalledWindows: 1, stalledSince: 0 });
    const grown = after({ length: 2, waits: ages(300, 100) }, { length: 3, waits: ages(1300, 1100, 400) });
    expect(grown).toMatchObject({ stalledWindows: 1 });
  });

  it('as many places, and a newcomer: one was accepted, though heads of one age look alike', () => {
    const slow = after(
      { length: 3, waits: ages(300, 300, 299) },
      { length: 3, waits: ages(1300, 1299, 500) },
    );
    expect(slow).toMatchObject({ accepts: true, stalledWindows: 0 });
  });

  it('a head that reset proves neither', () => {
    const reset = after({ length: 2, waits: ages(900, 100) }, { length: 2, waits: ages(1100) });
    expect(reset).toMatchObject({ accepts: false, stalledWindows: 0 });
  });

  it('without ages none where all that came is still there', () => {
    expect(after({ length: 2 }, { length: 4, passiveOpens: 2 })).toMatchObject({ stalledWindows: 1 });
    expect(after({ length: 2 }, { length: 4, passiveOpens: 3 })).toMatchObject({ stalledWindows: 0 });
    expect(after({ length: 2 }, { length: 2 })).toMatchObject({ accepts: false, stalledWindows: 0 });
  });

  it('are forgotten when the queue is empty', () => {
    expect(after({ length: 2 }, { length: 0 })).toEqual(IDLE);
  });

  it('the stall counts from the first look that saw the queue hold something', () => {
    const empty = followAcceptor(IDLE, undefined, { monotonic: 0, length: 0 });
    const filled = followAcceptor(
      empty,
      { monotonic: 0, length: 0 },
      { monotonic: 500, length: 8, passiveOpens: 8 },
    );
    expect(filled).toMatchObject({ stalledSince: 500, stalledWindows: 1, busySince: 500 });
  });

  it('counts the younger ones', () => {
    const limits = [-1, 0, 5, 6, 70, 71].map((limit) => countYounger(ages(70, 5, 5, 0), limit));
    expect(limits).toEqual([0, 0, 1, 3, 3, 4]);
  });
});

describe('the history of a queue', () => {
  const points = (...pairs: [number, number][]): History => pairs;

  it('keeps 60 s', () => {
    const history = addPoint(points([0, 1], [30_000, 2]), 70_000, 3, 60_000);
    expect(history).toEqual([
      [30_000, 2],
      [70_000, 3],
    ]);
  });

  it('stays small at a fast pace, without losing a peak', () => {
    let history: History = [];
    for (let time = 0; time <= 60_000; time += 10)
      history = addPoint(history, time, time === 30_000 ? 99 : 0, 60_000);
    expect(history.length).toBeLessThanOrEqual(602);
    expect(peakOf(history, 60_000).length).toBe(99);
    expect(peakOf(history, 60_000, 15_000).length).toBe(0);
  });

  it('knows its peak, how long ago, and how long it was at least half as high', () => {
    const history = points([0, 1], [1000, 5], [2000, 9], [3000, 9], [4000, 4], [5000, 8]);
    expect(peakOf(history, 5000)).toEqual({ length: 9, agoMs: 2000, lastedMs: 2000 });
    expect(peakOf(history, 5000, 500)).toEqual({ length: 8, agoMs: 0, lastedMs: 4000 });
    expect(peakOf([], 5000)).toEqual({ length: 0, agoMs: 0, lastedMs: 0 });
  });

  it('tells the time to full at the net rate of the last 5 s', () => {
    expect(timeToFull(points([0, 0], [1000, 2], [2000, 4]), 6)).toBe(3000);
    expect(timeToFull(points([0, 0], [8000, 2], [9000, 4]), 6)).toBe(3000);
    expect(timeToFull(points([0, 4], [1000, 4]), 6)).toBeUndefined();
    expect(timeToFull(points([0, 4], [1000, 2]), 6)).toBeUndefined();
    expect(timeToFull(points([0, 4], [1000, 10]), 0)).toBeUndefined();
    expect(timeToFull([], 3)).toBeUndefined();
  });
});

describe('bursts', () => {
  const follow = (...looks: [time: number, what: '' | 'full' | 'overflow'][]) => {
    let episodes: readonly Episode[] = [];
    let wasFull = false;
    for (const [time, what] of looks) {
      episodes = addEpisode(episodes, time, {
        full: what === 'full',
        wasFull,
        overflowed: what === 'overflow',
      });
      wasFull = what === 'full';
    }
    return { episodes: episodes.length, short: shortBursts(episodes, wasFull) };
  };

  it('are short and over', () => {
    expect(follow([0, 'full'], [1000, ''], [2000, 'full'], [3000, ''])).toEqual({ episodes: 2, short: 2 });
    expect(follow([0, 'full'], [1000, ''], [2000, 'full'])).toEqual({ episodes: 2, short: 1 });
    expect(follow([0, 'overflow'], [5000, 'overflow'])).toEqual({ episodes: 2, short: 2 });
  });

  it('are none while one of the last 60 s was long', () => {
    const long: [number, 'full'][] = [0, 1000, 2000].map((time) => [time, 'full']);
    expect(follow(...long, [3000, ''], [4000, 'full'], [5000, ''])).toEqual({ episodes: 2, short: 0 });
    expect(follow(...long, [3000, ''], [63_000, 'full'], [64_000, ''])).toEqual({ episodes: 1, short: 1 });
  });
});

describe('new clients of two looks', () => {
  it('are those of the second that the first did not have', () => {
    expect(countNew(Float64Array.of(1, 3, 5), Float64Array.of(0, 1, 4, 5, 6))).toBe(3);
    expect(countNew(Float64Array.of(), Float64Array.of(1))).toBe(1);
    expect(countNew(Float64Array.of(1), Float64Array.of())).toBe(0);
  });
});
