import { describe, expect, it } from 'vitest';
import { timeoutOf } from '../../src/watch/keepalive.js';
import { PoolWatch } from '../../src/watch/pools.js';
import { ended } from '../support/ended.js';
import { listen, look, type RowSpec } from '../support/table-builder.js';

const close = (ms: number, at: number, width = 20) => ({
  by: 'peer' as const,
  low: ms - width,
  high: ms,
  at,
});

describe('timeoutOf', () => {
  it('finds the time after which connections were closed at different moments', () => {
    const found = timeoutOf([close(6010, 100), close(6000, 900), close(6025, 2000), close(6005, 3000)]);
    expect(found).toMatchObject({ closes: 4, of: 4 });
    expect(found?.ms).toBeGreaterThan(5980);
    expect(found?.ms).toBeLessThan(6020);
  });

  it('narrows what slow looks tell, and leaves a stranger out', () => {
    const found = timeoutOf([
      { by: 'peer', low: 14_300, high: 15_300, at: 0 },
      { by: 'peer', low: 14_900, high: 15_900, at: 1000 },
      { by: 'peer', low: 14_100, high: 15_100, at: 5000 },
      close(2000, 7000),
    ]);
    expect(found).toMatchObject({ ms: 15_000, withinMs: 100, closes: 3, of: 4 });
  });

  it.each([
    ['a spread', [1000, 3000, 5200, 8000, 9500].map((ms, at) => close(ms, at * 1000))],
    ['a pool that ended at one moment', [close(6000, 100), close(6000, 110), close(6010, 120)]],
    ['two', [close(6000, 100), close(6000, 2000)]],
    [
      'bounds that are too wide',
      [0, 1000, 2000].map((at) => ({ by: 'peer' as const, low: 1000, high: 5000, at })),
    ],
    [
      'a few of many',
      [...[0, 1, 2].map((n) => close(6000, n * 1000)), ...[700, 1500, 2200].map((ms) => close(ms, ms))],
    ],
  ])('finds none in %s', (_, closes) => {
    expect(timeoutOf(closes)).toBeUndefined();
  });
});

const JAVA = [{ pid: 812, fd: 9, name: 'java' }];
const NODE = [{ pid: 90, fd: 6, name: 'node' }];
const LISTENER = listen('10.0.0.1:3000', [0, 128], { inode: 7 }, { owners: NODE });

interface Times {
  readonly sent: number;
  readonly received: number;
  readonly acked?: number;
}

const BYTES = { bytesSent: 100, bytesAcked: 101, bytesReceived: 900, unacked: 0 };

/** Connection `n` of java to a server, quiet for `ms`. */
const outbound = (n: number, times: number | Times, rest: RowSpec = {}): RowSpec => {
  const {
    sent,
    received,
    acked = received,
  } = typeof times === 'number' ? { sent: times + 20, received: times } : times;
  return {
    local: `10.0.0.2:${40_000 + n}`,
    remote: '10.0.0.9:8080',
    cookie: n + 1,
    owners: JAVA,
    ...rest,
    columns: {
      inode: 100 + n,
      lastSentMs: sent,
      lastReceivedMs: received,
      lastAckMs: acked,
      rttMs: 1,
      ...BYTES,
      ...rest.columns,
    },
  };
};
/** The same at the server: the answer is sent last. */
const inbound = (n: number, ms: number, rest: RowSpec = {}) =>
  outbound(
    n,
    { sent: ms, received: ms + 20 },
    {
      local: '10.0.0.1:3000',
      remote: `10.0.0.5:${40_000 + n}`,
      owners: NODE,
      ...rest,
    },
  );

/** Looks at their times, and what ended between. */
function watch(...steps: readonly (readonly [at: number, rows: readonly RowSpec[], what?: 'ended'])[]) {
  const pools = new PoolWatch();
  for (const [at, rows, what] of steps)
    pools.take(what === 'ended' ? ended(at, rows) : look(at, [LISTENER, ...rows]));
  return pools.report()?.pools.find(({ past }) => past.seen > 0)?.idleCloses;
}

describe('ends of idle connections', () => {
  it('of the peer: CLOSE-WAIT, with the time of the last ACK', () => {
    const closeWait = (n: number, idle: number, ago: number) =>
      outbound(n, { sent: idle + ago + 20, received: idle + ago, acked: ago }, { state: 'close-wait' });
    const found = watch(
      [0, [outbound(1, 2200), outbound(2, 1200), outbound(3, 200)]],
      [1000, [closeWait(1, 3000, 200), outbound(2, 2200), outbound(3, 1200)]],
      [2000, [closeWait(2, 3000, 200), outbound(3, 2200)]],
      [3000, [closeWait(3, 3000, 200)]],
    );
    expect(found?.timeout).toMatchObject({ by: 'peer', closes: 3, of: 3 });
    expect(Math.abs((found?.timeout?.ms ?? 0) - 3000)).toBeLessThan(50);
    expect(found).not.toHaveProperty('lost');
  });

  it('of this side: TIME-WAIT, with its timer', () => {
    const timeWait = (n: number, ago: number) =>
      inbound(n, 0, { state: 'time-wait', cookie: 70 + n, columns: { timerMs: 60_000 - ago, inode: 0 } });
    const found = watch(
      [0, [inbound(1, 2200), inbound(2, 1200), inbound(3, 200)]],
      [1000, [timeWait(1, 200), inbound(2, 2200), inbound(3, 1200)]],
      [2000, [timeWait(1, 1200), timeWait(2, 200), inbound(3, 2200)]],
      [3000, [timeWait(2, 1200), timeWait(3, 200)]],
    );
    expect(found?.timeout).toMatchObject({ by: 'self', closes: 3 });
    expect(Math.abs((found?.timeout?.ms ?? 0) - 3000)).toBeLessThan(50);
  });

  it('as the kernel tells them, with the FINs that it counted', () => {
    const end = (n: number) => outbound(n, 3005, { columns: { bytesReceived: 901, bytesAcked: 102 } });
    const found = watch(
      [0, [outbound(1, 2500), outbound(2, 1500), outbound(3, 500)]],
      [510, [end(1)], 'ended'],
      [1000, [outbound(2, 2500), outbound(3, 1500)]],
      [1510, [end(2)], 'ended'],
      [2000, [outbound(3, 2500)]],
      [2510, [end(3)], 'ended'],
      [3000, []],
    );
    expect(found?.timeout).toMatchObject({ by: 'peer', closes: 3 });
    expect(Math.abs((found?.timeout?.ms ?? 0) - 3000)).toBeLessThan(30);
  });

  it('of which nobody can tell who closed', () => {
    const found = watch(
      [0, [outbound(1, 2700), outbound(2, 2500), outbound(3, 2300)]],
      [300, [outbound(2, 2800), outbound(3, 2600)]],
      [600, [outbound(3, 2900)]],
      [900, []],
    );
    expect(found?.timeout).toMatchObject({ closes: 3 });
    expect(found?.timeout).not.toHaveProperty('by');
  });

  it('counts no request that waited in vain as idle', () => {
    const waits = (n: number, ms: number) => outbound(n, { sent: ms, received: ms + 20 });
    const found = watch(
      [0, [waits(1, 2500), waits(2, 1500), waits(3, 500)]],
      [1000, [waits(2, 2500), waits(3, 1500)]],
      [2000, [waits(3, 2500)]],
      [3000, []],
    );
    expect(found).toEqual({});
  });
});

describe('requests that meet the FIN of an idle connection', () => {
  const asked = { bytesSent: 140, bytesAcked: 101 };

  it('as the kernel tells them: FIN received, request not acknowledged', () => {
    const found = watch(
      [0, [outbound(1, 5500)]],
      [
        600,
        [outbound(1, { sent: 200, received: 6100 }, { columns: { ...asked, bytesReceived: 901 } })],
        'ended',
      ],
      [1000, []],
    );
    expect(found).toEqual({ lost: { by: 'peer', count: 1, afterMs: 5900 } });
  });

  it('as looks show them, once', () => {
    const crossed = (ms: number) =>
      outbound(1, { sent: ms, received: 5900 + ms, acked: 50 }, { state: 'last-ack', columns: asked });
    const found = watch(
      [0, [outbound(1, 5800)]],
      [100, [outbound(1, { sent: 50, received: 5950 }, { columns: { ...asked, unacked: 1 } })]],
      [200, [crossed(150)]],
      [300, [crossed(250)]],
      [350, [{ ...crossed(290), columns: { ...crossed(290).columns, bytesReceived: 901 } }], 'ended'],
      [400, []],
    );
    expect(found?.lost).toEqual({ by: 'peer', count: 1, afterMs: 5900 });
  });

  it.each([
    ['was answered', { bytesSent: 140, bytesAcked: 141, bytesReceived: 1801 }, { sent: 200, received: 190 }],
    [
      'was acknowledged: the server had it',
      { bytesSent: 140, bytesAcked: 141, bytesReceived: 901 },
      { sent: 200, received: 6100 },
    ],
    ['was reset without a FIN', { ...asked, bytesReceived: 900 }, { sent: 200, received: 6100 }],
    ['followed another at once', { ...asked, bytesReceived: 901 }, { sent: 200, received: 300 }],
  ])('counts none that %s', (_, columns, times) => {
    const found = watch(
      [0, [outbound(1, 5500)]],
      [600, [outbound(1, times, { columns })], 'ended'],
      [1000, []],
    );
    expect(found).not.toHaveProperty('lost');
  });

  const closedHere = (n: number, ms = 3000) => inbound(n, ms, { columns: { bytesAcked: 102 } });
  /** Two of a timeout of 3 s that end as they should, at different moments, and what more there is. */
  const withTimeout = (more: (n: number) => RowSpec, stays: RowSpec[] = []) => {
    const timeWait = (n: number) =>
      inbound(n, 0, { state: 'time-wait', cookie: 70 + n, columns: { timerMs: 59_600, inode: 0 } });
    return watch(
      [0, [inbound(1, 2500), inbound(2, 1500), inbound(3, 500), inbound(4, 1500)]],
      [600, [closedHere(1)], 'ended'],
      [1000, [timeWait(1), inbound(2, 2500), inbound(3, 1500), inbound(4, 2500)]],
      [1600, [closedHere(2), more(4)], 'ended'],
      [2000, [timeWait(2), inbound(3, 2500), ...stays]],
      [2600, [closedHere(3)], 'ended'],
      [3000, [timeWait(3)]],
    );
  };

  it('at the side that closed by its timeout: a FIN that was acknowledged, and nothing left of the connection', () => {
    expect(withTimeout((n) => closedHere(n))).toMatchObject({
      timeout: { by: 'self' },
      lost: { by: 'self', count: 1 },
    });
  });

  it('but none where a farewell went before the FIN: the peer may have closed without reading it', () => {
    const said = (n: number) =>
      inbound(n, 0, {
        columns: { lastSentMs: 30, lastReceivedMs: 3050, bytesSent: 131, bytesAcked: 133 },
      });
    const found = withTimeout(said);
    expect(found?.timeout).toMatchObject({ by: 'self', closes: 4, of: 4 });
    expect(found).not.toHaveProperty('lost');
    expect(found).not.toHaveProperty('resets');
  });

  it('and none of which the looks cannot tell, once another had a farewell', () => {
    const said = inbound(1, 0, {
      columns: { lastSentMs: 30, lastReceivedMs: 3050, bytesSent: 131, bytesAcked: 133 },
    });
    const finWait = inbound(2, 0, { state: 'fin-wait-2' });
    const { lastSentMs: _, lastReceivedMs: __, ...columns } = finWait.columns ?? {};
    const of = (first: RowSpec) => {
      const timeWait = (n: number) =>
        inbound(n, 0, { state: 'time-wait', cookie: 70 + n, columns: { timerMs: 59_600, inode: 0 } });
      return watch(
        [0, [inbound(1, 2500), inbound(2, 1500), inbound(3, 500), inbound(4, 1500)]],
        [600, [first], 'ended'],
        [1000, [timeWait(1), inbound(2, 2500), inbound(3, 1500), inbound(4, 2500)]],
        [1600, [closedHere(4)], 'ended'],
        [2000, [{ ...finWait, columns }, timeWait(4), inbound(3, 2500)]],
        [2600, [closedHere(3)], 'ended'],
        [3000, [timeWait(3)]],
      );
    };
    expect(of(closedHere(1))?.lost).toEqual({ by: 'self', count: 1 });
    expect(of(said)?.timeout).toMatchObject({ by: 'self' });
    expect(of(said)).not.toHaveProperty('lost');
  });

  it('and none without a timeout: only that they ended by a reset, unless all did so at one moment', () => {
    const three = [1, 2, 3];
    const restart = watch(
      [0, three.map((n) => inbound(n, 500 + n * 400))],
      [600, three.map((n) => closedHere(n, 1100 + n * 400)), 'ended'],
      [1000, []],
    );
    expect(restart).toEqual({});
    const scattered = watch(
      [0, [inbound(1, 2500), inbound(2, 500)]],
      [600, [closedHere(1)], 'ended'],
      [1000, [inbound(2, 1500)]],
      [1600, [closedHere(2, 2100)], 'ended'],
      [2000, []],
    );
    expect(scattered).toEqual({ resets: 2 });
  });
});

describe('ends by a reset without a FIN', () => {
  const kept = (n: number, ms: number) => outbound(n, ms);
  const lost = (n: number, sent: number, received: number) =>
    outbound(n, { sent, received }, { columns: { bytesSent: 150 } });
  const twice = (...more: readonly RowSpec[]) =>
    watch(
      [0, [kept(1, 3800), kept(2, 3790), kept(3, 2800), ...more.map((_, n) => kept(4 + n, 2800))]],
      [500, [kept(1, 4000), kept(2, 4010)], 'ended'],
      [1000, [kept(3, 3800), ...more.map((_, n) => kept(4 + n, 3800))]],
      [1500, [kept(3, 4005), ...more], 'ended'],
      [2000, []],
    );

  it('make a timeout where they come after the same idle time, at several moments; whose it is they do not tell', () => {
    const { timeout, lost: requests } = twice() ?? {};
    expect(timeout).toMatchObject({ reset: true, closes: 3, of: 3 });
    expect(timeout).not.toHaveProperty('by');
    expect(timeout?.ms).toBeGreaterThan(3960);
    expect(timeout?.ms).toBeLessThan(4040);
    expect(requests).toBeUndefined();
  });

  it('tell of requests that were sent after as long, and met it', () => {
    expect(twice(lost(4, 15, 4015), lost(5, 12, 4008))?.lost).toMatchObject({ count: 2, afterMs: 4000 });
  });

  it('but not of those that were sent after another time: they ended for another reason', () => {
    expect(twice(lost(4, 15, 2515))).not.toHaveProperty('lost');
    // Nor after one that is shorter by more than a round trip.
    expect(twice(lost(4, 15, 3915))).not.toHaveProperty('lost');
    const far = { ...lost(4, 15, 3915), columns: { ...lost(4, 15, 3915).columns, rttMs: 200 } };
    expect(twice(far)?.lost).toMatchObject({ count: 1 });
  });

  it('make none at one moment: a server that went away', () => {
    const found = watch(
      [0, [kept(1, 3800), kept(2, 3790), kept(3, 3795)]],
      [500, [kept(1, 4000), kept(2, 4010), kept(3, 4005)], 'ended'],
      [1000, []],
    );
    expect(found).not.toHaveProperty('timeout');
  });
});

describe('a farewell before the FIN', () => {
  it('of the peer does not end the idleness, as looks show it', () => {
    const closeWait = (n: number) =>
      outbound(
        n,
        { sent: 3100, received: 80, acked: 60 },
        { state: 'close-wait', columns: { bytesReceived: 932 } },
      );
    const found = watch(
      [0, [outbound(1, 2200), outbound(2, 1200), outbound(3, 200)]],
      [1000, [closeWait(1), outbound(2, 2200), outbound(3, 1200)]],
      [2000, [closeWait(2), outbound(3, 2200)]],
      [3000, [closeWait(3)]],
    );
    expect(found?.timeout).toMatchObject({ by: 'peer', closes: 3, of: 3, ms: 3000 });
  });

  it('is none where it answers a request that was under way', () => {
    const asks = (n: number, ms: number) => outbound(n, { sent: ms, received: ms + 500 });
    const answered = (n: number) =>
      outbound(
        n,
        { sent: 3100, received: 80, acked: 60 },
        { state: 'close-wait', columns: { bytesReceived: 932 } },
      );
    const found = watch(
      [0, [asks(1, 2200), asks(2, 1200), asks(3, 200)]],
      [1000, [answered(1), asks(2, 2200), asks(3, 1200)]],
      [2000, [answered(2), asks(3, 2200)]],
      [3000, [answered(3)]],
    );
    expect(found).toEqual({});
  });
});
