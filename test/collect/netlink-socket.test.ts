import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { diagError, koffiError, loadSystemCalls, timeval } from '../../src/collect/netlink-socket.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const hasKoffi = await loadSystemCalls().then(
  () => true,
  () => false,
);

describe('the limit of time', () => {
  it('is whole milliseconds, with less than a second of microseconds', () => {
    const read = (ms: number) => [...new BigInt64Array(timeval(ms).buffer)].map(Number);
    expect(read(1999.7)).toEqual([2, 0]);
    expect(read(1999.2)).toEqual([1, 999_000]);
    expect(read(5000)).toEqual([5, 0]);
    // All zeros would be no limit.
    expect(read(0)).toEqual([0, 1000]);
  });
});

describe('koffi that does not load', () => {
  it('says that the package is missing, without paths inside', () => {
    const error = Object.assign(new Error("Cannot find module 'koffi'\nRequire stack:\n- /opt/x.js"), {
      code: 'MODULE_NOT_FOUND',
    });
    expect(koffiError(error)).toMatchObject({
      fault: 'missing',
      message: 'the package koffi is not installed',
      remedy: 'install koffi, or use --source ss',
    });
  });

  it('gives the first line of any other reason', () => {
    expect(koffiError(new Error('wrong ELF class.\nmore'))).toMatchObject({
      fault: 'missing',
      message: 'sock_diag cannot be asked: koffi could not be loaded: wrong ELF class',
    });
  });

  it.skipIf(!hasKoffi)(
    `for want of descriptors is tried again${hasKoffi ? '' : ' (skipped: no koffi)'}`,
    () => {
      const program = here('../support/programs/emfile.ts');
      const command = `ulimit -n 200; exec "${process.execPath}" --import tsx "${program}"`;
      const { stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8', cwd: here('../..') });
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toEqual([expect.stringMatching(/^failed: .*EMFILE/), 'loaded']);
    },
  );
});

describe('the C library', () => {
  it('is that of the process, not one by its name: musl has another', () => {
    for (const file of ['netlink-socket', 'watchdog-worker']) {
      const text = readFileSync(here(`../../src/collect/${file}.ts`), 'utf8');
      expect(text).toContain('koffi.load(null)');
      expect(text).not.toContain('libc.so');
    }
  });
});

describe('a refusal to open netlink', () => {
  it('names what usually forbids it', () => {
    expect(diagError('open a socket of sock_diag', 97)).toMatchObject({
      fault: 'missing',
      message: expect.stringContaining('RestrictAddressFamilies='),
    });
  });
});
