import { describe, expect, it } from 'vitest';
import { judgePools } from '../../src/analyze/pools.js';
import type { NamespacesObservation } from '../../src/model/observation.js';
import type { PoolsSeen } from '../../src/model/pools.js';
import { millis } from '../../src/model/units.js';
import { PoolWatches } from '../../src/watch/pools-of-all.js';
import { ended } from '../support/ended.js';
import { look, type RowSpec } from '../support/table-builder.js';

const APP = [{ pid: 812, fd: 9, name: 'app' }];
const DB = '10.0.0.9:5432';

const to = (remote: string, n: number, owners = APP): RowSpec => ({
  local: `${remote.startsWith('127') ? '127.0.0.1' : '10.0.0.1'}:${40_000 + n}`,
  remote,
  cookie: n + 1,
  owners,
  columns: { inode: 100 + n, lastSentMs: 520, lastReceivedMs: 500, bytesSent: 100, bytesReceived: 900 },
});
const many = (count: number, remote: string, pid: number) =>
  Array.from({ length: count }, (_, n) => to(remote, n, [{ pid, fd: 9, name: 'app' }]));

const inNamespace = (at: number, netns: string, rows: readonly RowSpec[]) => {
  const table = look(at, rows);
  return { ...table, origin: { ...table.origin, netns } };
};

/** One tick: the rows of each namespace. */
function tick(at: number, namespaces: Readonly<Record<string, readonly RowSpec[]>>): NamespacesObservation {
  return {
    kind: 'namespaces',
    origin: look(at, []).origin,
    looks: Object.entries(namespaces).map(([netns, rows]) => inNamespace(at, netns, rows)),
    tookMs: millis(3),
    skippedTicks: 0,
    gaps: [],
  };
}

function watch(...ticks: readonly Readonly<Record<string, readonly RowSpec[]>>[]): PoolsSeen {
  const watches = new PoolWatches();
  for (const [index, namespaces] of ticks.entries()) watches.take(tick(index * 1000, namespaces));
  return watches.report() as PoolsSeen;
}

describe('remotes of several namespaces', () => {
  it('are one: the limit of a database counts all containers', () => {
    const rows = { a: many(10, DB, 1), b: many(6, DB, 2) };
    const { remotes, pools } = watch(rows, rows);
    expect(pools).toHaveLength(2);
    expect(remotes).toMatchObject([
      { processes: 2, open: 16, idle: 16, busy: 0, highest: 16, createdPerSecond: 0, service: 'postgres' },
    ]);
    expect(remotes[0]).not.toHaveProperty('netns');
  });

  it('have the highest of all at one moment, not of each at its own', () => {
    const { remotes } = watch(
      { a: many(10, DB, 1), b: [] },
      { a: many(2, DB, 1), b: many(3, DB, 2) },
      { a: [], b: many(9, DB, 2) },
    );
    expect(remotes).toMatchObject([{ open: 9, highest: 10 }]);
    expect(
      watch({ a: many(4, DB, 1), b: many(5, DB, 2) }, { a: [], b: many(5, DB, 2) }).remotes,
    ).toMatchObject([{ open: 5, highest: 9 }]);
  });

  it('do not count a namespace that has gone any more', () => {
    const { remotes } = watch(
      { a: many(10, DB, 1), b: many(1, DB, 2) },
      { b: many(1, DB, 2) },
      { b: many(8, DB, 2) },
    );
    expect(remotes).toMatchObject([{ processes: 1, open: 8, highest: 11 }]);
  });

  it('stay apart where the address is another host in each', () => {
    const local = '127.0.0.1:5432';
    const rows = { a: many(4, local, 1), b: many(3, local, 2) };
    const seen = watch(rows, rows);
    expect(seen.remotes.map(({ netns, open, highest }) => [netns, open, highest])).toEqual([
      ['a', 4, 4],
      ['b', 3, 3],
    ]);
  });

  it('of namespaces that went early are forgotten where there are too many, which is said', () => {
    const watches = new PoolWatches();
    for (let at = 0; at < 1010; at++) watches.take(tick(at * 1000, { host: [], [`went${at}`]: [] }));
    expect(watches.report()?.gaps).toContainEqual({
      what: 'namespaces',
      why: '11 that went early were forgotten: there are too many',
    });
  });

  it('have churn of their own on loopback', () => {
    const watches = new PoolWatches();
    watches.take(tick(0, { a: [], b: [] }));
    const gone = (n: number): RowSpec => ({
      ...to('127.0.0.1:5432', n),
      columns: {
        bytesSent: 9,
        bytesAcked: 11,
        bytesReceived: 9,
        segmentsOut: 4,
        dataSegmentsOut: 1,
        dataSegmentsIn: 1,
      },
    });
    const told = ended(
      500,
      Array.from({ length: 30 }, (_, n) => gone(n)),
    );
    watches.take({ ...told, origin: { ...told.origin, netns: 'a' } });
    const client = [to('127.0.0.1:5432', 500)];
    watches.take(tick(1000, { a: [], b: client }));
    watches.take(tick(2000, { a: [], b: client }));
    const { findings } = judgePools(watches.report() as PoolsSeen);
    expect(findings.map(({ subject }) => subject)).toEqual([
      'connections of no process any more > 127.0.0.1:5432',
    ]);
  });
});
