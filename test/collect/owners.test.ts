import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EMPTY_SCAN, scanOwners } from '../../src/collect/owner-scan.js';
import { OwnerFinder } from '../../src/collect/owners.js';
import { Effort } from '../../src/collect/thread-time.js';
import { needs } from '../support/needs.js';
import { poll } from '../support/poll.js';
import { listenersWith, sleep } from './support.js';

const ALL = { everything: true, patienceMs: Number.POSITIVE_INFINITY };
const WHOLE = { patienceMs: Number.POSITIVE_INFINITY };

/** A procfs of our own, in which processes can do what real ones rarely do. */
class FakeProc {
  readonly root = mkdtempSync(join(tmpdir(), 'sw-proc-'));

  constructor() {
    this.process(1, 'init', {});
  }

  process(pid: number, comm: string | Buffer, fds: Record<number, string>, start = 100): void {
    const folder = join(this.root, String(pid));
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(join(folder, 'fd'), { recursive: true });
    writeFileSync(join(folder, 'comm'), Buffer.concat([Buffer.from(comm), Buffer.from('\n')]));
    writeFileSync(join(folder, 'stat'), `${pid} (x) y) S 1 ${'0 '.repeat(17)}${start} 0 0\n`);
    for (const [fd, target] of Object.entries(fds)) symlinkSync(target, join(folder, 'fd', fd));
  }

  open(pid: number, fd: number, target: string): void {
    symlinkSync(target, join(this.root, String(pid), 'fd', String(fd)));
  }

  close(pid: number, fd: number): void {
    rmSync(join(this.root, String(pid), 'fd', String(fd)));
  }

  end(pid: number): void {
    rmSync(join(this.root, String(pid)), { recursive: true });
  }
}

describe('OwnerFinder', () => {
  const roots: string[] = [];
  const makeProc = () => {
    const proc = new FakeProc();
    roots.push(proc.root);
    return proc;
  };
  afterEach(() => {
    for (const root of roots.splice(0)) rmSync(root, { recursive: true });
  });

  it('finds all owners of a shared listener, by pid and descriptor', async () => {
    const proc = makeProc();
    proc.process(20, 'worker', { 0: '/dev/null', 6: 'socket:[500]' });
    proc.process(9, 'master', { 6: 'socket:[500]', 7: 'pipe:[500]', 8: 'socket:[501]' });
    const owners = new OwnerFinder(proc.root);
    await owners.update(listenersWith(500, 501), WHOLE);
    expect(owners.ownersOf(500)).toEqual([
      { pid: 9, fd: 6, name: 'master' },
      { pid: 20, fd: 6, name: 'worker' },
    ]);
    expect(owners.ownersOf(501)).toEqual([{ pid: 9, fd: 8, name: 'master' }]);
    expect(owners.gaps()).toEqual([]);
  });

  it('says none for a socket that no process holds, and unknown for one not searched yet', async () => {
    const owners = new OwnerFinder(makeProc().root);
    await owners.update(listenersWith(500), WHOLE);
    expect(owners.ownersOf(500)).toEqual([]);
    expect(owners.ownersOf(777)).toBeUndefined();
    await sleep(150);
    await owners.update(listenersWith(500), WHOLE);
    expect(owners.ownersOf(777)).toEqual([]);
  });

  it.each([
    ['an escape sequence', '\u001b[2J\u0007'],
    ['forged text of ss', '",pid=1,fd=3)'],
    ['brackets and a newline inside', 'a) b(\nc'],
    ['nothing', ''],
  ])('keeps a name with %s as it is, without the final newline', async (_what, comm) => {
    const proc = makeProc();
    proc.process(31, comm, { 3: 'socket:[600]' });
    const owners = new OwnerFinder(proc.root);
    await owners.update(listenersWith(600), WHOLE);
    expect(owners.ownersOf(600)).toEqual([{ pid: 31, fd: 3, name: comm }]);
  });

  it('replaces bytes of a name that are not UTF-8', async () => {
    const proc = makeProc();
    proc.process(31, Buffer.from([0x61, 0xff, 0x62]), { 3: 'socket:[600]' });
    const owners = new OwnerFinder(proc.root);
    await owners.update(listenersWith(600), WHOLE);
    expect(owners.ownersOf(600)?.[0]?.name).toBe('a\ufffdb');
  });

  it('scans again only for inodes that it does not know', async () => {
    const proc = makeProc();
    proc.process(40, 'server', { 3: 'socket:[700]' });
    const owners = new OwnerFinder(proc.root);
    await owners.update(listenersWith(700), WHOLE);
    proc.process(41, 'late', { 3: 'socket:[701]', 4: 'socket:[700]' });
    await sleep(150);
    await owners.update(listenersWith(700), WHOLE);
    expect(owners.ownersOf(700)).toHaveLength(1);
    await owners.update(listenersWith(700, 701), WHOLE);
    expect(owners.ownersOf(701)).toEqual([{ pid: 41, fd: 3, name: 'late' }]);
    expect(owners.ownersOf(700)).toHaveLength(2);
  });

  it('finds a socket behind a number that was used for another one before', async () => {
    const proc = makeProc();
    proc.process(50, 'server', { 3: 'socket:[800]', 4: 'socket:[801]', 5: '/tmp/x' });
    const owners = new OwnerFinder(proc.root);
    await owners.update(listenersWith(800), WHOLE);
    proc.close(50, 4);
    proc.open(50, 4, 'socket:[802]');
    await sleep(150);
    await owners.update(listenersWith(800, 802), WHOLE);
    expect(owners.ownersOf(802)).toEqual([{ pid: 50, fd: 4, name: 'server' }]);
  });

  it('looks first, and behind every number, where a process is known to use one for many sockets', async () => {
    const proc = makeProc();
    proc.process(50, 'client', { 3: 'socket:[800]', 4: 'socket:[801]' });
    const owners = new OwnerFinder(proc.root);
    await owners.update(listenersWith(800), WHOLE);
    const next = async (inode: number) => {
      proc.close(50, 4);
      proc.open(50, 4, `socket:[${inode}]`);
      await owners.update(listenersWith(inode), ALL);
      return owners.ownersOf(inode);
    };
    await sleep(150);
    expect(await next(802)).toHaveLength(1);
    // So soon after all links were read, those of other processes are not read again.
    expect(await next(803)).toEqual([{ pid: 50, fd: 4, name: 'client' }]);
    expect(await next(804)).toEqual([{ pid: 50, fd: 4, name: 'client' }]);
    for (let look = 0; look < 20; look++) await owners.update(listenersWith(10_000 + look), ALL);
    await sleep(150);
    await owners.update(listenersWith(20_000), ALL);
    expect(await next(805)).toEqual([]);
  });

  it('notices at the next look that a listener has changed hands, or its owner its name', async () => {
    const proc = makeProc();
    proc.process(60, 'old', { 3: 'socket:[900]' });
    const owners = new OwnerFinder(proc.root);
    await owners.update(listenersWith(900), WHOLE);
    proc.end(60);
    proc.process(61, 'new', { 9: 'socket:[900]' });
    await owners.update(listenersWith(900), WHOLE);
    expect(owners.ownersOf(900)).toEqual([{ pid: 61, fd: 9, name: 'new' }]);
    proc.process(61, 'renamed', { 9: 'socket:[900]' });
    await owners.update(listenersWith(900), WHOLE);
    expect(owners.ownersOf(900)).toEqual([{ pid: 61, fd: 9, name: 'renamed' }]);
  });

  it('takes a pid that is used again for another process', async () => {
    const proc = makeProc();
    proc.process(70, 'first', { 3: 'socket:[1000]' }, 100);
    const owners = new OwnerFinder(proc.root);
    await owners.update(listenersWith(1000), WHOLE);
    proc.process(70, 'second', { 3: 'socket:[1001]' }, 200);
    await sleep(150);
    await owners.update(listenersWith(1001), WHOLE);
    expect(owners.ownersOf(1001)).toEqual([{ pid: 70, fd: 3, name: 'second' }]);
  });

  it('does not search again and again for what it has not found', async () => {
    const proc = makeProc();
    const owners = new OwnerFinder(proc.root);
    await owners.update(listenersWith(1100), WHOLE);
    proc.process(80, 'late', { 3: 'socket:[1100]' });
    await sleep(150);
    await owners.update(listenersWith(1100), WHOLE);
    expect(owners.ownersOf(1100)).toEqual([]);
    await sleep(1000);
    await owners.update(listenersWith(1100), WHOLE);
    expect(owners.ownersOf(1100)).toEqual([{ pid: 80, fd: 3, name: 'late' }]);
  });

  it('says that owners are hidden where processes are: no process 1 is listed', async () => {
    const proc = makeProc();
    proc.end(1);
    const owners = new OwnerFinder(proc.root);
    await owners.update(listenersWith(1200, 1201), WHOLE);
    expect(owners.ownersOf(1200)).toBeUndefined();
    expect(owners.gaps()).toEqual([
      {
        what: 'owners',
        why: 'hidden for 2 listeners: their processes are in another PID namespace, or hidden by hidepid or a security module',
      },
    ]);
  });

  it('where processes are hidden, gives nobody to what had ended, and nothing to what outlived the search', async () => {
    const proc = makeProc();
    proc.end(1);
    proc.process(20, 'seen', { 4: 'socket:[1250]' });
    const owners = new OwnerFinder(proc.root);
    const before = listenersWith(1250, 1251, 1252);
    await owners.update(before, ALL);
    expect(owners.ownersOf(1252)).toBeUndefined();
    expect(owners.isInDoubt(before)).toBe(true);
    owners.settle([listenersWith(1250, 1251)]);
    expect(owners.ownersOf(1250)).toEqual([{ pid: 20, fd: 4, name: 'seen' }]);
    expect(owners.ownersOf(1251)).toBeUndefined();
    expect(owners.ownersOf(1252)).toEqual([]);
    // What is known to be hidden is not asked about again.
    await owners.update(listenersWith(1250, 1251), ALL);
    expect(owners.isInDoubt(before)).toBe(false);
    expect(owners.ownersOf(1251)).toBeUndefined();
  });

  it('has no doubts where all processes are seen', async () => {
    const owners = new OwnerFinder(makeProc().root);
    await owners.update(listenersWith(1260), ALL);
    expect(owners.isInDoubt(listenersWith(1260))).toBe(false);
  });

  it('says what is wrong where there is no procfs, and recovers', async () => {
    const proc = makeProc();
    rmSync(proc.root, { recursive: true });
    const owners = new OwnerFinder(proc.root);
    await owners.update(listenersWith(1300), WHOLE);
    expect(owners.gaps()[0]?.why).toContain('no such file or directory');
    expect(owners.ownersOf(1300)).toBeUndefined();
    mkdirSync(proc.root);
    proc.process(1, 'init', { 5: 'socket:[1300]' });
    await owners.update(listenersWith(1300), WHOLE);
    expect(owners.ownersOf(1300)).toEqual([{ pid: 1, fd: 5, name: 'init' }]);
    expect(owners.gaps()).toEqual([]);
  });

  it('does not keep a refresh waiting longer than its patience, and lets the loop turn meanwhile', async () => {
    const proc = makeProc();
    const fds = Object.fromEntries(Array.from({ length: 2000 }, (_, fd) => [fd, `socket:[${fd + 5000}]`]));
    for (let pid = 100; pid < 103; pid++) proc.process(pid, 'many', fds);
    const owners = new OwnerFinder(proc.root);
    let turns = 0;
    const ticking = setInterval(() => turns++, 1);
    await owners.update(listenersWith(5000), { patienceMs: 0 });
    expect(owners.ownersOf(5000)).toBeUndefined();
    await owners.update(listenersWith(5000), WHOLE);
    clearInterval(ticking);
    expect(owners.ownersOf(5000)).toHaveLength(3);
    expect(turns).toBeGreaterThan(1);
  });

  /** Once `work` lets others have the thread, has it for `ms`. Gives how long; 0: it was over before. */
  const hogged = async (ms: number, work: Promise<unknown>) => {
    let took = 0;
    const hog = setImmediate(() => {
      const from = performance.now();
      while (performance.now() < from + ms);
      took = performance.now() - from;
    });
    await work;
    clearImmediate(hog);
    return took;
  };
  const manySockets = () =>
    Object.fromEntries(Array.from({ length: 2000 }, (_, fd) => [fd, `socket:[${fd + 5000}]`]));

  it('a scan costs what it works, not what others do with the thread meanwhile', async () => {
    const proc = makeProc();
    for (let pid = 100; pid < 102; pid++) proc.process(pid, 'many', manySockets());
    const effort = new Effort();
    const hoggedMs = await hogged(
      500,
      scanOwners(proc.root, EMPTY_SCAN, { depth: 'all descriptors', effort }),
    );
    effort.pause();
    expect(hoggedMs).toBeGreaterThanOrEqual(500);
    expect(effort.ms).toBeGreaterThan(0);
    expect(effort.ms).toBeLessThan(hoggedMs);
  });

  it('however long a scan has taken, who opens a listener after it is soon found', async () => {
    const proc = makeProc();
    for (let pid = 100; pid < 102; pid++) proc.process(pid, 'many', manySockets());
    const owners = new OwnerFinder(proc.root);
    await owners.update(listenersWith(5000), WHOLE);
    for (let pid = 103; pid < 105; pid++) proc.process(pid, 'many', manySockets());
    proc.process(106, 'old', { 3: 'socket:[900]' });
    expect(await hogged(2000, owners.update(listenersWith(5000, 900), WHOLE))).toBeGreaterThanOrEqual(2000);
    expect(owners.ownersOf(900)).toHaveLength(1);
    proc.process(107, 'next', { 3: 'socket:[901]' });
    const from = performance.now();
    await poll(async () => {
      await owners.update(listenersWith(5000, 900, 901), WHOLE);
      return owners.ownersOf(901)?.[0];
    }, 'the owner of the new listener');
    // 5 % of a core would be 40 s by the clock.
    expect(performance.now() - from).toBeLessThan(30_000);
  });

  it('stops on abort', async () => {
    const proc = makeProc();
    const fds = Object.fromEntries(Array.from({ length: 2000 }, (_, fd) => [fd, `socket:[${fd + 5000}]`]));
    proc.process(100, 'many', fds);
    const owners = new OwnerFinder(proc.root);
    const controller = new AbortController();
    const update = owners.update(listenersWith(5000), { ...WHOLE, signal: controller.signal });
    controller.abort();
    await update;
    expect(owners.ownersOf(5000)).toBeUndefined();
  });
});

describe('OwnerFinder on the real /proc', () => {
  let server: Server;
  const children: ChildProcess[] = [];
  beforeAll(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    server.close();
    for (const child of children) child.kill('SIGKILL');
  });

  const fdOf = () => (server as unknown as { _handle: { fd: number } })._handle.fd;
  const inodeOfServer = async () => {
    return Number(readlinkSync(`/proc/self/fd/${fdOf()}`).slice(8, -1));
  };

  it('finds this process, and a child that inherits the socket, appears and vanishes', async () => {
    const inode = await inodeOfServer();
    const owners = new OwnerFinder('/proc');
    await owners.update(listenersWith(inode), WHOLE);
    const own = owners.ownersOf(inode);
    expect(own?.map(({ pid, fd }) => [pid, fd])).toEqual([[process.pid, fdOf()]]);
    const child = spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', fdOf()] });
    children.push(child);
    await once(child, 'spawn');
    const fresh = new OwnerFinder('/proc');
    await fresh.update(listenersWith(inode), WHOLE);
    expect(fresh.ownersOf(inode)).toContainEqual({ pid: child.pid, fd: 3, name: 'sleep' });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await fresh.update(listenersWith(inode), WHOLE);
    expect(fresh.ownersOf(inode)?.map(({ pid }) => pid)).toEqual([process.pid]);
  });

  const reason = needs({ root: true, programs: ['setpriv'] });
  it.skipIf(reason)(
    `without root, owners of others are unknown, and that is said${reason ? ` (skipped: ${reason})` : ''}`,
    async () => {
      const inode = await inodeOfServer();
      const script = `
      import { OwnerFinder } from ${JSON.stringify(new URL('../../src/collect/owners.ts', import.meta.url).href)};
      import { listenersWith } from ${JSON.stringify(new URL('./support.ts', import.meta.url).href)};
      process.setgroups([]); process.setgid(65534); process.setuid(65534);
      const owners = new OwnerFinder('/proc');
      await owners.update(listenersWith(${inode}, 999999999), { patienceMs: Infinity });
      process.stdout.write(JSON.stringify({ owners: owners.ownersOf(${inode}) ?? null, gaps: owners.gaps() }));
    `;
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      child.stdout.on('data', (chunk) => {
        text += chunk;
      });
      await once(child, 'close');
      expect(JSON.parse(text)).toEqual({
        owners: null,
        gaps: [
          {
            what: 'owners',
            why: 'hidden for 2 listeners: run as root or with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH',
          },
        ],
      });
    },
  );
});
