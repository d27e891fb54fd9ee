import { SORTS } from '../perform-sort.js';
import { fit, type Line, onGround, span } from '../spans.js';
import type { Overlay, UiState } from '../state.js';

type SortOverlay = Extract<Overlay, { kind: 'sort' }>;

const sortsOf = ({ panel }: SortOverlay): readonly string[] => SORTS[panel];

export const sortCount = (overlay: SortOverlay): number => sortsOf(overlay).length;

export function sortLines(state: UiState, overlay: SortOverlay, width: number): Line[] {
  const { by, descending } = state[overlay.panel].sorting;
  const { ascending, descending: down, ellipsis } = state.glyphs;
  return sortsOf(overlay).map((sort, index) => {
    const selected = index === overlay.index;
    const arrow = sort === by ? ` ${descending ? down : ascending}` : '';
    const row = fit(
      [span(selected ? '>' : ' ', 'focus'), span(` ${sort.replaceAll('_', ' ')}`), span(arrow, 'focus')],
      width,
      ellipsis,
    );
    return selected ? onGround(row, 'selected') : row;
  });
}
