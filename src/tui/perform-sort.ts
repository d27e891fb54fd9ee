import { CONNECTION_SORTS, LISTENER_SORTS } from '../analyze/sort.js';
import { CLOSED_SORTS } from './closed-rows.js';
import { POOL_SORTS } from './pool-rows.js';
import type { Overlay, SortedList, Sorting, UiState } from './state.js';

export const SORTS = {
  listeners: LISTENER_SORTS,
  connections: CONNECTION_SORTS,
  closed: CLOSED_SORTS,
  pools: POOL_SORTS,
} as const satisfies Readonly<Record<SortedList, readonly string[]>>;

/** What can be sorted; from the other panels `s` means the connections, or what stands in their place. */
function sortedList({ focus, showClosed, showPools }: UiState): SortedList {
  if (focus === 'listeners') return 'listeners';
  if (showClosed) return 'closed';
  return showPools ? 'pools' : 'connections';
}

export function openSortPicker(state: UiState): UiState {
  const panel = sortedList(state);
  const sorts: readonly string[] = SORTS[panel];
  const picker: Overlay = { kind: 'sort', panel, index: Math.max(0, sorts.indexOf(state[panel].sorting.by)) };
  return { ...state, overlay: state.overlay?.kind === 'sort' ? undefined : picker };
}

const BY_NAME: readonly string[] = ['address', 'process', 'state', 'local', 'remote'];

/** Names from A, numbers from the largest. */
const sortingBy = (by: string): Sorting<string> => ({ by, descending: !BY_NAME.includes(by) });

const withSorting = (state: UiState, list: SortedList, sorting: Sorting<string>): UiState => ({
  ...state,
  [list]: { ...state[list], sorting },
});

/** `<` and `>`: the order before or after the present one. */
export function sortBy(state: UiState, step: number): UiState {
  const list = sortedList(state);
  const sorts: readonly string[] = SORTS[list];
  const { by } = state[list].sorting;
  const next = sorts[(sorts.indexOf(by) + step + sorts.length) % sorts.length] ?? by;
  return withSorting(state, list, sortingBy(next));
}

export function reverse(state: UiState): UiState {
  const list = state.overlay?.kind === 'sort' ? state.overlay.panel : sortedList(state);
  const { by, descending } = state[list].sorting;
  return withSorting(state, list, { by, descending: !descending });
}

/** Enter in the picker, which may have reversed the order that was there. */
export function chooseSort(state: UiState, { panel, index }: Extract<Overlay, { kind: 'sort' }>): UiState {
  const { sorting } = state[panel];
  const by = SORTS[panel][index] ?? sorting.by;
  return withSorting({ ...state, overlay: undefined }, panel, by === sorting.by ? sorting : sortingBy(by));
}
