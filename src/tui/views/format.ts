import { cleanText, displayWidth, formatCount, formatDuration, truncate } from '../../render/text.js';
import type { Glyphs } from '../glyphs.js';
import { type Line, line, type Span, span } from '../spans.js';

/** `12:04:31` of the local time zone. */
export function formatClock(wallMs: number): string {
  const date = new Date(wallMs);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':');
}

const twoDigits = (value: number) => String(value).padStart(2, '0');

/** A number that may be unknown: `?`, dimmed. */
export const countCell = (value: number | undefined): Line =>
  value === undefined ? line('?', 'dim') : value === 0 ? line('0', 'dim') : line(formatCount(value));

export const durationCell = (ms: number | undefined): Line =>
  ms === undefined ? line('?', 'dim') : line(formatDuration(ms));

/** `0`, `2.5`, `412`: per second. */
export const formatRate = (perSecond: number): string =>
  perSecond > 0 && perSecond < 9.95 ? perSecond.toFixed(1).replace(/\.0$/, '') : formatCount(perSecond);

export const rateCell = (perSecond: number | undefined, prefix = ''): Line => {
  if (perSecond === undefined) return line('?', 'dim');
  return perSecond === 0 ? line('0', 'dim') : line(prefix + formatRate(perSecond));
};

/** An address that is too long loses its middle: port and first group both tell it from others. */
export function shortenMiddle(text: string, width: number, glyphs: Glyphs): string {
  const clean = cleanText(text);
  if (displayWidth(clean) <= width) return clean;
  const characters = [...clean];
  const tail = Math.floor((width - 1) / 2);
  const head = width - 1 - tail;
  // Wide characters take two columns: the last word has `truncate`.
  const short = `${characters.slice(0, head).join('')}${glyphs.ellipsis}${characters.slice(-tail).join('')}`;
  return truncate(short, width, glyphs.ellipsis);
}

/** Words broken into lines of at most `width` columns. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of cleanText(text).split(' ')) {
    if (current !== '' && displayWidth(current) + 1 + displayWidth(word) > width) {
      lines.push(current);
      current = word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, current].flatMap((part) => chunks(part, width));
}

function chunks(text: string, width: number): string[] {
  if (displayWidth(text) <= width || width < 2) return [text];
  const head = truncate(text, width, '');
  return [head, ...chunks(text.slice(head.length), width)];
}

/** `label   value` of a detail, the labels in one column. */
export const fact = (label: string, value: Line, width = 18): Line => [
  span(`  ${label.padEnd(width)}`, 'dim'),
  ...value,
];

export const section = (title: string): Line => [span(` ${title}`, 'head')];

const LABEL_WIDTH = 26;
const NUMBER_WIDTH = 11;

/** A row of a small table in details: what it is of, and numbers below each other. */
export const numbersLine = (label: string, numbers: readonly string[], role: Span['role']): Line => [
  span(`  ${label.padEnd(LABEL_WIDTH)}`, 'dim'),
  span(numbers.map((one) => one.padStart(NUMBER_WIDTH)).join(''), role),
];
