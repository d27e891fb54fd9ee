import { describe, expect, it } from 'vitest';
import { TIMER_KINDS } from '../../src/model/sockets.js';
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

  describe('not of those that nobody has ever answered', () => {
    const asked = { bytesSent: 0, bytesAcked: 0, bytesReceived: 18 };
    const first = (n: number, ms: number, rest: RowSpec = {}) =>
      inbound(n, ms, { ...rest, columns: { lastReceivedMs: ms, ...asked, ...rest.columns } });
    const timeWait = (n: number) =>
      inbound(n, 0, { state: 'time-wait', cookie: 70 + n, columns: { timerMs: 59_800, inode: 0 } });
    const answered = (n: number) =>
      first(n, 0, { columns: { lastReceivedMs: 3000, bytesSent: 40, bytesAcked: 41 } });

    it.each([
      ['answered and closed, as looks show it', () => [] as RowSpec[], {}],
      ['answered and closed, as the kernel tells it', (n: number) => [answered(n)], {}],
      ['answered and closed, and no look had shown it accepted', () => [] as RowSpec[], { inode: 0 }],
    ])('%s', (_, end, columns) => {
      const waits = (n: number, ms: number) => first(n, ms, { columns });
      const found = watch(
        [0, [waits(1, 2200), waits(2, 1200), waits(3, 200)]],
        [900, end(1), 'ended'],
        [1000, [timeWait(1), waits(2, 2200), waits(3, 1200)]],
        [1900, end(2), 'ended'],
        [2000, [timeWait(2), waits(3, 2200)]],
        [2900, end(3), 'ended'],
        [3000, [timeWait(3)]],
      );
      expect(found).toEqual({});
    });

    it('and where no socket of a look has sent anything, so that there is no such column', () => {
      const waits = (n: number, ms: number) => {
        const { bytesSent: _, bytesAcked: __, ...columns } = first(n, ms).columns ?? {};
        return { ...first(n, ms), columns };
      };
      const left = (n: number) => ({ ...timeWait(n), columns: { timerMs: 59_800, inode: 0 } });
      const found = watch(
        [0, [waits(1, 2200), waits(2, 1200), waits(3, 200)]],
        [1000, [left(1), waits(2, 2200), waits(3, 1200)]],
        [2000, [left(2), waits(3, 2200)]],
        [3000, [left(3)]],
      );
      expect(found).toEqual({});
    });

    it.each([
      ['looks', []],
      ['the kernel', [1, 2, 3]],
    ])('at the side that asked, as %s shows it', (_, told) => {
      const none = { bytesSent: 18, bytesAcked: 19, bytesReceived: 0 };
      const asks = (n: number, ms: number) => outbound(n, { sent: ms, received: ms }, { columns: none });
      const fin = (n: number) => ({
        ...asks(n, 3000),
        columns: { ...asks(n, 3000).columns, bytesReceived: 1 },
      });
      const end = (n: number) => (told.length > 0 ? [fin(n)] : []);
      const found = watch(
        [0, [asks(1, 2700), asks(2, 2500), asks(3, 2300)]],
        [290, end(1), 'ended'],
        [300, [asks(2, 2800), asks(3, 2600)]],
        [590, end(2), 'ended'],
        [600, [asks(3, 2900)]],
        [890, end(3), 'ended'],
        [900, []],
      );
      expect(found).toEqual({});
    });
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

  describe('and what is no request', () => {
    /** So many bytes were sent `sent` ms ago, unacknowledged, and the FIN came `acked` ms ago. */
    const afterFin = (bytes: number, sent: number, acked: number) =>
      outbound(
        1,
        { sent, received: 6100, acked },
        { columns: { bytesSent: 100 + bytes, bytesAcked: 101, bytesReceived: 901 } },
      );
    const said = (row: RowSpec) =>
      watch([0, [outbound(1, 5500)]], [600, [row], 'ended'], [1000, []]) as unknown;

    it.each([
      ['close_notify of TLS 1.3', 24, 100, 100],
      ['close_notify of TLS 1.2', 31, 96, 100],
      ['two alerts of Java', 48, 96, 100],
    ])('as long as a %s, and written when the FIN had come: nothing is lost', (_, ...numbers) => {
      expect(said(afterFin(...numbers))).toEqual({ alerts: 1 });
    });

    it.each([
      ['as long, but sent before the FIN came', 24, 104, 100],
      ['longer than any alert, after the FIN', 330, 96, 100],
      ['shorter', 10, 100, 100],
    ])('but one that is %s is lost', (_, ...numbers) => {
      expect(said(afterFin(...numbers))).toMatchObject({ lost: { by: 'peer', count: 1 } });
    });

    it('as looks show it, once', () => {
      const lastAck = (ms: number) =>
        outbound(
          1,
          { sent: ms, received: 5900 + ms, acked: ms },
          { state: 'last-ack', columns: { bytesSent: 124, bytesAcked: 101 } },
        );
      expect(watch([0, [outbound(1, 5800)]], [200, [lastAck(50)]], [300, []])).toEqual({ alerts: 1 });
    });
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

  it('are not known at the side that closed by its timeout, where they came after the FIN: only that a reset ended it', () => {
    const found = withTimeout((n) => closedHere(n));
    expect(found).toMatchObject({ timeout: { by: 'self', closes: 4 }, resets: 1 });
    expect(found).not.toHaveProperty('lost');
  });

  describe('at the side that closed, when a reset came before its FIN was acknowledged', () => {
    const SEGMENTS = { dataSegmentsIn: 4, segmentsIn: 9, segmentsOut: 8 };
    const before = (n: number, ms: number, columns = {}) =>
      inbound(n, ms, { columns: { ...SEGMENTS, ...columns } });
    /** Three that a reset ended after 3 s, with what came and went since the looks. */
    const ended3 = (columns: object, probing = {}) => {
      const after = (n: number) => before(n, 3000, columns);
      return watch(
        [0, [before(1, 2500, probing), before(2, 1500, probing), before(3, 500, probing)]],
        [600, [after(1)], 'ended'],
        [1000, [before(2, 2500, probing), before(3, 1500, probing)]],
        [1600, [after(2)], 'ended'],
        [2000, [before(3, 2500, probing)]],
        [2600, [after(3)], 'ended'],
        [3000, []],
      );
    };

    it('with nothing but the FIN sent, it is a timeout of this side', () => {
      const found = ended3({ segmentsIn: 10, segmentsOut: 9 });
      expect(found?.timeout).toMatchObject({ by: 'self', closes: 3, of: 3 });
      expect(found).toEqual({ timeout: found?.timeout });
    });

    it.each([
      ['nothing was sent', { segmentsIn: 10 }, {}],
      ['it answered a probe of the peer', { segmentsIn: 11, segmentsOut: 9 }, {}],
      [
        'this side probes its peers',
        { segmentsIn: 10, segmentsOut: 9 },
        { timerKind: TIMER_KINDS.indexOf('keepalive') },
      ],
    ])('who closed is not known where %s', (_, columns, probing) => {
      const found = ended3(columns, probing);
      expect(found?.timeout).toMatchObject({ reset: true, closes: 3 });
      expect(found?.timeout).not.toHaveProperty('by');
    });

    it.each([
      ['requests that crossed it', { dataSegmentsIn: 5, segmentsIn: 10 }, { lost: { by: 'self', count: 1 } }],
      ['or nothing, where the peer aborted', { segmentsIn: 10 }, {}],
    ])('the same where a look has shown it on its way: %s', (_, columns, expected) => {
      const fin = (n: number) => before(n, 3000, { segmentsIn: 10, segmentsOut: 9 });
      const finWait = (rest: object) => before(4, 3100, { segmentsOut: 9, unacked: 1, ...rest });
      const found = watch(
        [0, [before(1, 2500), before(2, 1500), before(3, 500), before(4, 1950)]],
        [600, [fin(1)], 'ended'],
        [1000, [before(2, 2500), before(3, 1500), before(4, 2950)]],
        [1100, [before(2, 2600), before(3, 1600), { ...finWait({ lastSentMs: 3050 }), state: 'fin-wait-1' }]],
        [1300, [finWait({ lastSentMs: 3250, segmentsOut: 9, ...columns })], 'ended'],
        [1600, [fin(2)], 'ended'],
        [2000, [before(3, 2500)]],
        [2600, [fin(3)], 'ended'],
        [3000, []],
      );
      expect(found).toEqual({ timeout: found?.timeout, ...expected });
      expect(found?.timeout).toMatchObject({ by: 'self' });
    });

    it('data that came with it were sent before the FIN came there: requests that crossed it', () => {
      const crossed = (n: number) => before(n, 3000, { dataSegmentsIn: 5, segmentsIn: 10, segmentsOut: 9 });
      const fin = (n: number) => before(n, 3000, { segmentsIn: 10, segmentsOut: 9 });
      const found = watch(
        [0, [before(1, 2500), before(2, 1500), before(3, 500), before(4, 1500)]],
        [600, [fin(1)], 'ended'],
        [1000, [before(2, 2500), before(3, 1500), before(4, 2500)]],
        [1600, [fin(2), crossed(4)], 'ended'],
        [2000, [before(3, 2500)]],
        [2600, [fin(3)], 'ended'],
        [3000, []],
      );
      expect(found).toMatchObject({ timeout: { by: 'self', closes: 3 }, lost: { by: 'self', count: 1 } });
      expect(found).not.toHaveProperty('resets');
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
    expect(of(closedHere(1))?.resets).toBe(1);
    expect(of(said)?.timeout).toMatchObject({ by: 'self' });
    expect(of(said)).not.toHaveProperty('resets');
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

  describe('on a busy machine, where processes close late what a reset has ended', () => {
    /** Reset after 4 s, told with the first look, the second or never; `late`: how much later its process closed it, ms. */
    const run = (late: number) =>
      watch(
        [0, [kept(1, 3800), kept(2, 2800), kept(3, 1800), kept(4, 2800), kept(5, 1800)]],
        [200 + late, [kept(1, 4000 + late)], 'ended'],
        [1000, [kept(2, 3800), kept(3, 2800), kept(4, 3800), kept(5, 2800)]],
        [1200 + late / 2, [kept(2, 4000 + late / 2)], 'ended'],
        // This look shows neither the one that was told of, nor the one whose process still holds it.
        [2000, [kept(3, 3800), kept(5, 3800)]],
        [2200, [kept(3, 4000)], 'ended'],
        [3000, []],
      );

    it.each([0, 150, 500])('they are the same timeout by reset, told %i ms later', (late) => {
      const { timeout } = run(late) ?? {};
      expect(timeout).toMatchObject({ reset: true });
      expect(timeout).not.toHaveProperty('by');
      expect(Math.abs((timeout?.ms ?? 0) - 4000)).toBeLessThan(150);
    });

    it('requests that it lost are counted when their process has closed', () => {
      const found = watch(
        [0, [kept(1, 3800), kept(2, 2800), kept(3, 1800), kept(4, 2900)]],
        [200, [kept(1, 4000)], 'ended'],
        [1000, [kept(2, 3800), kept(3, 2800), kept(4, 3900)]],
        [1200, [kept(2, 4000)], 'ended'],
        [2000, [kept(3, 3800)]],
        [2100, [lost(4, 1010, 5000)], 'ended'],
        [2200, [kept(3, 4000)], 'ended'],
        [3000, []],
      );
      expect(found).toMatchObject({ timeout: { reset: true }, lost: { count: 1, afterMs: 3990 } });
    });
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
