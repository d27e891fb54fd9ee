import { cleanText } from '../render/text.js';
import { layoutKind, type Panel, type Rect, SMALLEST } from './layout.js';
import { overlayPane } from './overlays.js';
import { layoutOf } from './panels.js';
import { dimmed, fit, type Line, line, overlay, span } from './spans.js';
import type { UiState } from './state.js';
import { alertsPane } from './views/alerts.js';
import { type ChartPlace, chartPane } from './views/chart-pane.js';
import { filterLine } from './views/filter-line.js';
import { keyBar } from './views/help.js';
import { connectionsPane, listenersPane } from './views/lists.js';
import { beside } from './views/pane.js';
import { titleBar } from './views/title.js';

/** One whole screen: as many lines as it has rows, each as wide as the screen; and the holes for braille charts. */
export interface Frame {
  readonly lines: readonly Line[];
  readonly charts: readonly ChartPlace[];
}

export function frameOf(state: UiState): Frame {
  if (layoutKind(state.size) === 'small') return tooSmall(state);
  const { lines, charts } = body(state);
  const fault = faultLine(state);
  const shown = fault === undefined ? lines : lines.map(dimmed);
  const below = state.filter.draft === undefined ? (fault ?? keyBar(state)) : filterLine(state);
  const base = [titleBar(state), ...shown, below];
  if (state.overlay === undefined) return { lines: base, charts };
  const over = overlayPane(state, state.overlay);
  return {
    lines: overlay(base, over.lines, over.rect.x, over.rect.y),
    charts: charts.filter(({ rect }) => !touches(rect, over.rect)),
  };
}

const touches = (a: Rect, b: Rect): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

function tooSmall({ size, glyphs }: UiState): Frame {
  const text = `terminal too small (need ${SMALLEST.columns}x${SMALLEST.rows})`;
  const lines = Array.from({ length: size.rows }, (_, row) =>
    fit(row === 0 ? line(text) : [], size.columns, glyphs.ellipsis),
  );
  return { lines, charts: [] };
}

/** What broke and what to do, in place of the key bar: the last good data stay above it, dimmed. */
function faultLine({ report, size, glyphs }: UiState): Line | undefined {
  const fault = report?.pace.fault;
  if (fault === undefined) return undefined;
  const remedy = fault.remedy === undefined ? '' : `: ${cleanText(fault.remedy)}`;
  return fit(
    [span(' SOURCE ERROR ', 'critical'), span(` ${cleanText(fault.why)}`, 'warning'), span(remedy)],
    size.columns,
    glyphs.ellipsis,
  );
}

function body(state: UiState): Frame {
  const charts: ChartPlace[] = [];
  const rows = new Map<number, Line[]>();
  for (const [panel, rect] of layoutOf(state).panels) {
    const drawn = drawPanel(state, panel, rect);
    if (drawn.place !== undefined) charts.push(drawn.place);
    const left = rows.get(rect.y);
    rows.set(rect.y, left === undefined ? drawn.lines : beside(left, drawn.lines));
  }
  return { lines: [...rows.values()].flat(), charts };
}

function drawPanel(
  state: UiState,
  panel: Panel,
  rect: Rect,
): { readonly lines: Line[]; readonly place?: ChartPlace } {
  switch (panel) {
    case 'listeners':
      return { lines: listenersPane(state, rect) };
    case 'connections':
      return { lines: connectionsPane(state, rect) };
    case 'alerts':
      return { lines: alertsPane(state, rect) };
    default:
      return chartPane(state, panel, rect);
  }
}
