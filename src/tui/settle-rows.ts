import type { Filter } from '../analyze/filter.js';
import { sortRowsInSteps } from '../analyze/sort.js';
import type { PoolsAtLook } from '../model/pools.js';
import { PROTOCOLS, SOCKET_STATES } from '../model/sockets.js';
import type { SocketTable } from '../model/table.js';
import { type Cursor, cursorAt, followCursor } from './cursor.js';
import { findSocket } from './identity.js';
import { pageOf } from './panels.js';
import { type PoolRow, poolsInSteps } from './pool-rows.js';
import type { PoolsState, RowsBasis, UiState } from './state.js';

/** Rows between two looks at the clock: a few ms with the dearest filter. */
export const STEP_ROWS = 4096;

/** What was made from one table, filter and order. */
export interface MadeRows {
  readonly basis: RowsBasis;
  readonly rows: Uint32Array;
  readonly pools: readonly PoolRow[] | undefined;
  readonly total: number;
  readonly established: number;
}

const basisOf = (state: UiState): RowsBasis => ({
  table: state.report?.sockets?.table,
  filter: state.filter.active,
  sorting: state.connections.sorting,
  pools: state.showPools ? state.pools.sorting : undefined,
});

export const areRowsStale = (state: UiState): boolean =>
  state.connections.basis === undefined || !isSame(basisOf(state), state.connections.basis);

/** Whether rows that are being made are still the ones that are wanted. */
export const isWanted = (state: UiState, basis: RowsBasis): boolean => isSame(basisOf(state), basis);

const isSame = (a: RowsBasis, b: RowsBasis): boolean =>
  a.table === b.table && a.filter === b.filter && a.sorting === b.sorting && a.pools === b.pools;

/**
 * Selects, sorts and groups the connections: the only place where work grows with the number of sockets. It stops
 * every few thousand rows, so that the caller can answer keys in between; the result is for `applyRows`.
 */
export function* rowsInSteps(state: UiState): Generator<RowsBasis, MadeRows> {
  const basis = basisOf(state);
  const { table, filter, sorting } = basis;
  if (table === undefined) {
    return { basis, rows: new Uint32Array(0), pools: basis.pools && [], total: 0, established: 0 };
  }
  const selection = yield* selectInSteps(table, filter, basis);
  const rows = yield* sortRowsInSteps(table, selection.rows, sorting, basis);
  if (basis.pools === undefined) return { basis, ...selection, rows, pools: undefined };
  const how = { stepRows: STEP_ROWS, token: basis, sorting: basis.pools, uses: usesOf(state), filter };
  const pools = yield* poolsInSteps(table, selection.rows, how);
  return { basis, ...selection, rows, pools };
}

/** Of the same look as its table. */
function usesOf({ report }: UiState): PoolsAtLook | undefined {
  const { pools, poolOfRow } = report ?? {};
  return pools === undefined || poolOfRow === undefined ? undefined : { pools, poolOfRow };
}

const LISTEN = SOCKET_STATES.indexOf('listen');
const ESTABLISHED = SOCKET_STATES.indexOf('established');
const UNIX = PROTOCOLS.indexOf('unix');

function* selectInSteps(table: SocketTable, filter: Filter | undefined, basis: RowsBasis) {
  const { state, protocol, length } = table;
  const rows = new Uint32Array(length);
  const cursor = table.cursor();
  let [found, total, established] = [0, 0, 0];
  for (let row = 0; row < length; row++) {
    if (row % STEP_ROWS === STEP_ROWS - 1) yield basis;
    if (state[row] === LISTEN) continue;
    total++;
    if (state[row] === ESTABLISHED && protocol[row] !== UNIX) established++;
    cursor.index = row;
    if (filter === undefined || filter.matchesRow(cursor)) rows[found++] = row;
  }
  return { rows: rows.slice(0, found), total, established };
}

/** The rows on the screen; the socket that was selected stays selected. */
export function applyRows(state: UiState, made: MadeRows): UiState {
  const { connections } = state;
  const { rows, pools, total, established, basis } = made;
  const page = pageOf(state, 'connections');
  return settlePool({
    ...state,
    pools: pools === undefined ? state.pools : placePools(state.pools, pools, page),
    connections: {
      ...connections,
      ...{ basis, rows, total, established },
      table: basis.table,
      cursor: followSelected(state, made, page),
    },
  });
}

function placePools(pools: PoolsState, items: readonly PoolRow[], page: number): PoolsState {
  const { cursor, selected } = pools;
  const found = cursor.pinned ? items.findIndex(({ id }) => id === selected) : 0;
  const place = found < 0 ? cursorAt : followCursor;
  return { ...pools, items, cursor: place(cursor, found < 0 ? cursor.index : found, items.length, page) };
}

/** Details follow their pool; where it is gone they keep what was seen last, and say so. */
function settlePool(state: UiState): UiState {
  const { overlay, pools, showPools } = state;
  if (overlay?.kind !== 'pool' || !showPools) return state;
  const found = pools.items.find(({ id }) => id === overlay.id);
  return { ...state, overlay: { ...overlay, last: found ?? overlay.last, gone: found === undefined } };
}

function followSelected({ connections }: UiState, { basis, rows }: MadeRows, page: number): Cursor {
  const { cursor, selected } = connections;
  if (!cursor.pinned || selected === undefined || basis.table === undefined) {
    return cursorAt(cursor, 0, rows.length, page);
  }
  const found = findSocket(basis.table, rows, selected);
  return found < 0
    ? cursorAt(cursor, cursor.index, rows.length, page)
    : followCursor(cursor, found, rows.length, page);
}
