import { formatEndpoint } from '../model/endpoint.js';
import { cleanText, formatDuration } from '../render/text.js';
import type { Rect } from './layout.js';
import { layoutOf } from './panels.js';
import type { PoolRow } from './pool-rows.js';
import { type Line, type Span, span } from './spans.js';
import type { Overlay, UiState } from './state.js';
import { closedDetail } from './views/closed-detail.js';
import { connectionDetail } from './views/connection-detail.js';
import { shortenMiddle } from './views/format.js';
import { helpLines } from './views/help.js';
import { listenerDetail } from './views/listener-detail.js';
import { pane } from './views/pane.js';
import { poolDetail } from './views/pool-detail.js';
import { sortCount, sortLines } from './views/sort-picker.js';

/** Details take the whole body; help and picker float upon it. */
function overlayRect(state: UiState, overlay: Overlay): Rect {
  const { body } = layoutOf(state);
  if (overlay.kind !== 'help' && overlay.kind !== 'sort') return body;
  const width = Math.min(body.width - 4, overlay.kind === 'help' ? 100 : 36);
  const length = overlay.kind === 'sort' ? sortCount(overlay) : helpLines().length;
  const height = Math.min(body.height - 2, length + 2);
  return {
    x: Math.floor((body.width - width) / 2),
    y: body.y + Math.floor((body.height - height) / 2),
    width,
    height,
  };
}

function contents(state: UiState, overlay: Overlay, width: number): Line[] {
  switch (overlay.kind) {
    case 'help':
      return helpLines();
    case 'sort':
      return sortLines(state, overlay, width);
    case 'listener':
      return listenerDetail(overlay.last, width, state.glyphs);
    case 'closed':
      return closedDetail(overlay.last, state.report?.closed, state.glyphs);
    case 'pool':
      return poolDetail(overlay.last, width);
    case 'connection':
      return connectionDetail(overlay.table.row(overlay.row), width);
  }
}

/** Lines that there are to scroll through. */
export const overlayLength = (state: UiState, overlay: Overlay): number =>
  overlay.kind === 'sort' ? sortCount(overlay) : contents(state, overlay, innerWidth(state, overlay)).length;

export const overlayPage = (state: UiState): number =>
  state.overlay === undefined ? 0 : Math.max(1, overlayRect(state, state.overlay).height - 2);

const innerWidth = (state: UiState, overlay: Overlay): number => overlayRect(state, overlay).width - 2;

export function overlayPane(
  state: UiState,
  overlay: Overlay,
): { readonly lines: Line[]; readonly rect: Rect } {
  const rect = overlayRect(state, overlay);
  const all = contents(state, overlay, rect.width - 2);
  const page = rect.height - 2;
  const top = firstLine(overlay, all.length, page);
  const hidden = all.length - top - page;
  const lines = pane(all.slice(top, top + page), {
    width: rect.width,
    height: rect.height,
    focused: true,
    glyphs: state.glyphs,
    title: titleOf(state, overlay, rect.width),
    note: [span(hidden > 0 ? `${hidden} more lines below, Esc closes` : 'Esc closes', 'dim')],
  });
  return { lines, rect };
}

function firstLine(overlay: Overlay, length: number, page: number): number {
  if (overlay.kind === 'sort') return Math.max(0, overlay.index - page + 1);
  return Math.max(0, Math.min(overlay.scroll, length - page));
}

function titleOf(state: UiState, overlay: Overlay, width: number): Line {
  const room = Math.max(10, width - 40);
  switch (overlay.kind) {
    case 'help':
      return [span('Help', 'focus')];
    case 'sort':
      return [
        span(`Sort ${overlay.panel === 'closed' ? 'ended connections' : overlay.panel} by`, 'focus'),
        span('  r: reverse', 'dim'),
      ];
    case 'listener': {
      const name = shortenMiddle(formatEndpoint(overlay.last.listener.local), room, state.glyphs);
      const gone: Span[] = overlay.gone ? [span('  closed: what was seen last', 'warning')] : [];
      return [span('Listener ', 'focus'), span(cleanText(name), 'title'), ...gone];
    }
    case 'closed': {
      const name = shortenMiddle(formatEndpoint(overlay.last.end), room, state.glyphs);
      const gone: Span[] = overlay.gone ? [span('  forgotten: what was seen last', 'warning')] : [];
      return [span('Ended ', 'focus'), span(cleanText(name), 'title'), ...gone];
    }
    case 'pool': {
      const name = shortenMiddle(poolName(overlay.last), room, state.glyphs);
      const gone: Span[] = overlay.gone ? [span('  gone: what was seen last', 'warning')] : [];
      return [span('Pool ', 'focus'), span(cleanText(name), 'title'), ...gone];
    }
    case 'connection': {
      const age = formatDuration(Math.max(0, state.now - overlay.seenAt));
      const gone: Span[] = overlay.gone ? [span(`  gone: seen last ${age} ago`, 'warning')] : [];
      return [span('Connection', 'focus'), ...gone];
    }
  }
}

const poolName = ({ process, remote }: PoolRow): string =>
  process === '-' ? remote : `${process}: ${remote}`;
