import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../src/analyze/filter.js';
import { judgePools } from '../../src/analyze/pools.js';
import type { Pool } from '../../src/model/pools.js';
import { SOCKET_STATES } from '../../src/model/sockets.js';
import { SocketTable } from '../../src/model/table.js';
import { millis } from '../../src/model/units.js';
import { PoolWatch } from '../../src/watch/pools.js';
import { cpuMillis } from '../support/cpu-time.js';
import { busy, DB, idle, JAVA, LISTENER, many, NGINX, used } from '../support/java-pool.js';
import { look, type RowSpec } from '../support/table-builder.js';

/** Looks, a second apart. */
function watch(...looks: readonly (readonly RowSpec[])[]) {
  const pools = new PoolWatch();
  for (const [index, rows] of looks.entries()) pools.take(look(index * 1000, [LISTENER, ...rows]));
  const seen = pools.report();
  if (seen === undefined) throw new Error('no look');
  return seen;
}

const first = ({ pools }: { readonly pools: readonly Pool[] }) => pools[0] as Pool;

describe('counting', () => {
  it('has nothing to say before the first look, and no rates after one', () => {
    expect(new PoolWatch().report()).toBeUndefined();
    const pool = first(watch([idle(1)]));
    expect(pool).toMatchObject({ open: 1, busy: 0, idle: 1, owner: JAVA[0], service: 'mysql', port: 3306 });
    expect(pool).not.toHaveProperty('createdPerSecond');
  });

  it('groups by process and remote, and by process and listener', () => {
    const seen = watch([
      ...many(3, idle),
      idle(10, 500, { remote: '10.0.0.8:3306' }),
      idle(11, 500, { owners: [{ pid: 813, fd: 1, name: 'java' }] }),
      idle(20, 500, { local: '10.0.0.1:443', remote: '203.0.113.9:5000', owners: NGINX }),
      idle(21, 500, { local: '10.0.0.1:443', remote: '203.0.113.9:5001', owners: [], columns: { inode: 0 } }),
    ]);
    expect(
      seen.pools.map(({ direction, owner, open, waiting }) => [
        direction,
        typeof owner === 'object' && owner.pid,
        open,
        waiting,
      ]),
    ).toEqual([
      ['outbound', 812, 3, 0],
      ['inbound', 90, 2, 1],
      ['outbound', 812, 1, 0],
      ['outbound', 813, 1, 0],
    ]);
    expect(seen.remotes.map(({ processes, open, highest }) => [processes, open, highest])).toEqual([
      [2, 4, 4],
      [1, 1, 1],
    ]);
  });

  it('counts states apart', () => {
    const states = ['syn-sent', 'close-wait', 'fin-wait-2', 'last-ack', 'time-wait'] as const;
    expect(first(watch(states.map((state, n) => idle(n, 500, { state }))))).toMatchObject({
      open: 0,
      connecting: 1,
      closeWait: 1,
      finWait: 1,
      lastAck: 1,
      timeWait: 1,
    });
  });

  it('counts what came and went, by cookie where the tuple is the same', () => {
    const again = (cookie: number) => idle(3, 100, { cookie });
    const { past, createdPerSecond } = first(
      watch(
        [idle(1), idle(2), again(50)],
        [idle(1, 1500), idle(4, 100), again(51)],
        [idle(1, 2500), idle(4, 1100), again(51)],
      ),
    );
    expect(past).toMatchObject({ created: 2, closed: 2, highest: 3, lowest: 3, first: 3, seen: 5 });
    expect(createdPerSecond).toBe(1);
  });

  it('keeps the process of a connection that goes to TIME-WAIT, and counts it as closed once', () => {
    const gone = idle(1, 0, { state: 'time-wait', owners: [], cookie: 77, columns: { inode: 0 } });
    const seen = watch([idle(1)], [gone], [gone], []);
    expect(seen.pools).toHaveLength(1);
    expect(first(seen).past).toMatchObject({ created: 0, closed: 1 });
  });

  it('takes a TIME-WAIT whose time has risen for another connection on the same port', () => {
    const waits = (timerMs: number) =>
      idle(1, 0, { state: 'time-wait', owners: [], cookie: 77, columns: { inode: 0, timerMs } });
    const again = watch([waits(58_000)], [waits(57_000)], [waits(59_700)], [waits(58_700)], [waits(59_800)]);
    expect(first(again).past).toMatchObject({ created: 2, closed: 2, seen: 2 });
    const same = watch([waits(58_000)], [waits(57_000)], [waits(56_004)]);
    expect(first(same).past).toMatchObject({ created: 0, closed: 0 });
  });

  it('takes a connection for new that came while the look went on', () => {
    const pools = new PoolWatch();
    pools.take(look(0, [LISTENER]));
    pools.take(look(250, [LISTENER, idle(1, 500)], { tookMs: millis(400) }));
    expect(pools.report()?.pools).toMatchObject([{ past: { created: 1, first: 0 } }]);
  });

  it('has never fewer than none', () => {
    expect(
      first(
        watch(
          [],
          many(4, (n) => idle(n, 0, { state: 'fin-wait-2' })),
        ),
      ),
    ).toMatchObject({
      past: { created: 4, closed: 4, first: 0, lowest: 0 },
    });
  });

  it('counts a connection when its handshake is over', () => {
    const syn = idle(1, 0, { state: 'syn-sent' });
    expect(first(watch([], [syn])).past).toMatchObject({ created: 0, seen: 0 });
    expect(first(watch([syn], [syn], [idle(1, 100)])).past).toMatchObject({ created: 1, closed: 0, seen: 1 });
    expect(first(watch([], [syn], [idle(1, 0, { state: 'time-wait' })])).past).toMatchObject({
      created: 1,
      closed: 1,
      connectFailed: 0,
    });
    expect(first(watch([], [syn], [])).past).toMatchObject({ created: 0, closed: 0, connectFailed: 1 });
  });

  it('takes a connection that one dump missed for the same', () => {
    const seen = watch([idle(1), idle(2)], [idle(1, 1500)], [idle(1, 2500), idle(2, 2500)]);
    expect(first(seen).past).toMatchObject({ created: 0, closed: 0 });
  });

  it('knows the process later than the connection', () => {
    const early = idle(1, 100, { columns: { inode: 101 } });
    const nobody = Object.fromEntries(Object.entries(early).filter(([key]) => key !== 'owners'));
    const seen = watch([], [nobody], [idle(1, 1100)]);
    const mine = seen.pools.find(({ owner }) => typeof owner === 'object');
    expect(mine).toMatchObject({ open: 1, past: { seen: 1, created: 1, closed: 0 } });
    expect(seen.pools).toHaveLength(1);
  });

  it('sees a wave whose new connections have a process one look later', () => {
    const fresh = (n: number, ms: number, owners?: typeof JAVA): RowSpec => {
      const { owners: _, ...rest } = idle(n, ms);
      return owners === undefined ? rest : { ...rest, owners };
    };
    const old = many(6, (n) => idle(n));
    const seen = watch(
      old,
      many(6, (n) => fresh(n + 50, 100)),
      many(6, (n) => fresh(n + 50, 1100, JAVA)),
    );
    expect(seen.pools.map(({ past }) => [past.created, past.closed, past.waves.length])).toEqual([[6, 6, 1]]);
  });

  it('tells ages and quiet times, and that ages are lower bounds', () => {
    const { age, agesAtLeast, quiet } = first(watch([idle(1, 9000)], [idle(1, 10_000), idle(2, 400)]));
    expect(age).toEqual({ p50: 420, p95: 10_020, max: 10_020 });
    expect(agesAtLeast).toBe(true);
    expect(quiet).toEqual({ p50: 400, p95: 10_000, max: 10_000 });
    expect(first(watch([], [idle(2, 400)])).agesAtLeast).toBe(false);
  });

  it('knows no use without times', () => {
    const bare = (n: number): RowSpec => ({ local: `10.0.0.1:${n + 1}`, remote: DB, columns: { inode: 5 } });
    const pool = first(watch(many(2, bare)));
    expect(pool).toMatchObject({ open: 2 });
    expect(pool).not.toHaveProperty('busy');
    expect(pool).not.toHaveProperty('quiet');
  });

  it('reads a filter at the first look at a connection', () => {
    const pools = new PoolWatch(parseFilter('state:established rport:3306'));
    pools.take(look(0, [LISTENER, idle(1), idle(2, 500, { remote: '10.0.0.9:80' })]));
    pools.take(look(1000, [LISTENER, idle(1, 500, { state: 'close-wait' })]));
    expect(pools.report()?.pools).toMatchObject([{ open: 0, closeWait: 1, past: { closed: 0 } }]);
  });

  it('does not take what begins to match the filter for new', () => {
    const pools = new PoolWatch(parseFilter('recvq>0'));
    const unread = (n: number) => idle(n, 2500, { queues: [7, 0] });
    pools.take(look(0, [LISTENER, idle(1), idle(2), idle(3)]));
    pools.take(look(1000, [LISTENER, unread(1), idle(2), unread(4), idle(5, 100)]));
    pools.take(look(2000, [LISTENER, unread(1), unread(2), unread(4)]));
    expect(pools.report()?.pools).toMatchObject([
      { open: 3, past: { created: 0, closed: 0, seen: 3, highest: 3 }, agesAtLeast: true },
    ]);
    const young = new PoolWatch(parseFilter('recvq>0'));
    young.take(look(0, [LISTENER]));
    young.take(look(1000, [LISTENER, idle(1, 100, { queues: [7, 0] })]));
    expect(young.report()?.pools).toMatchObject([{ past: { created: 1 } }]);
  });

  it('leaves no pool behind when processes are found late', () => {
    const nameless = (n: number): RowSpec => {
      const { owners: _, ...rest } = idle(n, 100);
      return rest;
    };
    const turn = (at: number) =>
      many(6, (n) => (n % 2 === 0 ? nameless(at * 10 + n) : idle(at * 10 + n, 100)));
    const seen = watch(
      many(6, (n) => idle(n)),
      [...turn(1), nameless(99)],
      many(6, (n) => idle(10 + n, 1100)),
    );
    const unknown = seen.pools.find(({ owner }) => owner === 'unknown');
    expect(unknown?.past).toMatchObject({ seen: 1, created: 1, closed: 1, highest: 0, waves: [] });
    expect(judgePools(seen).findings.filter(({ subject }) => subject.includes('unknown'))).toEqual([]);
  });

  it('says how many connects nothing was seen of', () => {
    const opens = (opened: number, filter?: ReturnType<typeof parseFilter>) => {
      const pools = new PoolWatch(filter);
      pools.take(look(0, [LISTENER], { counters: { ActiveOpens: 100 } }));
      pools.take(
        look(5000, [LISTENER, ...many(9, (n) => idle(n, 100))], { counters: { ActiveOpens: 100 + opened } }),
      );
      return pools.report();
    };
    expect(opens(60)).toMatchObject({
      activeOpens: 60,
      opensSeen: 9,
      gaps: [
        {
          what: 'pool_churn',
          why: expect.stringMatching(
            /^the kernel counted 60 connects.*only 9 were seen: connections that come and go between two looks mostly leave/,
          ),
        },
      ],
    });
    // Nearly all: a finding says it.
    expect(opens(503)?.gaps).toEqual([]);
    expect(opens(503)?.counted).toEqual([
      { direction: 'outbound', counted: 503, failed: 0, seen: 9, ended: 0, netns: 'ns' },
    ]);
    expect(opens(60, parseFilter('rport:1'))?.gaps).toEqual([]);
    expect(opens(503, parseFilter('rport:1'))).not.toHaveProperty('counted');
  });

  it('takes nobody for busy who waits for accept()', () => {
    const waiting = (n: number) =>
      idle(n, 100, {
        local: '10.0.0.1:443',
        remote: `203.0.113.9:${n + 1}`,
        queues: [9, 0],
        columns: { inode: 0 },
      });
    expect(first(watch(many(3, waiting)))).toMatchObject({
      open: 3,
      waiting: 3,
      busy: 0,
      idle: 0,
      unsure: 0,
    });
  });

  it('looks at complete tables only', () => {
    const pools = new PoolWatch();
    pools.take(look(0, [idle(1)]));
    pools.take(look(1000, [], { scope: 'listeners' }));
    expect(pools.report()).toMatchObject({ looks: 1, pools: [{ open: 1 }] });
  });
});

describe('use', () => {
  const useOf = (spec: RowSpec, ...later: RowSpec[]) => {
    const { busy: working, idle: resting, unsure } = first(watch([spec], ...later.map((one) => [one])));
    return { busy: working, idle: resting, unsure };
  };
  const BUSY = { busy: 1, idle: 0, unsure: 0 };
  const IDLE = { busy: 0, idle: 1, unsure: 0 };
  const UNSURE = { busy: 0, idle: 0, unsure: 1 };

  it.each([
    ['a request without an answer', busy(1), BUSY],
    ['an answer after the request', idle(1), IDLE],
    ['never used', used(1, 300, 300, { columns: { bytesSent: 0, bytesReceived: 0 } }), IDLE],
    ['data not acknowledged', idle(1, 500, { queues: [0, 10] }), BUSY],
    ['data not read', idle(1, 500, { queues: [10, 0] }), BUSY],
    ['segments under way', idle(1, 500, { columns: { unacked: 1 } }), BUSY],
    ['both within the last jiffy', used(1, 4, 8), BUSY],
    ['both within one jiffy', used(1, 300, 300), UNSURE],
    [
      'the first request, as old as the handshake',
      used(1, 300, 300, { columns: { bytesReceived: 0 } }),
      BUSY,
    ],
    [
      'inbound: the first request, as old as the handshake',
      used(1, 300, 300, { local: '10.0.0.1:443', owners: NGINX, columns: { bytesSent: 0 } }),
      BUSY,
    ],
    ['an ACK alone, 40 ms after both', used(1, 300, 300, { columns: { lastAckMs: 260 } }), BUSY],
    [
      'an ACK long after both: a keep-alive probe',
      used(1, 9000, 9000, { columns: { lastAckMs: 1000 } }),
      UNSURE,
    ],
    [
      'inbound: a request without an answer',
      used(1, 320, 300, { local: '10.0.0.1:443', owners: NGINX }),
      BUSY,
    ],
    ['inbound: answered', used(1, 300, 320, { local: '10.0.0.1:443', owners: NGINX }), IDLE],
  ])('%s', (_, spec, use) => {
    expect(useOf(spec)).toEqual(use);
  });

  const after = (out: number, back: number) =>
    used(1, 300, 300, { columns: { dataSegmentsOut: out, dataSegmentsIn: back } });
  const counted = (segmentsOut: number, dataSegmentsOut: number, dataSegmentsIn: number, ms = 300) =>
    used(1, ms, ms, { columns: { segmentsOut, dataSegmentsOut, dataSegmentsIn } });
  it.each([
    [
      'one request more than answers',
      idle(1, 500, { columns: { dataSegmentsOut: 5, dataSegmentsIn: 9 } }),
      after(8, 11),
      BUSY,
    ],
    ['as many', idle(1, 500, { columns: { dataSegmentsOut: 5, dataSegmentsIn: 9 } }), after(7, 11), IDLE],
    [
      'the answer to what was under way',
      busy(1, 500, { columns: { dataSegmentsOut: 6, dataSegmentsIn: 9 } }),
      after(6, 10),
      IDLE,
    ],
    [
      'that answer, and another request',
      busy(1, 500, { columns: { dataSegmentsOut: 6, dataSegmentsIn: 9 } }),
      after(7, 10),
      BUSY,
    ],
    [
      'answers of many segments',
      idle(1, 500, { columns: { dataSegmentsOut: 5, dataSegmentsIn: 9 } }),
      after(6, 30),
      UNSURE,
    ],
    ['answers that data acknowledged', counted(10, 5, 9), counted(12, 7, 11), BUSY],
    ['answers of which one was acknowledged alone', counted(10, 5, 9), counted(13, 7, 11), UNSURE],
    ['no answer since', counted(10, 5, 9), counted(10, 5, 9), UNSURE],
    ['an answer that need not be acknowledged yet', counted(10, 5, 9), counted(12, 7, 11, 150), UNSURE],
  ])('from the look before: %s', (_, before, now, use) => {
    expect(useOf(before, now)).toEqual(use);
  });
});

describe('what one connection tells of the others of its pool', () => {
  const segments = (dataSegmentsOut: number, dataSegmentsIn: number): RowSpec => ({
    columns: { dataSegmentsOut, dataSegmentsIn },
  });
  const tie = (n: number, out: number, back: number) => used(n, 300, 300, segments(out, back));

  it('holds where each request and each answer is one segment', () => {
    const rows = [
      busy(1, 300, segments(4, 4)),
      idle(2, 300, segments(7, 8)),
      tie(3, 9, 9),
      tie(4, 9, 10),
      tie(5, 9, 12),
    ];
    expect(first(watch(rows))).toMatchObject({ busy: 2, idle: 2, unsure: 1 });
    expect(first(watch([busy(1, 300, segments(4, 4)), tie(3, 9, 10)]))).toMatchObject({ idle: 1, unsure: 0 });
  });

  it('does not where they differ, nor where it was as often the other', () => {
    const differ = many(9, (n) => busy(n, 300, segments(4, 4 + 3 * n)));
    expect(first(watch([...differ, tie(20, 9, 9)]))).toMatchObject({ busy: 9, idle: 0, unsure: 1 });
    const both = [busy(1, 300, segments(4, 4)), idle(2, 300, segments(4, 4))];
    expect(first(watch([...both, tie(20, 9, 9)]))).toMatchObject({ busy: 1, idle: 1, unsure: 1 });
  });

  it('leaves out segments that were sent again', () => {
    const again = tie(3, 12, 9);
    const resent: RowSpec = { ...again, columns: { ...again.columns, retransmitsTotal: 3 } };
    expect(first(watch([busy(1, 300, segments(4, 4)), resent]))).toMatchObject({ busy: 2, unsure: 0 });
  });
});

describe('a large table', () => {
  it('of 100,000 connections is followed in well under 100 ms per look, and its churn is exact', () => {
    const pools = new PoolWatch();
    const columns = {
      inode: 5,
      lastSentMs: 2000,
      lastReceivedMs: 1000,
      bytesSent: 10,
      bytesReceived: 10,
      rttMs: 1,
      dataSegmentsOut: 1,
      dataSegmentsIn: 1,
    };
    const times: number[] = [];
    for (let turn = 0; turn < 5; turn++) {
      const table = bigTable(100_000, turn * 1000, columns);
      const observation = look(turn * 1000, table);
      const started = cpuMillis();
      pools.take(observation);
      times.push(cpuMillis() - started);
    }
    const report = pools.report();
    expect(report?.pools).toHaveLength(100);
    expect(report?.pools.reduce((sum, { past }) => sum + past.created, 0)).toBe(4000);
    expect(report?.pools.reduce((sum, { past }) => sum + past.closed, 0)).toBe(4000);
    // A busy machine gets ten times what PERFORMANCE.md allows: what grows with the square would take minutes.
    expect(Math.min(...times.slice(1))).toBeLessThan(1000);
    expect(judgePools(report as never).findings.map(({ rule }) => rule)).not.toContain('pool_exhausted');
  });
});

/** Connections with numbers from `from` on, to 100 remotes; young where they are new. */
function bigTable(count: number, from: number, columns: Readonly<Record<string, number>>): SocketTable {
  const table = new SocketTable();
  table.reserve(count);
  for (let n = from; n < from + count; n++) {
    const row = table.append();
    table.family[row] = 4;
    table.state[row] = SOCKET_STATES.indexOf('established');
    table.localAddress[row * 4 + 3] = 0x0a000001 + Math.floor(n / 50_000);
    table.remoteAddress[row * 4 + 3] = 0x0a010000 + (n % 100);
    table.localPort[row] = 10_000 + (n % 50_000);
    table.remotePort[row] = 3306;
    table.cookieLow[row] = n + 1;
    table.setFlag(row, 'cookie');
    for (const [name, value] of Object.entries(columns))
      table.set(
        name as 'inode',
        row,
        name.startsWith('last') && n >= 100_000 + from - 1000 && from > 0 ? 100 : value,
      );
    table.setOwners(row, JAVA);
  }
  return table;
}
