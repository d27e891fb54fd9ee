import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CONNECTION_SORTS,
  LISTENER_SORTS,
  selectRows,
  sortListeners,
  sortRows,
} from '../../src/analyze/sort.js';
import type { SocketTable } from '../../src/model/table.js';
import { cpuMillis } from '../support/cpu-time.js';
import { buildTable, listen, type RowSpec } from '../support/table-builder.js';
import { finding, ip, listenerReport } from '../tui/sample-reports.js';

const owner = (name: string, pid: number) => ({ name, pid, fd: 3 });
const ROWS: readonly RowSpec[] = [
  {
    local: '10.0.0.9:443',
    remote: '10.0.0.2:9',
    queues: [5, 0],
    owners: [owner('zed', 9), owner('nginx', 2)],
    columns: { rttMs: 3, lastSentMs: 10 },
  },
  { local: '[::1]:1', remote: '[::2]:7', queues: null, state: 'close-wait' },
  { local: '10.0.0.9:80', queues: [5, 7], owners: [], state: 'time-wait', columns: { rttMs: 0.5 } },
  {
    local: '9.0.0.1:80',
    remote: '10.0.0.2:10',
    queues: [0, 4_000_000_000],
    owners: [owner('apache', 4)],
    columns: { rttMs: 200, lastSentMs: 9000 },
  },
  { protocol: 'unix', local: '/run/b', remote: '', queues: [1, 1], state: 'unknown' },
  listen('0.0.0.0:80', [1, 2]),
];
const table = buildTable(ROWS);
const all = selectRows(table, undefined);

describe('sortRows', () => {
  test.each([
    ['state', [1, 0, 3, 2, 4], [2, 0, 3, 1, 4]],
    ['local', [3, 2, 0, 1, 4], [4, 1, 0, 2, 3]],
    ['remote', [0, 3, 1, 2, 4], [1, 3, 0, 2, 4]],
    ['recvq', [3, 4, 0, 2, 1], [0, 2, 4, 3, 1]],
    ['sendq', [0, 4, 2, 3, 1], [3, 2, 4, 0, 1]],
    ['rtt', [2, 0, 3, 1, 4], [3, 0, 2, 1, 4]],
    ['process', [2, 3, 0, 1, 4], [0, 3, 2, 1, 4]],
    ['age', [0, 3, 1, 2, 4], [3, 0, 1, 2, 4]],
  ] as const)('%s, unknown last both ways', (by, ascending, descending) => {
    expect([...sortRows(table, all, by, false)]).toEqual(ascending);
    expect([...sortRows(table, all, by, true)]).toEqual(descending);
  });

  test('leaves the rows it was given as they are', () => {
    const rows = Uint32Array.of(3, 0);
    expect([...sortRows(table, rows, 'rtt', false)]).toEqual([0, 3]);
    expect([...rows]).toEqual([3, 0]);
  });

  test('is a stable permutation for any rows, keys and directions', () => {
    const rows = fc.uniqueArray(fc.nat(4), { minLength: 0, maxLength: 5 });
    fc.assert(
      fc.property(rows, fc.constantFrom(...CONNECTION_SORTS), fc.boolean(), (chosen, by, descending) => {
        const sorted = sortRows(table, Uint32Array.from(chosen), by, descending);
        expect([...sorted].sort()).toEqual([...chosen].sort());
        expect(sortRows(table, sorted, by, descending)).toEqual(sorted);
      }),
    );
    const same = buildTable(Array.from({ length: 600 }, (_, at) => ({ queues: [at % 3, 0] as const })));
    const down = [...sortRows(same, selectRows(same, undefined), 'recvq', true)];
    expect(down.slice(0, 4)).toEqual([2, 5, 8, 11]);
    expect(down.slice(-2)).toEqual([594, 597]);
  });

  test('100,000 rows in a moment', () => {
    const big: SocketTable = buildTable(
      Array.from({ length: 100_000 }, (_, at) => ({
        remote: `10.${at % 250}.${(at * 7) % 250}.1:${at % 60_000}`,
        queues: [(at * 7919) % 100_003, 0] as const,
      })),
    );
    const rows = selectRows(big, undefined);
    for (const by of ['recvq', 'remote'] as const) {
      const start = cpuMillis();
      const sorted = sortRows(big, rows, by, true);
      // About 60 ms; the bound catches work of another order.
      expect(cpuMillis() - start).toBeLessThan(1500);
      expect(sorted).toHaveLength(100_000);
    }
    expect(big.recvQueue[sortRows(big, rows, 'recvq', true)[0] ?? 0]).toBe(100_002);
  });
});

test('selectRows leaves listeners out', () => {
  expect([...all]).toEqual([0, 1, 2, 3, 4]);
  expect(selectRows(buildTable([]), undefined)).toEqual(new Uint32Array(0));
});

describe('sortListeners', () => {
  const reports = [
    listenerReport(
      { local: ip('10.0.0.2:80'), length: 0, backlog: 9, owners: [owner('b', 1)], oldestMs: 5 },
      0,
    ),
    listenerReport(
      { local: ip('10.0.0.1:443'), length: 5, verdict: 'unknown_limit', droppedPerSecond: 4 },
      1,
    ),
    listenerReport(
      {
        local: ip('[::1]:80'),
        length: 9,
        backlog: 9,
        verdict: 'filling',
        findings: [finding('warning', 'filling')],
        owners: [owner('a', 9), owner('c', 3)],
      },
      2,
    ),
    listenerReport(
      {
        local: ip('10.0.0.1:80'),
        length: 2,
        backlog: 1,
        verdict: 'full',
        findings: [finding('info', 'x'), finding('critical', 'full')],
        owners: [],
        oldestMs: 7,
      },
      3,
    ),
    listenerReport(
      {
        local: { kind: 'unix', path: '/run/a' },
        length: 8,
        backlog: 9,
        verdict: 'filling',
        findings: [finding('warning', 'filling')],
      },
      4,
    ),
  ];
  const order = (by: (typeof LISTENER_SORTS)[number], descending: boolean) =>
    sortListeners(reports, by, descending).map(({ listener }) => listener.row);

  test.each([
    ['trouble', [3, 2, 4, 1, 0], [0, 1, 4, 2, 3]],
    ['address', [4, 2, 0, 1, 3], [3, 1, 0, 2, 4]],
    ['process', [2, 0, 3, 1, 4], [3, 0, 2, 1, 4]],
    ['fill', [3, 2, 4, 0, 1], [0, 4, 2, 3, 1]],
    ['length', [2, 4, 1, 3, 0], [0, 3, 1, 4, 2]],
    ['drops', [1, 3, 0, 2, 4], [3, 0, 2, 4, 1]],
    ['wait', [3, 0, 1, 2, 4], [0, 3, 1, 2, 4]],
  ] as const)('%s, unknown last, then by address', (by, descending, ascending) => {
    expect(order(by, true)).toEqual(descending);
    expect(order(by, false)).toEqual(ascending);
  });

  test('every key of the list is a sort', () => {
    for (const by of LISTENER_SORTS) expect([...order(by, true)].sort()).toEqual([0, 1, 2, 3, 4]);
  });
});
