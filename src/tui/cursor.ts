/** The selected row of a list and the first one shown. `pinned`: a person chose it, so it follows its row when rows move. */
export interface Cursor {
  readonly index: number;
  readonly top: number;
  readonly pinned: boolean;
}

export const START: Cursor = { index: 0, top: 0, pinned: false };

export type Step = 'up' | 'down' | 'page-up' | 'page-down' | 'half-up' | 'half-down' | 'first' | 'last';

export const STEPS: readonly Step[] = [
  'up',
  'down',
  'page-up',
  'page-down',
  'half-up',
  'half-down',
  'first',
  'last',
];
export const isStep = (action: string): action is Step => (STEPS as readonly string[]).includes(action);

/** Where a step leads from `index` in a list of `length` rows of which `page` are shown. */
export function stepIndex(index: number, step: Step, length: number, page: number): number {
  const half = Math.max(1, Math.floor(page / 2));
  const by: Readonly<Record<Step, number>> = {
    up: -1,
    down: 1,
    'page-up': -Math.max(1, page),
    'page-down': Math.max(1, page),
    'half-up': -half,
    'half-down': half,
    first: -length,
    last: length,
  };
  return clamp(index + by[step], 0, length - 1);
}

export const clamp = (value: number, low: number, high: number): number =>
  Math.max(low, Math.min(value, Math.max(low, high)));

/** The cursor at `index`, scrolled no further than needed to see it. */
export function cursorAt(cursor: Cursor, index: number, length: number, page: number): Cursor {
  const at = clamp(index, 0, length - 1);
  const lowest = Math.max(0, length - page);
  const top = clamp(clamp(cursor.top, at - page + 1, at), 0, lowest);
  return { index: at, top, pinned: cursor.pinned };
}

/** One step of a person; going to the first row lets the cursor stay on top from then on. */
export function moveCursor(cursor: Cursor, step: Step, length: number, page: number): Cursor {
  const moved = cursorAt(cursor, stepIndex(cursor.index, step, length, page), length, page);
  return { ...moved, pinned: step !== 'first' && length > 0 };
}

/** After the rows have moved: the selected row stays on the same line of the screen, where that is possible. */
export function followCursor(cursor: Cursor, index: number, length: number, page: number): Cursor {
  return cursorAt({ ...cursor, top: cursor.top + index - cursor.index }, index, length, page);
}
