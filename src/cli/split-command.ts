import { ParseError } from '../model/errors.js';

const EXPECTED_PROGRAM = 'a program and its arguments';

/**
 * Splits a command into program and arguments; no shell ever sees it. Blanks separate; `'...'` is taken as it is; in
 * `"..."` a backslash stands before `"` and `\`; elsewhere it takes the next character as it is. `$ * ~ | ; &` mean
 * nothing. Throws ParseError for an open quote or an empty command.
 */
export function splitCommand(text: string, where: string): [program: string, ...args: string[]] {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < text.length) {
    const character = text[at] as string;
    if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      at++;
      continue;
    }
    const piece = readPiece(text, at);
    if (piece === undefined) throw new ParseError(where, `a closing ${character}`, text);
    word = (word ?? '') + piece.text;
    at = piece.end;
  }
  if (word !== undefined) words.push(word);
  const [program, ...args] = words;
  if (program === undefined || program === '') throw new ParseError(where, EXPECTED_PROGRAM, text);
  if (text.includes('\0')) throw new ParseError(where, 'a command without NUL bytes', text);
  return [program, ...args];
}

interface Piece {
  readonly text: string;
  /** Index after the piece. */
  readonly end: number;
}

/** One quoted stretch or one character; `undefined` where a quote stays open. */
function readPiece(text: string, at: number): Piece | undefined {
  const character = text[at] as string;
  if (character === "'") {
    const close = text.indexOf("'", at + 1);
    return close < 0 ? undefined : { text: text.slice(at + 1, close), end: close + 1 };
  }
  if (character === '"') return readDoubleQuoted(text, at + 1);
  if (character !== '\\') return { text: character, end: at + 1 };
  return at + 1 < text.length ? { text: text[at + 1] as string, end: at + 2 } : undefined;
}

function readDoubleQuoted(text: string, start: number): Piece | undefined {
  let content = '';
  for (let at = start; at < text.length; at++) {
    const character = text[at] as string;
    if (character === '"') return { text: content, end: at + 1 };
    const next = text[at + 1];
    const escaped = character === '\\' && (next === '"' || next === '\\');
    content += escaped ? next : character;
    if (escaped) at++;
  }
  return undefined;
}
