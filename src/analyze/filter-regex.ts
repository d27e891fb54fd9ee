import { ParseError } from '../model/errors.js';

const LONGEST_SOURCE = 200;
// What keeps the worst case of a backtracking engine near a power of three of the text's length: rows hold names and
// paths that others chose, and a screen that hangs shows nothing.
const MOST_REPEATS = 3;
const MOST_CHOICES = 12;

/**
 * Compiles `/.../` of a filter, case-insensitive. Patterns that may take exponential time are refused: repeats inside
 * repeats, and too many of them.
 * @throws ParseError
 */
export function compileRegex(source: string, where: string): RegExp {
  if (source === '') throw new ParseError(where, 'a pattern between the slashes', source);
  if (source.length > LONGEST_SOURCE) {
    throw new ParseError(where, `a pattern of at most ${LONGEST_SOURCE} characters`, source);
  }
  let pattern: RegExp;
  try {
    pattern = new RegExp(source, 'i');
  } catch {
    throw new ParseError(where, 'a valid regular expression', source);
  }
  const danger = findDanger(source);
  if (danger !== undefined) throw new ParseError(where, danger, source);
  return pattern;
}

const PART =
  /\\.|\[(?:[^\]\\]|\\.)*\]|\((?:\?(?:[:=!]|<[=!]|<[^>]*>))?|\)|\||(?:[*+?]|\{\d+(?:,\d*)?\})\??|./gs;
const REPEAT = /^(?:[*+]|\{\d+,)/;
const QUANTIFIER = /^(?:[*+?]|\{\d)/;

interface Open {
  /** Holds a repeat or a choice, so that repeating the whole multiplies the ways to match. */
  varies: boolean;
}

function findDanger(source: string): string | undefined {
  const open: Open[] = [{ varies: false }];
  let closed: Open = { varies: false };
  let repeats = 0;
  let choices = 0;
  for (const [part] of source.matchAll(PART)) {
    const around = open.at(-1) ?? closed;
    if (part.startsWith('(')) open.push({ varies: false });
    else if (part === ')') {
      closed = open.pop() ?? closed;
      const outer = open.at(-1);
      if (outer !== undefined && closed.varies) outer.varies = true;
      continue;
    } else if (part === '|' && open.length > 1) {
      around.varies = true;
      choices++;
    } else if (QUANTIFIER.test(part)) {
      if (closed.varies && !part.startsWith('?')) return 'no repeat around a group that repeats or chooses';
      around.varies = true;
      if (REPEAT.test(part)) repeats++;
      else choices++;
    }
    closed = { varies: false };
  }
  if (repeats > MOST_REPEATS) return `at most ${MOST_REPEATS} of * and + and {n,m}`;
  return choices > MOST_CHOICES ? `at most ${MOST_CHOICES} of ? and | in groups` : undefined;
}
