import type { ConnectionSort, ListenerSort } from '../../analyze/sort.js';
import type { ClosedSort } from '../closed-rows.js';
import type { Glyphs } from '../glyphs.js';
import type { PoolSort } from '../pool-rows.js';
import { fit, type Line, lineWidth, onGround, type Span, span } from '../spans.js';

/** One column of a table, for rows of type T. */
export interface Column<T> {
  readonly head: string;
  /** Columns it needs; below that it is left out. */
  readonly width: number;
  /** Grows with its contents up to here, at the cost of columns of less worth. */
  readonly natural?: number;
  /** Takes what is left over, up to here. */
  readonly stretch?: number;
  /** Columns of more worth do not grow at its cost. */
  readonly core?: boolean;
  readonly right?: boolean;
  /** The order that belongs to it: its head shows the arrow. */
  readonly sort?: ListenerSort | ConnectionSort | ClosedSort | PoolSort;
  cell(row: T, width: number): Line;
}

export interface Placed<T> {
  readonly column: Column<T>;
  readonly width: number;
}

/**
 * Columns in order of worth, as many as fit in `width` with one space between them. `rows` are the visible ones: a
 * column that holds longer text than its least width gets its room before columns of less worth are considered.
 */
export function placeColumns<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  width: number,
): Placed<T>[] {
  const placed: Placed<T>[] = [];
  let left = width;
  for (const [index, column] of columns.entries()) {
    const gap = placed.length === 0 ? 0 : 1;
    if (column.width + gap > left) break;
    const own = Math.max(
      column.width,
      Math.min(naturalWidth(column, rows), left - gap - coreWidth(columns, index + 1)),
    );
    placed.push({ column, width: own });
    left -= own + gap;
  }
  return stretch(placed, left);
}

/** Room that the core columns from `start` on need. */
const coreWidth = <T>(columns: readonly Column<T>[], start: number): number =>
  columns.slice(start).reduce((sum, { core, width }) => sum + (core === true ? width + 1 : 0), 0);

function naturalWidth<T>(column: Column<T>, rows: readonly T[]): number {
  const { natural } = column;
  if (natural === undefined) return column.width;
  const widest = rows.reduce((most, row) => Math.max(most, lineWidth(column.cell(row, natural))), 0);
  return Math.max(column.width, Math.min(widest, natural));
}

/** What is left goes to those that can use it, a cell at a time, so that they grow alike. */
function stretch<T>(placed: readonly Placed<T>[], left: number): Placed<T>[] {
  const widths = placed.map(({ width }) => width);
  let grew = true;
  while (left > 0 && grew) {
    grew = false;
    for (const [index, { column }] of placed.entries()) {
      const width = widths[index] ?? 0;
      if (left === 0 || width >= (column.stretch ?? 0)) continue;
      widths[index] = width + 1;
      left--;
      grew = true;
    }
  }
  return placed.map(({ column }, index) => ({ column, width: widths[index] ?? 0 }));
}

export interface Sorted {
  readonly by: string;
  readonly descending: boolean;
}

export function headLine<T>(placed: readonly Placed<T>[], sorting: Sorted, glyphs: Glyphs): Line {
  const arrow = sorting.descending ? glyphs.descending : glyphs.ascending;
  const cells = placed.map(({ column, width }) => {
    const isSorted = column.sort === sorting.by;
    const text = isSorted ? withArrow(column.head, arrow, width) : column.head;
    return alignCell([span(text, isSorted ? 'title' : 'head')], width, column.right === true, glyphs);
  });
  return [span(' '), ...join(cells)];
}

/** The arrow stands beside the word, close to it where there is little room, or not at all. */
const withArrow = (head: string, arrow: string, width: number): string =>
  [`${head} ${arrow}`, `${head}${arrow}`].find((text) => text.length <= width) ?? head;

export interface RowLook {
  readonly selected: boolean;
  readonly focused: boolean;
  readonly glyphs: Glyphs;
  readonly width: number;
}

/** One row, with its mark of selection in front; selected and in the panel that has the focus it lies on a ground. */
export function rowLine<T>(placed: readonly Placed<T>[], row: T, look: RowLook): Line {
  const { selected, focused, glyphs, width } = look;
  const cells = placed.map(({ column, width: own }) =>
    alignCell(column.cell(row, own), own, column.right === true, glyphs),
  );
  const full = fit(
    [span(selected ? '>' : ' ', selected ? 'focus' : 'text'), ...join(cells)],
    width,
    glyphs.ellipsis,
  );
  return selected && focused ? onGround(full, 'selected') : full;
}

function join(cells: readonly Line[]): Line {
  return cells.flatMap((cell, index): Span[] => (index === 0 ? [...cell] : [span(' '), ...cell]));
}

function alignCell(cell: Line, width: number, right: boolean, glyphs: Glyphs): Line {
  const missing = width - lineWidth(cell);
  return right && missing > 0 ? [span(' '.repeat(missing)), ...cell] : fit(cell, width, glyphs.ellipsis);
}
