import { displayWidth } from '../render/text.js';
import type { Line } from './spans.js';
import { type ColorDepth, sgr } from './theme.js';

const PLAIN = /^[\x20-\x7e]*$/;
const RESET = '\x1b[m';

export interface Paint {
  readonly depth: ColorDepth;
  readonly unicode: boolean;
  /** Width that the screen library gives a character: where it errs, the character is not shown. */
  charWidth(character: string): number;
}

/** Lines as the text with SGR that a box of the screen library takes. */
export const paintLines = (lines: readonly Line[], paint: Paint): string =>
  lines.map((spans) => paintLine(spans, paint)).join('\n');

function paintLine(spans: Line, paint: Paint): string {
  let out = '';
  for (const part of spans) {
    const text = PLAIN.test(part.text) ? part.text : showable(part.text, paint);
    const codes = sgr(part, paint.depth);
    out += codes === '' ? text : `\x1b[${codes}m${text}${RESET}`;
  }
  return out;
}

/**
 * What the library would draw at another width than we have counted (emoji, combining marks) becomes `?`, so that
 * columns stay in line; the same for all but ASCII where the terminal has no Unicode (TUI.md, faults 9 and 11).
 */
function showable(text: string, { unicode, charWidth }: Paint): string {
  let out = '';
  for (const character of text) {
    const width = displayWidth(character);
    const isSafe = character.length === 1 && width > 0 && width === charWidth(character);
    out += PLAIN.test(character) || (unicode && isSafe) ? character : '?'.repeat(width);
  }
  return out;
}
