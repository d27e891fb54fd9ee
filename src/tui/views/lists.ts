import { cleanText, formatCount, formatDuration } from '../../render/text.js';
import { dataRows, type Rect } from '../layout.js';
import type { PoolRow } from '../pool-rows.js';
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

function listBody<T>(state: UiState, view: ListView<T>, rect: Rect, focused: boolean): Line[] {
  const { glyphs } = state;
  const width = rect.width - 2;
  const count = Math.max(0, Math.min(dataRows('listeners', rect), view.length - view.top));
  const rows = Array.from({ length: count }, (_, at) => view.rowAt(view.top + at));
  const placed = placeColumns(view.columns, rows, width - 1);
  const look = (at: number) => ({ selected: view.top + at === view.index, focused, glyphs, width });
  return [headLine(placed, view.sorting, glyphs), ...rows.map((row, at) => rowLine(placed, row, look(at)))];
}

const title = (number: number, name: string, focused: boolean): Span =>
  span(`${number} ${name}`, focused ? 'focus' : 'title');

export function listenersPane(state: UiState, rect: Rect): Line[] {
  const { glyphs, listeners } = state;
  const focused = state.focus === 'listeners';
  const { items, total, cursor, sorting, matchless } = listeners;
  const body =
    items.length > 0
      ? listBody(
          state,
          {
            columns: listenerColumns(glyphs, (state.report?.namespaces?.length ?? 0) > 1),
            sorting,
            length: items.length,
            index: cursor.index,
            top: cursor.top,
            rowAt: (index) => items[index] as (typeof items)[number],
          },
          rect,
          focused,
        )
      : emptyBody(
          state.report === undefined ? waitingText(state) : 'No listening sockets in this namespace.',
        );
  const count =
    items.length === total ? formatCount(total) : `${formatCount(items.length)} of ${formatCount(total)}`;
  const filtered: Span[] = matchless ? [span('  none match the filter: all shown', 'dim')] : [];
  return pane(body, {
    width: rect.width,
    height: rect.height,
    focused,
    glyphs,
    title: [title(1, 'Listeners', focused), span(` ${count}`), ...filtered],
    note: sortNote(sorting),
  });
}

export function connectionsPane(state: UiState, rect: Rect): Line[] {
  if (state.showClosed) return closedPane(state, rect);
  if (state.showPools) return poolsPane(state, rect);
  const { connections, glyphs } = state;
  const focused = state.focus === 'connections';
  const { rows, table, cursor, sorting } = connections;
  const body =
    table !== undefined && rows.length > 0
      ? listBody(
          state,
          {
            columns: connectionColumns(rect.width, glyphs, table.sections.length > 1),
            sorting,
            length: rows.length,
            index: cursor.index,
            top: cursor.top,
            rowAt: (index) => table.row(rows[index] ?? 0),
          },
          rect,
          focused,
        )
      : emptyBody(noConnections(state));
  return pane(body, {
    width: rect.width,
    height: rect.height,
    focused,
    glyphs,
    title: [title(4, 'Connections', focused), ...connectionsCount(state)],
    note: sortNote(sorting),
  });
}

function connectionsCount(state: UiState): Span[] {
  const { rows, total } = state.connections;
  const { active } = state.filter;
  const count =
    rows.length === total ? formatCount(total) : `${formatCount(rows.length)} of ${formatCount(total)}`;
  const filter: Span[] =
    active === undefined
      ? []
      : [span('  '), { text: ` filter: ${cleanText(active.text)} `, role: 'text', ground: 'selected' }];
  return [span(` ${count}`), ...filter, ...ageSpans(state)];
}

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

const emptyBody = (text: string): Line[] => [[], line(`  ${text}`, 'dim')];

const waitingText = (state: UiState): string =>
  state.report === undefined ? 'Waiting for the first look at the sockets...' : '';

function poolsPane(state: UiState, rect: Rect): Line[] {
  const { connections, glyphs } = state;
  const focused = state.focus === 'connections';
  const pools = connections.pools ?? [];
  const { index, top } = connections.poolCursor;
  const body =
    pools.length > 0
      ? listBody(
          state,
          {
            columns: poolColumns(state.glyphs, state.report?.pools !== undefined),
            sorting: { by: '', descending: true },
            length: pools.length,
            index,
            top,
            rowAt: (at) => pools[at] as PoolRow,
          },
          rect,
          focused,
        )
      : emptyBody(noConnections(state));
  return pane(body, {
    width: rect.width,
    height: rect.height,
    focused,
    glyphs,
    title: [title(4, 'Pools', focused), span(` ${formatCount(pools.length)}  process to remote`)],
    note: [span('p: connections', 'dim')],
  });
}

function closedPane(state: UiState, rect: Rect): Line[] {
  const { closed, glyphs, report } = state;
  const focused = state.focus === 'connections';
  const { items, sorting, cursor } = closed;
  const body =
    items.length > 0
      ? listBody(
          state,
          {
            columns: closedColumns(glyphs, report?.closed),
            sorting,
            length: items.length,
            index: cursor.index,
            top: cursor.top,
            rowAt: (at) => items[at] as (typeof items)[number],
          },
          rect,
          focused,
        )
      : emptyBody(noClosed(state));
  return pane(body, {
    width: rect.width,
    height: rect.height,
    focused,
    glyphs,
    title: [title(4, 'Ended', focused), ...closedSummary(state)],
    note: [...sortNote(sorting), span('  e: connections', 'dim')],
  });
}
