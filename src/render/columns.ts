import { paint, type Role } from './style.js';
import { displayWidth, truncate } from './text.js';

/** One column of a table for people. */
export interface Column<Row> {
  readonly title: string;
  readonly align?: 'right';
  /** Already cleaned text. */
  readonly text: (row: Row) => string;
  readonly role?: (row: Row) => Role;
  /** The columns with the highest number go first where the terminal is too narrow; without one it stays. */
  readonly giveUp?: number;
  /** May be cut down to this width, before the columns of more worth go. */
  readonly min?: number;
}

export interface TableStyle {
  /** Columns of the terminal; absent: a pipe or a file, nothing is cut. */
  readonly width?: number;
  readonly color: boolean;
  /** The terminal shows no Unicode: cuts are marked `~`. */
  readonly ascii?: boolean;
}

export interface Layout<Row> {
  readonly columns: readonly Column<Row>[];
  readonly widths: readonly number[];
  readonly style: TableStyle;
}

const GAP = '  ';

/** Measures every row once and fits the columns to the terminal. `rows` may be a generator: nothing is kept. */
export function layOut<Row>(
  columns: readonly Column<Row>[],
  rows: Iterable<Row>,
  style: TableStyle,
): Layout<Row> {
  const widths = columns.map((column) => displayWidth(column.title));
  for (const row of rows) {
    for (let i = 0; i < columns.length; i++) {
      const width = displayWidth((columns[i] as Column<Row>).text(row));
      if (width > (widths[i] as number)) widths[i] = width;
    }
  }
  return fit({ columns, widths, style });
}

/** An IPv4 address with its port fits; longer cells are cut down to this first. */
const ROOMY = 22;
/** Columns worth less than this go before a cell is cut further than that. */
const MINOR = 4;

function fit<Row>(layout: Layout<Row>): Layout<Row> {
  const { width } = layout.style;
  if (width === undefined) return layout;
  const worth = layout.columns.map((column) => column.giveUp ?? 0);
  const least = Math.max(...worth);
  const shrunk = { ...layout, widths: shrink(layout, width, least >= MINOR ? ROOMY : 0) };
  if (total(shrunk.widths) <= width || least === 0) return shrunk;
  const keep = (_: unknown, i: number) => i !== worth.indexOf(least);
  return fit({ ...layout, columns: layout.columns.filter(keep), widths: layout.widths.filter(keep) });
}

const total = (widths: readonly number[]) =>
  widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length);

/** Takes what is missing from the widest column that may still be cut, until it fits or none is left. */
function shrink<Row>({ columns, widths }: Layout<Row>, width: number, floor: number): number[] {
  const result = [...widths];
  const spare = (i: number) =>
    (result[i] ?? 0) - Math.max(floor, columns[i]?.min ?? Number.POSITIVE_INFINITY);
  for (let excess = total(result) - width; excess > 0; excess--) {
    const open = result.map((_, i) => i).filter((i) => spare(i) > 0);
    const widest = open.reduce(
      (best, i) => ((result[i] ?? 0) > (result[best] ?? 0) ? i : best),
      open[0] ?? -1,
    );
    if (widest < 0) break;
    result[widest] = (result[widest] ?? 0) - 1;
  }
  return result;
}

export const headLine = <Row>(layout: Layout<Row>): string =>
  joinCells(
    layout,
    (column) => column.title,
    () => 'title',
  );

export const rowLine = <Row>(layout: Layout<Row>, row: Row): string =>
  joinCells(
    layout,
    (column) => column.text(row),
    (column) => column.role?.(row) ?? 'ok',
  );

function joinCells<Row>(
  { columns, widths, style }: Layout<Row>,
  textOf: (column: Column<Row>) => string,
  roleOf: (column: Column<Row>) => Role,
): string {
  const last = columns.length - 1;
  const { color, ascii } = style;
  let line = '';
  for (let i = 0; i <= last; i++) {
    const column = columns[i] as Column<Row>;
    const room = widths[i] as number;
    const whole = textOf(column);
    const natural = displayWidth(whole);
    const text = natural <= room ? whole : truncate(whole, room, ascii ? '~' : '…');
    const painted = color ? paint(roleOf(column), text, true) : text;
    // The padding stays outside the colour, and the last column has none: no trailing blanks.
    const padding = ' '.repeat(room - (natural <= room ? natural : displayWidth(text)));
    if (i > 0) line += GAP;
    if (column.align === 'right') line += padding + painted;
    else line += i === last ? painted : painted + padding;
  }
  return line.trimEnd();
}

/** Words in lines of at most `width` columns, each after `indent`; a longer word gets a line of its own. */
export function wrapWords(text: string, indent: string, width: number | undefined): string[] {
  if (width === undefined) return [indent + text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && displayWidth(indent + longer) > width) {
      lines.push(indent + line);
      line = word;
    } else line = longer;
  }
  return [...lines, indent + line];
}
