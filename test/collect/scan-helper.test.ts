import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as source from '../../src/collect/owner-scan.js';
import type * as helper from '../../src/collect/scan-helper.js';

const PROCESSES = 40;
const DESCRIPTORS = 250;

/** As it is installed: threads are started from compiled files. */
const built = <Module>(name: string): Promise<Module> =>
  import(new URL(`../../dist/collect/${name}.js`, import.meta.url).href);

describe('a second thread that helps to read descriptors', () => {
  let proc: string;
  const pids = Array.from({ length: PROCESSES }, (_, index) => index + 1);

  beforeAll(() => {
    proc = mkdtempSync(join(tmpdir(), 'sockwatch-scan-'));
    for (const pid of pids) {
      const folder = join(proc, String(pid));
      mkdirSync(join(folder, 'fd'), { recursive: true });
      writeFileSync(join(folder, 'comm'), `p${pid}\n`);
      writeFileSync(join(folder, 'stat'), `${pid} (p) S 1 ${'0 '.repeat(17)}${pid} 0 0\n`);
      for (let fd = 0; fd < DESCRIPTORS; fd++) {
        symlinkSync(fd % 2 === 0 ? `socket:[${pid * 1000 + fd}]` : '/tmp/x', join(folder, 'fd', String(fd)));
      }
    }
  });
  afterAll(() => rmSync(proc, { recursive: true, force: true }));

  const sorted = ({ processes }: source.Scan) => [...processes.values()].sort((a, b) => a.pid - b.pid);
  const alone = () => source.scanOwners(proc, source.EMPTY_SCAN, { depth: 'all descriptors' });

  it('leaves what the first thread has taken, and reads the rest from the end', async () => {
    const { Claims, ScanHelper } = await built<typeof helper>('scan-helper');
    const { memory, claims } = Claims.shared(PROCESSES);
    for (const index of [0, 1, 2]) expect(claims.take(index)).toBe(true);
    const share = await new ScanHelper({ proc, pids, memory }).share;
    expect(share?.unreadable).toBe(0);
    expect(share?.processes.map(({ pid }) => pid)).toEqual(pids.slice(3).reverse());
    expect(claims.take(3)).toBe(false);
    expect([claims.isHelpers(2), claims.isHelpers(3)]).toEqual([false, true]);
    const expected = sorted(await alone())
      .slice(3)
      .reverse();
    expect(share?.processes).toEqual(expected);
  });

  it('changes nothing of what is found', async () => {
    const { scanOwners } = await built<typeof source>('owner-scan');
    const scan = await scanOwners(proc, source.EMPTY_SCAN, { depth: 'all descriptors', hurry: true });
    expect(sorted(scan)).toEqual(sorted(await alone()));
    expect(scan.processes.size).toBe(PROCESSES);
  });

  it('is not missed where it cannot be started: here beside sources, which no thread can load', async () => {
    const scan = await source.scanOwners(proc, source.EMPTY_SCAN, { depth: 'all descriptors', hurry: true });
    expect(sorted(scan)).toEqual(sorted(await alone()));
  });

  it('finds nothing, and does not throw, where all processes have gone', async () => {
    const { Claims, ScanHelper } = await built<typeof helper>('scan-helper');
    const { memory } = Claims.shared(2);
    const share = await new ScanHelper({ proc, pids: [98_765, 98_766], memory }).share;
    expect(share).toEqual({ processes: [], unreadable: 0 });
  });
});
