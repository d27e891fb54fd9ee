import { describe, expect, it } from 'vitest';
import { parseTraceFilter } from '../../src/analyze/trace-filter.js';
import type { TraceOptions } from '../../src/trace/index.js';
import { Conversation, pcap } from '../support/packets.js';
import { traceBytes } from '../support/trace.js';

const START = 1_700_000_000;
const HTTP_OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

const summaryOf = (conversations: readonly Conversation[], options: Partial<TraceOptions> = {}) => {
  const packets = conversations.flatMap((one) => one.packets).sort((a, b) => a.time - b.time);
  return traceBytes(pcap(packets, { nanoseconds: true }), options).result.summary;
};
const many = (
  count: number,
  step: number,
  tell: (one: Conversation, index: number) => Conversation,
): Conversation[] =>
  Array.from({ length: count }, (_, index) =>
    tell(new Conversation(START + index * step, { client: 20_000 + index, server: 80 }), index),
  );
const refused = (one: Conversation) => one.syn().rst('server');
const exchange = (one: Conversation) =>
  one
    .handshake()
    .data('client', 'GET /js/app.js HTTP/1.1\r\nHost: a\r\n\r\n')
    .data('server', HTTP_OK)
    .close();

describe('figures of a pool', () => {
  it('a few connections at once are no 100,000 a second', () => {
    const [pool] = summaryOf(many(3, 0.00001, exchange)).pools;
    expect(pool?.perSecond).toBe(3);
  });

  it('few lifetimes are told exactly, many within 3 %', () => {
    const lifetime = (count: number) =>
      summaryOf(many(count, 0.01, (one) => one.handshake().wait(0.0897).close())).pools[0]?.lifetime;
    expect((lifetime(5)?.p50 ?? 0) / 1e6).toBeCloseTo(90.2, 0);
    const p50 = (lifetime(200)?.p50 ?? 0) / 1e6;
    expect(Math.abs(p50 - 90.2) / 90.2).toBeLessThan(0.03);
  });

  it('what began before the capture is no attempt, and has no lifetime', () => {
    const { pools, retries } = summaryOf([
      ...many(4, 0.1, (one) => one.data('client', 'x').rst('server')),
      ...[3, 4].map((at) => refused(new Conversation(START + at, { client: 30_000 + at, server: 80 }))),
    ]);
    expect(pools[0]).toMatchObject({ connections: 6, refused: 2, lifetime: { count: 2 } });
    expect(retries).toEqual([]);
  });
});

describe('a filter', () => {
  const conversations = [
    ...many(12, 0.01, refused),
    ...Array.from({ length: 3 }, (_, index) =>
      exchange(new Conversation(START + index, { client: 40_000 + index, server: 8080 })),
    ),
  ];
  const filtered = (filter: string) => summaryOf(conversations, { wants: parseTraceFilter(filter) });

  it('leaves pools, retries and findings of others out', () => {
    const { pools, retries, rules, connections } = filtered('state:established');
    expect(connections).toBe(3);
    expect(pools).toMatchObject([{ server: '10.0.0.2:8080', connections: 3, highest: 1 }]);
    expect(retries).toEqual([]);
    expect(rules).toEqual([]);
  });

  it('leaves their doubts out', () => {
    const lost = new Conversation(START, { client: 1, server: 81 }).data('client', 'x').data('server', 'y');
    expect(summaryOf([...conversations, lost], { wants: parseTraceFilter('port:8080') }).trust).toEqual([]);
    expect(summaryOf([...conversations, lost]).trust).toMatchObject([{ what: 'midstream', count: 1 }]);
  });

  it('counts how many of those that match there were at once', () => {
    const long = many(4, 0.1, (one, index) =>
      one
        .handshake()
        .wait(index < 2 ? 5 : 0.01)
        .close(),
    );
    const pools = (filter: string) => summaryOf(long, { wants: parseTraceFilter(filter) }).pools;
    expect(pools('duration>0s')).toMatchObject([{ connections: 4, highest: 3 }]);
  });

  it('does not look for churn in connections, which have none', () => {
    expect(() => parseTraceFilter('finding:pool_churn')).toThrow(/retry_storm.*got "pool_churn"/);
  });

  it('finds a storm, and words in paths', () => {
    expect(filtered('finding:retry_storm').connections).toBe(3);
    expect(filtered('finding:retry_storm').rules.map(({ rule }) => rule)).toContain('connect_refused');
    for (const filter of ['path:/js', '/app.js/', 'app.js', '/get .js/'])
      expect(filtered(filter).connections).toBe(3);
  });
});

describe('pauses between attempts', () => {
  it('shows the pause for which it says "paused"', () => {
    const times = [0, 0.1, 0.2, 0.3, 30, 30.1];
    const { retries } = summaryOf(
      times.map((time, index) =>
        refused(new Conversation(START + time, { client: 1000 + index, server: 80 })),
      ),
    );
    expect(retries).toMatchObject([{ pattern: 'paused', attempts: 6 }]);
    expect(Math.max(...(retries[0]?.gapsMs ?? []))).toBeCloseTo(29_700, 0);
  });
});

describe('pool_churn', () => {
  const churns = (conversations: readonly Conversation[]) =>
    summaryOf(conversations).rules.filter(({ rule }) => rule === 'pool_churn');

  it('is many short connections with a request each', () => {
    expect(churns(many(100, 0.02, exchange))).toMatchObject([
      {
        severity: 'warning',
        connections: 100,
        examples: [
          {
            id: 1,
            frames: [1],
            message: expect.stringMatching(/^10\.0\.0\.1 opened 100 connections to 10\.0\.0\.2:80 in 2\.0 s/),
          },
        ],
      },
    ]);
  });

  it('is not few, slow or long ones, nor those that are used again', () => {
    const busy = (one: Conversation) => {
      one.handshake();
      for (let index = 0; index < 5; index++)
        one.data('client', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n').data('server', HTTP_OK);
      return one.close();
    };
    expect(churns(many(49, 0.01, exchange))).toEqual([]);
    expect(churns(many(60, 2, exchange))).toEqual([]);
    expect(churns(many(60, 0.01, (one) => one.handshake().wait(3).close()))).toEqual([]);
    expect(churns(many(60, 0.01, busy))).toEqual([]);
    expect(churns(many(60, 0.01, refused))).toEqual([]);
  });
});
