import { readFileSync } from 'node:fs';

/** Text of a small file of procfs, or `undefined` where it cannot be read. Synchronous: these take microseconds. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** A file that holds one whole number. */
export function readNumber(path: string): number | undefined {
  const text = readText(path)?.trim();
  return text === undefined || !/^-?\d+$/.test(text) ? undefined : Number(text);
}
