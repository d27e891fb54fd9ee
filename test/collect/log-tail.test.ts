import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTail } from '../../src/collect/log-tail.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sockwatch-log-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the tail of a log', () => {
  it('is all of a small file', async () => {
    const path = join(folder, 'small.log');
    writeFileSync(path, 'one\ntwo\n');
    expect(await readTail(path)).toBe('one\ntwo\n');
  });

  it('begins with a whole line', async () => {
    const path = join(folder, 'large.log');
    writeFileSync(path, Array.from({ length: 1000 }, (_, n) => `line ${n}\n`).join(''));
    expect(await readTail(path, 25)).toBe('line 998\nline 999\n');
  });

  it('says which file could not be read, and does not wait for a writer of a FIFO', async () => {
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    await expect(readTail(fifo)).rejects.toThrow(`${fifo}: it is no file`);
    await expect(readTail(join(folder, 'none'))).rejects.toThrow(/none: ENOENT/);
    await expect(readTail(folder)).rejects.toThrow('it is no file');
  });
});
