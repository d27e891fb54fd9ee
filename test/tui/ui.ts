import type { Report } from '../../src/model/report.js';
import { frameOf } from '../../src/tui/frame.js';
import { GLYPHS, type GlyphSet } from '../../src/tui/glyphs.js';
import { reduce, type UiEvent } from '../../src/tui/reduce.js';
import { settle } from '../../src/tui/settle.js';
import { lineText, lineWidth } from '../../src/tui/spans.js';
import { startUi, type UiState } from '../../src/tui/state.js';
import { NOW, sampleReport } from './sample-reports.js';

export interface UiWishes {
  readonly columns?: number;
  readonly rows?: number;
  readonly glyphs?: GlyphSet;
  readonly report?: Report;
  readonly demo?: boolean;
}

/** A screen on which one report has been shown. */
export function shownUi(wishes: UiWishes = {}): UiState {
  const { columns = 120, rows = 40, glyphs = 'unicode', report = sampleReport(), demo = false } = wishes;
  const start = startUi({
    glyphs: GLYPHS[glyphs],
    braille: false,
    size: { columns, rows },
    now: NOW,
    host: 'web-01',
    demo,
    intervalMs: 1000,
  });
  return after(start, { type: 'report', report });
}

export const after = (state: UiState, ...events: readonly UiEvent[]): UiState =>
  events.reduce((now, event) => settle(reduce(now, event)), state);

/** Keys by name, as the key table spells them; a text in quotes is typed letter by letter. */
export const press = (state: UiState, ...keys: readonly string[]): UiState =>
  after(
    state,
    ...keys
      .flatMap((key) =>
        key.startsWith('"')
          ? [...key.slice(1, -1)].map((letter) => (letter === ' ' ? 'space' : letter))
          : [key],
      )
      .map((name): UiEvent => ({ type: 'input', input: { kind: 'key', name } })),
  );

/** The screen as text; throws where a line is not exactly as wide as the screen. */
export function pictureOf(state: UiState): string {
  const { lines } = frameOf(state);
  if (lines.length !== state.size.rows) throw new Error(`${lines.length} lines on ${state.size.rows} rows`);
  for (const [row, spans] of lines.entries()) {
    if (lineWidth(spans) !== state.size.columns) {
      throw new Error(
        `line ${row} is ${lineWidth(spans)} wide, not ${state.size.columns}: ${lineText(spans)}`,
      );
    }
  }
  return `${lines.map((spans) => lineText(spans).trimEnd()).join('\n')}\n`;
}
