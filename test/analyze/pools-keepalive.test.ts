import { describe, expect, it } from 'vitest';
import { judgePools } from '../../src/analyze/pools.js';
import type { Pool, PoolsSeen } from '../../src/model/pools.js';
import { TIMER_KINDS } from '../../src/model/sockets.js';
import { millis } from '../../src/model/units.js';
import { PoolWatch } from '../../src/watch/pools.js';
import { listen, look, type RowSpec } from '../support/table-builder.js';

const NGINX = [{ pid: 90, fd: 6, name: 'nginx' }];
const LISTENER = listen('0.0.0.0:443', [0, 128], { inode: 7 }, { owners: NGINX });
const conn = (n: number, ms: number, rest: RowSpec = {}): RowSpec => ({
  local: `10.0.0.1:${40_000 + n}`,
  remote: '10.0.0.9:8080',
  cookie: n + 1,
  owners: NGINX,
  ...rest,
  columns: {
    inode: 100 + n,
    lastSentMs: ms + 20,
    lastReceivedMs: ms,
    lastAckMs: ms,
    bytesSent: 100,
    bytesReceived: 900,
    ...rest.columns,
  },
});
const inbound = (n: number, ms: number, rest: RowSpec = {}) =>
  conn(n, ms, { local: '10.0.0.1:443', remote: `203.0.113.9:${5000 + n}`, ...rest });

function seen(looks: readonly (readonly RowSpec[])[]): PoolsSeen {
  const pools = new PoolWatch();
  for (const [index, rows] of looks.entries()) pools.take(look(index * 1000, [LISTENER, ...rows]));
  return pools.report() as PoolsSeen;
}

/** One pool as it was seen, with these ends of idle connections. */
function said(rows: readonly RowSpec[], idleCloses: Pool['idleCloses']) {
  const report = seen([rows, rows]);
  return judgePools({ ...report, pools: report.pools.map((pool) => ({ ...pool, idleCloses })) }).findings.map(
    ({ rule, severity, sure, message }) => [rule, severity, sure, message],
  );
}

const timeout = (by: 'peer' | 'self', ms: number) => ({
  by,
  ms: millis(ms),
  withinMs: millis(20),
  closes: 12,
  of: 12,
});

describe('keepalive_race', () => {
  it('is a warning where requests were lost, at the side that sends them', () => {
    const lost = { by: 'peer', count: 3, afterMs: millis(14_900) } as const;
    expect(said([conn(1, 500)], { timeout: timeout('peer', 15_000), lost })).toEqual([
      [
        'keepalive_race',
        'warning',
        'certain',
        '10.0.0.9:8080 (http) closes connections that were idle for 15.0 s; 3 requests met its FIN and were reset',
      ],
    ]);
    expect(said([conn(1, 500)], { lost: { ...lost, count: 1 } })).toMatchObject([
      [
        'keepalive_race',
        'warning',
        'certain',
        '10.0.0.9:8080 (http) closes idle connections; 1 request met its FIN and was reset',
      ],
    ]);
  });

  it('is likely where idle connections end by a reset alone, and requests met it', () => {
    const { by: _, ...rest } = timeout('peer', 4000);
    const byReset = { ...rest, reset: true } as const;
    expect(said([conn(1, 500)], { timeout: byReset })).toEqual([
      [
        'keepalive_race',
        'info',
        'likely',
        'connections of nginx/90 to 10.0.0.9:8080 (http) ended by a reset after 4.0 s without data; which side sent it the sockets do not say, and a request that was written just then fails without a trace here',
      ],
    ]);
    expect(said([conn(1, 500)], { timeout: byReset, lost: { count: 2, afterMs: millis(4010) } })).toEqual([
      [
        'keepalive_race',
        'warning',
        'likely',
        'connections of nginx/90 to 10.0.0.9:8080 (http) ended by a reset after 4.0 s without data; 2 requests sent after as long were reset',
      ],
    ]);
    // At the server it may be the client's own way to end them.
    expect(said([inbound(1, 500)], { timeout: byReset })).toEqual([]);
  });

  it('and at the side that closes', () => {
    expect(
      said([inbound(1, 500)], { timeout: timeout('self', 15_000), lost: { by: 'self', count: 2 } }),
    ).toEqual([
      [
        'keepalive_race',
        'warning',
        'likely',
        'nginx/90 on 0.0.0.0:443 (https) closes connections that were idle for 15.0 s; 2 requests crossed its FIN and were reset',
      ],
    ]);
  });

  it('and only a suspicion where connections that it closed were reset, and no timeout was measured', () => {
    const [found, ...more] = said([inbound(1, 500)], { resets: 4 });
    expect(more).toEqual([]);
    expect(found?.slice(0, 3)).toEqual(['keepalive_race', 'info', 'suspected']);
    expect(found?.[3]).toMatch(
      /^4 connections that nginx\/90 .* ended by a reset: data came after the FIN \(a request, or the client's close_notify of TLS\), or the client aborted$/,
    );
    expect(said([conn(1, 500)], { resets: 4 })).toEqual([]);
  });

  it('and a suspicion beside the timeout, where what came after the FIN is not known', () => {
    expect(said([inbound(1, 500)], { timeout: timeout('self', 2000), resets: 12 })).toEqual([
      [
        'keepalive_race',
        'info',
        'suspected',
        "nginx/90 on 0.0.0.0:443 (https) closes connections that were idle for 2.0 s; 12 of them ended by a reset: data came after its FIN (a request, or the client's close_notify of TLS), or the client aborted",
      ],
    ]);
  });

  it('says what was measured where no FIN was seen: at the side that asks only', () => {
    const { by: _, ...rest } = timeout('peer', 3000);
    expect(said([conn(1, 500)], { timeout: rest })).toEqual([
      [
        'keepalive_race',
        'info',
        'suspected',
        'connections of nginx/90 to 10.0.0.9:8080 (http) ended after 3.0 s without data; which side closed them first was not seen',
      ],
    ]);
    expect(said([inbound(1, 500)], { timeout: rest })).toEqual([]);
  });

  it('names what answered the FIN and was no request', () => {
    const rows = [conn(1, 500)];
    const report = seen([rows, rows]);
    const idleCloses = { timeout: timeout('peer', 2000), alerts: 12 };
    const { findings } = judgePools({
      ...report,
      pools: report.pools.map((pool) => ({ ...pool, idleCloses })),
    });
    expect(findings).toMatchObject([{ rule: 'keepalive_race', severity: 'info' }]);
    expect(findings[0]?.evidence.at(-1)).toMatchObject({ metric: 'alerts_after_fin', value: 12 });
  });

  it('says only what was measured where none was lost', () => {
    expect(said([conn(1, 500)], { timeout: timeout('peer', 6010) })).toEqual([
      [
        'keepalive_race',
        'info',
        'likely',
        '10.0.0.9:8080 (http) closes connections that were idle for 6.0 s; no request was seen to be lost to it',
      ],
    ]);
  });

  it.each([
    ['the side that sends the requests closes first', [conn(1, 500)], timeout('self', 6000)],
    ['the clients close', [inbound(1, 500)], timeout('peer', 6000)],
  ])('has nothing to say where %s', (_, rows, of) => {
    expect(said(rows, { timeout: of })).toEqual([]);
  });
});

describe('no_keepalive', () => {
  const HOUR = 3_600_000;
  const rulesOf = (rows: readonly RowSpec[]) =>
    judgePools(seen([rows, rows])).findings.map(({ rule, severity }) => `${severity} ${rule}`);
  const kept = (n: number, ms: number, probes = 0) =>
    conn(n, ms, {
      columns: { timerKind: TIMER_KINDS.indexOf('keepalive'), timerMs: 5000, timerRetransmits: probes },
    });

  it('idle for long without a timer', () => {
    expect(rulesOf([conn(1, HOUR), conn(2, HOUR)])).toEqual(['info no_keepalive']);
  });

  it.each([
    ['with keep-alive', [kept(1, HOUR), kept(2, HOUR)]],
    ['idle for a minute', [conn(1, 60_000), conn(2, 60_000)]],
    [
      'to this host itself',
      [1, 2].map((n) => conn(n, HOUR, { local: '127.0.0.1:40001', remote: '127.0.0.1:8080' })),
    ],
    ['one alone', [conn(1, HOUR)]],
  ])('not %s', (_, rows) => {
    expect(rulesOf(rows)).toEqual([]);
  });

  /** Quiet for an hour at a look after so many segments came. */
  const quiet = (n: number, segments: number, ms = HOUR) =>
    conn(n, ms, { columns: { dataSegmentsOut: 1, dataSegmentsIn: segments } });

  it('says which of them were streams, as a guess', () => {
    const looks = [1, 2, 3, 4].map((segments) => [quiet(1, segments), quiet(2, 1)]);
    const [finding] = judgePools(seen(looks)).findings;
    expect(finding?.evidence[1]).toMatchObject({
      metric: 'idle_traffic',
      value: 1,
      text: 'by their data during the watch (a guess): 1 one way only, as a stream or server-sent events, 1 silent; on a stream or a WebSocket no request may ever show the loss: a message every minute keeps it known on the way',
    });
    const [still] = judgePools(seen([1, 1, 1].map((n) => [quiet(1, n), quiet(2, n)]))).findings;
    expect(still?.evidence[1]?.text).toBe('by their data during the watch (a guess): 2 silent');
    // One look tells nothing of it.
    const [once] = judgePools(seen([[quiet(1, 1), quiet(2, 1)]])).findings;
    expect(once?.evidence).toHaveLength(1);
  });

  it('probes without an answer', () => {
    expect(rulesOf([kept(1, HOUR, 3), kept(2, HOUR)])).toEqual(['warning keepalive_unanswered']);
    const [pool] = seen([[kept(1, 100, 1), kept(2, 100), conn(3, 100)]]).pools;
    expect(pool?.probes).toEqual({ kept: 2, bare: 1, bareLongIdle: 0, unanswered: 1, nextProbeMs: 5000 });
  });
});

describe('threads_busy', () => {
  /** Requests under way for `ms`, and others that came but were not read. */
  const load = (served: number, unread: number, ms: number) => [
    ...Array.from({ length: served }, (_, n) =>
      inbound(n, ms, { columns: { lastSentMs: ms + 5000, lastReceivedMs: ms } }),
    ),
    ...Array.from({ length: unread }, (_, n) => inbound(50 + n, ms, { queues: [120, 0] })),
  ];
  const rulesOf = (looks: readonly (readonly RowSpec[])[]) =>
    judgePools(seen(looks)).findings.map(({ rule, severity, message }) => `${severity} ${rule}: ${message}`);

  it('as many requests under way at every look, and more that nobody reads', () => {
    expect(rulesOf([1, 2, 3, 4, 5].map((at) => load(3, 6, at * 1000)))).toEqual([
      'warning threads_busy: nginx/90 on 0.0.0.0:443 (https) had 3 requests under way at each of 5 looks, never more, while at least 6 waited unread: all of its threads seem to be busy',
    ]);
  });

  it.each([
    ['nothing waits', [3, 3, 3, 3, 3].map((n, at) => load(n, 0, at * 1000))],
    ['another number at each look', [3, 4, 2, 5, 3].map((n, at) => load(n, 6, at * 1000))],
    ['they waited for a moment', [0, 0, 0, 6, 0].map((n, at) => load(3, n, at * 1000))],
    ['one at a time', [1, 1, 1, 1, 1].map((n, at) => load(n, 6, at * 1000))],
  ])('not where %s', (_, looks) => {
    expect(rulesOf(looks)).toEqual([]);
  });
});
