import { describe, expect, it } from 'vitest';
import { GLYPHS } from '../../src/tui/glyphs.js';
import { span } from '../../src/tui/spans.js';
import { pane } from '../../src/tui/views/pane.js';

const topOf = (width: number) => {
  const style = { width, height: 3, focused: false, glyphs: GLYPHS.unicode };
  const [top = []] = pane([], { ...style, title: [span('Ended 12')], note: [span('sorted by rate')] });
  return top.map(({ text }) => text).join('');
};

describe('the top border', () => {
  it.each([
    [40, '┌─ Ended 12 ────────── sorted by rate ─┐'],
    [29, '┌─ Ended 12 ────────────────┐'],
    [20, '┌─ Ended 12 ───────┐'],
    [10, '┌─ Ended…┐'],
  ])('goes on to its corner at %i columns, with the note where there is room', (width, said) => {
    expect(topOf(width)).toBe(said);
  });
});
