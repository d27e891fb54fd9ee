import { alertRows } from './alert-rows.js';
import { clamp, isStep, moveCursor, type Step, stepIndex } from './cursor.js';
import { openFilter } from './filter-bar.js';
import { identityOf } from './identity.js';
import type { Action } from './keys.js';
import { layoutKind, PANELS, type Panel } from './layout.js';
import { overlayLength, overlayPage } from './overlays.js';
import { listOf, pageOf, shownPanels, withCursor } from './panels.js';
import { openDetails } from './perform-details.js';
import { openSortPicker, reverse, sortBy } from './perform-sort.js';
import type { Overlay, UiState } from './state.js';

/** What an action of the key table does to the state. Actions that the app does itself leave it as it is. */
export function perform(state: UiState, action: Action): UiState {
  if (isStep(action)) return move(state, action);
  if (action.startsWith('panel-')) return focusPanel(state, action);
  return DEEDS[action]?.(state) ?? state;
}

const DEEDS: Partial<Record<Action, (state: UiState) => UiState>> = {
  help: (state) => toggleOverlay(state, { kind: 'help', scroll: 0 }),
  filter: openFilter,
  sort: openSortPicker,
  'sort-before': (state) => sortBy(state, -1),
  'sort-after': (state) => sortBy(state, 1),
  reverse,
  zoom: (state) => ({ ...state, zoomed: !state.zoomed }),
  charts: toggleCharts,
  pools: togglePools,
  closed: toggleClosed,
  details: openDetails,
  pause: (state) => (state.pausedAt === undefined ? { ...state, pausedAt: state.now } : resume(state)),
  faster: (state) => changeRate(state, -1),
  slower: (state) => changeRate(state, 1),
  acknowledge,
  back,
};

const toggleOverlay = (state: UiState, overlay: Overlay): UiState => ({
  ...state,
  overlay: state.overlay?.kind === overlay.kind ? undefined : overlay,
});

/** Moves what is on top: the open overlay, else the list that has the focus. */
function move(state: UiState, step: Step): UiState {
  const { overlay } = state;
  if (overlay !== undefined) return { ...state, overlay: moveOverlay(state, overlay, step) };
  const list = listOf(state, state.focus);
  if (list === undefined) return state;
  const cursor = moveCursor(list.cursor, step, list.length, pageOf(state, state.focus));
  return rememberSelected(withCursor(state, state.focus, cursor));
}

function moveOverlay(state: UiState, overlay: Overlay, step: Step): Overlay {
  const length = overlayLength(state, overlay);
  const page = overlayPage(state);
  if (overlay.kind === 'sort') return { ...overlay, index: stepIndex(overlay.index, step, length, page) };
  const last = Math.max(0, length - page);
  return { ...overlay, scroll: clamp(stepIndex(overlay.scroll, step, length, page), 0, last) };
}

/** The row under the cursor, by identity: it stays selected when the next table puts it elsewhere. */
export function rememberSelected(state: UiState): UiState {
  const { closed, connections, listeners, pools } = state;
  const { table, rows, cursor } = connections;
  const row = rows[cursor.index];
  return {
    ...state,
    listeners: { ...listeners, selected: listeners.items[listeners.cursor.index]?.listener.key },
    closed: { ...closed, selected: closed.items[closed.cursor.index]?.id },
    pools: { ...pools, selected: pools.items[pools.cursor.index]?.id },
    connections: {
      ...connections,
      selected: table === undefined || row === undefined ? undefined : identityOf(table, row),
    },
  };
}

function focusPanel(state: UiState, action: Action): UiState {
  const shown = shownPanels(state);
  const at = shown.indexOf(state.focus);
  if (action === 'panel-next') return focusOn(state, shown[(at + 1) % shown.length]);
  if (action === 'panel-before') return focusOn(state, shown[(at - 1 + shown.length) % shown.length]);
  const wanted = PANELS[Number(action.slice('panel-'.length)) - 1];
  if (wanted === undefined || shown.includes(wanted)) return focusOn(state, wanted);
  // On a small screen charts and listeners share a place: asking for one of them swaps.
  return focusOn(toggleCharts(state), wanted);
}

function focusOn(state: UiState, panel: Panel | undefined): UiState {
  if (panel === undefined || !shownPanels(state).includes(panel)) return state;
  return { ...state, focus: panel, overlay: undefined };
}

function toggleCharts(state: UiState): UiState {
  const kind = layoutKind(state.size) === 'full' ? 'full' : 'compact';
  const next = { ...state, charts: { ...state.charts, [kind]: !state.charts[kind] } };
  const shown = shownPanels(next);
  return shown.includes(next.focus) ? next : { ...next, focus: shown[0] ?? next.focus, zoomed: false };
}

/** Whoever opens them means them: they get the focus, and with it the zoom. */
function toggleClosed(state: UiState): UiState {
  if (state.showClosed) return { ...state, showClosed: false };
  return focusOn({ ...state, showClosed: true, showPools: false }, 'connections');
}

function togglePools(state: UiState): UiState {
  if (state.showPools) return { ...state, showPools: false };
  return focusOn({ ...state, showPools: true, showClosed: false }, 'connections');
}

function resume(state: UiState): UiState {
  return {
    ...state,
    pausedAt: undefined,
    pending: undefined,
    pendingAlerts: 0,
    report: state.pending ?? state.report,
  };
}

const INTERVALS = [250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];

function changeRate(state: UiState, step: number): UiState {
  const { intervalMs } = state;
  const slower = INTERVALS.find((interval) => interval > intervalMs);
  const faster = INTERVALS.findLast((interval) => interval < intervalMs);
  return { ...state, intervalMs: (step > 0 ? slower : faster) ?? intervalMs };
}

/** The selected alert where the alerts have the focus, else the worst that is open. */
function acknowledge(state: UiState): UiState {
  const rows = alertRows(state);
  const chosen =
    state.focus === 'alerts' ? rows[state.alertCursor.index] : rows.find(({ kind }) => kind === 'active');
  if (chosen?.id === undefined || chosen.kind !== 'active') return state;
  return { ...state, acknowledged: new Set([...state.acknowledged, chosen.id]) };
}

/** One step back each time: what is open, then pools or ended connections, then the zoom, then the filter. It never quits. */
function back(state: UiState): UiState {
  if (state.overlay !== undefined) return { ...state, overlay: undefined };
  if (state.showPools || state.showClosed) return { ...state, showPools: false, showClosed: false };
  if (state.zoomed) return { ...state, zoomed: false };
  return { ...state, filter: {} };
}
