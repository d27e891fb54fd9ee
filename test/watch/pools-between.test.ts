import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../src/analyze/filter.js';
import { judgePools } from '../../src/analyze/pools.js';
import type { ClosedObservation } from '../../src/model/observation.js';
import type { PoolsSeen } from '../../src/model/pools.js';
import { TupleKey } from '../../src/watch/pools/connection-list.js';
import { EndedTuples } from '../../src/watch/pools/ended-tuples.js';
import { PoolWatch } from '../../src/watch/pools.js';
import { ended } from '../support/ended.js';
import { buildTable, listen, look, type RowSpec } from '../support/table-builder.js';

const WRK = [{ pid: 77, fd: 5, name: 'wrk' }];
const NGINX = [{ pid: 90, fd: 6, name: 'nginx' }];
const LISTENER = listen('0.0.0.0:443', [0, 128], { inode: 7 }, { owners: NGINX });
const FAR = '10.0.0.9:80';

/** Connection `n`, with so many segments each way; our SYN and FIN count as a byte each. */
const out = (n: number, segments = 1, rest: RowSpec = {}): RowSpec => ({
  local: `10.0.0.1:${40_000 + n}`,
  remote: FAR,
  cookie: n + 1,
  ...rest,
  columns: {
    inode: 100 + n,
    lastSentMs: 5,
    lastReceivedMs: 4,
    bytesSent: 100,
    bytesAcked: 102,
    bytesReceived: 900,
    segmentsOut: segments + 3,
    segmentsIn: segments + 3,
    dataSegmentsOut: segments,
    dataSegmentsIn: segments,
    ...rest.columns,
  },
});
/** The same at the server. */
const into = (n: number, segments = 1): RowSpec =>
  out(n, segments, { local: '10.0.0.1:443', remote: `10.0.0.5:${40_000 + n}`, columns: { bytesAcked: 101 } });
/** What is left of it where this side closed first: another socket, without numbers. */
const trace = (row: RowSpec, timerMs = 59_500): RowSpec => ({
  ...row,
  state: 'time-wait',
  cookie: (row.cookie ?? 0) + 100_000,
  owners: [],
  columns: { inode: 0, timerMs },
});
const many = (count: number, make: (n: number) => RowSpec, from = 0) =>
  Array.from({ length: count }, (_, n) => make(from + n));

type Step = readonly RowSpec[] | ClosedObservation;

/** Looks, a second apart, and what is told between them. */
function watch(steps: readonly Step[], filter?: string): PoolsSeen {
  const pools = new PoolWatch(filter === undefined ? undefined : parseFilter(filter));
  let at = -1000;
  for (const step of steps)
    if ('kind' in step) pools.take(step);
    else {
      at += 1000;
      pools.take(look(at, [LISTENER, ...step]));
    }
  const seen = pools.report();
  if (seen === undefined) throw new Error('no look');
  return seen;
}

const pastOf = (seen: PoolsSeen) =>
  seen.pools.map(({ direction, owner, past: { created, closed, seen: all } }) => [
    direction,
    typeof owner === 'object' ? owner.name : owner,
    created,
    closed,
    all,
  ]);

describe('connections that came and went between two looks', () => {
  it('count in the pool of their remote, as nobody saw whose they were', () => {
    const seen = watch([
      [],
      ended(
        500,
        many(30, (n) => out(n)),
      ),
      [],
      ended(
        1500,
        many(30, (n) => out(n, 1), 30),
      ),
      [],
    ]);
    expect(pastOf(seen)).toEqual([['outbound', 'none', 60, 60, 60]]);
    expect(seen).toMatchObject({ endsTold: 'all', opensSeen: 60, gaps: [] });
    expect(seen.pools[0]).toMatchObject({ createdPerSecond: 30, closedPerSecond: 30 });
    expect(seen.pools[0]?.past.createdByTime).toEqual([0, 30, 30]);
  });

  it('or of their listener', () => {
    const seen = watch([[], ended(500, many(30, into)), []]);
    expect(pastOf(seen)).toEqual([['inbound', 'nginx', 30, 30, 30]]);
  });

  it('count once, although the next looks show their TIME-WAIT', () => {
    const gone = many(30, (n) => out(n));
    const left = gone.map((row) => trace(row));
    const seen = watch([[], ended(500, gone), left, left]);
    expect(pastOf(seen)).toEqual([['outbound', 'none', 30, 30, 30]]);
    expect(seen.pools[0]).toMatchObject({ timeWait: 30, past: { traces: 0 } });
  });

  it('count once, although they are told of only after a look has shown their TIME-WAIT', () => {
    const row = out(1);
    const left = trace(row);
    expect(pastOf(watch([[], [left], ended(1100, [row]), [left]]))).toEqual([['outbound', 'none', 1, 1, 1]]);
  });

  it('count again where their port is used once more', () => {
    const row = out(1);
    const again = { ...row, cookie: 555 };
    const seen = watch([
      [],
      ended(500, [row]),
      [trace(row)],
      ended(1500, [again]),
      [trace(again, 59_900)],
      [],
    ]);
    expect(pastOf(seen)).toEqual([['outbound', 'none', 2, 2, 2]]);
  });

  it('are none that were there before the last look, though that did not show them', () => {
    const held = out(1, 1, { owners: WRK });
    const late = out(1, 1, { columns: { lastSentMs: 900, lastReceivedMs: 880 } });
    expect(pastOf(watch([[held], [], ended(1500, [late]), []]))).toEqual([['outbound', 'wrk', 0, 1, 1]]);
    expect(pastOf(watch([[], [], ended(1500, [out(1)]), []]))).toEqual([['outbound', 'none', 1, 1, 1]]);
  });

  it('count where their port was in TIME-WAIT when the watch began', () => {
    const left = trace(out(1), 50_000);
    const again = out(1, 1, { cookie: 555, columns: { lastAckMs: 4 } });
    // The same, told late by a process that kept its socket for a while after both sides had ended.
    const late = out(1, 1, { cookie: 555, columns: { lastAckMs: 10_300 } });
    expect(pastOf(watch([[left], ended(500, [again]), [trace(again, 59_700)]]))).toEqual([
      ['outbound', 'none', 1, 1, 1],
    ]);
    expect(watch([[left], ended(500, [late]), [trace(out(1), 49_000)]]).pools).toMatchObject([
      { past: { created: 0, seen: 0 } },
    ]);
  });

  it('are none where a look held them: those are closed once', () => {
    const held = out(1, 1, { owners: WRK });
    const seen = watch([[held], ended(500, [held]), [trace(held)]]);
    expect(pastOf(seen)).toEqual([['outbound', 'wrk', 0, 1, 1]]);
  });

  it('count where their handshake went on at the last look, and are no failed connects', () => {
    const syn = out(1, 0, { state: 'syn-sent', owners: WRK });
    for (const left of [[], [trace(out(1))]]) {
      const seen = watch([[], [syn], ended(1500, [out(1)]), left]);
      expect(pastOf(seen)).toEqual([['outbound', 'wrk', 1, 1, 1]]);
      expect(seen.pools[0]?.past.connectFailed).toBe(0);
    }
  });

  it('count without the connects that never got so far, and those whose remote port was forgotten', () => {
    expect(watch([[], ended(500, [out(1)], {}, 'attempt'), []]).pools).toEqual([]);
    expect(watch([[], ended(500, [{ ...out(1), remote: '10.0.0.9:0' }], {}, 'aborted'), []]).pools).toEqual(
      [],
    );
    // Which came in, tell their acknowledgements: its listener had gone before a look.
    expect(watch([[], ended(500, [out(1, 1, { columns: { bytesAcked: 100 } })]), []]).pools).toEqual([]);
  });

  it('are of unknown use where the kernel has forgotten their numbers', () => {
    const gone = many(5, (n) => ({
      ...into(n),
      remote: '10.0.0.5:*',
      columns: { ...into(n).columns, dataSegmentsOut: Number.NaN, dataSegmentsIn: Number.NaN },
    }));
    const [pool] = watch([[], ended(500, gone, {}, 'aborted'), []]).pools;
    expect(pool?.past).toMatchObject({ created: 5, closed: 5, traces: 5 });
    expect(pool?.past.exchanges).toBeUndefined();
    const [known] = watch([[], ended(500, many(5, into)), []]).pools;
    expect(known?.past).toMatchObject({ traces: 0, exchanges: { median: 1, of: 5 } });
  });

  it('are those that the filter takes', () => {
    const rows = [out(1), out(2, 1, { remote: '10.0.0.8:80' })];
    expect(pastOf(watch([[], ended(500, rows), []], 'remote:10.0.0.8'))).toEqual([
      ['outbound', 'none', 1, 1, 1],
    ]);
    expect(pastOf(watch([[], ended(500, rows), []], 'pid:77'))).toEqual([]);
  });

  it('stand for several of their kind in a recording, and their TIME-WAITs for none', () => {
    const told = out(0, 1, { columns: { weight: 10 } });
    const seen = watch([
      [],
      ended(500, [told]),
      many(10, (n) => trace(out(n))),
      [...many(12, (n) => trace(out(n)))],
    ]);
    expect(pastOf(seen)).toEqual([['outbound', 'none', 12, 12, 12]]);
  });

  it('are at least so many where some of what was told is lost, which is said', () => {
    const pools = new PoolWatch();
    pools.take(look(0, [LISTENER], { counters: { ActiveOpens: 0 } }));
    pools.take(
      ended(
        500,
        many(30, (n) => out(n)),
        { incomplete: true, lost: 200 },
      ),
    );
    pools.take(look(1000, [LISTENER], { counters: { ActiveOpens: 230 } }));
    expect(pools.report()).toMatchObject({
      endsTold: 'some',
      gaps: [
        {
          what: 'pool_churn',
          why: expect.stringMatching(
            /^the kernel counted 230 connects .* only 30 were seen: some of what the kernel told/,
          ),
        },
      ],
    });
  });

  it('are not said to be missed where all are told of: the rest failed', () => {
    const pools = new PoolWatch();
    pools.take(look(0, [LISTENER], { counters: { ActiveOpens: 0 } }));
    pools.take(ended(500, []));
    pools.take(look(1000, [LISTENER], { counters: { ActiveOpens: 230 } }));
    expect(pools.report()).toMatchObject({ endsTold: 'all', gaps: [] });
  });
});

describe('connections of a listener that several processes share', () => {
  const WORKERS = [
    { pid: 90, fd: 6, name: 'nginx' },
    { pid: 91, fd: 6, name: 'nginx' },
    { pid: 92, fd: 6, name: 'nginx' },
  ];
  const shared = listen('0.0.0.0:443', [0, 128], { inode: 7 }, { owners: WORKERS });
  const seenOf = (rows: readonly RowSpec[], told: readonly RowSpec[], listeners = [shared]) => {
    const pools = new PoolWatch();
    pools.take(look(0, listeners));
    pools.take(ended(500, told));
    pools.take(look(1000, [...listeners, ...rows]));
    return pools.report() as PoolsSeen;
  };
  const worker = (n: number, pid: number): RowSpec => ({
    ...into(n),
    owners: WORKERS.filter((one) => one.pid === pid),
  });

  it('are of none of them until one has accepted, and leave the shares of new ones to those that are known', () => {
    const left = many(3, (n) => trace(into(n)), 200);
    const seen = seenOf([worker(100, 91), worker(101, 92), ...left], many(50, into));
    expect(pastOf(seen)).toEqual([
      ['inbound', 'nginx', 1, 0, 1],
      ['inbound', 'nginx', 1, 0, 1],
      ['inbound', 'shared', 53, 53, 53],
    ]);
    const { shares, gaps } = judgePools(seen);
    expect(shares.map((share) => share?.share)).toEqual([0.5, 0.5, undefined]);
    expect(gaps).toEqual([
      {
        what: 'share of new',
        why: 'of 53 new connections on 0.0.0.0:443 (https) it is not known which process accepted them: the shares are those of the others',
      },
    ]);
  });

  it('are so too with a listener each (SO_REUSEPORT), and go to their process once it has accepted them', () => {
    const each = WORKERS.map((one, at) =>
      listen('0.0.0.0:443', [0, 128], { inode: 7 + at }, { owners: [one] }),
    );
    expect(pastOf(seenOf([], many(5, into), each))).toEqual([['inbound', 'shared', 5, 5, 5]]);
    const pools = new PoolWatch();
    pools.take(look(0, each));
    pools.take(look(1000, [...each, { ...into(1), owners: [], columns: { ...into(1).columns, inode: 0 } }]));
    expect(pools.report()?.pools).toMatchObject([{ owner: 'shared', open: 1, waiting: 1 }]);
    pools.take(look(2000, [...each, worker(1, 92)]));
    expect(pools.report()?.pools).toMatchObject([{ owner: { pid: 92 }, open: 1, past: { created: 1 } }]);
  });

  it('are those of a process that listens alone', () => {
    const alone = listen('0.0.0.0:443', [0, 128], { inode: 7 }, { owners: [...NGINX, ...NGINX] });
    expect(pastOf(seenOf([], many(5, into), [alone]))).toEqual([['inbound', 'nginx', 5, 5, 5]]);
  });
});

describe('pool_churn and request_limit of what was told', () => {
  const rulesOf = (seen: PoolsSeen) =>
    judgePools(seen).findings.map(({ rule, severity, subject }) => `${severity} ${rule} ${subject}`);

  it('find churn that leaves no TIME-WAIT', () => {
    const seen = watch([
      [],
      ended(
        500,
        many(30, (n) => out(n)),
      ),
      [],
    ]);
    expect(judgePools(seen).findings).toMatchObject([
      {
        rule: 'pool_churn',
        message: expect.stringMatching(/made 30\.0 new connections per second to 10\.0\.0\.9:80/),
      },
    ]);
  });

  describe('of connections that carried no data', () => {
    /** A SYN and a FIN were acknowledged, and a FIN came. */
    const empty = (n: number, columns = {}) =>
      out(n, 1, { columns: { bytesSent: 0, bytesAcked: 2, bytesReceived: 1, ...columns } });
    const said = (make: (n: number) => RowSpec) =>
      judgePools(
        watch([
          [],
          ended(
            500,
            many(30, (n) => make(n)),
          ),
          [],
        ]),
      ).findings;

    it('say so, as information', () => {
      const [finding, ...more] = said((n) => empty(n));
      expect(more).toEqual([]);
      expect(finding).toMatchObject({ rule: 'pool_churn', severity: 'info' });
      expect(finding?.message).toMatch(
        / made 30\.0 new connections per second to 10\.0\.0\.9:80 .*that carried no data: health checks, port probes, or connects that were abandoned$/,
      );
      expect(finding?.evidence.map(({ metric }) => metric)).toEqual(['created', 'without_data']);
      expect(finding?.evidence[1]?.text).toBe('30 of 30 that ended had sent and received no byte');
      expect(finding?.advice).not.toContain('keep connections');
    });

    it.each([
      ['a request was sent', { bytesSent: 20, bytesAcked: 22 }],
      ['a greeting came', { bytesReceived: 40 }],
      ['a byte was sent', { bytesSent: 1, bytesAcked: 3 }],
    ])('but warn where %s', (_, columns) => {
      expect(said((n) => empty(n, columns))).toMatchObject([{ rule: 'pool_churn', severity: 'warning' }]);
    });

    it('and where nearly half of them carried some', () => {
      const mixed = said((n) => (n % 2 === 0 ? empty(n) : empty(n, { bytesSent: 20, bytesAcked: 22 })));
      expect(mixed).toMatchObject([{ rule: 'pool_churn', severity: 'warning' }]);
    });
  });

  it('say it once: of the process that alone is seen to connect there, with those whose process was not found', () => {
    const nobodys = { columns: { inode: 5 } };
    const seen = watch([
      [],
      ended(
        500,
        many(30, (n) => out(n)),
      ),
      [out(50, 1, { owners: WRK }), ...many(12, (n) => out(n, 1, nobodys), 60)],
      ended(
        1500,
        many(30, (n) => out(n), 100),
      ),
      [out(51, 1, { owners: WRK }), ...many(12, (n) => out(n, 1, nobodys), 80)],
    ]);
    expect(rulesOf(seen)).toEqual(['warning pool_churn wrk/77 > 10.0.0.9:80']);
    const nobody = watch([
      [],
      ended(
        500,
        many(30, (n) => out(n)),
      ),
      many(12, (n) => out(n, 1, nobodys), 60),
      ended(
        1500,
        many(30, (n) => out(n), 100),
      ),
      many(12, (n) => out(n, 1, nobodys), 80),
    ]);
    expect(rulesOf(nobody)).toEqual(['warning pool_churn connections of no process any more > 10.0.0.9:80']);
  });

  it('do not accuse a client of keep-alive whose connections end at a limit of requests', () => {
    const turn = (from: number, owners?: typeof WRK) =>
      many(20, (n) => out(n, 990 + (n % 10), owners === undefined ? {} : { owners }), from);
    const seen = watch([
      turn(0, WRK),
      ended(500, [...turn(0), ...turn(20), ...turn(40)]),
      turn(60, WRK),
      ended(1500, [...turn(60), ...turn(80)]),
      turn(100, WRK),
    ]);
    const { findings } = judgePools(seen);
    expect(findings).toMatchObject([
      {
        rule: 'request_limit',
        severity: 'info',
        message: expect.stringMatching(
          /^the connections of wrk\/77 to 10\.0\.0\.9:80 \(http\) are replaced after about 99\d requests and answers each: /,
        ),
      },
    ]);
  });

  it('name no limit where connections end after any number of requests', () => {
    const any = (n: number) => out(n, 10 + ((n * 37) % 900));
    expect(rulesOf(watch([[], ended(500, many(60, any)), []]))).toEqual([]);
  });

  it('take the query and the login of a database for a connection that is not used again', () => {
    expect(
      rulesOf(
        watch([
          [],
          ended(
            500,
            many(60, (n) => out(n, 6)),
          ),
          [],
        ]),
      ),
    ).toEqual(['warning pool_churn connections of no process any more > 10.0.0.9:80']);
  });
});

describe('the tuples of those that ended', () => {
  it('are found among many, and forgotten at once; there is room for a bounded number', () => {
    const tuples = new EndedTuples();
    const key = new TupleKey(7);
    const load = (n: number) =>
      key.load(buildTable([{ local: `10.0.${n >> 15}.1:${1 + (n & 0x7fff)}`, remote: FAR }]), 0);
    for (let n = 0; n < 3000; n++) {
      load(n);
      expect(tuples.add(key)).toBe(true);
      expect(tuples.add(key)).toBe(true);
    }
    for (const n of [0, 1, 1500, 2999]) {
      load(n);
      expect(tuples.has(key)).toBe(true);
    }
    load(3000);
    expect(tuples.has(key)).toBe(false);
    tuples.clear();
    load(1);
    expect(tuples.has(key)).toBe(false);
    let kept = 0;
    for (let n = 0; n < 140_000; n++) {
      key.words[0] = n;
      key.hash = key.hashOf(key.words);
      if (tuples.add(key)) kept++;
    }
    expect(kept).toBe(131_072);
  });
});
