import { describe, expect, it } from 'vitest';
import { unjudged } from '../../src/analyze/pools/unjudged.js';
import { judgePools, type PoolsBeside } from '../../src/analyze/pools.js';
import type { Rule } from '../../src/model/findings.js';
import type { HikariStats } from '../../src/model/hikari.js';
import type { PoolsSeen } from '../../src/model/pools.js';
import { PoolWatch } from '../../src/watch/pools.js';
import { busy, idle, JAVA, LISTENER, many, NGINX, used } from '../support/java-pool.js';
import { look, type RowSpec } from '../support/table-builder.js';

/** What is found in looks of `everyMs`. */
function judge(
  looks: readonly (readonly RowSpec[])[],
  { everyMs = 1000, ...beside }: PoolsBeside & { everyMs?: number } = {},
) {
  return judgePools(watchOf(looks, everyMs), beside);
}

function watchOf(looks: readonly (readonly RowSpec[])[], everyMs = 1000): PoolsSeen {
  const pools = new PoolWatch();
  for (const [index, rows] of looks.entries()) pools.take(look(index * everyMs, [LISTENER, ...rows]));
  const seen = pools.report();
  if (seen === undefined) throw new Error('no look');
  return seen;
}

const rulesOf = (...args: Parameters<typeof judge>) =>
  judge(...args).findings.map(({ rule, severity }) => `${severity} ${rule}`);
const times = (count: number, make: (index: number) => RowSpec[]) =>
  Array.from({ length: count }, (_, index) => make(index));

describe('pool_exhausted', () => {
  const full = many(10, (n) => busy(n));
  /** Connection `n` at look `at`, after so many answers more. */
  const turning = (n: number, at: number, rest: RowSpec = {}) =>
    busy(n, 300, { ...rest, columns: { bytesSent: 100 + at, bytesReceived: 900 + at, ...rest.columns } });
  const pressed = (at: number) => many(10, (n) => turning(n, at));

  it('all busy at a constant maximum over the whole watch', () => {
    const { findings } = judge(times(6, pressed));
    expect(findings).toMatchObject([
      {
        rule: 'pool_exhausted',
        severity: 'warning',
        sure: 'suspected',
        subject: 'java/812 > 10.0.0.9:3306',
        message:
          'none of the 10 connections of java/812 to 10.0.0.9:3306 (mysql) was surely idle at any of 6 looks, and none was opened or closed: the pool may be at its maximum',
      },
    ]);
    // Whoever waits for a connection has no socket: only the pool itself knows.
    expect(JSON.stringify(findings)).not.toMatch(/\d+ (callers|threads)/);
  });

  it.each([
    ['one was idle once', times(6, (at) => (at === 3 ? [...pressed(at).slice(1), idle(0)] : pressed(at)))],
    ['one more was opened', times(6, (at) => (at < 3 ? pressed(at).slice(1) : pressed(at)))],
    ['two looks tell too little', times(2, pressed)],
    ['three connections are hardly a pool', times(6, (at) => pressed(at).slice(0, 3))],
    [
      'one was replaced between two looks',
      times(6, (at) => (at < 3 ? pressed(at) : [...pressed(at).slice(1), turning(50, at)])),
    ],
    [
      'many looks of many connections cannot tell',
      times(40, (at) =>
        many(20, (n) => (n < 4 ? turning(n, at) : used(n, 300, 300, { columns: { bytesSent: 100 + at } }))),
      ),
    ],
    [
      'they were used both ways a moment ago: small requests now and then',
      times(6, (at) => many(10, (n) => used(n, 2, 2, { columns: { bytesSent: 100 + at } }))),
    ],
    [
      'nothing ever came back: a one-way sender',
      times(6, () => many(4, (n) => busy(n, 300, { columns: { bytesReceived: 0 } }))),
    ],
    [
      'a greeting came once, and nothing after it: a one-way sender',
      times(6, (at) =>
        many(6, (n) => busy(n, 30, { columns: { bytesSent: 100 + at * 50, bytesReceived: 6 } })),
      ),
    ],
    [
      'answers lie there that the process does not read',
      times(6, (at) => many(10, (n) => turning(n, at, { queues: [n < 4 ? 50 : 0, 0] }))),
    ],
    [
      'answers lie there and nothing moves any more',
      times(6, () => many(10, (n) => busy(n, 300, { queues: [50, 0] }))),
    ],
    [
      'a service that always has requests under way',
      times(6, (at) => many(4, (n) => turning(n, at, { remote: '10.0.0.9:9092' }))),
    ],
    [
      'consumers of redis block on purpose',
      times(6, (at) => many(4, (n) => turning(n, at, { remote: '10.0.0.9:6379' }))),
    ],
    ['it cannot be told: all within one jiffy', times(6, () => many(5, (n) => used(n, 300, 300)))],
    [
      'inbound',
      times(6, () =>
        many(5, (n) => used(n, 320, 300, { local: '10.0.0.1:443', remote: `10.0.0.2:${n + 1}` })),
      ),
    ],
  ])('not where %s', (_, looks) => {
    expect(rulesOf(looks)).toEqual([]);
  });

  /** Of most of its connections it cannot be told at look 3, which follows an answer at once. */
  const unsureOnce = (at: number, from: number) =>
    many(10, (n) =>
      n >= from && at === 3
        ? used(n, 300, 300, { columns: { bytesSent: 100 + at, bytesReceived: 900 + at } })
        : turning(n, at),
    );

  it('although of some it cannot be told at one look', () => {
    expect(rulesOf(times(6, (at) => unsureOnce(at, 2)))).toEqual(['warning pool_exhausted']);
  });

  it('is not judged, and that is said, where it cannot be told of most', () => {
    const unsure = times(6, (at) =>
      many(10, (n) =>
        used(n, 300, 300, {
          columns: {
            bytesSent: 100 + at,
            bytesReceived: 900 + at * 10,
            dataSegmentsIn: at * 7,
            dataSegmentsOut: at * n,
          },
        }),
      ),
    );
    expect(rulesOf(unsure)).toEqual([]);
    const seen = watchOf(unsure);
    expect(unjudged(seen).map(({ what, why }) => `${what}: ${why}`)).toEqual([
      'pool_exhausted: not judged: none of the 10 connections of java/812 to 10.0.0.9:3306 (mysql) was surely idle, but of most it cannot be told',
    ]);
    expect(unjudged(watchOf(times(6, pressed)))).toEqual([]);
  });

  const hikari = (rest: Partial<HikariStats>): PoolsBeside => ({
    hikari: [{ name: 'orders', total: 10, active: 10, idle: 0, waiting: 0, ...rest }],
  });

  it('is critical where HikariCP says that threads wait, and certain where its process was named', () => {
    const looks = times(3, () => full);
    expect(judge(looks, hikari({ waiting: 5 })).findings).toMatchObject([
      { severity: 'critical', sure: 'likely' },
    ]);
    const { findings } = judge(looks, { ...hikari({ waiting: 5 }), hikariPid: 812 });
    expect(findings).toMatchObject([
      {
        rule: 'pool_exhausted',
        severity: 'critical',
        sure: 'certain',
        message: expect.stringMatching(/^5 threads of java\/812 waited/),
      },
    ]);
  });

  it.each([
    ['has another total', { total: 9 }, [full]],
    ['has more active ones than the sockets show', { waiting: 5 }, [many(10, (n) => idle(n))]],
  ])('is suspected at most where it %s', (_, stats, looks) => {
    expect(judge(looks, hikari({ waiting: 5, ...stats })).findings).toMatchObject([
      { rule: 'pool_exhausted', severity: 'warning', sure: 'suspected' },
    ]);
  });

  it('is not taken from an old line', () => {
    const old = hikari({ waiting: 5, time: 1_700_000_000_000 - 3_600_000 });
    const { findings, hikari: found } = judge([full], old);
    expect(findings).toEqual([]);
    expect(found).toMatchObject([
      {
        by: 'same_total',
        disagreements: ['its last line is 60 min away from the last look: it says nothing of now'],
      },
    ]);
    const now = hikari({ waiting: 5, time: 1_700_000_000_000 - 40_000 });
    expect(judge([full], now).findings).toMatchObject([{ severity: 'critical' }]);
  });

  it('is not said where HikariCP has idle ones', () => {
    expect(rulesOf(times(6, pressed), hikari({ active: 9, idle: 1 }))).toEqual([]);
  });

  it('is not said of connections that wait for one answer all the time: those may be consumers', () => {
    const waiting = (at: number) => many(10, (n) => busy(n, at * 1000 + 5000, { remote: '10.0.0.9:8081' }));
    const { findings } = judge(times(6, waiting));
    expect(findings).toMatchObject([
      {
        rule: 'pool_waiting',
        severity: 'info',
        sure: 'suspected',
        message:
          'each of the 10 connections of java/812 to 10.0.0.9:8081 seems to wait for an answer, half of them for 10.0 s or longer',
      },
    ]);
    expect(rulesOf(times(6, () => full))).toEqual(['warning pool_waiting']);
    // One heartbeat is no turnover.
    const beat = times(6, (at) => [...full.slice(1), turning(0, at)]);
    expect(rulesOf(beat)).toEqual(['warning pool_waiting']);
  });
});

describe('pool_churn', () => {
  const gone = (n: number) => idle(n, 0, { state: 'time-wait', owners: [], columns: { inode: 0 } });

  it('short connections, by TIME-WAIT of which no process is known', () => {
    const { findings, pools } = judge(times(6, (at) => many(at * 10, gone)));
    expect(findings).toMatchObject([
      {
        rule: 'pool_churn',
        severity: 'warning',
        sure: 'likely',
        message: expect.stringMatching(
          /^somebody \(the connections had closed before a look could tell whose they were\) made at least 10\.0 new/,
        ),
      },
    ]);
    expect(pools[0]).toMatchObject({ owner: 'none', timeWait: 50, past: { created: 50, closed: 50 } });
    // Of what only left a port, nothing is known of its use.
    expect(findings[0]?.evidence.map(({ metric }) => metric)).toEqual(['created', 'time_wait']);
  });

  it('is the finding of the process that alone connects there', () => {
    const { findings } = judge(times(6, (at) => [...many(at * 10, gone), idle(1000 + at, 1)]));
    expect(findings).toMatchObject([{ rule: 'pool_churn', subject: 'java/812 > 10.0.0.9:3306' }]);
    expect(findings[0]?.evidence.map(({ metric }) => metric)).toEqual([
      'created',
      'reused',
      'created_nameless',
      'time_wait',
    ]);
  });

  it('of processes that are not known', () => {
    const { findings } = judge(
      times(6, (at) => {
        const { owners: _, ...row } = idle(0, 100);
        return many(20, (n) => ({ ...row, local: `10.0.0.1:${at * 20 + n + 1}`, cookie: at * 20 + n + 1 }));
      }),
    );
    expect(findings).toMatchObject([
      { rule: 'pool_churn', message: expect.stringMatching(/^processes that are not known made at least/) },
    ]);
  });

  it('is not laid on a process that keeps its own connections', () => {
    const kept = times(6, (at) => [
      ...many(at * 10, gone),
      ...many(5, (n) => idle(n, 100, { columns: { bytesSent: 100 + at } }), 5000),
    ]);
    expect(judge(kept).findings).toMatchObject([
      { rule: 'pool_churn', subject: expect.stringMatching(/^connections of no/) },
    ]);
    // Nor is one that made two and keeps them.
    const warm = times(6, (at) => [
      ...many(at * 10, gone),
      ...many(5, (n) => idle(n, 100, { columns: { bytesSent: 100 + at } }), at < 1 ? 5001 : 5000),
    ]);
    expect(judge(warm).findings.map(({ subject }) => subject)).toEqual([
      expect.stringMatching(/^connections of no/),
    ]);
  });

  it('is not hidden by ports that were left over before', () => {
    const { findings, pools } = judge(times(6, (at) => [...many(100, gone, 10_000), ...many(at * 10, gone)]));
    expect(findings).toMatchObject([{ rule: 'pool_churn' }]);
    expect(pools[0]?.past).toMatchObject({ seen: 50, created: 50 });
    expect(judge([many(100, gone)]).pools).toMatchObject([{ timeWait: 100, past: { seen: 0 } }]);
  });

  it('is not made of connects that fail', () => {
    const syn = (n: number) =>
      used(n, 0, 0, { state: 'syn-sent', columns: { bytesSent: 0, bytesReceived: 0 } });
    const { findings, pools } = judge(times(6, (at) => many(10, syn, at * 10)));
    expect(findings).toEqual([]);
    expect(pools).toMatchObject([
      { connecting: 10, past: { created: 0, closed: 0, seen: 0, connectFailed: 50 } },
    ]);
  });

  it.each([
    ['the pool is warmed up', times(6, (at) => many(at * 10, (n) => idle(n, 100)))],
    ['it is replaced once', times(6, (at) => many(10, (n) => idle(n, 100), at < 3 ? 0 : 100))],
    ['a few come and go', times(6, (at) => many(1, (n) => idle(n, 100), at))],
    [
      'they came in: that is for the listener',
      times(6, (at) =>
        many(20, (n) => idle(n, 100, { local: '10.0.0.1:443', remote: `10.0.0.2:${n + 1}` }), at * 20),
      ),
    ],
  ])('not where %s', (_, looks) => {
    expect(rulesOf(looks).filter((rule) => rule.includes('churn'))).toEqual([]);
  });
});

describe('reconnect_wave', () => {
  const wave = (at: number) => many(10, (n) => idle(n, 100), at * 100);

  it('half of a pool replaced at once', () => {
    expect(rulesOf(times(8, (at) => wave(at < 4 ? 0 : 1)))).toContain('info reconnect_wave');
  });

  it('again and again, with the period', () => {
    const { findings } = judge(times(37, (at) => wave(Math.floor(at / 12))));
    const found = findings.find(({ rule }) => rule === 'reconnect_wave');
    expect(found).toMatchObject({
      severity: 'warning',
      message: expect.stringMatching(/3 times in 36\.0 s$/),
    });
    expect(found?.evidence[1]).toMatchObject({ metric: 'wave_period', value: 12 });
  });

  /** Ten connections that are replaced one after the other within 45 s, each half hour; a look each 5 s. */
  const spread = (everyMs: number) => (at: number) =>
    many(10, (n) => {
      const turn = Math.floor((at * 5000 + 60_000 - n * 5000) / everyMs);
      return idle(turn * 100 + n + 1000, 100);
    });

  it('spread over a while, then none for many times as long', () => {
    const { findings } = judge(times(1100, spread(1_800_000)), { everyMs: 5000 });
    const found = findings.find(({ rule }) => rule === 'reconnect_wave');
    expect(found).toMatchObject({
      severity: 'warning',
      message: expect.stringMatching(/were replaced within 45\.0 s 3 times/),
    });
    expect(found?.evidence[1]).toMatchObject({ metric: 'wave_period', value: 1800 });
  });

  /** Six connections that live for four looks, begun one after the other within three of them. */
  const evenly = (at: number) =>
    many(6, (n) => idle(Math.floor((at * 500 + 2000 - n * 300) / 2000) * 100 + n, 100));

  it('of a restart that takes three looks, with quiet before and after it', () => {
    const restart = (at: number) => many(6, (n) => idle(n + (at - 14 > n / 2 ? 100 : 0), 100));
    expect(rulesOf(times(30, restart))).toContain('info reconnect_wave');
  });

  it('not where they are replaced one after the other all the time', () => {
    expect(rulesOf(times(400, spread(60_000)), { everyMs: 5000 }).join()).not.toContain('reconnect_wave');
  });

  it.each([
    ['evenly, after a lifetime of four looks', times(25, evenly)],
    ['at once, but at every fourth look', times(25, (at) => wave(Math.floor(at / 4)))],
    ['one by one', times(8, (at) => many(10, (n) => idle(n, 100), at))],
    ['closed, not opened again', times(8, (at) => (at < 4 ? wave(0) : wave(0).slice(5)))],
    ['opened only', times(8, (at) => many(at < 4 ? 5 : 10, (n) => idle(n, 100)))],
  ])('not where they go %s', (_, looks) => {
    expect(rulesOf(looks)).not.toContain('info reconnect_wave');
    expect(rulesOf(looks)).not.toContain('warning reconnect_wave');
  });
});

describe('pool_leak', () => {
  /** A pool of ten, and connections that are made at `born` and never used again. */
  const forgotten = (at: number, count: number, born: (n: number) => number) =>
    many(count, (n) => idle(n + 10, Math.max(0, at - born(n)) * 60_000 + 100));
  const pool = (at: number) => many(10, (n) => idle(n, 1000, { columns: { bytesSent: 100 + at } }));
  const grow = (at: number) => [...pool(at), ...forgotten(at, at * 2, (n) => Math.ceil((n + 1) / 2))];
  const speeding = (at: number) => forgotten(at, at * at, (n) => Math.ceil(Math.sqrt(n + 1)));

  it.each([
    ['beside a pool that is used', grow],
    ['faster and faster', speeding],
    ['from the start of the process', (at: number) => grow(at).slice(10)],
    ['though one is closed in the end', (at: number) => (at === 15 ? grow(at).slice(0, -1) : grow(at))],
    ['with a short one each minute beside it', (at: number) => [...grow(at), idle(5000 + at, 50)]],
  ])('grows, and what grows lies idle, %s', (_, make) => {
    expect(rulesOf(times(16, make), { everyMs: 60_000 })).toContain('warning pool_leak');
  });

  it.each([
    ['the watch was short', times(16, grow), 1000],
    ['they are used', times(16, (at) => many(10 + at * 2, (n) => idle(n, 1000))), 60_000],
    ['it shrinks too', times(16, (at) => grow(at < 14 ? at : 3)), 60_000],
    [
      'the application starts meanwhile and keeps its pool',
      times(16, (at) => (at < 2 ? [] : forgotten(at, 20, () => 2))),
      60_000,
    ],
    [
      'a pool that was there goes quiet',
      times(16, (at) => many(40, (n) => idle(n, at < n / 4 ? 1000 : 90_000 + at * 60_000))),
      60_000,
    ],
  ])('not where %s', (_, looks, everyMs) => {
    expect(rulesOf(looks, { everyMs })).not.toContain('warning pool_leak');
  });
});

describe('pool_oversized', () => {
  it('far more than were ever busy', () => {
    const looks = times(4, (at) => [...many(40, (n) => idle(n, 90_000 + at * 1000)), busy(50)]);
    expect(rulesOf(looks)).toEqual(['info pool_oversized']);
    const [found] = judge(looks).findings;
    expect(found?.message).toMatch(/half of them have been idle for 93\.0 s or longer$/);
    expect(found?.evidence[1]?.text).toBe('data moved on 0 of 41 during the watch');
  });
  it('not where all are used between the looks, though never busy at one', () => {
    const asked = times(4, (at) => many(18, (n) => idle(n, 400, { columns: { bytesSent: 100 + 50 * at } })));
    expect(rulesOf(asked)).toEqual([]);
  });
  it('not where they rest for as long as a short watch may last: every few seconds is no rest', () => {
    expect(rulesOf(times(4, (at) => many(40, (n) => idle(n, 500 + at * 1000))))).toEqual([]);
  });
  it('not where many were busy once', () => {
    expect(
      rulesOf(times(4, (at) => (at === 1 ? many(40, (n) => busy(n)) : many(40, (n) => idle(n, 90_000))))),
    ).toEqual([]);
  });
});

describe('pool_uneven', () => {
  const to = (host: string, count: number, from: number, state: RowSpec['state'] = 'established') =>
    many(count, (n) => idle(n, 500, { remote: `${host}:8080`, state }), from);

  it('one address has nearly all', () => {
    expect(rulesOf([[...to('10.0.0.9', 9, 0), ...to('10.0.0.8', 1, 100)]])).toEqual(['info pool_uneven']);
  });
  it('is a warning where another is not reached', () => {
    expect(rulesOf([[...to('10.0.0.9', 9, 0), ...to('10.0.0.8', 1, 100, 'syn-sent')]])).toEqual([
      'warning pool_uneven',
    ]);
  });
  it.each([
    ['shared', [...to('10.0.0.9', 9, 0), ...to('10.0.0.8', 4, 100)]],
    ['to another network', [...to('10.0.0.9', 9, 0), ...to('10.0.7.8', 1, 100)]],
    ['few', [...to('10.0.0.9', 2, 0), ...to('10.0.0.8', 0, 100)]],
  ])('not where they are %s', (_, rows) => {
    expect(rulesOf([rows])).toEqual([]);
  });
});

describe('close_wait_leak', () => {
  const left = (n: number, ms = 2000, rest: RowSpec = {}) => idle(n, ms, { state: 'close-wait', ...rest });

  it('grows, and those that were there stay', () => {
    const looks = times(6, (at) => many(at * 2, (n) => left(n)));
    const { findings } = judge(looks, { descriptors: new Map([[812, { open: 900, limit: 1024 }]]) });
    expect(findings).toMatchObject([
      {
        rule: 'close_wait_leak',
        severity: 'critical',
        message:
          'java/812 has not closed 10 connections to 10.0.0.9:3306 (mysql) whose peer has ended its side',
      },
    ]);
    expect(findings[0]?.evidence.at(-1)?.text).toBe(
      '900 of 1,024 descriptors in use: at this pace the limit is reached in 62.0 s',
    );
    expect(rulesOf(looks)).toEqual(['warning close_wait_leak']);
  });

  it('is old', () => {
    expect(rulesOf(times(3, () => many(4, (n) => left(n, 90_000))))).toEqual(['warning close_wait_leak']);
  });

  it('is what stays after an answer that has ended long ago', () => {
    const answered = (n: number, at: number) =>
      left(n, 90_000, { columns: { bytesSent: 100 + Math.min(at, 1) } });
    expect(rulesOf(times(4, (at) => many(4, (n) => answered(n, at))))).toEqual(['warning close_wait_leak']);
  });

  describe('of requests that ended with shutdown(SHUT_WR), as far as it is known', () => {
    /** A request came `ms` ago, and an answer went `sent` ms ago. */
    const asked = (n: number, ms: number, sent: number, bytesSent = 100) =>
      left(n, ms, {
        local: '10.0.0.1:443',
        remote: `203.0.113.9:${5000 + n}`,
        owners: NGINX,
        columns: { lastReceivedMs: ms, lastSentMs: sent, lastAckMs: ms, bytesSent },
      });
    const growing = (make: (n: number) => RowSpec) => times(6, (at) => many(at * 2, make));
    const said = (looks: RowSpec[][], rest: PoolsBeside = {}) =>
      judge(looks, rest).findings.map(({ severity, sure, message }) => `${severity} ${sure} ${message}`);
    const MAY_WORK =
      'nginx/90 has not closed 10 connections on 0.0.0.0:443 (https) whose peer has ended its side, or works on requests that ended with shutdown(SHUT_WR)';

    it('is a suspicion where nothing was sent after what the peer had sent last', () => {
      const descriptors = new Map([[90, { open: 1000, limit: 1024 }]]);
      expect(
        said(
          growing((n) => asked(n, 2000, 2020, 0)),
          { descriptors },
        ),
      ).toEqual([`info suspected ${MAY_WORK}`]);
      expect(said(growing((n) => asked(n, 2000, 9000)))).toEqual([`info suspected ${MAY_WORK}`]);
    });

    it('and a warning where that is a minute ago, or was answered', () => {
      const old = times(6, () => many(4, (n) => asked(n, 90_000, 90_020, 0)));
      expect(said(old)).toMatchObject([expect.stringMatching(/^warning suspected .* shutdown\(SHUT_WR\)$/)]);
      for (const sent of [1900, 2000])
        expect(said(growing((n) => asked(n, 2000, sent)))).toMatchObject([
          expect.stringMatching(/^warning likely .* ended its side$/),
        ]);
    });

    it('says no time until the limit where the oldest is older than the watch, and some are closed', () => {
      const looks = growing((n) => left(n, n === 0 ? 30_000 : 2000));
      const drained = looks.map((rows, at) => rows.filter((_, n) => n !== 1 || at < 4));
      const of = (rows: RowSpec[][]) => {
        const { findings } = judge(rows, { descriptors: new Map([[812, { open: 900, limit: 1024 }]]) });
        return findings.map(({ rule, severity, evidence }) => [
          `${severity} ${rule}`,
          evidence.some(({ metric }) => metric === 'descriptors'),
        ]);
      };
      expect(of(drained)).toEqual([['warning close_wait_leak', false]]);
      expect(of(looks)).toEqual([['critical close_wait_leak', true]]);
    });
  });

  it.each([
    [
      'requests under way that are answered and closed, at first more than later',
      times(8, (at) => many(Math.min(12, at * 4), (n) => left(Math.max(0, at - 3) * 4 + n))),
    ],
    [
      'streams on which something is sent now and then',
      times(10, (at) =>
        many(3 + at, (n) =>
          left(n, 2000, { columns: { bytesSent: 100 + Math.max(0, Math.floor((at - n + 3) / 3)) } }),
        ),
      ),
    ],
    ['a burst, seen once', times(6, (at) => many(at < 2 ? 0 : 6, (n) => left(n)))],
    [
      'answered still: the client has ended its side only',
      times(6, (at) => many(at * 2, (n) => left(n, 500, { columns: { bytesSent: 100 + at * 50 } }))),
    ],
    [
      'answered now and then',
      times(9, (at) =>
        many(at * 2, (n) =>
          left(n, 500, { columns: { bytesSent: 100 + 100 * Math.floor((at - n / 2 + 2) / 2) } }),
        ),
      ),
    ],
    ['young and of constant number', times(6, () => many(4, (n) => left(n)))],
    [
      'closed soon: other ones at each look',
      times(4, (at) => many(2 + (at % 2), (n) => left(n, 100), at * 10)),
    ],
    [
      'not accepted yet',
      times(6, (at) =>
        many(at * 2, (n) =>
          left(n, 100, {
            local: '10.0.0.1:443',
            remote: `10.0.0.2:${n + 1}`,
            owners: [],
            columns: { inode: 0 },
          }),
        ),
      ),
    ],
  ])('not where they are %s', (_, looks) => {
    expect(rulesOf(looks)).toEqual([]);
  });
});

describe('rules that could not be judged', () => {
  const wanted = (...rules: Rule[]) => ({ rules: new Set(rules) });
  const whatOf = (looks: readonly (readonly RowSpec[])[], rules?: ReturnType<typeof wanted>) =>
    unjudged(judge(looks), rules).map(({ what, why }) => `${what}: ${why}`);
  const rows = many(3, (n) => idle(n));

  it('have too little time or too few looks, where somebody waits for them', () => {
    expect(whatOf([rows])).toEqual([]);
    expect(whatOf([rows], wanted('pool_churn', 'pool_uneven'))).toEqual([
      'pool_churn: not judged: it needs 2 looks, there was 1 in 0 ms',
    ]);
    expect(
      whatOf(
        times(6, () => rows),
        wanted('pool_leak'),
      ),
    ).toEqual(['pool_leak: not judged: it needs 4 looks over 10 min, there were 6 in 5.0 s']);
    expect(
      whatOf(
        times(6, () => rows),
        wanted('pool_exhausted', 'close_wait_leak'),
      ),
    ).toEqual([]);
  });

  it('have no process, or no times', () => {
    const { owners: _, ...nameless } = idle(1);
    expect(whatOf(times(6, () => [nameless]))).toContain(
      'pool_exhausted, pool_waiting, pool_leak, pool_oversized, pool_uneven, reconnect_wave, close_wait_leak: not judged: the processes of 1 connection are not known',
    );
    const timeless: RowSpec = {
      local: '10.0.0.1:1',
      remote: '10.0.0.9:3306',
      owners: JAVA,
      columns: { inode: 5 },
    };
    expect(whatOf(times(6, () => [timeless]))).toContain(
      'pool_exhausted, pool_waiting, pool_leak, pool_oversized: not judged: the source has no times of 1 connection',
    );
  });
});

describe('HikariCP beside the sockets', () => {
  const stats = (total: number, active: number, name = 'orders'): HikariStats => ({
    name,
    total,
    active,
    idle: total - active,
    waiting: 0,
  });
  const rows = [
    ...many(10, (n) => (n < 4 ? busy(n) : idle(n))),
    ...many(5, (n) => idle(n, 500, { remote: '10.0.0.7:5432' }), 100),
    ...many(10, (n) => idle(n, 500, { remote: '10.0.0.6:80' }), 200),
  ];
  const matches = (...hikari: HikariStats[]) => {
    const { pools, hikari: found } = judge([rows], { hikari });
    return found.map(({ pool, disagreements }) => [
      pool === undefined ? undefined : pools[pool]?.service,
      disagreements,
    ]);
  };

  it('goes to the pool of a database with the same total', () => {
    expect(matches(stats(10, 4), stats(5, 0, 'users'))).toEqual([
      ['mysql', []],
      ['postgres', []],
    ]);
  });

  it('says where they differ', () => {
    expect(matches(stats(10, 6))[0]?.[1]).toEqual([
      'HikariCP says that 6 of "orders" are active, 4 at most are busy on the wire: its line is older, or the application holds 2 without a request under way',
    ]);
    expect(matches(stats(10, 1))[0]?.[1]).toEqual([
      expect.stringMatching(/1 of "orders" are active, 4 are busy/),
    ]);
  });

  it('prefers Java, and takes none but the process that was named', () => {
    const other = many(
      10,
      (n) =>
        idle(n, 500, { local: `10.0.0.2:${n + 1}`, owners: [{ pid: 5, fd: 1, name: 'mysqlworkbench' }] }),
      300,
    );
    const { hikari } = judge([[...rows, ...other]], { hikari: [stats(10, 4)] });
    expect(hikari).toMatchObject([{ by: 'same_total', disagreements: [] }]);
    const named = judge([[...rows, ...other]], { hikari: [stats(10, 0)], hikariPid: 5 });
    expect(named.hikari).toMatchObject([{ by: 'process', disagreements: [] }]);
    expect(named.pools[named.hikari[0]?.pool ?? -1]).toMatchObject({ owner: { pid: 5 } });
    const gone = judge([rows], { hikari: [stats(10, 4)], hikariPid: 6 });
    expect(gone.hikari[0]).not.toHaveProperty('pool');
  });

  it('chooses none where several fit or none does', () => {
    expect(matches(stats(7, 0))).toEqual([
      [undefined, ['no pool of 7 connections was seen that could be "orders"']],
    ]);
  });

  it('takes the only pool whatever its total is', () => {
    const { hikari } = judge([many(3, (n) => idle(n))], { hikari: [stats(10, 0)] });
    expect(hikari).toMatchObject([
      {
        pool: 0,
        disagreements: [
          expect.stringMatching(/has 10 connections, the sockets to 10\.0\.0\.9:3306 \(mysql\) are 3/),
        ],
      },
    ]);
  });
});
