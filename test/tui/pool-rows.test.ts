import { describe, expect, it } from 'vitest';
import { LISTEN } from '../../src/analyze/codes.js';
import { parseFilter } from '../../src/analyze/filter.js';
import type { ClosedObservation } from '../../src/model/observation.js';
import type { PoolsAtLook } from '../../src/model/pools.js';
import { SocketTable } from '../../src/model/table.js';
import { type PoolRow, type PoolSort, poolsInSteps } from '../../src/tui/pool-rows.js';
import { PoolWatch } from '../../src/watch/pools.js';
import { ended } from '../support/ended.js';
import { listen, look, type RowSpec, row, waiting } from '../support/table-builder.js';

const nginx = [{ pid: 812, fd: 4, name: 'nginx' }];
const java = [{ pid: 900, fd: 4, name: 'java' }];
const client = (port: number, owners = java): RowSpec =>
  row({ local: `10.0.0.1:${port}`, remote: '10.0.0.9:3306', owners, columns: { inode: port } });
const served = (local: string, port: number): RowSpec =>
  row({ local, remote: `10.0.0.2:${port}`, owners: nginx, columns: { inode: port } });
const many = (count: number, make: (n: number) => RowSpec) =>
  Array.from({ length: count }, (_, n) => make(n));
/** Our SYN and FIN count as a byte each. */
const SHORT = {
  lastSentMs: 5,
  lastReceivedMs: 4,
  bytesSent: 100,
  bytesAcked: 102,
  bytesReceived: 900,
  segmentsOut: 4,
  segmentsIn: 4,
  dataSegmentsOut: 1,
  dataSegmentsIn: 1,
};
const ROWS = [
  listen('10.0.0.1:443', [0, 128], { inode: 7 }, { owners: nginx }),
  listen('10.0.0.5:8080', [0, 128], { inode: 8 }, { owners: nginx }),
  listen('10.0.0.6:8080', [0, 128], { inode: 9 }, { owners: nginx }),
  ...[1, 2, 3].map((one) => client(40_000 + one)),
  client(40_009, []),
  served('10.0.0.1:443', 50_001),
  served('10.0.0.5:8080', 50_002),
  served('10.0.0.6:8080', 50_003),
  row({ protocol: 'udp', local: '10.0.0.1:5000', remote: '10.0.0.53:53', owners: java }),
  row({ protocol: 'unix', local: '/run/app.sock', owners: nginx }),
];

/** What a watch over these steps knows of pools, and the table of its last look. */
function follow(steps: readonly (readonly RowSpec[] | ClosedObservation)[]) {
  const watch = new PoolWatch(undefined, true);
  let table = new SocketTable();
  for (const [at, step] of steps.entries()) {
    const observation = 'kind' in step ? step : look(at * 1000, step);
    if (observation.kind === 'table') table = observation.sockets;
    watch.take(observation);
  }
  const pools = watch.report()?.pools ?? [];
  const uses: PoolsAtLook = {
    pools: pools.map((pool) => ({ ...pool, findings: [] })),
    poolOfRow: watch.placesOf(pools),
  };
  return { table, uses };
}

/** The rows of the view, of all sockets that are no listeners. */
function shown(table: SocketTable, uses: PoolsAtLook | undefined, filter?: string): readonly PoolRow[] {
  const one = filter === undefined ? undefined : parseFilter(filter);
  const rows = Uint32Array.from({ length: table.length }, (_, at) => at).filter(
    (at) => table.state[at] !== LISTEN && one?.matchesRow(table.row(at)) !== false,
  );
  const how = { stepRows: 100, token: 0, uses, filter: one };
  return poolsInSteps(table, rows, { ...how, sorting: { by: 'open', descending: true } }).next()
    .value as PoolRow[];
}

function poolsOf(
  uses: PoolsAtLook | undefined,
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
  const { uses } = follow([ROWS, ROWS]);
  const pools = poolsOf(uses);
  const of = (process: string, remote: string) =>
    pools.find((pool) => pool.process === process && pool.remote === remote);

  it('show the use of the same process and remote', () => {
    expect(of('java/900', '10.0.0.9:3306')).toMatchObject({ open: 3, use: { open: 3, owner: { pid: 900 } } });
    expect(of('-', '10.0.0.9:3306')).toMatchObject({ open: 1, use: { open: 1, owner: 'none' } });
    expect(of('nginx/812', 'clients of 10.0.0.1:443')).toMatchObject({
      open: 1,
      use: { direction: 'inbound' },
    });
  });

  it('are told apart where two listeners have the port', () => {
    for (const end of ['10.0.0.5:8080', '10.0.0.6:8080'])
      expect(of('nginx/812', `clients of ${end}`)).toMatchObject({ open: 1, use: { open: 1, port: 8080 } });
  });

  const left = (local: string, remote: string): RowSpec =>
    row({ local, remote, state: 'time-wait', owners: [], columns: { inode: 0, timerMs: 50_000 } });

  it('have what a listener left over, or has not accepted, with the process of the listener, as pools has it', () => {
    const rows = [
      ...ROWS,
      left('10.0.0.1:443', '10.0.0.2:60001'),
      left('10.0.0.1:443', '10.0.0.2:60002'),
      waiting('10.0.0.1:443', '10.0.0.2:60003', 500),
    ];
    const { table, uses } = follow([ROWS, rows]);
    for (const known of [uses, undefined]) {
      const some = shown(table, known).filter(({ remote }) => remote === 'clients of 10.0.0.1:443');
      expect(some).toMatchObject([{ process: 'nginx/812', open: 2, other: 2 }]);
      expect(some[0]?.use).toMatchObject(known === undefined ? {} : { open: 2, timeWait: 2, waiting: 1 });
    }
  });

  it('have what a process left over as long as a look has shown whose it was', () => {
    const gone = [...ROWS.slice(0, 3), left('10.0.0.1:40001', '10.0.0.9:3306'), client(40_002)];
    const { table, uses } = follow([ROWS, gone]);
    expect(shown(table, uses).find(({ process }) => process === 'java/900')).toMatchObject({
      open: 1,
      other: 1,
      use: { open: 1, timeWait: 1 },
    });
  });

  it('name nobody where several processes have the listener', () => {
    const two = listen('10.0.0.1:443', [0, 128], { inode: 7 }, { owners: [...nginx, ...java] });
    const { table, uses } = follow([[two], [two, left('10.0.0.1:443', '10.0.0.2:60001')]]);
    expect(shown(table, uses).map(({ process }) => process)).toEqual(['shared']);
    expect(shown(table, undefined)).toMatchObject([{ process: 'shared', other: 1 }]);
  });

  it('show pools of which no look has a row, and let the filter choose among them', () => {
    const short = many(30, (n) => ({ ...client(50_000 + n, []), columns: SHORT }));
    const { table, uses } = follow([ROWS, ended(500, short), ROWS.slice(0, 3)]);
    const pools = shown(table, uses);
    expect(pools.find(({ process, remote }) => process === '-' && remote === '10.0.0.9:3306')).toMatchObject({
      open: 0,
      other: 0,
      use: { past: { created: 30, closed: 31 } },
    });
    // Those that were open at the first look are told of as `pools` tells of them.
    expect(pools.find(({ process }) => process === 'java/900')).toMatchObject({ open: 0, use: { open: 0 } });
    expect(shown(table, uses, 'rport:3306').map(({ remote }) => remote)).toContain('10.0.0.9:3306');
    expect(shown(table, uses, 'process:java').map(({ process }) => process)).toEqual(['java/900']);
    expect(shown(table, uses, 'rport:80,443')).toEqual([]);
    expect(shown(table, uses, 'state:established')).toEqual([]);
  });

  it('do not show those that a filter has left out', () => {
    const { table, uses } = follow([ROWS, ROWS]);
    expect(shown(table, uses, 'process:java proto:tcp').map(({ process }) => process)).toEqual(['java/900']);
    expect(shown(table, uses, 'state:time-wait')).toEqual([]);
  });

  it('count a socket once that the kernel showed twice', () => {
    const twice = client(40_001);
    const { table, uses } = follow([[twice], [twice, twice]]);
    expect(shown(table, uses)).toMatchObject([{ open: 1, use: { open: 1 } }]);
  });

  it('are counted where nothing is known of their use, without Unix sockets', () => {
    expect(poolsOf(undefined)).toHaveLength(6);
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
    const how = { stepRows: 100, token: 0, sorting: { by: 'open', descending: true } } as const;
    const pools = poolsInSteps(table, rows, how).next().value as PoolRow[];
    const nameless = pools.filter(({ process }) => process === '-');
    expect(nameless.map(({ id, namespace, open }) => [id, namespace?.id, open])).toEqual([
      ['1 none outbound 10.0.0.9:3306', '1', 1],
      ['2 none outbound 10.0.0.9:3306', '2', 1],
    ]);
  });
});
