import { selectRows, sortListeners } from '../analyze/sort.js';
import type { ListenerReport } from '../model/listener.js';
import { sortClosed } from './closed-rows.js';
import { cursorAt, followCursor } from './cursor.js';
import { findSocket } from './identity.js';
import { pageOf } from './panels.js';
import { applyRows, areRowsStale, rowsInSteps } from './settle-rows.js';
import type { ClosedState, ListenersState, Overlay, UiState } from './state.js';

/** Whether lists must be made anew: never because of a key that only moves. */
export const isStale = (state: UiState): boolean => areListenersStale(state) || areRowsStale(state);

const areListenersStale = (state: UiState): boolean =>
  state.listed === undefined ||
  state.listed.report !== state.report ||
  state.listed.filter !== state.filter.active ||
  state.listed.sorting !== state.listeners.sorting ||
  state.listed.closedSorting !== state.closed.sorting ||
  state.listed.showsClosed !== state.showClosed;

/** Everything at once, for callers without a person who waits. */
export function settle(state: UiState): UiState {
  const listed = settleListed(state);
  if (!areRowsStale(listed)) return listed;
  const steps = rowsInSteps(listed);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return applyRows(listed, step.value);
}

/** The listeners and the open details, for the newest report, filter and order: there are never many. */
export function settleListed(state: UiState): UiState {
  if (!areListenersStale(state)) return state;
  const { report, filter, listeners } = state;
  const { closed, showClosed } = state;
  const listed = {
    report,
    filter: filter.active,
    sorting: listeners.sorting,
    closedSorting: closed.sorting,
    showsClosed: showClosed,
  };
  const next = { ...state, listed, listeners: settleListeners(state), closed: settleClosed(state) };
  return { ...next, overlay: settleOverlay(next) };
}

function settleListeners(state: UiState): ListenersState {
  const { listeners, filter, report } = state;
  const all = report?.listeners ?? [];
  const matching = filter.active === undefined ? all : all.filter((item) => matches(state, item));
  const matchless = matching.length === 0 && all.length > 0;
  const { by, descending } = listeners.sorting;
  const items = sortListeners(matchless ? all : matching, by, descending);
  const { cursor } = listeners;
  const found = cursor.pinned ? items.findIndex(({ listener }) => listener.key === listeners.selected) : 0;
  const page = pageOf(state, 'listeners');
  const moved =
    found < 0
      ? cursorAt(cursor, cursor.index, items.length, page)
      : followCursor(cursor, found, items.length, page);
  return { ...listeners, items, total: all.length, matchless, cursor: moved };
}

/** Only while they are shown: there may be thousands. */
function settleClosed(state: UiState): ClosedState {
  const { closed, filter, report, showClosed } = state;
  if (!showClosed) return closed;
  const all = report?.closed?.groups ?? [];
  const { active } = filter;
  const matching = active === undefined ? all : all.filter((group) => active.matchesClosed(group));
  const items = sortClosed(matching, closed.sorting.by, closed.sorting.descending);
  const { cursor, selected } = closed;
  const found = cursor.pinned ? items.findIndex(({ id }) => id === selected) : 0;
  const page = pageOf(state, 'connections');
  const moved =
    found < 0
      ? cursorAt(cursor, cursor.index, items.length, page)
      : followCursor(cursor, found, items.length, page);
  return { ...closed, items, cursor: moved };
}

const matches = ({ filter }: UiState, report: ListenerReport): boolean =>
  filter.active?.matchesListener(report) ?? true;

/** Details follow their listener or socket; where it is gone they keep what was seen last, and say so. */
function settleOverlay(state: UiState): Overlay | undefined {
  const { overlay, report } = state;
  if (overlay?.kind === 'listener') {
    const found = report?.listeners.find(({ listener }) => listener.key === overlay.key);
    return { ...overlay, last: found ?? overlay.last, gone: found === undefined };
  }
  if (overlay?.kind === 'closed') {
    const found = report?.closed?.groups.find(({ id }) => id === overlay.id);
    return { ...overlay, last: found ?? overlay.last, gone: found === undefined };
  }
  const table = report?.sockets?.table;
  if (overlay?.kind !== 'connection' || table === undefined || table === overlay.table) return overlay;
  const all = selectRows(table, undefined);
  const position = findSocket(table, all, overlay.identity);
  if (position < 0) return { ...overlay, gone: true };
  return { ...overlay, table, row: all[position] ?? 0, seenAt: state.now, gone: false };
}
