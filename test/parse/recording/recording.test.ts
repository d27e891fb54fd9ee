import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParseError } from '../../../src/model/errors.js';
import type { Observation, TableObservation } from '../../../src/model/observation.js';
import { SOCKET_STATES } from '../../../src/model/sockets.js';
import { RecordingDecoder } from '../../../src/parse/recording/decoder.js';
import { PLAIN_NAMES } from '../../../src/render/names.js';
import { RecordingEncoder } from '../../../src/render/recording/encoder.js';
import { Pseudonyms } from '../../../src/render/redact.js';
import { listen, look, type RowSpec, row, waiting } from '../../support/table-builder.js';
import { readableRow } from '../readable.js';

const encoder = (
  names = PLAIN_NAMES as ConstructorParameters<typeof RecordingEncoder>[0],
  keyEveryMs?: number,
) => new RecordingEncoder(names, '0.1.0', keyEveryMs);

/** What is the same before and after: rows as a person writes them, in any order, and everything beside the table. */
function essence(observation: Observation) {
  if (observation.kind !== 'table') return observation;
  const { sockets, origin, ...rest } = observation;
  const rows = Array.from({ length: sockets.length }, (_, index) =>
    JSON.stringify(readableRow(sockets.row(index))),
  );
  return { ...rest, origin: { ...origin, source: 'recording' }, rows: rows.sort() };
}

function record(looks: readonly TableObservation[], made = encoder()): string[] {
  const [first] = looks;
  if (first === undefined) return [];
  return [made.head(first.origin).text, ...looks.map((one) => made.encode(one)?.text ?? '')];
}

function replay(lines: readonly string[]): Observation[] {
  const decoder = new RecordingDecoder();
  return lines.flatMap((line, index) => {
    const decoded = decoder.decode(line, `line ${index + 1}`);
    return decoded?.kind === 'observation' ? [decoded.observation()] : [];
  });
}

const owner = (pid: number) => [{ pid, fd: 3, name: `p${pid}` }];

/** A host on which sockets come, change and go. Ages are left out: they go on by themselves while nothing else changes. */
const anyRow = (id: number): fc.Arbitrary<RowSpec> =>
  fc
    .record({
      state: fc.constantFrom(...SOCKET_STATES),
      queues: fc.tuple(fc.nat(300), fc.nat(300)),
      inode: fc.nat(5000),
      drops: fc.nat(10),
      withCookie: fc.boolean(),
      unix: fc.boolean(),
    })
    .map(({ state, queues, inode, drops, withCookie, unix }) => ({
      state,
      queues,
      ...(unix
        ? { protocol: 'unix' as const, local: `/run/"x\n${id}` }
        : {
            local: id % 3 === 0 ? `[fe80::${id + 1}]%eth0:443` : `10.0.0.1:${id + 1}`,
            remote: `10.0.0.9:${id + 1}`,
          }),
      ...(withCookie && { cookie: id + 1 }),
      owners: owner(id),
      columns: { inode: inode + 1, drops },
    }));
const anyHost = fc.uniqueArray(fc.nat(12), { maxLength: 10 }).chain((ids) => fc.tuple(...ids.map(anyRow)));

describe('a recording', () => {
  it('gives back every look as it was, whatever came, changed and went', () => {
    fc.assert(
      fc.property(
        fc.array(anyHost, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 500, max: 5000 }),
        (hosts, keyEveryMs) => {
          const looks = hosts.map((rows, index) =>
            look(1000 * (index + 1), rows as RowSpec[], {
              counters: { ListenOverflows: index, Same: 1 },
              sysctls: { somaxconn: 4096 + (index % 2) },
              descriptors: new Map([[7, { open: index, limit: 1024 }]]),
              scope: index % 3 === 2 ? 'listeners' : 'all',
            }),
          );
          const lines = record(looks, encoder(PLAIN_NAMES, keyEveryMs));
          expect(replay(lines).map(essence)).toEqual(looks.map(essence));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('writes only what has changed, and what waits in an accept queue with its age', () => {
    const idle = Array.from({ length: 100 }, (_, id) =>
      row({
        local: '10.0.0.1:443',
        remote: `10.0.0.9:${1000 + id}`,
        cookie: id + 10,
        columns: { inode: id + 1, lastSentMs: 5 },
      }),
    );
    const made = encoder();
    const [, key = '', same = '', one = ''] = record(
      [
        look(1000, [
          listen('0.0.0.0:443', [1, 8], { inode: 900 }, { cookie: 1 }),
          waiting('10.0.0.1:443', '10.0.0.9:1', 10, { cookie: 2 }),
          ...idle,
        ]),
        look(2000, [
          listen('0.0.0.0:443', [1, 8], { inode: 900 }, { cookie: 1 }),
          waiting('10.0.0.1:443', '10.0.0.9:1', 1010, { cookie: 2 }),
          ...idle,
        ]),
        look(3000, [listen('0.0.0.0:443', [0, 8], { inode: 900 }, { cookie: 1 }), ...idle.slice(1)]),
      ],
      made,
    );
    const rows = (line: string) => JSON.parse(line) as { rows: unknown[]; gone?: number[] };
    expect(rows(key).rows).toHaveLength(102);
    expect(rows(same).rows).toHaveLength(1);
    expect(rows(one)).toMatchObject({ rows: [expect.anything()], gone: [1, 2] });
  });

  it('what was not written again has grown older', () => {
    const idle = (lastSentMs: number) => [
      row({ local: '10.0.0.1:443', remote: '10.0.0.9:1', cookie: 1, columns: { inode: 5, lastSentMs } }),
    ];
    const lines = record([look(1000, idle(100)), look(4000, idle(3100))]);
    const [, later] = replay(lines);
    expect(later?.kind === 'table' && later.sockets.get('lastSentMs', 0)).toBe(3100);
  });

  it('tells looks that failed, and events', () => {
    const { origin } = look(1000, []);
    const made = encoder();
    made.head(origin);
    const gap = {
      kind: 'gap',
      origin,
      gaps: [{ what: 'sockets', why: 'ss is gone' }],
      fault: 'missing',
      remedy: 'x',
    } as const;
    const decoder = new RecordingDecoder();
    decoder.decode(made.head(origin).text, 'line 1');
    const decoded = decoder.decode(made.encode(gap)?.text ?? '', 'line 2');
    expect(decoded?.kind === 'observation' && decoded.observation()).toMatchObject({
      kind: 'gap',
      gaps: gap.gaps,
      fault: 'missing',
    });
  });

  it('--redact: no address, name, path or host of the real ones is left, and the same is the same', () => {
    const rows = [
      listen('192.0.2.7:443', [1, 8], { inode: 9 }, { owners: [{ pid: 5, fd: 3, name: 'secretd' }] }),
      row({
        local: '[2001:db9::7]:443',
        remote: '[2001:db9::77]:5000',
        owners: [{ pid: 5, fd: 4, name: 'secretd' }],
        columns: { inode: 10 },
      }),
      row({ local: '192.0.2.7:443', remote: '192.0.2.99:5001', columns: { inode: 11 } }),
      row({ local: '127.0.0.1:80', remote: '127.0.0.1:5001', columns: { inode: 12 } }),
      listen('/run/secret.sock', [0, 8], { inode: 13 }, { protocol: 'unix' }),
    ];
    const observation = look(1000, rows, { gaps: [{ what: 'owners', why: 'hidden for 192.0.2.99' }] });
    const lines = record([observation], encoder(new Pseudonyms(undefined, true)));
    expect(lines.join('')).not.toMatch(/192\.0\.2|2001:db9|secret|web-01/);
    const [read] = replay(lines);
    if (read?.kind !== 'table') throw new Error('no table');
    const texts = Array.from({ length: read.sockets.length }, (_, index) =>
      readableRow(read.sockets.row(index)),
    );
    const [first, second, third] = texts;
    expect(first?.local).toMatch(/^198\.18\.0\.\d:443$/);
    expect(second).toMatchObject({
      local: '[2001:db8::1]:443',
      remote: '[2001:db8::2]:5000',
      owners: 'process-1/5/4',
    });
    expect(third?.local).toBe(first?.local);
    expect(third?.remote).toMatch(/^198\.18\.0\.\d:5001$/);
    // A sentence calls an address as the table does.
    expect(read.gaps[0]?.why).toBe(`hidden for ${String(third?.remote).replace(':5001', '')}`);
    expect(texts[3]?.local).toBe('127.0.0.1:80');
    expect(texts[4]?.local).toBe('unix-1');
  });

  describe('that is damaged or hostile', () => {
    const lines = record([
      look(1000, [listen('0.0.0.0:443', [1, 8], { inode: 9 }, { cookie: 1, owners: owner(1) })], {
        counters: { A: 1 },
      }),
      look(2000, [listen('0.0.0.0:443', [3, 8], { inode: 9 }, { cookie: 1, owners: owner(1) })], {
        counters: { A: 2 },
      }),
    ]);

    it('every prefix of every line is a ParseError, and changes nothing', () => {
      for (const [index, line] of lines.entries()) {
        for (let end = 0; end < line.length - 2; end += 3) {
          const decoder = new RecordingDecoder();
          for (const before of lines.slice(0, index)) decoder.decode(before, 'x');
          expect(() => decoder.decode(line.slice(0, end), 'x')).toThrow(ParseError);
        }
      }
    });

    it('any value in any place is an answer or a ParseError', () => {
      const value = fc.oneof(
        fc.constantFrom<unknown>(null, -1, 1.5, 2 ** 53, '', 'x', [], {}, true, '\x1b[2J', [[]], 65_536),
        fc.jsonValue(),
      );
      const targets = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      fc.assert(
        fc.property(fc.nat(2), fc.nat(20), fc.nat(20), value, (at, place, inner, wrong) => {
          const decoder = new RecordingDecoder();
          for (const [index, fields] of targets.entries()) {
            const copy = structuredClone(fields);
            if (index === at) spoil(copy, place, inner, wrong);
            try {
              const decoded = decoder.decode(JSON.stringify(copy), 'x');
              if (decoded?.kind !== 'observation') continue;
              const observation = decoded.observation();
              if (observation.kind === 'table') essence(observation);
            } catch (error) {
              expect(error).toBeInstanceOf(ParseError);
            }
          }
        }),
        { numRuns: 2000 },
      );
    });

    it('after a lost frame nothing is shown until everything is known again; what is no frame loses nothing', () => {
      const looks = [1, 2, 3, 4].map((length) =>
        look(1000 * length, [listen('0.0.0.0:443', [length, 8], { inode: 9 }, { cookie: 1 })]),
      );
      const [head = '', key = '', second = '', third = '', fourth = ''] = record(looks);
      const shown = (all: string[]) => {
        const decoder = new RecordingDecoder();
        return all.map((line) => {
          try {
            return decoder.decode(line, 'x')?.kind;
          } catch {
            return 'damaged';
          }
        });
      };
      const seen = 'observation';
      expect(shown([head, key, third, fourth, key])).toEqual(['head', seen, 'lost', 'lost', seen]);
      expect(shown([head, key, second.slice(0, 50), third])).toEqual(['head', seen, 'damaged', 'lost']);
      expect(shown([head, key, 'noise', second, third])).toEqual(['head', seen, 'damaged', seen, seen]);
    });
  });
});

/** Puts a value into one of the fields, or into one of the places of the first row. */
function spoil(fields: Record<string, unknown>, place: number, inner: number, value: unknown): void {
  const names = Object.keys(fields);
  const name = names[place % names.length] ?? '';
  const rows = fields[name];
  if (name === 'rows' && Array.isArray(rows) && Array.isArray(rows[0])) rows[0][inner % 19] = value;
  else fields[name] = value;
}
