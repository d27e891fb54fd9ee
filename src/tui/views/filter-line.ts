import { cleanText, displayWidth } from '../../render/text.js';
import { fit, type Line, span } from '../spans.js';
import type { UiState } from '../state.js';

const PROMPT = ' Filter: ';

/** The open filter bar, in place of the key bar: what is typed, then what is wrong with it or how it ends. */
export function filterLine(state: UiState): Line {
  const { draft = '', error } = state.filter;
  const typed = tailOf(cleanText(draft), Math.max(10, Math.floor(state.size.columns / 2)));
  const hint =
    error === undefined
      ? span('   Enter keeps it, Esc goes back', 'dim')
      : span(`   ! ${cleanText(error)}`, 'warning');
  const spans = [span(PROMPT, 'key'), span(typed, 'title'), { text: ' ', ground: 'selected' as const }, hint];
  return fit(spans, state.size.columns, state.glyphs.ellipsis);
}

/** The end of a long text: that is where the typing happens. */
function tailOf(text: string, width: number): string {
  let tail = text;
  while (displayWidth(tail) > width) tail = [...tail].slice(1).join('');
  return tail;
}
