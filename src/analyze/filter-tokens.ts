import { ParseError } from '../model/errors.js';

/** One term of a filter, without its leading `-`. */
export interface Token {
  /** As typed, with `-` and quotes: for messages. */
  readonly raw: string;
  readonly negated: boolean;
  /** `plain` may be `key:value`; `word` was quoted whole and is only text; `regex` stood between slashes. */
  readonly kind: 'plain' | 'word' | 'regex';
  readonly text: string;
}

const LONGEST_SHOWN = 60;

/** Where in a filter: `filter, at "prot:"`. */
export const whereIn = (raw: string): string =>
  `filter, at ${JSON.stringify(raw.length > LONGEST_SHOWN ? `${raw.slice(0, LONGEST_SHOWN - 3)}...` : raw)}`;

const SPACE = /\s*/y;
const WORD = /(?:"(?:[^"\\]|\\.)*"|[^\s"])+/sy;
const REGEX = /\/(?:[^/\\]|\\.)*\/(?=\s|$)/sy;
const QUOTED = /"((?:[^"\\]|\\.)*)"/gs;

/**
 * Splits a filter at its spaces, but not inside quotes or slashes.
 * @throws ParseError for a quote or slash without its partner and a `-` without a term
 */
export function readTokens(text: string): Token[] {
  const tokens: Token[] = [];
  let at = matchAt(SPACE, text, 0).length;
  while (at < text.length) {
    const token = readToken(text, at);
    tokens.push(token);
    at += token.raw.length;
    at += matchAt(SPACE, text, at).length;
  }
  return tokens;
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

function readToken(text: string, start: number): Token {
  const negated = text[start] === '-';
  const at = negated ? start + 1 : start;
  const rest = text.slice(at).trimEnd();
  if (negated && /^(?:[\s-]|$)/.test(rest)) {
    throw new ParseError(whereIn(text.slice(start).trimEnd()), 'a term right after "-"', rest.trim());
  }
  const sign = negated ? '-' : '';
  if (text[at] === '/') return readRegex(text, at, sign);
  const word = matchAt(WORD, text, at);
  if (text[at + word.length] === '"') {
    throw new ParseError(whereIn(sign + rest), 'a closing quote', rest.slice(word.length));
  }
  const plain = word.replace(QUOTED, (_, inside: string) => inside.replace(/\\(.)/gs, '$1'));
  if (plain === '') throw new ParseError(whereIn(sign + word), 'text between the quotes', '');
  return { raw: sign + word, negated, kind: word.startsWith('"') ? 'word' : 'plain', text: plain };
}

function readRegex(text: string, at: number, sign: string): Token {
  const whole = matchAt(REGEX, text, at);
  if (whole === '') {
    const rest = text.slice(at).trimEnd();
    throw new ParseError(whereIn(sign + rest), 'a closing / (a path goes in quotes)', rest);
  }
  return { raw: sign + whole, negated: sign !== '', kind: 'regex', text: whole.slice(1, -1) };
}
