import { parseFilter } from '../analyze/filter.js';
import type { UiState } from './state.js';

export const openFilter = (state: UiState): UiState => ({
  ...state,
  overlay: undefined,
  filter: {
    active: state.filter.active,
    before: state.filter.active,
    draft: state.filter.active?.text ?? '',
  },
});

const LONGEST = 500;

/** A key while the bar is open: everything that is printable is text. */
export function editFilter(state: UiState, key: string): UiState {
  const { filter } = state;
  const draft = filter.draft ?? '';
  if (key === 'escape') return { ...state, filter: { active: filter.before } };
  if (key === 'enter') return filter.error === undefined ? closeBar(state) : state;
  if (key === 'C-u') return withDraft(state, '');
  if (key === 'C-w') return withDraft(state, draft.trimEnd().replace(/[^\s]*$/, ''));
  if (key === 'backspace')
    return draft === '' ? closeBar(state) : withDraft(state, [...draft].slice(0, -1).join(''));
  const typed = key === 'space' ? ' ' : key;
  return [...typed].length === 1 ? withDraft(state, (draft + typed).slice(0, LONGEST)) : state;
}

/** Pasted text goes into the open bar, up to its first line end; anywhere else it is dropped. */
export function pasteFilter(state: UiState, text: string): UiState {
  const { draft } = state.filter;
  if (draft === undefined) return state;
  const firstLine = text.split(/[\r\n]/, 1)[0] ?? '';
  return withDraft(state, (draft + firstLine.replace(/\p{C}/gu, '')).slice(0, LONGEST));
}

const closeBar = (state: UiState): UiState => ({ ...state, filter: { active: state.filter.active } });

/** A text that cannot be read stays in the bar with its error, and the last good one keeps working. */
function withDraft(state: UiState, draft: string): UiState {
  const { active, before } = state.filter;
  if (draft.trim() === '') return { ...state, filter: { before, draft } };
  if (draft.trim() === active?.text) return { ...state, filter: { active, before, draft } };
  try {
    return { ...state, filter: { active: parseFilter(draft.trim()), before, draft } };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ...state, filter: { active, before, draft, error: message } };
  }
}
