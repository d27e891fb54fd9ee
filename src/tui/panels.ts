import { alertRows } from './alert-rows.js';
import type { Cursor } from './cursor.js';
import { dataRows, type Layout, layOut, layoutKind, PANELS, type Panel } from './layout.js';
import type { UiState } from './state.js';

/** Where everything lies for this state. */
export function layoutOf(state: UiState): Layout {
  const kind = layoutKind(state.size);
  return layOut(state.size, {
    zoomed: state.zoomed ? state.focus : undefined,
    charts: kind === 'full' ? state.charts.full : state.charts.compact,
    listeners: state.listeners.items.length,
  });
}

/** Panels that can have the focus now, in the order of their numbers. */
export function shownPanels(state: UiState): Panel[] {
  const { panels } = layoutOf({ ...state, zoomed: false });
  return PANELS.filter((panel) => panels.has(panel));
}

/** Rows of data that a panel shows at once. */
export const pageOf = (state: UiState, panel: Panel): number =>
  dataRows(panel, layoutOf(state).panels.get(panel));

/** The list in a panel, `undefined` for charts. */
export function listOf(
  state: UiState,
  panel: Panel,
): { readonly cursor: Cursor; readonly length: number } | undefined {
  const { connections, listeners } = state;
  if (panel === 'listeners') return { cursor: listeners.cursor, length: listeners.items.length };
  if (panel === 'alerts') return { cursor: state.alertCursor, length: alertRows(state).length };
  if (panel !== 'connections') return undefined;
  if (state.showClosed) return { cursor: state.closed.cursor, length: state.closed.items.length };
  if (state.showPools) return { cursor: state.pools.cursor, length: state.pools.items.length };
  return { cursor: connections.cursor, length: connections.rows.length };
}

/** The state with another cursor in a panel; what is selected is remembered by identity elsewhere. */
export function withCursor(state: UiState, panel: Panel, cursor: Cursor): UiState {
  if (panel === 'listeners') return { ...state, listeners: { ...state.listeners, cursor } };
  if (panel === 'alerts') return { ...state, alertCursor: cursor };
  if (panel !== 'connections') return state;
  if (state.showClosed) return { ...state, closed: { ...state.closed, cursor } };
  if (state.showPools) return { ...state, pools: { ...state.pools, cursor } };
  return { ...state, connections: { ...state.connections, cursor } };
}
