import { describe, expect, it } from 'vitest';
import { ParseError } from '../../../src/model/errors.js';
import type { TableObservation } from '../../../src/model/observation.js';
import { isStaleRow } from '../../../src/model/table.js';
import { RecordingDecoder } from '../../../src/parse/recording/decoder.js';
import { PLAIN_NAMES } from '../../../src/render/names.js';
import { RecordingEncoder } from '../../../src/render/recording/encoder.js';
import { listen, look, type RowSpec } from '../../support/table-builder.js';
import { readableRow } from '../readable.js';

/** Connection `n`, on which `exchanges` requests were answered, the last of them so long ago. */
const used = (n: number, exchanges: number, agoMs: number, rest: RowSpec = {}): RowSpec => ({
  local: `10.0.0.1:${40_000 + n}`,
  remote: '10.0.0.9:3306',
  cookie: n + 1,
  owners: [{ pid: 7, fd: n, name: 'app' }],
  ...rest,
  columns: {
    inode: n + 1,
    rttMs: 0.5,
    lastSentMs: agoMs + 5,
    lastReceivedMs: agoMs,
    lastAckMs: agoMs,
    ...(exchanges > 0 && { bytesAcked: exchanges * 100, bytesReceived: exchanges * 2 ** 31 }),
    segmentsOut: exchanges + 2,
    segmentsIn: exchanges + 1,
  },
});

const lines = (looks: readonly TableObservation[]): string[] => {
  const encoder = new RecordingEncoder(PLAIN_NAMES, '0.1.0');
  const [first] = looks as [TableObservation];
  return [encoder.head(first.origin).text, ...looks.map((one) => encoder.encode(one)?.text ?? '')];
};

function replay(texts: readonly string[]): TableObservation[] {
  const decoder = new RecordingDecoder();
  return texts.flatMap((text) => {
    const decoded = decoder.decode(text, 'line');
    const observation = decoded.kind === 'observation' ? decoded.observation() : undefined;
    return observation?.kind === 'table' ? [observation] : [];
  });
}

const rowsOf = ({ sockets }: TableObservation) =>
  Array.from({ length: sockets.length }, (_, row) => JSON.stringify(readableRow(sockets.row(row)))).sort();
const staleIn = ({ sockets }: TableObservation) =>
  Array.from({ length: sockets.length }, (_, row) => isStaleRow(sockets, row)).filter(Boolean).length;
const frameOf = (text = '') => JSON.parse(text) as { rows: unknown[]; moved?: (number | null)[][] };
/** As an earlier version wrote it. */
const withoutMoves = (texts: readonly string[]) =>
  texts.map((text) => {
    const { moved: _, ...fields } = JSON.parse(text) as { moved?: unknown };
    return JSON.stringify(fields);
  });

describe('connections on which data move while their state and queues stay the same', () => {
  const looks = [
    look(1000, [listen('0.0.0.0:80', [0, 9], { inode: 99 }), used(0, 0, 10), used(1, 3, 10), used(2, 3, 50)]),
    look(2000, [
      listen('0.0.0.0:80', [0, 9], { inode: 99 }),
      used(0, 4, 20),
      used(1, 3, 1010),
      used(2, 9, 7),
    ]),
    look(3000, [listen('0.0.0.0:80', [0, 9], { inode: 99 }), used(0, 4, 1020), used(2, 10, 2)]),
    look(4000, [listen('0.0.0.0:80', [0, 9], { inode: 99 }), used(0, 4, 2020), used(2, 10, 1002)]),
  ];

  it('have their numbers at every look, and no row is written again for that', () => {
    const written = lines(looks);
    expect(replay(written).map(rowsOf)).toEqual(looks.map(rowsOf));
    expect(replay(written).map(staleIn)).toEqual([0, 0, 0, 0]);
    const frames = written.slice(2).map(frameOf);
    expect(frames.map(({ rows }) => rows.length)).toEqual([0, 0, 0]);
    // Ids as distances, and none where nothing moved.
    expect(frames.map(({ moved }) => moved?.[0])).toEqual([[1, 2], [3], undefined]);
    expect(frames[2]?.moved).toEqual([]);
  });

  it('have only ages where the source counts nothing, and are told by them', () => {
    const aged = (agoMs: number): RowSpec => ({
      local: '10.0.0.1:40000',
      remote: '10.0.0.9:3306',
      cookie: 1,
      columns: { lastSentMs: agoMs, lastReceivedMs: agoMs },
    });
    const some = [look(1000, [aged(300)]), look(2000, [aged(200)]), look(3000, [aged(1200)])];
    const written = lines(some);
    expect(replay(written).map(rowsOf)).toEqual(some.map(rowsOf));
    expect(written.slice(2).map((text) => frameOf(text).moved?.[0])).toEqual([[0], undefined]);
  });

  it('of a recording that does not tell are marked, but for those that it wrote again', () => {
    const asked = look(2000, [used(0, 4, 20, { queues: [7, 0] }), used(1, 3, 1010), used(2, 9, 7)]);
    const [first] = looks as [TableObservation];
    const read = replay(withoutMoves(lines([first, asked])));
    expect(read.map(staleIn)).toEqual([0, 2]);
    const [, later] = read;
    const marked = [0, 1, 2, 3].map((row) => later && isStaleRow(later.sockets, row));
    // The listener has gone.
    expect(marked).toEqual([false, true, true, false]);
  });

  it('are told all at once, less often, where more of them move than a recording may hold', () => {
    const many = (second: number) =>
      look(
        second * 1000,
        Array.from({ length: 3500 }, (_, n) => used(n, second, 10)),
      );
    const some = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(many);
    const written = lines(some);
    const read = replay(written);
    expect(read.map((one) => staleIn(one) > 0)).toEqual([
      ...[false, true, true, true],
      ...[false, true, true, false, true],
    ]);
    for (const [number, one] of read.entries())
      if (staleIn(one) === 0) expect(rowsOf(one)).toEqual(rowsOf(some[number] as TableObservation));
  });

  it.each([
    ['no list of ids', '[7]'],
    ['a text for an id', '[["1"]]'],
    ['fewer values than ids', '[[1,1],[22,5]]'],
    ['a text for a value', '[[1],[22,"5"]]'],
    ['nothing for what is no age', '[[1],[22,null]]'],
  ])('are refused with %s, and change nothing', (_, moved) => {
    const [head = '', key = '', frame = ''] = lines(looks);
    const decoder = new RecordingDecoder();
    decoder.decode(head, 'head');
    const shown = decoder.decode(key, 'key');
    const fields = JSON.parse(frame) as object;
    const forged = JSON.stringify({ ...fields, moved: JSON.parse(moved) as unknown });
    expect(() => decoder.decode(forged, 'line 3')).toThrow(ParseError);
    const table = shown.kind === 'observation' ? shown.observation() : undefined;
    expect(table?.kind === 'table' && rowsOf(table)).toEqual(rowsOf(looks[0] as TableObservation));
  });

  it('that a forged line invents, or lowers below nothing, are none', () => {
    const [head = '', key = '', frame = ''] = lines(looks);
    const fields = JSON.parse(frame) as object;
    const forged = JSON.stringify({
      ...fields,
      moved: [
        [1, 900],
        [25, -1e9, 5],
        [0, 4, 4],
      ],
    });
    const [, table] = replay([head, key, forged]);
    const row = [0, 1, 2, 3].find((at) => table?.sockets.localPort[at] === 40_000) ?? -1;
    expect(table?.sockets.get('inode', row)).toBe(1);
    expect(table?.sockets.length).toBe(4);
    for (const column of ['segmentsOut', 'bytesReceived', 'bytesAcked'] as const)
      expect(table?.sockets.get(column, row) ?? 0).toBeGreaterThanOrEqual(0);
  });
});
