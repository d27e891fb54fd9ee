import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_THRESHOLDS } from '../../../src/analyze/thresholds.js';
import { ParseError } from '../../../src/model/errors.js';
import type { Observation, SamplesObservation, TableObservation } from '../../../src/model/observation.js';
import { SOCKET_STATES } from '../../../src/model/sockets.js';
import { RecordingDecoder } from '../../../src/parse/recording/decoder.js';
import { PLAIN_NAMES } from '../../../src/render/names.js';
import { RecordingEncoder } from '../../../src/render/recording/encoder.js';
import { Pseudonyms } from '../../../src/render/redact.js';
import { startWatch, step } from '../../../src/watch/step.js';
import { samplesAt } from '../../support/samples.js';
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
    return decoded?.kind === 'observation' ? [...decoded.before(), decoded.observation()] : [];
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

  describe('with samples', () => {
    const burst = { key: 'ns:7', lengths: [0, 3, 10, 10, 0, 1], drops: [0, 0, 0, 2] };
    const passing = { key: 'ns:9', lengths: [4, 4], backlog: 3, port: 8080 };
    const table = (ms: number) => look(ms, [listen('0.0.0.0:443', [0, 9], { inode: 7 })]);
    const batches = [
      samplesAt(1995, [burst, passing], { looks: 8 }),
      samplesAt(1990, [], { looks: 4, family: 'unix' }),
    ];
    const lines = () => {
      const made = encoder();
      const all = [table(1000), ...batches, table(2000)].flatMap((one) => made.encode(one)?.text ?? []);
      return [made.describe(table(1000).origin).text, ...all];
    };

    it('they are part of the frame that follows, and come back before it as they were', () => {
      expect(lines()).toHaveLength(3);
      const [first, tcp, unix, second] = replay(lines());
      expect([first?.kind, tcp?.kind, unix?.kind, second?.kind]).toEqual([
        'table',
        'samples',
        'samples',
        'table',
      ]);
      const bare = (observation: Observation | undefined) => ({ ...observation, origin: undefined });
      expect([bare(tcp), bare(unix)]).toEqual(batches.map(bare));
      expect(tcp?.origin).toMatchObject({ monotonic: 2000, source: 'recording' });
    });

    it('they come with a look that failed too', () => {
      const made = encoder();
      const [batch] = batches as [SamplesObservation];
      const gap = {
        kind: 'gap',
        origin: table(3000).origin,
        gaps: [{ what: 'sockets', why: 'gone' }],
      } as const;
      const texts = [table(1000), batch, gap].flatMap((one) => made.encode(one)?.text ?? []);
      const seen = replay([made.describe(gap.origin).text, ...texts]);
      expect(seen.map(({ kind }) => kind)).toEqual(['table', 'samples', 'gap']);
    });

    it('a recording from before there were samples has none', () => {
      const decoder = new RecordingDecoder();
      const [head = '', key = ''] = record([table(1000)]);
      decoder.decode(head, 'x');
      const decoded = decoder.decode(key, 'x');
      expect(decoded.kind === 'observation' && decoded.before()).toEqual([]);
    });

    it('any value in any place of them is an answer or a ParseError', () => {
      const value = fc.oneof(
        fc.constantFrom<unknown>(null, -1, 1.5, 2 ** 53, '', 'x', [], {}, true, [[]], [1], [101, 1], 65_536),
        fc.jsonValue(),
      );
      const texts = lines();
      fc.assert(
        fc.property(
          fc.nat(1),
          fc.nat(6),
          fc.nat(1),
          fc.nat(13),
          value,
          (batch, name, listener, place, wrong) => {
            const frame = JSON.parse(texts[2] ?? '') as { samples: Record<string, unknown>[] };
            const fields = frame.samples[batch] ?? {};
            const key = Object.keys(fields)[name % Object.keys(fields).length] ?? '';
            const list = fields[key];
            if (Array.isArray(list) && place < 12) list[listener][place] = wrong;
            else fields[key] = wrong;
            try {
              const seen = replay([texts[0] ?? '', texts[1] ?? '', JSON.stringify(frame)]);
              const end = seen.reduce(
                (state, one) => step(state, one).state,
                startWatch({ thresholds: DEFAULT_THRESHOLDS }),
              );
              expect(end.report?.listeners).toHaveLength(1);
            } catch (error) {
              expect(error).toBeInstanceOf(ParseError);
            }
          },
        ),
        { numRuns: 1000 },
      );
    });

    it('--redact hides the address of a listener that is gone', () => {
      const made = encoder(new Pseudonyms(undefined, true));
      const [batch] = batches as [SamplesObservation];
      const local = {
        kind: 'ip',
        address: { family: 4, words: [0, 0, 0, 0xc0000207] },
        port: 80,
        device: 'eth7',
      } as const;
      const hidden = { ...batch, listeners: batch.listeners.map((one) => ({ ...one, local })) };
      made.encode(hidden);
      const text = made.encode(table(2000))?.text ?? '';
      expect(text).toContain('"samples"');
      expect(text).not.toMatch(/192\.0\.2|eth7/);
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
