import type { Glyphs } from '../glyphs.js';
import { type Line, type Role, type Span, span } from '../spans.js';
import { type ChartData, chartValues, type Series } from './charts.js';

const AXIS_WIDTH = 6;

/**
 * A chart of characters, for terminals without braille: one series as columns, several as points of their own marks.
 * Gives `height` lines of `width` columns.
 */
export function textChart(
  data: ChartData,
  width: number,
  height: number,
  glyphs: Glyphs,
  marks: readonly string[],
): Line[] {
  const rows = height - 1;
  const cells = width - AXIS_WIDTH - 1;
  if (rows < 2 || cells < 10) return [];
  const columns = data.series.map((series) => chartValues(series, cells));
  const lines = Array.from({ length: rows }, (_, row) => {
    const top = rows - row;
    return [
      axisLabel(data, top, rows, glyphs),
      ...plotRow(data, columns, { top, rows, cells, glyphs, marks }),
    ];
  });
  return [...lines, timeAxis(cells, glyphs)];
}

interface Plot {
  /** Rows from the bottom, 1 is the lowest. */
  readonly top: number;
  readonly rows: number;
  readonly cells: number;
  readonly glyphs: Glyphs;
  readonly marks: readonly string[];
}

function axisLabel(
  { most, formatValue }: ChartData,
  top: number,
  rows: number,
  { tick, border }: Glyphs,
): Span {
  const isShown = top === rows || top === 1 || top === Math.ceil(rows / 2);
  const value = top === 1 ? 0 : (most * top) / rows;
  const label = isShown ? formatValue(value) : '';
  return span(`${label.padStart(AXIS_WIDTH - 1)}${isShown ? tick : border.down}`, 'dim');
}

function plotRow(data: ChartData, columns: readonly (readonly (number | undefined)[])[], plot: Plot): Span[] {
  const cells = Array.from({ length: plot.cells }, (_, cell): Span => {
    const values = columns.map((values) => values[cell]);
    return data.series.length === 1
      ? columnCell(data.series[0], values[0], data.most, plot)
      : pointCell(data, values, plot);
  });
  return joinAlike(cells);
}

/** A full block below the value, a part of one at it. */
function columnCell(series: Series | undefined, value: number | undefined, most: number, plot: Plot): Span {
  const { levels, full } = plot.glyphs;
  const filled = ((value ?? 0) / most) * plot.rows - (plot.top - 1);
  if (filled >= 1) return span(full, series?.role);
  if (filled <= 0) return span(' ');
  return span(levels[Math.max(1, Math.floor(filled * levels.length))] ?? full, series?.role);
}

/** The first series lies on top, for it is the worst. */
function pointCell(
  { series, most, threshold }: ChartData,
  values: readonly (number | undefined)[],
  plot: Plot,
): Span {
  const at = values.findIndex((value) => value !== undefined && rowOf(value, most, plot.rows) === plot.top);
  if (at >= 0) return span(plot.marks[at] ?? '*', series[at]?.role);
  const isThreshold = threshold !== undefined && rowOf(threshold, most, plot.rows) === plot.top;
  return isThreshold ? span('-', 'faint') : span(' ');
}

const rowOf = (value: number, most: number, rows: number): number =>
  Math.max(1, Math.min(rows, Math.round((value / most) * rows)));

function joinAlike(cells: readonly Span[]): Span[] {
  const out: { text: string; role: Role }[] = [];
  for (const { text, role = 'text' } of cells) {
    const last = out.at(-1);
    if (last?.role === role) last.text += text;
    else out.push({ text, role });
  }
  return out;
}

function timeAxis(cells: number, { corner, border }: Glyphs): Line {
  const across = [...border.across.repeat(cells)];
  const write = (text: string, at: number) => {
    for (const [index, character] of [...text].entries()) across[at + index] = character;
  };
  write('-60s', 0);
  if (cells > 30) write('-30s', Math.floor(cells / 2) - 2);
  write('now', cells - 3);
  return [span(`${' '.repeat(AXIS_WIDTH - 1)}${corner}${across.join('')}`, 'dim')];
}
