import { CLOSE_KINDS, type CloseKind } from '../../src/model/closed.js';
import type { ClosedObservation } from '../../src/model/observation.js';
import { millis, monotonicMillis } from '../../src/model/units.js';
import { buildTable, look, type RowSpec } from './table-builder.js';

/** What the kernel told at `at` (monotonic ms) of connections that ended: their last numbers. */
export const ended = (
  at: number,
  rows: readonly RowSpec[],
  rest: Partial<ClosedObservation> = {},
  kind: CloseKind = 'connection',
): ClosedObservation => ({
  kind: 'closed',
  origin: { ...look(at, []).origin, monotonic: monotonicMillis(at) },
  sockets: buildTable(
    rows.map((row) => ({
      ...row,
      state: 'close',
      owners: [],
      columns: { closeKind: CLOSE_KINDS.indexOf(kind), ...row.columns, inode: 0 },
    })),
  ),
  incomplete: false,
  spanMs: millis(500),
  unconnected: 0,
  failedConnects: 0,
  gaps: [],
  ...rest,
});
