import { readFileSync } from 'node:fs';

/** Text of a small file of procfs, or `undefined` where it cannot be read. Synchronous: these take microseconds. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** One whole number, with its newline; `undefined` for anything else. */
export const asNumber = (text: string | undefined): number | undefined =>
  text === undefined || !/^\s*-?\d+\s*$/.test(text) ? undefined : Number(text);
