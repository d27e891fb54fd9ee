import { CONNECTION_SORTS, LISTENER_SORTS } from '../analyze/sort.js';
import { CLOSED_SORTS } from './closed-rows.js';
import type { Overlay, Sorting, UiState } from './state.js';

/** What can be sorted; from the other panels `s` means the connections, or what stands in their place. */
const sortedPanel = ({ focus, showClosed }: UiState) =>
  focus === 'listeners' ? 'listeners' : showClosed ? 'closed' : 'connections';

export const SORTS = {
  listeners: LISTENER_SORTS,
  connections: CONNECTION_SORTS,
  closed: CLOSED_SORTS,
} as const satisfies Readonly<Record<SortedPanel, readonly string[]>>;
type SortedPanel = Extract<Overlay, { kind: 'sort' }>['panel'];

export function openSortPicker(state: UiState): UiState {
  const panel = sortedPanel(state);
  const { by } = state[panel].sorting;
  const sorts: readonly string[] = SORTS[panel];
  const picker: Overlay = { kind: 'sort', panel, index: Math.max(0, sorts.indexOf(by)) };
  return { ...state, overlay: state.overlay?.kind === 'sort' ? undefined : picker };
}

const BY_NAME: readonly string[] = ['address', 'process', 'state', 'local', 'remote'];

/** Names from A, numbers from the largest. */
const sortingBy = <By extends string>(by: By): Sorting<By> => ({ by, descending: !BY_NAME.includes(by) });

/** The picker may have reversed the order that was there. */
const keepIfSame = <By extends string>(sorting: Sorting<By>, by: By): Sorting<By> =>
  sorting.by === by ? sorting : sortingBy(by);

const nextSort = <Sort extends string>(sorts: readonly Sort[], by: Sort, step: number): Sort =>
  sorts[(sorts.indexOf(by) + step + sorts.length) % sorts.length] ?? by;

/** `<` and `>`: the order before or after the present one. */
export function sortBy(state: UiState, step: number): UiState {
  const { closed, connections, listeners } = state;
  const panel = sortedPanel(state);
  if (panel === 'closed') {
    const by = nextSort(CLOSED_SORTS, closed.sorting.by, step);
    return { ...state, closed: { ...closed, sorting: sortingBy(by) } };
  }
  if (panel === 'listeners') {
    const by = nextSort(LISTENER_SORTS, listeners.sorting.by, step);
    return { ...state, listeners: { ...listeners, sorting: sortingBy(by) } };
  }
  const by = nextSort(CONNECTION_SORTS, connections.sorting.by, step);
  return { ...state, connections: { ...connections, sorting: sortingBy(by) } };
}

export function reverse(state: UiState): UiState {
  const panel = state.overlay?.kind === 'sort' ? state.overlay.panel : sortedPanel(state);
  const { sorting } = state[panel];
  return {
    ...state,
    [panel]: { ...state[panel], sorting: { ...sorting, descending: !sorting.descending } },
  };
}

/** Enter in the picker. */
export function chooseSort(state: UiState, overlay: Extract<Overlay, { kind: 'sort' }>): UiState {
  const closed = { ...state, overlay: undefined };
  if (overlay.panel === 'listeners') {
    const by = LISTENER_SORTS[overlay.index] ?? state.listeners.sorting.by;
    return { ...closed, listeners: { ...state.listeners, sorting: keepIfSame(state.listeners.sorting, by) } };
  }
  if (overlay.panel === 'closed') {
    const by = CLOSED_SORTS[overlay.index] ?? state.closed.sorting.by;
    return { ...closed, closed: { ...state.closed, sorting: keepIfSame(state.closed.sorting, by) } };
  }
  const by = CONNECTION_SORTS[overlay.index] ?? state.connections.sorting.by;
  return {
    ...closed,
    connections: { ...state.connections, sorting: keepIfSame(state.connections.sorting, by) },
  };
}
