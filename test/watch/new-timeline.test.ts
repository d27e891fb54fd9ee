import { describe, expect, it } from 'vitest';
import { judgePools } from '../../src/analyze/pools.js';
import { formatEndpoint } from '../../src/model/endpoint.js';
import { NewTimeline } from '../../src/watch/pools/new-timeline.js';
import { PoolWatch } from '../../src/watch/pools.js';
import { listen, look, type RowSpec } from '../support/table-builder.js';

describe('NewTimeline', () => {
  it('keeps eight parts at most, and loses none', () => {
    const line = new NewTimeline();
    for (let at = 0; at < 20; at++) line.add(at, at);
    expect(line.read(19)).toEqual([6, 22, 38, 54, 70]);
    expect(line.read(40)).toEqual([28, 92, 70, 0, 0, 0]);
  });

  it('has the same parts for one that began later', () => {
    const late = new NewTimeline();
    late.add(19, 5);
    expect(late.read(19)).toEqual([0, 0, 0, 0, 5]);
    expect(new NewTimeline().read(2)).toEqual([0, 0, 0]);
  });
});

const NGINX = [{ pid: 90, fd: 6, name: 'nginx' }];
let made = 0;
const fresh = (remote: string): RowSpec => ({
  local: `10.0.0.1:${20_000 + made}`,
  remote,
  cookie: ++made,
  owners: NGINX,
  columns: { inode: made, lastSentMs: 20, lastReceivedMs: 20, bytesSent: 100, bytesReceived: 900 },
});
const several = (count: number, remote: string) => Array.from({ length: count }, () => fresh(remote));

/** The shares of the backends `old` and `next` when each look shows so many new connections of both. */
function shares(counts: readonly (readonly [old: number, next: number])[], next = '10.0.0.8:8080') {
  const pools = new PoolWatch();
  const listener = listen('0.0.0.0:443', [0, 128], { inode: 7 }, { owners: NGINX });
  for (const [at, [one, other]] of counts.entries())
    pools.take(look(at * 1000, [listener, ...several(one, '10.0.0.9:8080'), ...several(other, next)]));
  const seen = pools.report();
  if (seen === undefined) throw new Error('no look');
  const report = judgePools(seen);
  return (end: string) => report.shares[report.pools.findIndex((pool) => formatEndpoint(pool.end) === end)];
}

describe('share of new connections', () => {
  it('moves from one backend to another during a deploy', () => {
    const of = shares([
      [0, 0],
      [10, 0],
      [9, 1],
      [5, 5],
      [0, 10],
    ]);
    expect(of('10.0.0.9:8080')).toEqual({ share: 0.6, byTime: [undefined, 1, 0.9, 0.5, 0] });
    expect(of('10.0.0.8:8080')).toEqual({ share: 0.4, byTime: [undefined, 0, 0.1, 0.5, 1] });
  });

  it('is of one service only', () => {
    const apart = [
      [0, 0],
      [10, 3],
    ] as const;
    expect(shares(apart)('10.0.0.9:8080')).toBeDefined();
    expect(shares(apart, '192.168.7.7:8080')('10.0.0.9:8080')).toBeUndefined();
  });
});
