import { parseFilter } from '../../src/analyze/filter.js';
import type { ConnectionSort } from '../../src/analyze/sort.js';
import { DEFAULT_THRESHOLDS } from '../../src/analyze/thresholds.js';
import type { Report } from '../../src/model/report.js';
import { SOCKET_STATES } from '../../src/model/sockets.js';
import { SocketTable } from '../../src/model/table.js';
import { millis, monotonicMillis, wallMillis } from '../../src/model/units.js';
import { GLYPHS } from '../../src/tui/glyphs.js';
import { reduce } from '../../src/tui/reduce.js';
import { rowsInSteps } from '../../src/tui/settle-rows.js';
import { startUi, type UiState } from '../../src/tui/state.js';
import { startWatch, step } from '../../src/watch/step.js';

const ROWS = 1_000_000;
const GOLDEN = 0x9e3779b1;

/** How long one order or filter of the screen takes for a million rows, and the longest time in which no key is answered. */
export interface Pauses {
  readonly name: string;
  readonly totalMs: number;
  readonly longestMs: number;
}

export function measureScreen(): Pauses[] {
  const shown = reduce(startUi(SCREEN), { type: 'report', report: reportOf(makeTable()) });
  return WISHES.map(({ name, by, filter }) =>
    timeSteps(name, {
      ...shown,
      filter: filter === undefined ? {} : { active: parseFilter(filter) },
      connections: { ...shown.connections, sorting: { by, descending: true } },
    }),
  );
}

const SCREEN = {
  glyphs: GLYPHS.unicode,
  braille: false,
  size: { columns: 120, rows: 40 },
  now: 0,
  host: 'bench',
  demo: false,
  intervalMs: 1000,
};

const WISHES: readonly { name: string; by: ConnectionSort; filter?: string }[] = [
  { name: 'sorted by remote', by: 'remote' },
  { name: 'sorted by round-trip time', by: 'rtt' },
  { name: 'filtered by network', by: 'recvq', filter: 'remote:10.0.0.0/8' },
  { name: 'filtered by a pattern', by: 'recvq', filter: '/1[0-9]\\.7/' },
];

function reportOf(sockets: SocketTable): Report {
  const origin = {
    time: wallMillis(0),
    monotonic: monotonicMillis(0),
    host: 'bench',
    source: 'netlink',
  } as const;
  const look = {
    kind: 'table',
    origin,
    scope: 'all',
    sockets,
    tookMs: millis(0),
    skippedTicks: 0,
    gaps: [],
  } as const;
  return step(startWatch({ thresholds: DEFAULT_THRESHOLDS, oneLook: true }), look).report;
}

function makeTable(): SocketTable {
  const table = new SocketTable();
  table.reserve(ROWS);
  const established = SOCKET_STATES.indexOf('established');
  for (let index = 0; index < ROWS; index++) {
    const row = table.append();
    table.state[row] = established;
    table.family[row] = 4;
    table.localAddress[row * 4 + 3] = 0x0a000001;
    table.remoteAddress[row * 4 + 3] = Math.imul(index, GOLDEN) >>> 0;
    table.localPort[row] = 443;
    table.remotePort[row] = 1024 + (index % 60_000);
    table.recvQueue[row] = Math.imul(index, 77) % 1000;
    for (const flag of ['queues', 'localPortKnown', 'remotePortKnown'] as const) table.setFlag(row, flag);
    table.set('rttMs', row, (Math.imul(index, GOLDEN) >>> 8) / 1e5);
  }
  return table;
}

function timeSteps(name: string, state: UiState): Pauses {
  const start = performance.now();
  const steps = rowsInSteps(state);
  let longestMs = 0;
  let before = start;
  for (let isDone = false; !isDone; ) {
    isDone = steps.next().done === true;
    const now = performance.now();
    longestMs = Math.max(longestMs, now - before);
    before = now;
  }
  return { name, totalMs: before - start, longestMs };
}
