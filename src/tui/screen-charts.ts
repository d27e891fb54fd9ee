import type { Widgets } from 'blessed';
import type { Role } from './spans.js';
import type { ColorDepth } from './theme.js';
import type { ChartPlace } from './views/chart-pane.js';
import { type ChartData, chartValues, type Series } from './views/charts.js';

/** The part of blessed-contrib's line chart that is used; its own types are for its index, which is slow to load. */
interface LineWidget extends Widgets.BoxElement {
  canvasSize: { width: number; height: number };
  setData(data: readonly { title: string; x: string[]; y: number[]; style: { line: unknown } }[]): void;
  calcSize(): void;
}
type MakeLine = (options: Record<string, unknown>) => LineWidget;

type Rgb = readonly [number, number, number];
const COLORS: Partial<Record<Role, { rgb: Rgb; name: string }>> = {
  alarm: { rgb: [255, 95, 95], name: 'red' },
  warning: { rgb: [255, 175, 0], name: 'yellow' },
  fill: { rgb: [95, 175, 215], name: 'cyan' },
  faint: { rgb: [88, 88, 88], name: 'white' },
  dim: { rgb: [138, 138, 138], name: 'white' },
};

interface Shown {
  readonly key: string;
  readonly widget: LineWidget;
  version: unknown;
}

/** The braille charts on a screen: made when a chart gets its place, thrown away when the place changes. */
export class BrailleCharts {
  private readonly shown = new Map<string, Shown>();

  constructor(
    private readonly screen: Widgets.Screen,
    private readonly makeLine: MakeLine,
    private readonly depth: ColorDepth,
  ) {}

  draw(places: readonly ChartPlace[]): void {
    const wanted = new Set(places.map(({ data }) => data.panel as string));
    for (const panel of [...this.shown.keys()]) if (!wanted.has(panel)) this.remove(panel);
    for (const place of places) {
      const shown = this.shownFor(place);
      if (shown.version === place.version) continue;
      shown.version = place.version;
      shown.widget.setData(this.lines(place));
    }
  }

  private shownFor({ rect, data }: ChartPlace): Shown {
    const key = JSON.stringify([rect, data.most]);
    const known = this.shown.get(data.panel);
    if (known?.key === key) return known;
    this.remove(data.panel);
    const most = data.most / data.scale;
    const top = most * headroom(rect.height);
    const widget = this.makeLine({
      top: rect.y,
      left: rect.x,
      width: rect.width,
      height: rect.height,
      minY: 0,
      maxY: top,
      // The chart divides and rounds down: this gives a label at 0, the half and the highest value.
      numYLabels: top / (most / 2 + 0.001),
      wholeNumbersOnly: true,
      xPadding: 10,
      xLabelPadding: 8,
      style: { text: this.color('dim'), baseline: this.color('faint'), line: this.color('fill') },
    });
    // Given as `parent`, a contrib widget draws before it has a canvas (TUI.md, fault 13).
    // It leaves room for a border and a margin of its own: the frame is drawn by the views.
    widget.calcSize = function calcSize(this: LineWidget) {
      this.canvasSize = { width: Number(this.width) * 2, height: (Number(this.height) + 1) * 4 };
    };
    this.screen.append(widget);
    const shown: Shown = { key, widget, version: undefined };
    this.shown.set(data.panel, shown);
    return shown;
  }

  private lines({ rect, data }: ChartPlace) {
    const cells = Math.max(10, rect.width - 8);
    const labels = timeLabels(cells);
    return [...thresholdLine(data, cells), ...data.series.map((series) => ({ series, cells }))].map((item) =>
      'series' in item
        ? {
            title: item.series.label,
            x: labels,
            y: known(item.series, item.cells, data),
            style: { line: this.color(item.series.role) },
          }
        : { title: '', x: labels, y: item.values, style: { line: this.color('faint') } },
    );
  }

  private color(role: Role): Rgb | string {
    const color = COLORS[role];
    if (color === undefined || this.depth === 0) return 'normal';
    return this.depth === 256 ? color.rgb : color.name;
  }

  private remove(panel: string): void {
    this.shown.get(panel)?.widget.destroy();
    this.shown.delete(panel);
  }
}

/**
 * The chart leaves 11 dots for its axis and moves everything up by 2: without this its highest value would lie above
 * the picture.
 */
function headroom(rows: number): number {
  const dots = (rows + 1) * 4;
  return (dots - 11) / (dots - 14);
}

/** Unknown stays unknown: the chart draws nothing to or from a value that is no number. */
const known = (series: Series, cells: number, { most, scale }: ChartData): number[] =>
  chartValues(series, cells).map((value) =>
    value === undefined ? Number.NaN : Math.max(0, Math.min(value, most)) / scale,
  );

function thresholdLine({ threshold }: ChartData, cells: number): { values: number[] }[] {
  return threshold === undefined ? [] : [{ values: new Array<number>(cells).fill(threshold) }];
}

/** One for each point: the chart shows every n-th of them, and stumbles over empty ones. */
const timeLabels = (cells: number): string[] =>
  Array.from({ length: cells }, (_, cell) => `-${Math.round(60 * (1 - cell / cells))}s`);
