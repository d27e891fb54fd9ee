import { describe, expect, it } from 'vitest';
import type { JudgedPool } from '../../src/model/pools.js';
import { SocketTable } from '../../src/model/table.js';
import { type PoolRow, type PoolSort, poolsInSteps } from '../../src/tui/pool-rows.js';
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

function poolsOf(
  uses: readonly JudgedPool[] | undefined,
  sorting: { by: PoolSort; descending: boolean } = { by: 'open', descending: true },
): readonly PoolRow[] {
  const { sockets } = look(1000, ROWS);
  const rows = Uint32Array.from({ length: sockets.length - 3 }, (_, at) => at + 3);
  const steps = poolsInSteps(sockets, rows, { stepRows: 2, token: 'step', sorting, uses });
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value;
    expect(step.value).toBe('step');
  }
}

describe('pools on the screen', () => {
  const watch = new PoolWatch();
  watch.take(look(0, ROWS));
  watch.take(look(1000, ROWS));
  const uses = watch.report()?.pools.map((pool) => ({ ...pool, findings: [] }));
  const pools = poolsOf(uses);
  const of = (process: string, remote: string) =>
    pools.find((pool) => pool.process === process && pool.remote === remote);

  it('show the use of the same process and remote', () => {
    expect(of('java/900', '10.0.0.9:3306')).toMatchObject({ open: 3, use: { open: 3, owner: { pid: 900 } } });
    expect(of('-', '10.0.0.9:3306')).toMatchObject({ open: 1, use: { open: 1, owner: 'none' } });
    expect(of('nginx/812', 'clients of :443')).toMatchObject({ open: 1, use: { direction: 'inbound' } });
  });

  it('show none where two listeners have the port', () => {
    expect(of('nginx/812', 'clients of :8080')).toEqual({
      id: ' 812 in 8080',
      process: 'nginx/812',
      remote: 'clients of :8080',
      open: 2,
      other: 0,
    });
  });

  it('are counted where nothing is known of their use, without Unix sockets', () => {
    expect(poolsOf(undefined)).toHaveLength(4);
    for (const pool of poolsOf(undefined)) expect(pool.use).toBeUndefined();
  });

  it('have established ones in OPEN, and come in that order', () => {
    const left = Array.from({ length: 5 }, (_, at) =>
      row({
        local: `10.0.0.1:${45_000 + at}`,
        remote: '10.0.0.7:80',
        state: 'time-wait',
        columns: { inode: 0 },
      }),
    );
    const { sockets } = look(1000, [...ROWS.slice(0, 4), ...left]);
    const rows = Uint32Array.from({ length: sockets.length - 3 }, (_, at) => at + 3);
    const how = { stepRows: 100, token: 0, sorting: { by: 'open', descending: true } } as const;
    const [first, second] = poolsInSteps(sockets, rows, how).next().value as PoolRow[];
    expect(first).toMatchObject({ remote: '10.0.0.9:3306', open: 1, other: 0 });
    expect(second).toMatchObject({ remote: '10.0.0.7:80', open: 0, other: 5 });
  });

  it('are sorted by their use, unknown ones last', () => {
    const busy = poolsOf(uses, { by: 'age', descending: false }).map(({ use }) => use?.age?.p50);
    const known = busy.filter((age) => age !== undefined);
    expect(busy).toEqual([...known.sort((a, b) => a - b), ...busy.slice(known.length)]);
    expect(busy.at(-1)).toBeUndefined();
  });

  it('are those of one namespace each', () => {
    const parts = ['1', '2'].map((id) => {
      const { sockets } = look(1000, [listen('10.0.0.1:443', [0, 128], { inode: 7 }), ...ROWS.slice(3, 7)]);
      sockets.sections = [{ from: 0, namespace: { id } }];
      return sockets;
    });
    const table = SocketTable.join(parts);
    const rows = Uint32Array.from({ length: table.length }, (_, at) => at).filter(
      (at) => at !== 0 && at !== table.length / 2,
    );
    const of = (netns: string, open: number) =>
      ({
        ...(uses?.[0] as JudgedPool),
        owner: 'none',
        end: parts[0]?.row(4).remote,
        netns,
        open,
      }) as JudgedPool;
    const how = {
      stepRows: 100,
      token: 0,
      sorting: { by: 'open', descending: true },
      uses: [of('1', 11), of('2', 22)],
    } as const;
    const pools = poolsInSteps(table, rows, how).next().value as PoolRow[];
    const nameless = pools.filter(({ process }) => process === '-');
    expect(nameless.map(({ namespace, open, use }) => [namespace?.id, open, use?.open])).toEqual([
      ['1', 1, 11],
      ['2', 1, 22],
    ]);
  });
});
