import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHikari } from '../../src/parse/hikari.js';

const OLD = 'HikariPool-1 - Pool stats (total=10, active=4, idle=6, waiting=2)';
const NEW = 'HikariPool-1 - Pool stats (total=10/20, idle=6/10, active=4, waiting=2)';
const STATS = { name: 'HikariPool-1', total: 10, active: 4, idle: 6, waiting: 2 };
const LIMITS = { maximum: 20, minimumIdle: 10 };

describe('lines of HikariCP', () => {
  it.each([
    [OLD, STATS],
    [NEW, { ...STATS, ...LIMITS }],
    [
      `2026-11-21 09:00:00.123 DEBUG 12 --- [l-1 housekeeper] com.zaxxer.hikari.pool.HikariPool        : ${OLD}`,
      { ...STATS, time: new Date(2026, 10, 21, 9, 0, 0, 123).getTime() },
    ],
    [`2026-11-21T09:00:00,5+0200 ${OLD}`, { ...STATS, time: Date.UTC(2026, 10, 21, 7, 0, 0, 500) }],
    [`2026-13-41T09:00:00Z ${OLD}`, STATS],
    [
      `{"@timestamp":"2026-11-21T10:00:00Z","level":"DEBUG","message":"My Orders - ${OLD.slice(15)}","thread":"x"}`,
      { ...STATS, name: 'My Orders', time: Date.UTC(2026, 10, 21, 10) },
    ],
    [
      `{"log":"09:00:00.123 DEBUG x : ${OLD}\\n","stream":"stdout","time":"2026-11-21T10:00:00.25Z"}`,
      { ...STATS, time: Date.UTC(2026, 10, 21, 10, 0, 0, 250) },
    ],
    [
      `{"@timestamp":"2026-11-21T10:00:00Z","message":"${OLD}`,
      { ...STATS, time: Date.UTC(2026, 10, 21, 10) },
    ],
    [
      `09:00:00.123 [HikariPool-1 housekeeper] DEBUG com.zaxxer.hikari.pool.HikariPool - ${NEW}`,
      { ...STATS, ...LIMITS },
    ],
    [`[HikariPool-1 housekeeper] DEBUG ${OLD}\r`, STATS],
    [
      '12:00 INFO x - My Orders - Before cleanup stats (total=1, active=0, idle=1, waiting=0)',
      { name: 'My Orders', total: 1, active: 0, idle: 1, waiting: 0 },
    ],
    [
      'DEBUG: HikariPool-1 - Connection is not available, request timed out after 30001ms (total=10, active=10, idle=0, waiting=5)',
      { name: 'HikariPool-1', total: 10, active: 10, idle: 0, waiting: 5 },
    ],
    [
      'HikariPool-1 - After adding stats (total=10/10, idle=10/-1, active=0, waiting=0)',
      { name: 'HikariPool-1', total: 10, active: 0, idle: 10, waiting: 0, maximum: 10 },
    ],
  ])('%s', (line, stats) => {
    expect(parseHikari(line)).toEqual([stats]);
  });

  it.each([
    'nothing',
    'HikariPool-1 - Starting...',
    'HikariPool-1 - Pool stats (total=10, active=4, idle=6)',
    'HikariPool-1 - Pool stats (total=x, active=4, idle=6, waiting=0)',
    'Pool stats (total=10, active=4, idle=6, waiting=2)',
    ' - Pool stats (total=10, active=4, idle=6, waiting=2)',
    'HikariPool-1 - Pool stats (total=10, active=4, idle=6, waiting=99999999999)',
    `${'x'.repeat(5000)}${OLD}`,
  ])('passes over %s', (line) => {
    expect(parseHikari(line)).toEqual([]);
  });

  it('takes the last line of each pool', () => {
    const other = OLD.replace('Pool-1', 'Pool-2');
    const text = [OLD, other, 'noise', OLD.replace('active=4', 'active=9')].join('\n');
    expect(parseHikari(text)).toEqual([
      { ...STATS, name: 'HikariPool-2' },
      { ...STATS, active: 9 },
    ]);
  });

  it('bounds the number of pools', () => {
    const lines = Array.from({ length: 3000 }, (_, n) => OLD.replace('Pool-1', `Pool-${n}`));
    expect(parseHikari(lines.join('\n'))).toHaveLength(1000);
  });

  it.each([OLD, NEW])('takes every prefix of %s', (line) => {
    for (let end = 0; end < line.length; end++) expect(parseHikari(line.slice(0, end))).toEqual([]);
    expect(parseHikari(line)).toHaveLength(1);
  });

  it('takes any text, and gives whole numbers only', () => {
    const piece = fc.constantFrom(
      'total=',
      'active=',
      'idle=',
      'waiting=',
      '1',
      '10/10',
      ', ',
      '(',
      ')',
      ' - ',
      'Pool stats ',
      'P',
      '\n',
      '-1',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(fc.oneof(piece, fc.string({ maxLength: 3 }))).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(text, (any) => {
        for (const { name, total, active, idle, waiting } of parseHikari(any)) {
          expect(name).not.toBe('');
          for (const number of [total, active, idle, waiting])
            expect(Number.isSafeInteger(number)).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('reads what it may find in any layout around it', () => {
    const word = fc.stringMatching(/^[\w.[\]:]{0,20}$/);
    fc.assert(
      fc.property(word, fc.nat(1000), fc.nat(1000), fc.nat(1000), (prefix, active, idle, waiting) => {
        const total = active + idle;
        const line = `${prefix} - Orders-1 - Pool stats (total=${total}, active=${active}, idle=${idle}, waiting=${waiting})`;
        expect(parseHikari(`x\n${line}\ny`)).toEqual([{ name: 'Orders-1', total, active, idle, waiting }]);
      }),
    );
  });
});
