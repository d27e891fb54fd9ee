import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParseError } from '../../../src/model/errors.js';
import type { ClosedObservation } from '../../../src/model/observation.js';
import { RecordingDecoder } from '../../../src/parse/recording/decoder.js';
import { PLAIN_NAMES } from '../../../src/render/names.js';
import { RecordingEncoder } from '../../../src/render/recording/encoder.js';
import { Pseudonyms } from '../../../src/render/redact.js';
import { closedBatch, look, type RowSpec } from '../../support/table-builder.js';
import { readableRow } from '../readable.js';

const ended = (local: string, remote: string): RowSpec => ({
  state: 'close',
  local,
  remote,
  queues: null,
  columns: { closeKind: 0, bytesSent: 20, lastSentMs: 5, rttMs: 0.2 },
});

const closed = (rows: readonly RowSpec[], rest: Partial<ClosedObservation> = {}) =>
  closedBatch(900, rows, rest);

function linesOf(batches: readonly ClosedObservation[], names = PLAIN_NAMES): string[] {
  const encoder = new RecordingEncoder(names, '0.1.0');
  for (const batch of batches) expect(encoder.encode(batch)).toBeUndefined();
  const frame = look(1000, []);
  return [encoder.head(frame.origin).text, encoder.encode(frame)?.text ?? ''];
}

function replay(lines: readonly string[]): ClosedObservation[] {
  const decoder = new RecordingDecoder();
  return lines.flatMap((line) => {
    const decoded = decoder.decode(line, 'line');
    if (decoded.kind !== 'observation') return [];
    return decoded.before().filter((one): one is ClosedObservation => one.kind === 'closed');
  });
}

const rowsOf = ({ sockets }: ClosedObservation) =>
  Array.from({ length: sockets.length }, (_, index) => readableRow(sockets.row(index)));
const weightsOf = ({ sockets }: ClosedObservation, local: string): number =>
  Array.from({ length: sockets.length }, (_, index) => index)
    .filter((index) => readableRow(sockets.row(index)).local === local)
    .reduce((sum, index) => sum + (sockets.get('weight', index) ?? 1), 0);

describe('connections that ended, in a recording', () => {
  it('come back as they were, with who told of them and when', () => {
    const batch = closed(
      [ended('10.0.0.1:443', '10.0.0.9:4000'), ended('[fe80::1]%eth0:443', '[fe80::2]:5000')],
      {
        incomplete: true,
        lost: 7,
        unconnected: 3,
        failedConnects: 2,
        gaps: [{ what: 'connections that ended', why: 'why' }],
      },
    );
    const [read] = replay(linesOf([batch]));
    if (read === undefined) throw new Error('nothing');
    const { sockets: _read, ...rest } = read;
    const { sockets: _given, ...given } = batch;
    expect(rest).toEqual(given);
    expect(rowsOf(read)).toEqual(rowsOf(batch));
  });

  it('without a count of what is missing have none afterwards', () => {
    const { lost: _lost, ...batch } = closed([], { incomplete: true });
    expect(replay(linesOf([batch]))[0]).not.toHaveProperty('lost');
  });

  it('are a sample of many, with weights that keep the number of every group', () => {
    const rows = [
      ...Array.from({ length: 4003 }, (_, n) => ended('10.0.0.1:443', `10.0.${n >> 8}.${n & 255}:4000`)),
      ...Array.from({ length: 2001 }, (_, n) => ended(`10.0.0.1:${n + 1024}`, '10.0.0.5:3306')),
      ended('10.0.0.1:60000', '10.9.9.9:99'),
    ];
    const batch = closed(rows);
    const lines = linesOf([batch]);
    const [read] = replay(lines);
    if (read === undefined) throw new Error('nothing');
    expect(read.sockets.length).toBeLessThanOrEqual(300);
    expect(weightsOf(read, '10.0.0.1:443')).toBe(4003);
    expect(weightsOf(read, '10.0.0.1:60000')).toBe(1);
    const all = Array.from(
      { length: read.sockets.length },
      (_, index) => read.sockets.get('weight', index) ?? 1,
    );
    expect(all.reduce((sum, weight) => sum + weight, 0)).toBe(6005);
    // What is written must not change what is shown live.
    expect(batch.sockets.column('weight')).toBeUndefined();
  });

  it('of more hosts than are told of say how many are missing', () => {
    const rows = Array.from({ length: 3000 }, (_, n) =>
      ended(`10.0.0.1:${n + 1024}`, `10.0.${n >> 8}.${n & 255}:80`),
    );
    const [read] = replay(linesOf([closed(rows)]));
    expect(read?.sockets.length).toBe(1000);
    expect(read).toMatchObject({ incomplete: true, lost: 2000 });
  });

  it('have no real address with --redact', () => {
    const text = linesOf(
      [closed([ended('192.0.2.7:443', '192.0.2.99:4000')])],
      new Pseudonyms(undefined, true),
    ).join('');
    expect(text).not.toContain('192.0.2.');
    expect(rowsOf(replay(text.trimEnd().split('\n'))[0] as ClosedObservation)[0]?.local).toMatch(
      /^198\.18\./,
    );
  });

  it('any value in any place of them is an answer or a ParseError', () => {
    const [head = '', frame = ''] = linesOf([closed([ended('10.0.0.1:443', '10.0.0.9:4000')])]);
    const value = fc.oneof(
      fc.constantFrom<unknown>(null, -1, 1.5, 2 ** 53, '', 'x', [], {}, true, [[]], 65_536),
      fc.jsonValue(),
    );
    const names = [
      't',
      'm',
      'source',
      'span_ms',
      'lost',
      'unconnected',
      'failed',
      'gaps',
      'rows',
      'incomplete',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...names, 'whole'), value, (name, replaced) => {
        const line = JSON.parse(frame) as { closed: Record<string, unknown>[] };
        if (name === 'whole') line.closed = replaced as Record<string, unknown>[];
        else (line.closed[0] as Record<string, unknown>)[name] = replaced;
        const decoder = new RecordingDecoder();
        decoder.decode(head, 'head');
        try {
          const decoded = decoder.decode(JSON.stringify(line), 'line');
          if (decoded.kind === 'observation') decoded.before();
        } catch (error) {
          if (!(error instanceof ParseError)) throw error;
        }
      }),
    );
  });
});
