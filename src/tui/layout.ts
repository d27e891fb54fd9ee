export const PANELS = ['listeners', 'fill', 'rate', 'connections', 'alerts'] as const;
export type Panel = (typeof PANELS)[number];

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** A place on the screen, in cells from the left upper corner. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export type LayoutKind = 'full' | 'compact' | 'minimal' | 'small';

export interface Layout {
  readonly kind: LayoutKind;
  /** What lies between title bar and key bar. */
  readonly body: Rect;
  readonly panels: ReadonlyMap<Panel, Rect>;
}

export interface LayoutWishes {
  readonly zoomed?: Panel | undefined;
  /** Charts: shown on a full screen; on a compact one in place of the listeners when asked for. */
  readonly charts: boolean;
  /** Rows that the listeners could fill; what they leave goes to the connections. */
  readonly listeners: number;
}

export const SMALLEST: Size = { columns: 60, rows: 15 };

export function layoutKind({ columns, rows }: Size): LayoutKind {
  if (columns >= 110 && rows >= 34) return 'full';
  if (columns >= 80 && rows >= 24) return 'compact';
  return columns >= SMALLEST.columns && rows >= SMALLEST.rows ? 'minimal' : 'small';
}

/** Where each panel lies. A panel that is not in `panels` is not shown. */
export function layOut(size: Size, wishes: LayoutWishes): Layout {
  const kind = layoutKind(size);
  const body: Rect = { x: 0, y: 1, width: size.columns, height: Math.max(0, size.rows - 2) };
  if (kind === 'small') return { kind, body, panels: new Map() };
  if (wishes.zoomed !== undefined) return { kind, body, panels: new Map([[wishes.zoomed, body]]) };
  const stack = stacks[kind](body.height, wishes);
  const panels = new Map<Panel, Rect>();
  let y = body.y;
  for (const { row, height } of stack) {
    placeRow(panels, row, { ...body, y, height });
    y += height;
  }
  return { kind, body, panels };
}

interface Shelf {
  readonly row: readonly Panel[];
  readonly height: number;
}

const CHARTS: readonly Panel[] = ['fill', 'rate'];
/** Two borders and the line of column heads. */
const FRAME_ROWS = 3;

const stacks: Readonly<
  Record<Exclude<LayoutKind, 'small'>, (height: number, wishes: LayoutWishes) => Shelf[]>
> = {
  full: (height, { charts, listeners }) => {
    const alerts = height >= 44 ? 7 : 5;
    const chart = charts ? Math.max(9, Math.floor(height * 0.24)) : 0;
    const rest = height - alerts - chart;
    const upper = share(rest, 0.46, listeners);
    return [
      { row: ['listeners'], height: upper },
      ...(charts ? [{ row: CHARTS, height: chart }] : []),
      { row: ['connections'], height: rest - upper },
      { row: ['alerts'], height: alerts },
    ];
  },
  compact: (height, { charts, listeners }) => {
    const alerts = height >= 28 ? 4 : 3;
    const rest = height - alerts;
    const upper = charts ? Math.max(9, Math.floor(rest * 0.5)) : share(rest, 0.42, listeners);
    return [
      { row: charts ? CHARTS : ['listeners'], height: upper },
      { row: ['connections'], height: rest - upper },
      { row: ['alerts'], height: alerts },
    ];
  },
  minimal: (height, { listeners }) => {
    const upper = share(height, 0.5, listeners);
    return [
      { row: ['listeners'], height: upper },
      { row: ['connections'], height: height - upper },
    ];
  },
};

/** A share of the height, less where there are fewer listeners, never under three rows of them. */
const share = (height: number, part: number, listeners: number): number =>
  Math.min(Math.floor(height * part), FRAME_ROWS + Math.max(listeners, 3));

function placeRow(panels: Map<Panel, Rect>, row: readonly Panel[], place: Rect): void {
  const width = Math.floor(place.width / row.length);
  for (const [index, panel] of row.entries()) {
    const isLast = index === row.length - 1;
    panels.set(panel, {
      ...place,
      x: place.x + index * width,
      width: isLast ? place.width - index * width : width,
    });
  }
}

/** Rows of data in a panel: without borders, and without the line of column heads where it has one. */
export function dataRows(panel: Panel, rect: Rect | undefined): number {
  if (rect === undefined) return 0;
  return Math.max(0, rect.height - (panel === 'alerts' ? 2 : FRAME_ROWS));
}
