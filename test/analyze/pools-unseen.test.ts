import { describe, expect, it } from 'vitest';
import { judgePools } from '../../src/analyze/pools.js';
import type { Counters } from '../../src/model/observation.js';
import { PoolWatch } from '../../src/watch/pools.js';
import { listen, look, type RowSpec } from '../support/table-builder.js';

const CURL = [{ pid: 31, fd: 3, name: 'curl' }];
const LISTENER = listen(
  '0.0.0.0:443',
  [0, 128],
  { inode: 7 },
  { owners: [{ pid: 90, fd: 6, name: 'nginx' }] },
);
const outbound = (n: number): RowSpec => ({
  local: `10.0.0.1:${40_000 + n}`,
  remote: '10.0.0.9:80',
  cookie: n + 1,
  owners: CURL,
  columns: { inode: 100 + n, lastSentMs: 20, lastReceivedMs: 10, bytesSent: 9, bytesReceived: 9 },
});

/** Six looks, a second apart; counters rise by so much in all, and connections are there as `rowsAt` says. */
function findingsOf(risen: Counters, rowsAt: (at: number) => readonly RowSpec[] = () => [], everyMs = 1000) {
  const watch = new PoolWatch();
  for (let at = 0; at < 6; at++) {
    const counters = Object.fromEntries(
      Object.entries(risen).map(([name, by]) => [name, 1000 + (by * at) / 5]),
    );
    watch.take(look(at * everyMs, [LISTENER, ...rowsAt(at)], { counters }));
  }
  const seen = watch.report();
  if (seen === undefined) throw new Error('no look');
  return judgePools(seen).findings;
}

const rulesOf = (...args: Parameters<typeof findingsOf>) =>
  findingsOf(...args).map(({ rule, severity }) => `${severity} ${rule}`);

describe('unseen_connections', () => {
  it('connects that only the kernel counted', () => {
    const [finding, ...others] = findingsOf({ ActiveOpens: 5000, AttemptFails: 10 }, (at) =>
      at === 3 ? [outbound(1)] : [],
    );
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      rule: 'unseen_connections',
      severity: 'info',
      sure: 'certain',
      direction: 'outbound',
      message:
        'the kernel counted 5,000 connects of this network namespace, and looks have shown 1 of them: what came and went between two looks left no trace, and nothing is said of it here',
      advice: expect.stringContaining('--interval 50ms'),
    });
    expect(finding).not.toHaveProperty('pool');
    expect(finding?.evidence.map(({ text }) => text)).toEqual([
      'ActiveOpens rose by 5,000 in 5.0 s, 1000 per second; 6 looks, 1.0 s apart at most, have shown 1',
      '10 of them failed, as far as AttemptFails tells',
    ]);
  });

  it('accepted connections likewise', () => {
    expect(findingsOf({ PassiveOpens: 400, ActiveOpens: 0 })).toMatchObject([
      {
        rule: 'unseen_connections',
        direction: 'inbound',
        message: expect.stringContaining('looks have shown none'),
      },
    ]);
  });

  it.each([
    ['a few', { ActiveOpens: 15 }, []],
    ['few per second, over a long time', { ActiveOpens: 30 }, [], 60_000],
    [
      'not ten times as many as were seen',
      { ActiveOpens: 90 },
      Array.from({ length: 12 }, (_, n) => outbound(n)),
    ],
    ['connects that failed', { ActiveOpens: 500, AttemptFails: 490 }, []],
    ['counters that went back', { ActiveOpens: -500 }, []],
    ['counters that are not known', {}, []],
  ] as const)('not %s', (_, risen, rows, everyMs?: number) => {
    const made = findingsOf(risen as Counters, (at) => (at === 0 ? [] : rows), everyMs ?? 1000);
    expect(made.filter(({ rule }) => rule === 'unseen_connections')).toEqual([]);
  });

  it('not beside churn that explains it', () => {
    const churning = (at: number) => Array.from({ length: 4 }, (_, n) => outbound(at * 4 + n));
    expect(rulesOf({ ActiveOpens: 5000 }, churning)).toEqual(['warning pool_churn']);
    // Churn of connects says nothing of what was accepted.
    expect(rulesOf({ ActiveOpens: 5000, PassiveOpens: 800 }, churning)).toEqual([
      'warning pool_churn',
      'info unseen_connections',
    ]);
  });
});

describe('churn of looks that are far apart', () => {
  const churning = (at: number) => Array.from({ length: 40 }, (_, n) => outbound(at * 40 + n));
  const textOf = (everyMs: number) => {
    const churn = findingsOf({}, churning, everyMs).find(({ rule }) => rule === 'pool_churn');
    expect(churn?.message).toMatch(/ made at least [\d.]+ new connections per second to /);
    return churn?.evidence[0]?.text;
  };

  it('says how far, and that most were not seen', () => {
    expect(textOf(10_000)).toBe(
      'at least 200 made and 200 closed in 50.0 s; at most 40 open at a look; looks were up to 10.0 s apart, and what was shorter mostly fell between two of them',
    );
  });

  it('not of looks that are close', () => {
    expect(textOf(1000)).toBe('at least 200 made and 200 closed in 5.0 s; at most 40 open at a look');
  });
});
