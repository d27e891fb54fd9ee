import type { SocketTable } from '../../model/table.js';
import { cleanText, formatCount, formatDuration } from '../../render/text.js';
import { dataRows, type Rect } from '../layout.js';
import { type Line, line, type Span, span } from '../spans.js';
import type { UiState } from '../state.js';
import { closedColumns, closedSummary, noClosed } from './closed.js';
import { type Column, headLine, placeColumns, rowLine, type Sorted } from './columns.js';
import { connectionColumns } from './connections.js';
import { listenerColumns } from './listeners.js';
import { pane } from './pane.js';
import { poolColumns } from './pools.js';

/** A table of which only the rows on the screen are made. */
interface ListView<T> {
  readonly columns: readonly Column<T>[];
  readonly sorting: Sorted;
  readonly length: number;
  readonly index: number;
  readonly top: number;
  rowAt(index: number): T;
}

interface ListPane<T> {
  readonly pane: 'listeners' | 'connections';
  readonly number: number;
  readonly name: string;
  /** Behind the name. */
  readonly summary: readonly Span[];
  readonly view: ListView<T>;
  /** In place of the rows, where there are none. */
  readonly empty: string;
  readonly note: Line;
}

function listPane<T>(state: UiState, rect: Rect, list: ListPane<T>): Line[] {
  const { width, height } = rect;
  const { glyphs } = state;
  const { view, number, name } = list;
  const focused = state.focus === list.pane;
  const body = view.length > 0 ? listBody(state, view, rect, focused) : [[], line(`  ${list.empty}`, 'dim')];
  const title = [span(`${number} ${name}`, focused ? 'focus' : 'title'), ...list.summary];
  return pane(body, { width, height, focused, glyphs, title, note: list.note });
}

function listBody<T>(state: UiState, view: ListView<T>, rect: Rect, focused: boolean): Line[] {
  const { glyphs } = state;
  const width = rect.width - 2;
  const count = Math.max(0, Math.min(dataRows('listeners', rect), view.length - view.top));
  const rows = Array.from({ length: count }, (_, at) => view.rowAt(view.top + at));
  const placed = placeColumns(view.columns, rows, width - 1);
  const look = (at: number) => ({ selected: view.top + at === view.index, focused, glyphs, width });
  return [headLine(placed, view.sorting, glyphs), ...rows.map((row, at) => rowLine(placed, row, look(at)))];
}

export function listenersPane(state: UiState, rect: Rect): Line[] {
  const { items, total, cursor, sorting, matchless } = state.listeners;
  const filtered: Span[] = matchless ? [span('  none match the filter: all shown', 'dim')] : [];
  return listPane(state, rect, {
    pane: 'listeners',
    number: 1,
    name: 'Listeners',
    summary: [span(` ${countText(items.length, total)}`), ...filtered],
    view: {
      columns: listenerColumns(state.glyphs, (state.report?.namespaces?.length ?? 0) > 1),
      sorting,
      length: items.length,
      index: cursor.index,
      top: cursor.top,
      rowAt: (index) => items[index] as (typeof items)[number],
    },
    empty:
      state.report === undefined
        ? 'Waiting for the first look at the sockets...'
        : 'No listening sockets in this namespace.',
    note: sortNote(sorting),
  });
}

/** The lower list: connections, or in their place those that ended, or pools. */
export function connectionsPane(state: UiState, rect: Rect): Line[] {
  if (state.showClosed) return closedPane(state, rect);
  if (state.showPools) return poolsPane(state, rect);
  const { rows, table, cursor, sorting } = state.connections;
  return listPane(state, rect, {
    pane: 'connections',
    number: 4,
    name: 'Connections',
    summary: connectionsCount(state),
    view: {
      columns: connectionColumns(rect.width, state.glyphs, (table?.sections.length ?? 0) > 1),
      sorting,
      length: table === undefined ? 0 : rows.length,
      index: cursor.index,
      top: cursor.top,
      rowAt: (index) => (table as SocketTable).row(rows[index] ?? 0),
    },
    empty: noConnections(state),
    note: sortNote(sorting),
  });
}

function connectionsCount(state: UiState): Span[] {
  const { rows, total } = state.connections;
  const { active } = state.filter;
  const filter: Span[] =
    active === undefined
      ? []
      : [span('  '), { text: ` filter: ${cleanText(active.text)} `, role: 'text', ground: 'selected' }];
  return [span(` ${countText(rows.length, total)}`), ...filter, ...ageSpans(state)];
}

const countText = (shown: number, total: number): string =>
  shown === total ? formatCount(total) : `${formatCount(shown)} of ${formatCount(total)}`;

/** Under load the full table is older than the listeners: how old stands beside it. */
function ageSpans({ report, intervalMs }: UiState): Span[] {
  const sockets = report?.sockets;
  if (sockets === undefined) return [];
  const partial: Span[] = sockets.complete ? [] : [span('  some ports only', 'dim')];
  const isOld = sockets.ageMs >= Math.max(intervalMs / 2, 250);
  return isOld ? [...partial, span(`  ${formatDuration(sockets.ageMs)} old`, 'warning')] : partial;
}

function noConnections({ connections, filter, report }: UiState): string {
  if (report?.sockets === undefined) return report === undefined ? '' : 'No table of connections yet.';
  if (filter.active === undefined) return 'No connections in this namespace.';
  return `0 of ${formatCount(connections.total)} match "${cleanText(filter.active.text)}" - Esc clears`;
}

const sortNote = ({ by, descending }: Sorted): Line => [
  span(`sort: ${by} ${descending ? 'desc' : 'asc'}`, 'dim'),
];

function poolsPane(state: UiState, rect: Rect): Line[] {
  const { items, cursor, sorting } = state.pools;
  const isOneOfMany = (state.connections.table?.sections.length ?? 0) > 1;
  return listPane(state, rect, {
    pane: 'connections',
    number: 4,
    name: 'Pools',
    summary: [span(` ${formatCount(items.length)}  process to remote`)],
    view: {
      columns: poolColumns(state.glyphs, state.report?.pools !== undefined, isOneOfMany),
      sorting,
      length: items.length,
      index: cursor.index,
      top: cursor.top,
      rowAt: (at) => items[at] as (typeof items)[number],
    },
    empty: noConnections(state),
    note: [...sortNote(sorting), span('  p: connections', 'dim')],
  });
}

function closedPane(state: UiState, rect: Rect): Line[] {
  const { items, sorting, cursor } = state.closed;
  return listPane(state, rect, {
    pane: 'connections',
    number: 4,
    name: 'Ended',
    summary: closedSummary(state),
    view: {
      columns: closedColumns(state.glyphs, state.report?.closed),
      sorting,
      length: items.length,
      index: cursor.index,
      top: cursor.top,
      rowAt: (at) => items[at] as (typeof items)[number],
    },
    empty: noClosed(state),
    note: [...sortNote(sorting), span('  e: connections', 'dim')],
  });
}
