import type { Rect } from '../layout.js';
import type { Line } from '../spans.js';
import type { UiState } from '../state.js';
import { type ChartData, fillChart, rateChart, seriesMark } from './charts.js';
import { pane } from './pane.js';
import { textChart } from './text-chart.js';

/** A chart that the screen draws in braille, inside the frame that the view has drawn. */
export interface ChartPlace {
  readonly rect: Rect;
  readonly data: ChartData;
  /** Another report: the same data need not be drawn again. */
  readonly version: unknown;
}

export function chartPane(
  state: UiState,
  panel: 'fill' | 'rate',
  rect: Rect,
): { readonly lines: Line[]; readonly place?: ChartPlace } {
  const data = panel === 'fill' ? fillChart(state, rect) : rateChart(state);
  const { glyphs } = state;
  const marks = data.series.map((_, index) => seriesMark(state, index));
  const inner = { x: rect.x + 1, y: rect.y + 1, width: rect.width - 2, height: rect.height - 2 };
  const body = state.braille ? [] : textChart(data, inner.width, inner.height, glyphs, marks);
  const lines = pane(body, {
    width: rect.width,
    height: rect.height,
    focused: state.focus === panel,
    glyphs,
    title: data.title,
  });
  return state.braille ? { lines, place: { rect: inner, data, version: state.report } } : { lines };
}
