import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FULL_BIN } from '../../../src/model/samples.js';
import { SampleBook } from '../../../src/parse/netlink/sample-book.js';

const nameOf = (id: number) => ({ key: `ns:${id}`, local: { kind: 'unix', path: `/${id}` } as const });

/** One sample of some listeners: id, length, backlog, counter of drops, cookie. */
type Seen = readonly [id: number, length: number, backlog: number, drops?: number, cookie?: number];

function look(book: SampleBook, now: number, ...seen: readonly Seen[]): void {
  book.open(now);
  for (const [id, length, backlog, drops = 0, cookie = id] of seen) {
    const slot = book.find(id, cookie);
    book.put(slot >= 0 ? slot : book.add(id, cookie, nameOf(id), drops), length, backlog, drops);
  }
}

describe('what many looks see of a listener', () => {
  it('peak, when, how often full, for how long, and the fills', () => {
    const book = new SampleBook();
    for (const [at, length] of [0, 2, 5, 5, 5, 1, 0, 5, 0].entries())
      look(book, 100 + at * 10, [7, length, 4]);
    expect(book.take()).toEqual([
      {
        key: 'ns:7',
        samples: 9,
        busy: 6,
        peak: 5,
        peakAt: 120,
        isPeakBrief: false,
        sum: 23,
        backlog: 4,
        fills: [
          [20, 1],
          [40, 1],
          [FULL_BIN, 4],
        ],
        full: { runs: 2, firstAt: 120, lastAt: 170, longestMs: 20 },
      },
    ]);
  });

  it('whoever was always there and always empty is not told', () => {
    const book = new SampleBook();
    for (let at = 0; at < 5; at++) look(book, at, [1, 0, 4], [2, at === 3 ? 1 : 0, 4]);
    expect(book.looks).toBe(5);
    expect(book.take().map(({ key }) => key)).toEqual(['ns:2']);
    expect(book.take()).toEqual([]);
  });

  it('a peak that one look alone saw is brief, one that lasts or grows is not', () => {
    const brief = (...lengths: number[]) => {
      const book = new SampleBook();
      for (const [at, length] of lengths.entries()) look(book, at, [1, length, 99]);
      return book.take()[0]?.isPeakBrief;
    };
    expect(brief(0, 8, 0)).toBe(true);
    expect(brief(0, 8, 3)).toBe(true);
    expect(brief(0, 8, 4)).toBe(false);
    expect(brief(5, 8, 0)).toBe(false);
    expect(brief(0, 8)).toBe(true);
  });

  it('a queue that stays full from batch to batch becomes full once', () => {
    const book = new SampleBook();
    look(book, 100, [1, 3, 2]);
    look(book, 110, [1, 3, 2]);
    expect(book.take()[0]?.full).toEqual({ runs: 1, firstAt: 100, lastAt: 110, longestMs: 10 });
    look(book, 120, [1, 3, 2]);
    look(book, 130, [1, 0, 2]);
    expect(book.take()[0]?.full).toEqual({ runs: 0, firstAt: 120, lastAt: 120, longestMs: 20 });
  });

  it.each([
    ['of the first look is no rise', [5, 5], undefined],
    ['rises', [5, 9], { segments: 4, lastAt: 10 }],
    ['wraps', [2 ** 32 - 1, 2], { segments: 3, lastAt: 10 }],
    ['falls', [9, 5], undefined],
    ['becomes known', [-1, 5], undefined],
    ['is not known any more', [5, -1], undefined],
  ])('a counter of drops that %s', (_, drops, dropped) => {
    const book = new SampleBook();
    for (const [at, count] of drops.entries()) look(book, at * 10, [1, 1, 4, count]);
    expect(book.take()[0]?.dropped).toEqual(dropped);
  });

  it('who came after the first look has dropped all its segments since, and is told with its name', () => {
    const book = new SampleBook();
    look(book, 0, [1, 0, 4]);
    look(book, 10, [1, 0, 4], [2, 5, 4, 3]);
    expect(book.take()).toMatchObject([
      { key: 'ns:2', samples: 1, peak: 5, dropped: { segments: 3 }, local: { path: '/2' } },
    ]);
  });

  it('who goes is told once more, and forgotten; one that a look missed is not', () => {
    const book = new SampleBook();
    look(book, 0, [1, 1, 4, 7], [2, 1, 4]);
    look(book, 10, [2, 1, 4]);
    expect(book.take().map(({ key, samples, local }) => [key, samples, local !== undefined])).toEqual([
      ['ns:1', 1, true],
      ['ns:2', 2, false],
    ]);
    look(book, 20, [1, 1, 4, 8], [2, 1, 4]);
    expect(book.take()[0]).toMatchObject({ key: 'ns:1', samples: 1, dropped: { segments: 1 } });
    for (let at = 3; at < 8; at++) look(book, at * 10, [2, 0, 4]);
    book.take();
    look(book, 80, [1, 1, 4, 20], [2, 0, 4]);
    // Another socket with the same inode: new, and so are its drops.
    expect(book.take()[0]).toMatchObject({ key: 'ns:1', dropped: { segments: 20 } });
  });

  it('another socket that takes an inode is another', () => {
    const book = new SampleBook();
    look(book, 0, [1, 4, 4, 100, 11]);
    look(book, 10, [1, 2, 4, 1, 12]);
    expect(book.take().map(({ samples, peak, dropped }) => [samples, peak, dropped?.segments])).toEqual([
      [1, 4, undefined],
      [1, 2, 1],
    ]);
  });

  it('one that a dump lists twice is counted once', () => {
    const book = new SampleBook();
    look(book, 0, [1, 1, 4], [2, 2, 4], [1, 1, 4]);
    expect(book.take().map(({ samples }) => samples)).toEqual([1, 1]);
  });

  it('counts what plain arithmetic counts, whoever comes and goes, in any order', () => {
    const anyLook = fc.uniqueArray(fc.tuple(fc.nat(80), fc.nat(6), fc.nat(4)), {
      selector: ([id]) => id,
      maxLength: 70,
    });
    fc.assert(
      fc.property(fc.array(anyLook, { minLength: 1, maxLength: 12 }), (looks) => {
        const book = new SampleBook();
        const expected = new Map<
          string,
          { samples: number; busy: number; peak: number; sum: number; full: number }
        >();
        for (const [at, seen] of looks.entries()) {
          look(book, at, ...seen.map(([id, length, backlog]) => [id + 1, length, backlog] as const));
          for (const [id, length, backlog] of seen) {
            const key = `ns:${id + 1}`;
            const known = expected.get(key) ?? { samples: 0, busy: 0, peak: 0, sum: 0, full: 0 };
            expected.set(key, {
              samples: known.samples + 1,
              busy: known.busy + (length > 0 ? 1 : 0),
              peak: Math.max(known.peak, length),
              sum: known.sum + length,
              full: known.full + (length > backlog ? 1 : 0),
            });
          }
        }
        const told = new Map(
          book.take().map(({ key, samples, busy, peak, sum, fills }) => {
            expect(fills.reduce((total, [, count]) => total + count, 0)).toBe(busy);
            const full = fills.find(([bin]) => bin === FULL_BIN)?.[1] ?? 0;
            return [key, { samples, busy, peak, sum, full }] as const;
          }),
        );
        for (const [key, counts] of expected) {
          if (counts.samples === looks.length && counts.busy === 0) expect(told.has(key)).toBe(false);
          else expect(told.get(key)).toEqual(counts);
        }
        expect([...told.keys()].every((key) => expected.has(key))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('more listeners than there is room for are counted, not kept', () => {
    const book = new SampleBook();
    book.open(0);
    for (let id = 1; id <= 65_540; id++) {
      const slot = book.add(id, id, nameOf(id), 0);
      if (slot >= 0) book.put(slot, 1, 4, 0);
    }
    expect(book.leftOut).toBe(4);
    expect(book.take()).toHaveLength(65_536);
    expect(book.leftOut).toBe(0);
  });
});
