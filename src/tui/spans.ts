import { displayWidth, truncate } from '../render/text.js';

/** What a piece of text means; theme.ts gives each its colour, and a mark or a word always says the same. */
export const ROLES = [
  'text',
  'dim',
  'faint',
  'title',
  'head',
  'border',
  'focus',
  'fill',
  'info',
  'warning',
  'critical',
  'alarm',
  'key',
] as const;
export type Role = (typeof ROLES)[number];

/** What lies under the text: the title bar, or the selected row. */
export type Ground = 'plain' | 'bar' | 'selected';

/** Text of one look. Only text from here reaches the terminal; what comes from outside went through `cleanText`. */
export interface Span {
  readonly text: string;
  readonly role?: Role;
  readonly ground?: Ground;
}

export type Line = readonly Span[];

export const span = (text: string, role: Role = 'text'): Span => ({ text, role });
export const line = (text: string, role: Role = 'text'): Line => [span(text, role)];

export const lineWidth = (spans: Line): number =>
  spans.reduce((width, { text }) => width + displayWidth(text), 0);

export const lineText = (spans: Line): string => spans.map(({ text }) => text).join('');

/** The line at exactly `width` columns: cut with the ellipsis, or filled with spaces. */
export function fit(spans: Line, width: number, ellipsis: string): Line {
  const missing = width - lineWidth(spans);
  if (missing === 0) return spans;
  if (missing > 0) return [...spans, span(' '.repeat(missing))];
  const out: Span[] = [];
  let room = width;
  for (const part of spans) {
    const wide = displayWidth(part.text);
    if (wide < room) {
      out.push(part);
      room -= wide;
      continue;
    }
    // The rest does not fit: force the ellipsis even where this part alone would just fit.
    const text = truncate(`${part.text}  `, room, ellipsis);
    out.push({ ...part, text: text + ' '.repeat(room - displayWidth(text)) });
    break;
  }
  return out;
}

/** The line upon a ground; parts that lie on one of their own keep it. */
export const onGround = (spans: Line, ground: Ground): Line =>
  spans.map((part) => (part.ground === undefined ? { ...part, ground } : part));

/** Everything dimmed: data that are no longer fresh. */
export const dimmed = (spans: Line): Line =>
  spans.map((part) => ({ ...part, role: part.role === 'border' ? 'border' : 'dim' }));

/** The columns `from` to `to` of a line; a wide character that is cut in two becomes a space. */
export function sliceLine(spans: Line, from: number, to: number): Line {
  const out: Span[] = [];
  let at = 0;
  for (const part of spans) {
    let text = '';
    for (const character of part.text) {
      const wide = displayWidth(character);
      if (at >= from && at + wide <= to) text += character;
      else if (at < to && at + wide > from) text += ' '.repeat(Math.min(at + wide, to) - Math.max(at, from));
      at += wide;
    }
    if (text !== '') out.push({ ...part, text });
  }
  return out;
}

/** `over` drawn upon `base`, its left upper corner at column x, row y. */
export function overlay(base: readonly Line[], over: readonly Line[], x: number, y: number): Line[] {
  return base.map((below, row) => {
    const top = over[row - y];
    if (top === undefined) return below;
    const right = x + lineWidth(top);
    return [...sliceLine(below, 0, x), ...top, ...sliceLine(below, right, Number.MAX_SAFE_INTEGER)];
  });
}
