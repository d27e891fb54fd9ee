import { cleanText } from './text.js';

/** A number stays a number; text is made safe; `undefined` is an empty field. */
export type CsvValue = string | number | boolean | undefined;

// What a spreadsheet takes for a formula (OWASP, "CSV Injection"): also with full-width signs, and after blanks.
const FORMULA = /^\s*[=+\-@\t\r＝＋－＠]/;
const NEEDS_QUOTES = /[",\r\n;]|^\s|\s$/;

/** One record of RFC 4180, with CRLF. Text that a spreadsheet would run as a formula gets a leading apostrophe. */
export const csvRecord = (values: readonly CsvValue[]): string => `${values.map(csvField).join(',')}\r\n`;

export function csvField(value: CsvValue): string {
  if (value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  // Before cleaning: a leading tab or CR is a formula's start too.
  const guarded = FORMULA.test(value) ? `'${cleanText(value)}` : cleanText(value);
  return NEEDS_QUOTES.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
