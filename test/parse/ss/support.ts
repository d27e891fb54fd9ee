import { parseSs, type SsOptions, type SsResult } from '../../../src/parse/ss/index.js';
import { readable } from '../readable.js';

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export const parseText = (text: string, options?: SsOptions): SsResult => parseSs(bytesOf(text), options);

/** Rows and gaps of a text in readable form. */
export const read = (text: string, options?: SsOptions) => readable(parseText(text, options));

/** The single row of a text that has no gap. */
export function readRow(text: string, options?: SsOptions): Readonly<Record<string, unknown>> {
  const { rows, gaps } = read(text, options);
  if (rows.length !== 1 || gaps.length > 0)
    throw new Error(`expected one row and no gap, got ${JSON.stringify({ rows, gaps })}`);
  return rows[0] ?? {};
}
