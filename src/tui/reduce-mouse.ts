import { cursorAt } from './cursor.js';
import type { InputEvent } from './input.js';
import type { Panel } from './layout.js';
import { layoutOf, listOf, pageOf, withCursor } from './panels.js';
import { perform, rememberSelected } from './perform.js';
import type { UiState } from './state.js';

type MouseEvent = Extract<InputEvent, { kind: 'mouse' }>;
const WHEEL_ROWS = 3;

/** The wheel scrolls what lies under it; a click gives a panel the focus and selects its row. */
export function reduceMouse(state: UiState, event: MouseEvent): UiState {
  if (state.overlay !== undefined) return wheel(state, event);
  const target = panelAt(state, event);
  if (target === undefined) return state;
  const focused = { ...state, focus: target.panel };
  return event.what === 'press' ? select(focused, target.panel, target.row) : wheel(focused, event);
}

function wheel(state: UiState, { what }: MouseEvent): UiState {
  if (what === 'press') return state;
  let next = state;
  for (let row = 0; row < WHEEL_ROWS; row++) next = perform(next, what === 'wheel-up' ? 'up' : 'down');
  return next;
}

function panelAt(state: UiState, { x, y }: MouseEvent): { panel: Panel; row: number } | undefined {
  for (const [panel, rect] of layoutOf(state).panels) {
    const isInside = x >= rect.x && x < rect.x + rect.width && y >= rect.y && y < rect.y + rect.height;
    if (isInside) return { panel, row: y - rect.y - (panel === 'alerts' ? 1 : 2) };
  }
  return undefined;
}

function select(state: UiState, panel: Panel, row: number): UiState {
  const list = listOf(state, panel);
  const index = (list?.cursor.top ?? 0) + row;
  if (list === undefined || row < 0 || index >= list.length) return state;
  const cursor = cursorAt(list.cursor, index, list.length, pageOf(state, panel));
  return rememberSelected(withCursor(state, panel, { ...cursor, pinned: true }));
}
