import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ParseError } from '../../src/model/errors.js';
import type { Gap } from '../../src/model/observation.js';
import type { SsResult } from '../../src/parse/ss/index.js';
import { type ReadableRow, readable } from './readable.js';

/** An expected result: sockets, gaps, or the error, one per line so that a difference is easy to see. */
export interface Golden {
  readonly rows: readonly ReadableRow[];
  readonly gaps: readonly Gap[];
  readonly error?: string;
}

export const goldenDir = fileURLToPath(new URL('../golden/', import.meta.url));
export const fixtureDir = fileURLToPath(new URL('../../fixtures/', import.meta.url));

export function readGolden(name: string): Golden {
  const lines = readFileSync(`${goldenDir}${name}.ndjson`, 'utf8').split('\n').filter(Boolean);
  const values = lines.map((line) => JSON.parse(line));
  return {
    rows: values.filter((value) => !('gap' in value) && !('error' in value)),
    gaps: values.flatMap((value) => ('gap' in value ? [value.gap] : [])),
    ...values.find((value) => 'error' in value),
  };
}

/** What a parser makes of an input, in the form of a golden result. Any error but ParseError goes on. */
export function outcome(parse: () => SsResult): Golden {
  try {
    return readable(parse());
  } catch (error) {
    if (error instanceof ParseError) return { rows: [], gaps: [], error: error.message };
    throw error;
  }
}

/** For making a golden result anew by hand; it is worth nothing until someone has compared it with its input. */
export function writeGolden(name: string, { rows, gaps, error }: Golden): void {
  const values = [...rows, ...gaps.map((gap) => ({ gap })), ...(error === undefined ? [] : [{ error }])];
  writeFileSync(`${goldenDir}${name}.ndjson`, values.map((value) => `${JSON.stringify(value)}\n`).join(''));
}
