import { describe, expect, it } from 'vitest';
import type { TrafficShape } from '../../src/model/traffic.js';
import { type Moved, movedReader, TrafficColumns, TrafficTally } from '../../src/watch/pools/traffic.js';
import { buildTable } from '../support/table-builder.js';

/** When data went over a connection, ms: `o` out, `i` in. */
type Data = readonly (readonly [at: number, way: 'o' | 'i', segments?: number])[];

/** What looks so far apart make of it. */
function shapeOf(
  data: Data,
  { everyMs = 1000, forMs = 8000, outbound = true, isSegments = true, toldEveryMs = 1 } = {},
): TrafficShape {
  let [before, now] = [new TrafficColumns(1), new TrafficColumns(1)];
  for (let at = 0; at <= forMs; at += everyMs) {
    // A recording that does not tell what moved has the numbers of an earlier look.
    const isStale = at % toldEveryMs !== 0;
    const shown = movedBy(data, at - (at % toldEveryMs), isSegments);
    now.follow(0, before, at === 0 ? -1 : 0, { at, outbound, isStale }, shown);
    [before, now] = [now, before];
  }
  return before.shapeOf(0, Math.floor(forMs / everyMs) * everyMs);
}

function movedBy(data: Data, at: number, isSegments: boolean): Moved {
  const until = data.filter(([when]) => when <= at);
  const of = (way: 'o' | 'i') => until.filter(([, one]) => one === way);
  const sum = (way: 'o' | 'i') => of(way).reduce((all, [, , segments = 1]) => all + segments, 0);
  const since = (way: 'o' | 'i') => at - Math.max(-5000, ...of(way).map(([when]) => when));
  return { out: sum('o'), in: sum('i'), isSegments, sentMs: since('o'), receivedMs: since('i') };
}

const every = (ms: number, way: 'o' | 'i', { from = 100, until = 8000, segments = 1 } = {}): Data =>
  Array.from({ length: Math.ceil((until - from) / ms) }, (_, n) => [from + n * ms, way, segments] as const);

/** A request every so many ms, and its answer so much later. */
const asked = (ms: number, afterMs: number, segments = 1): Data => [
  ...every(ms, 'o'),
  ...every(ms, 'i', { from: 100 + afterMs, until: 8000 + afterMs, segments }),
];
/** The same seen by the server. */
const mirrored = (data: Data): Data => data.map(([at, way, n = 1]) => [at, way === 'o' ? 'i' : 'o', n]);

describe('what data do on a connection', () => {
  it('is push where they go one way only, whoever it is', () => {
    expect(shapeOf(every(700, 'i'))).toBe('push');
    expect(shapeOf(every(100, 'i', { segments: 40 }))).toBe('push');
    expect(shapeOf(every(700, 'o'))).toBe('push');
    expect(shapeOf(every(700, 'o'), { outbound: false })).toBe('push');
    // The request that began the stream fell into the watch.
    expect(shapeOf([[300, 'o'], ...every(1300, 'i', { from: 400 })])).toBe('push');
  });

  it('is two_way where messages have no rhythm', () => {
    const chat: Data = [...every(1300, 'o'), ...every(2100, 'i', { from: 700 })];
    expect(shapeOf(chat, { everyMs: 250 })).toBe('two_way');
    expect(shapeOf(mirrored(chat), { everyMs: 250, outbound: false })).toBe('two_way');
  });

  it.each([
    ['quick answers', asked(900, 5)],
    ['answers of many segments', asked(900, 30, 40)],
    ['slow answers', asked(2500, 1900)],
    ['more requests than looks', asked(70, 20)],
  ])('is request_response with %s, from both sides', (_, data) => {
    expect(shapeOf(data, { everyMs: 250 })).toBe('request_response');
    expect(shapeOf(mirrored(data), { everyMs: 250, outbound: false })).toBe('request_response');
  });

  it('is neither a stream nor a WebSocket where answers take long to come', () => {
    const part = { segments: 9 };
    const downloads: Data = [
      ...every(4000, 'o'),
      ...every(50, 'i', { from: 150, until: 2500, ...part }),
      ...every(50, 'i', { from: 4150, until: 6500, ...part }),
    ];
    expect(['request_response', 'unknown']).toContain(shapeOf(downloads, { everyMs: 250 }));
    expect(['request_response', 'unknown']).toContain(
      shapeOf(mirrored(downloads), { everyMs: 250, outbound: false }),
    );
  });

  it('is silent where nothing moved, and unknown after too few looks or too short a time', () => {
    expect(shapeOf([])).toBe('silent');
    expect(shapeOf([], { forMs: 1000 })).toBe('unknown');
    expect(shapeOf([], { everyMs: 100, forMs: 900 })).toBe('unknown');
    // One request under way is neither a stream nor silence.
    expect(shapeOf([[500, 'o']])).toBe('unknown');
  });

  it('is unknown where both sides talk at every look and not alike', () => {
    expect(shapeOf([...every(90, 'o'), ...every(30, 'i', { segments: 3 })])).toBe('unknown');
    // Bytes alone tell nothing of how many messages there were.
    expect(shapeOf(asked(70, 20), { isSegments: false })).toBe('unknown');
  });

  it('is told of a recording only by the looks of which it has the numbers', () => {
    const recorded = { toldEveryMs: 60_000, forMs: 300_000 };
    expect(shapeOf([], { ...recorded, forMs: 100_000 })).toBe('unknown');
    expect(shapeOf(every(700, 'i', { until: 100_000 }), { ...recorded, forMs: 100_000 })).toBe('unknown');
    expect(shapeOf([], recorded)).toBe('silent');
    expect(shapeOf(every(700, 'i', { until: 300_000 }), recorded)).toBe('push');
    expect(shapeOf(every(700, 'i', { until: 300_000 }), { ...recorded, toldEveryMs: 3000 })).toBe('push');
    expect(shapeOf(asked(900, 5), { toldEveryMs: 2000 })).toBe(shapeOf(asked(900, 5), { everyMs: 2000 }));
    const chat: Data = [
      ...every(1300, 'o', { until: 300_000 }),
      ...every(2100, 'i', { from: 700, until: 300_000 }),
    ];
    expect(shapeOf(chat, recorded)).toBe('unknown');
  });

  it('is forgotten where a look shows no numbers', () => {
    const [before, now] = [new TrafficColumns(1), new TrafficColumns(1)];
    const there = { outbound: true, isStale: false };
    before.follow(0, before, -1, { at: 0, ...there }, movedBy([], 0, true));
    now.follow(0, before, 0, { at: 5000, ...there }, { ...movedBy([], 0, true), in: Number.NaN });
    expect(now.shapeOf(0, 5000)).toBe('unknown');
  });

  it('says what it did lately, however long it is watched', () => {
    const data: Data = [
      ...asked(900, 5).filter(([at]) => at < 4000),
      ...every(700, 'i', { from: 4700, until: 900_000 }),
    ];
    expect(shapeOf(data, { forMs: 4000 })).toBe('request_response');
    expect(shapeOf(data, { forMs: 900_000 })).not.toBe('request_response');
  });
});

describe('what a table says of a row', () => {
  const moved = (columns: object) => ({ ...movedReader(buildTable([{ columns }]))(0) });

  it('are segments with data, less those that were sent again', () => {
    const columns = {
      dataSegmentsOut: 9,
      dataSegmentsIn: 4,
      retransmitsTotal: 2,
      lastSentMs: 5,
      lastReceivedMs: 7,
    };
    expect(moved(columns)).toEqual({ out: 7, in: 4, isSegments: true, sentMs: 5, receivedMs: 7 });
  });

  it('else bytes, and NaN where it has neither', () => {
    expect(moved({ bytesAcked: 90, bytesReceived: 40 })).toMatchObject({
      out: 90,
      in: 40,
      isSegments: false,
    });
    expect(moved({})).toMatchObject({ out: Number.NaN, in: Number.NaN, sentMs: Number.NaN });
  });
});

describe('the tally', () => {
  it('says nothing where nothing is known', () => {
    const tally = new TrafficTally();
    tally.add('unknown');
    expect(tally.describe()).toBeUndefined();
    tally.add('push');
    expect(tally.describe()).toEqual({ push: 1, two_way: 0, request_response: 0, silent: 0, unknown: 1 });
  });
});
