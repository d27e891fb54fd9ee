import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSs, SsParser } from '../../../src/parse/ss/index.js';
import { cpuMillis } from '../../support/cpu-time.js';
import { fixtureDir, outcome } from '../golden.js';
import { readable } from '../readable.js';
import { bytesOf } from './support.js';

const samples = readdirSync(`${fixtureDir}ss`)
  .filter((file) => file.endsWith('.txt'))
  .map((file) => ({ file, bytes: new Uint8Array(readFileSync(`${fixtureDir}ss/${file}`)) }));

/** What a name or a path may try: every byte, and the words of the format. */
const HOSTILE = [
  'users:(("',
  '",pid=',
  ',fd=',
  '))',
  '),("',
  '\n',
  '\r\n',
  '\t',
  ' ',
  '\0',
  '"',
  '(',
  ')',
  'timer:(',
  'skmem:(',
  'cgroup:',
  ' <-> ',
  '[::',
  ']',
  '%',
  ':',
  '*',
  '*:*',
  'u_str LISTEN 0 5 /a',
  ' 5 * 0',
  'tcp LISTEN 0 0 ',
  'LISTEN',
  'Netid State ',
  '99999999999999999999',
  '-1',
  '.',
  'e',
  '\u{1f600}',
  '\xff',
].map(bytesOf);

const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.nat(40),
  insert: fc.oneof(fc.constantFrom(...HOSTILE), fc.uint8Array({ maxLength: 8 })),
});

function mutate(
  bytes: Uint8Array,
  { at, remove, insert }: { at: number; remove: number; insert: Uint8Array },
) {
  const from = Math.floor(at * bytes.length);
  return Uint8Array.from([...bytes.subarray(0, from), ...insert, ...bytes.subarray(from + remove)]);
}

/** The result by way of chunks of the given lengths, over and over. */
function inChunks(bytes: Uint8Array, lengths: readonly number[]) {
  return outcome(() => {
    const parser = new SsParser();
    for (let at = 0, index = 0; at < bytes.length; index++) {
      const length = lengths[index % lengths.length] ?? 1;
      // A caller may use its memory again: what the parser keeps must be its own.
      const chunk = bytes.slice(at, at + length);
      parser.write(chunk);
      chunk.fill(0x23);
      at += length;
    }
    return parser.end();
  });
}

describe('any input', () => {
  it('parses or raises ParseError, and chunks change nothing, for mutations of every sample', () => {
    const input = fc
      .tuple(fc.constantFrom(...samples), fc.array(mutation, { minLength: 1, maxLength: 6 }))
      .map(([{ bytes }, mutations]) => mutations.reduce(mutate, bytes.subarray(0, 6000)));
    fc.assert(
      fc.property(
        input,
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 4 }),
        (bytes, lengths) => {
          expect(inChunks(bytes, lengths)).toEqual(outcome(() => parseSs(bytes)));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('gives every owner the name it has, whatever the name, where ss cuts it at the first parenthesis', () => {
    const name = fc.uint8Array({ maxLength: 15 }).map((bytes) => {
      const text = Buffer.from(bytes.map((byte) => byte & 0x7f)).toString('latin1');
      return text.replaceAll(')', '');
    });
    const words = fc
      .constantFrom('"', ',', 'pid=1', ',pid=1,fd=3', '\n', '(', '("', 'a', ' ')
      .map((word) => word);
    const forged = fc.array(words, { maxLength: 6 }).map((parts) => parts.join('').slice(0, 15));
    fc.assert(
      fc.property(fc.array(fc.oneof(name, forged), { minLength: 1, maxLength: 5 }), (names) => {
        const users = names.map((each, index) => `("${each}",pid=${100 + index},fd=${index})`).join(',');
        const { sockets, gaps } = parseSs(
          bytesOf(`LISTEN 0 5 10.0.0.1:80 0.0.0.0:* users:(${users}) ino:5\n`),
        );
        expect(gaps).toEqual([]);
        expect(sockets.row(0).owners).toEqual(
          names.map((each, index) => ({ name: each, pid: 100 + index, fd: index })),
        );
        expect(sockets.row(0).inode).toBe(5);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('every sample', () => {
  it.each(samples)('$file: every prefix parses or raises ParseError', ({ bytes }) => {
    const step = Math.max(1, Math.floor(bytes.length / 2500));
    let rows = 0;
    for (let end = 0; end <= bytes.length; end += step)
      rows += outcome(() => parseSs(bytes.subarray(0, end))).rows.length;
    const last = outcome(() => parseSs(bytes)).rows.length;
    expect(rows).toBeGreaterThanOrEqual(last);
  });

  it.each(samples)('$file: chunks of every length give the same', ({ bytes }) => {
    const whole = outcome(() => parseSs(bytes));
    for (const length of [1, 2, 3, 5, 7, 13, 64, 257, 1000, 4096, 65536])
      expect(inChunks(bytes, [length])).toEqual(whole);
  });
});

describe('the end of the input', () => {
  it('is not confused with what was there before, when it comes in the middle of a row', () => {
    const full =
      'ESTAB 0 0 10.0.0.1:80 10.0.0.2:9 timer:(on,1sec,0) users:(("a b",pid=1,fd=2)) ino:5 sk:1f cgroup:/a <->\n';
    for (let end = 1; end < full.length; end++) {
      const bytes = bytesOf(full.repeat(3) + full.slice(0, end));
      expect(inChunks(bytes, [full.length + 7, 3])).toEqual(outcome(() => parseSs(bytes)));
    }
  });
});

describe('time and memory', () => {
  const HARD: readonly (readonly [string, (size: number) => string])[] = [
    [
      'rows',
      (size) =>
        'ESTAB 0 0 10.0.0.1:80 [2001:db8::1%eth0]:99 users:(("a",pid=1,fd=2)) rto:204\n'.repeat(size / 80),
    ],
    ['one endless line', (size) => `LISTEN 0 5 10.0.0.1:80 0.0.0.0:* ${'x'.repeat(size)}`],
    ['quotes in owners', (size) => `LISTEN 0 5 10.0.0.1:80 0.0.0.0:* users:((${'"'.repeat(size)}`],
    [
      'owners with newlines',
      (size) => `LISTEN 0 5 10.0.0.1:80 0.0.0.0:* users:(${'("a\nb",pid=1,fd=2),'.repeat(size / 20)}`,
    ],
    ['owners that never end', (size) => 'LISTEN 0 5 10.0.0.1:80 0.0.0.0:* users:(("a\n'.repeat(size / 50)],
    ['paths that look like rows', (size) => `u_str LISTEN 0 5 /a${' 5 * 0'.repeat(size / 6)}\n`],
    ['paths that never end', (size) => 'u_str LISTEN 0 5 /a\n'.repeat(size / 20)],
    ['newlines', (size) => `u_str LISTEN 0 5 /a${'\n'.repeat(size)}`],
    [
      'cgroups with blanks',
      (size) => `ESTAB 0 0 10.0.0.1:80 10.0.0.1:81 ${'cgroup:/a b '.repeat(size / 12)}\n`,
    ],
    [
      'contexts',
      (size) => `LISTEN 0 5 10.0.0.1:80 0.0.0.0:* users:(("a",pid=1${',proc_ctx='.repeat(size / 10)}\n`,
    ],
  ];

  const time = (bytes: Uint8Array): number => {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3; round++) {
      const start = cpuMillis();
      inChunks(bytes, [65536]);
      best = Math.min(best, cpuMillis() - start);
    }
    return best;
  };

  it.each(HARD)('grow no faster than the input: %s', (_, make) => {
    const [small, large] = [1 << 16, 1 << 19].map((size) => time(bytesOf(make(size))));
    // Eight times the input; quadratic time would be 64 times. The floor keeps a short run from deciding.
    expect(large ?? 0).toBeLessThan(30 * Math.max(small ?? 0, 4));
  });

  it('keeps the last bytes of one result apart from the next', () => {
    const first = parseSs(bytesOf('ESTAB 0 0 10.0.0.1:80 10.0.0.2:9 users:(("a",pid=1,fd=2))\n'));
    parseSs(bytesOf('ESTAB 0 0 10.0.0.7:80 10.0.0.8:9 users:(("b",pid=3,fd=4))\n'));
    expect(readable(first).rows).toMatchObject([{ local: '10.0.0.1:80', owners: 'a/1/2' }]);
  });
});
