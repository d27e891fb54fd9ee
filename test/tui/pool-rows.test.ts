import { describe, expect, it } from 'vitest';
import type { Pool } from '../../src/model/pools.js';
import { type PoolRow, poolsInSteps } from '../../src/tui/pool-rows.js';
import { PoolWatch } from '../../src/watch/pools.js';
import { listen, look, type RowSpec, row } from '../support/table-builder.js';

const nginx = [{ pid: 812, fd: 4, name: 'nginx' }];
const java = [{ pid: 900, fd: 4, name: 'java' }];
const client = (port: number, owners = java): RowSpec =>
  row({ local: `10.0.0.1:${port}`, remote: '10.0.0.9:3306', owners, columns: { inode: port } });
const served = (local: string, port: number): RowSpec =>
  row({ local, remote: `10.0.0.2:${port}`, owners: nginx, columns: { inode: port } });
const ROWS = [
  listen('10.0.0.1:443', [0, 128], { inode: 7 }, { owners: nginx }),
  listen('10.0.0.5:8080', [0, 128], { inode: 8 }, { owners: nginx }),
  listen('10.0.0.6:8080', [0, 128], { inode: 9 }, { owners: nginx }),
  ...[1, 2, 3].map((one) => client(40_000 + one)),
  client(40_009, []),
  served('10.0.0.1:443', 50_001),
  served('10.0.0.5:8080', 50_002),
  served('10.0.0.6:8080', 50_003),
  row({ protocol: 'unix', local: '/run/app.sock', owners: nginx }),
];

function poolsOf(uses: readonly Pool[] | undefined): readonly PoolRow[] {
  const { sockets } = look(1000, ROWS);
  const rows = Uint32Array.from({ length: sockets.length - 3 }, (_, at) => at + 3);
  const steps = poolsInSteps(sockets, rows, { stepRows: 2, token: 'step', uses });
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value;
    expect(step.value).toBe('step');
  }
}

describe('pools on the screen', () => {
  const watch = new PoolWatch();
  watch.take(look(0, ROWS));
  watch.take(look(1000, ROWS));
  const pools = poolsOf(watch.report()?.pools);
  const of = (process: string, remote: string) =>
    pools.find((pool) => pool.process === process && pool.remote === remote);

  it('show the use of the same process and remote', () => {
    expect(of('java/900', '10.0.0.9:3306')).toMatchObject({ open: 3, use: { open: 3, owner: { pid: 900 } } });
    expect(of('-', '10.0.0.9:3306')).toMatchObject({ open: 1, use: { open: 1, owner: 'none' } });
    expect(of('nginx/812', 'clients of :443')).toMatchObject({ open: 1, use: { direction: 'inbound' } });
  });

  it('show none where two listeners have the port', () => {
    expect(of('nginx/812', 'clients of :8080')).toEqual({
      process: 'nginx/812',
      remote: 'clients of :8080',
      open: 2,
      established: 2,
    });
  });

  it('are counted where nothing is known of their use, without Unix sockets', () => {
    expect(poolsOf(undefined)).toHaveLength(4);
    for (const pool of poolsOf(undefined)) expect(pool.use).toBeUndefined();
  });
});
