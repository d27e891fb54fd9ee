import type { Glyphs } from '../glyphs.js';
import { fit, type Line, lineWidth, span } from '../spans.js';

export interface PaneStyle {
  readonly width: number;
  readonly height: number;
  readonly focused: boolean;
  readonly glyphs: Glyphs;
  readonly title: Line;
  /** At the right end of the top border, where there is room. */
  readonly note?: Line;
}

/** Lines in a border: cut or filled to exactly `height` lines of `width` columns. */
export function pane(body: readonly Line[], style: PaneStyle): Line[] {
  const { width, height, focused, glyphs } = style;
  const role = focused ? 'focus' : 'border';
  const { down, bottomLeft, bottomRight, across } = glyphs.border;
  const side = span(down, role);
  const rows = Array.from({ length: Math.max(0, height - 2) }, (_, row) => [
    side,
    ...fit(body[row] ?? [], width - 2, glyphs.ellipsis),
    side,
  ]);
  const bottom = span(`${bottomLeft}${across.repeat(Math.max(0, width - 2))}${bottomRight}`, role);
  return [topBorder(style, role), ...rows, [bottom]];
}

function topBorder(style: PaneStyle, role: 'focus' | 'border'): Line {
  const { width, glyphs, title, note = [] } = style;
  const { topLeft, topRight, across } = glyphs.border;
  const room = width - 2;
  const left = [span(`${across} `, role), ...title, span(' ')];
  const right = note.length === 0 ? [] : [span(' '), ...note, span(` ${across}`, role)];
  const gap = room - lineWidth(left) - lineWidth(right);
  if (gap < 0 && note.length > 0) return topBorder({ ...style, note: [] }, role);
  if (gap < 0) return [span(topLeft, role), ...fit(left, room, glyphs.ellipsis), span(topRight, role)];
  return [span(topLeft, role), ...left, span(across.repeat(gap), role), ...right, span(topRight, role)];
}

/** Panes side by side. */
export const beside = (left: readonly Line[], right: readonly Line[]): Line[] =>
  left.map((spans, row) => [...spans, ...(right[row] ?? [])]);
