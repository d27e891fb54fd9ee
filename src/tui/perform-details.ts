import { alertRows } from './alert-rows.js';
import { identityOf } from './identity.js';
import { chooseSort } from './perform-sort.js';
import type { UiState } from './state.js';

/** Enter: what is selected in full; in the sort picker, the choice. */
export function openDetails(state: UiState): UiState {
  const { overlay } = state;
  if (overlay?.kind === 'sort') return chooseSort(state, overlay);
  if (overlay !== undefined) return { ...state, overlay: undefined };
  if (state.focus === 'listeners') return openListener(state, state.listeners.cursor.index);
  if (state.focus === 'connections') {
    if (state.showClosed) return openClosed(state);
    return state.showPools ? openPool(state) : openConnection(state);
  }
  if (state.focus !== 'alerts') return { ...state, zoomed: !state.zoomed };
  const about = alertRows(state)[state.alertCursor.index]?.listener;
  return openListener(
    state,
    state.listeners.items.findIndex(({ listener }) => listener.key === about),
  );
}

function openListener(state: UiState, index: number): UiState {
  const last = state.listeners.items[index];
  if (last === undefined) return state;
  return {
    ...state,
    overlay: { kind: 'listener', key: last.listener.key, scroll: 0, last, gone: false },
  };
}

function openClosed(state: UiState): UiState {
  const last = state.closed.items[state.closed.cursor.index];
  if (last === undefined) return state;
  return { ...state, overlay: { kind: 'closed', id: last.id, scroll: 0, last, gone: false } };
}

function openPool(state: UiState): UiState {
  const last = state.pools.items[state.pools.cursor.index];
  if (last === undefined) return state;
  return { ...state, overlay: { kind: 'pool', id: last.id, scroll: 0, last, gone: false } };
}

function openConnection(state: UiState): UiState {
  const { table, rows, cursor } = state.connections;
  const row = rows[cursor.index];
  if (table === undefined || row === undefined) return state;
  return {
    ...state,
    overlay: {
      kind: 'connection',
      identity: identityOf(table, row),
      scroll: 0,
      table,
      row,
      seenAt: state.now,
      gone: false,
    },
  };
}
