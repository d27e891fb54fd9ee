import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OpenDiagSocket, openDiagSocket } from '../../src/collect/netlink-socket.js';
import { observe, observeOnce, observeTimes } from '../../src/collect/observe.js';
import type { CollectOptions, Pace } from '../../src/collect/options.js';
import { SourceError } from '../../src/model/errors.js';
import type { Observation } from '../../src/model/observation.js';
import { isAlive, OPTIONS, pathWith, pidIn, sleep, until } from './support.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sw-observe-'));
  process.env.FAKE_SS_LOG = join(folder, 'log');
  process.env.FAKE_SS_PID = join(folder, 'pid');
  process.env.FAKE_SS_FAIL = join(folder, 'fail');
});
afterEach(() => {
  for (const name of ['LOG', 'PID', 'FAIL', 'SECONDS']) delete process.env[`FAKE_SS_${name}`];
  rmSync(folder, { recursive: true });
});
const runs = () => readFileSync(join(folder, 'log'), 'utf8').trimEnd().split('\n');

interface Taken {
  readonly at: number;
  readonly observation: Observation;
}

/** Takes observations from a fake ss until there are enough, then aborts. */
async function take(
  name: string,
  count: number,
  options: Partial<CollectOptions>,
  pace: Pace,
  each: (taken: readonly Taken[]) => void = () => {},
): Promise<Taken[]> {
  const controller = new AbortController();
  const taken: Taken[] = [];
  for await (const observation of observe({ ...OPTIONS, ...options }, pace, controller.signal, {
    path: pathWith(name),
  })) {
    taken.push({ at: performance.now(), observation });
    each(taken);
    if (taken.length === count) controller.abort();
  }
  return taken;
}

const kinds = (taken: readonly Taken[]) =>
  taken.map(({ observation }) =>
    observation.kind === 'table'
      ? observation.scope
      : `gap ${observation.kind === 'gap' ? observation.fault : ''}`,
  );

describe('observeTimes', () => {
  it('does not catch up with looks that took long, and stamps each when its dump began', async () => {
    process.env.FAKE_SS_SECONDS = '0.35';
    const begun: number[] = [];
    const ended: number[] = [];
    const options = { ...OPTIONS, scope: 'all' as const };
    const pace = { samples: 4, everyMs: 200 };
    const door = { path: pathWith('slow') };
    for await (const { origin } of observeTimes(options, pace, new AbortController().signal, door)) {
      begun.push(origin.monotonic);
      ended.push(Number(process.hrtime.bigint()) / 1e6);
    }
    expect(begun).toHaveLength(4);
    for (const [index, at] of begun.entries()) {
      expect((ended[index] ?? 0) - at).toBeGreaterThan(300);
      if (index > 0) expect(at).toBeGreaterThanOrEqual((ended[index - 1] ?? 0) - 1);
    }
    expect((begun[1] ?? 0) - (ended[0] ?? 0)).toBeGreaterThan(150);
  });
});

describe('observe', () => {
  it('keeps its pace, with one run of ss for each look', async () => {
    const taken = await take('slow', 5, { scope: 'listeners' }, { intervalMs: 100 });
    expect(kinds(taken)).toEqual(Array(5).fill('listeners'));
    // The first is late by the time that execa takes to load; the others are on the grid.
    expect((taken[4]?.at ?? 0) - (taken[1]?.at ?? 0)).toBeGreaterThan(250);
    expect(runs().length).toBe(5);
  });

  it('reads the whole table less often when it takes long, and the listeners at every tick between', async () => {
    const taken = await take('slow', 8, { scope: 'all' }, { intervalMs: 500 });
    const seen = kinds(taken);
    expect(seen[0]).toBe('all');
    // 0.4 s and more is a quarter of 1.6 s and more: at least three ticks of 0.5 s without the whole table.
    expect(seen.slice(1, 4)).toEqual(Array(3).fill('troubled'));
    expect(seen.slice(4)).toContain('all');
    expect(taken.every(({ observation }) => observation.kind === 'table')).toBe(true);
  });

  it('leaves ticks out when one look takes longer than the interval, and counts them', async () => {
    process.env.FAKE_SS_SECONDS = '0.35';
    const taken = await take('slow', 2, { scope: 'all' }, { intervalMs: 100 });
    const second = taken[1]?.observation;
    expect(second?.kind).toBe('table');
    expect(second?.kind === 'table' && second.skippedTicks).toBeGreaterThanOrEqual(3);
  });

  it('asks in one run for those who wait on the ports in trouble, and keeps what that run leaves out', async () => {
    const options = { scope: 'all', unix: true } as const;
    const taken = await take('crowded', 2, options, { intervalMs: 20 });
    expect(runs()[0]).toBe('-HOnemiotMxa');
    expect(runs()[1]).toBe(
      '-HOnemiotM state listening state syn-recv state established state close-wait ( sport = :8080 or dport = :0 )',
    );
    const second = taken[1]?.observation;
    if (second?.kind !== 'table') throw new Error('expected a table');
    expect(second.scope).toBe('troubled');
    const rows = Array.from({ length: second.sockets.length }, (_, index) => second.sockets.row(index));
    expect(rows.map((row) => `${row.protocol} ${row.state}`)).toEqual([
      'tcp listen',
      'tcp established',
      'tcp syn-recv',
      'unix listen',
    ]);
    expect(rows[1]?.isWaiting).toBe(true);
    expect(rows[3]?.local).toEqual({ kind: 'unix', path: '/run/fake.sock' });
    expect(second.gaps).toEqual([
      {
        what: 'SYN-RECV of ports without waiting connections, and Unix sockets',
        why: 'as of an earlier look: not everything is asked for at every tick',
      },
    ]);
  });

  it('asks ss for 64 ports at most, and says that there are more', async () => {
    const [, second] = await take('many-ports', 2, { scope: 'all' }, { intervalMs: 20 });
    expect(runs()[1]?.match(/sport/g)?.length).toBe(64);
    const seen = second?.observation;
    expect(seen?.kind === 'table' && seen.gaps).toContainEqual({
      what: 'connections that wait at 6 ports',
      why: 'ss is asked for the 64 ports with the longest queues only',
    });
  });

  it('shows a failing source as gaps, goes on, and recovers', async () => {
    writeFileSync(join(folder, 'fail'), '');
    const taken = await take('flaky', 4, {}, { intervalMs: 50 }, (soFar) => {
      if (soFar.length === 3) rmSync(join(folder, 'fail'));
    });
    expect(kinds(taken)).toEqual(['gap failed', 'gap failed', 'gap failed', 'troubled']);
    const gap = taken[0]?.observation;
    expect(gap?.kind === 'gap' && gap.gaps).toEqual([
      {
        what: 'sockets',
        why: 'ss ended with exit code 1: Cannot open netlink socket: Resource temporarily unavailable',
      },
    ]);
    const waits = taken.slice(1).map(({ at }, index) => at - (taken[index]?.at ?? 0));
    // Tried after 50, 100 and 200 ms.
    expect(waits[2]).toBeGreaterThan((waits[0] ?? 0) + 50);
  });

  it('shows a missing ss as a fault with its remedy', async () => {
    const controller = new AbortController();
    const door = { path: folder };
    for await (const seen of observe(OPTIONS, { intervalMs: 50 }, controller.signal, door)) {
      expect(seen).toMatchObject({
        kind: 'gap',
        fault: 'missing',
        remedy: 'install iproute2 (Debian, Ubuntu) or iproute (Fedora)',
        gaps: [{ what: 'sockets', why: 'ss was not found' }],
      });
      controller.abort();
    }
  });

  it('ends at once on abort, and ends ss', async () => {
    const controller = new AbortController();
    const options = { ...OPTIONS, timeoutMs: 60_000 };
    const stream = observe(options, { intervalMs: 50 }, controller.signal, { path: pathWith('hanging') });
    const next = stream.next();
    const pid = await pidIn(join(folder, 'pid'));
    expect(isAlive(pid)).toBe(true);
    const started = performance.now();
    controller.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(performance.now() - started).toBeLessThan(400);
    await until('the end of ss', () => !isAlive(pid));
  });

  it('ends at once on abort between two ticks', async () => {
    const controller = new AbortController();
    const stream = observe(OPTIONS, { intervalMs: 60_000 }, controller.signal, { path: pathWith('slow') });
    expect((await stream.next()).value?.kind).toBe('table');
    const next = stream.next();
    await sleep(20);
    controller.abort();
    expect((await next).done).toBe(true);
  });

  it('starts nothing for a signal that has aborted', async () => {
    const stream = observe(OPTIONS, { intervalMs: 50 }, AbortSignal.abort(), { path: pathWith('slow') });
    expect((await stream.next()).done).toBe(true);
    expect(() => runs()).toThrow(/ENOENT/);
  });

  it('follows the pace: another interval, and a pause', async () => {
    const pace: Pace = { intervalMs: 60_000 };
    const controller = new AbortController();
    const stream = observe({ ...OPTIONS, scope: 'listeners' }, pace, controller.signal, {
      path: pathWith('slow'),
    });
    await stream.next();
    const second = stream.next();
    pace.intervalMs = 100;
    expect((await second).value?.kind).toBe('table');
    pace.paused = true;
    let resumed = false;
    const third = stream.next().then((result) => {
      expect(resumed).toBe(true);
      return result;
    });
    await sleep(300);
    resumed = true;
    pace.paused = false;
    const value = (await third).value;
    expect(value?.kind === 'table' && value.skippedTicks).toBe(0);
    controller.abort();
    expect((await stream.next()).done).toBe(true);
  });
});

describe('observeOnce', () => {
  it('says where and when', async () => {
    const { origin, counters, sysctls, tookMs } = await observeOnce(OPTIONS, { path: pathWith('slow') });
    expect(origin.host).toBe(hostname());
    expect(origin.netns).toMatch(/^\d+$/);
    expect(origin.bootId).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
    expect(origin.source).toBe('ss');
    expect(Math.abs(origin.time - Date.now())).toBeLessThan(10_000);
    expect(origin.monotonic).toBeLessThanOrEqual(Number(process.hrtime.bigint()) / 1e6);
    expect(counters).toHaveProperty('ListenOverflows');
    expect(counters).toHaveProperty('PassiveOpens');
    expect(sysctls?.somaxconn).toBe(Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8')));
    expect(sysctls).toHaveProperty('tcpSyncookies');
    expect(tookMs).toBeGreaterThan(0);
  });

  const noNetlink = async (): Promise<never> => {
    throw new SourceError('missing', 'sock_diag cannot be asked without the package koffi', 'install koffi');
  };

  it('with source auto and no sock_diag, reads ss, and says why in one line', async () => {
    const door = { path: pathWith('crowded'), openDiagSocket: noNetlink };
    const seen = await observeOnce({ ...OPTIONS, source: 'auto' }, door);
    expect(seen.origin.source).toBe('ss');
    expect(seen.gaps.filter(({ what }) => what === 'netlink')).toEqual([
      { what: 'netlink', why: 'sock_diag cannot be asked without the package koffi: ss is read instead' },
    ]);
  });

  it('with source auto, a kernel that is late once fails that look, and is asked again at the next', async () => {
    const socket = await openDiagSocket(1000).catch(() => undefined);
    socket?.close();
    if (socket === undefined) return;
    let opened = 0;
    const lateOnce: OpenDiagSocket = async (timeoutMs) => {
      if (opened++ === 0)
        throw new SourceError('timeout', 'could not read from sock_diag: no answer in time');
      return openDiagSocket(timeoutMs);
    };
    const door = { path: pathWith('crowded'), openDiagSocket: lateOnce };
    const signal = AbortSignal.timeout(20_000);
    const stream = observe({ ...OPTIONS, source: 'auto' }, { intervalMs: 20 }, signal, door);
    const late = (await stream.next()).value;
    expect(late).toMatchObject({
      kind: 'gap',
      fault: 'timeout',
      gaps: [{ what: 'sockets', why: 'could not read from sock_diag: no answer in time' }],
    });
    const next = (await stream.next()).value;
    expect(next).toMatchObject({ kind: 'table', origin: { source: 'netlink' } });
    await stream.return();
  });

  it('with source auto, gives ss the rest of the time only, and says why both failed', async () => {
    const lostAfter = async (): Promise<never> => {
      await sleep(300);
      throw new SourceError('failed', 'could not read from sock_diag: a part of the answer was lost');
    };
    const door = { path: pathWith('hanging'), openDiagSocket: lostAfter };
    const nothing = observeOnce({ ...OPTIONS, source: 'auto', timeoutMs: 900 }, door);
    const error = await nothing.then(
      () => undefined,
      (reason: SourceError) => reason,
    );
    expect(error).toMatchObject({ fault: 'timeout' });
    expect(error?.message).toMatch(/^ss .*; could not read from sock_diag: a part of the answer was lost$/);
    const allowed = Number(/within (\d+) ms/.exec(error?.message ?? '')?.[1]);
    expect(allowed).toBeLessThan(650);
  });

  it('with source netlink and no sock_diag, says so', async () => {
    const nothing = observeOnce({ ...OPTIONS, source: 'netlink' }, { openDiagSocket: noNetlink });
    await expect(nothing).rejects.toMatchObject({ fault: 'missing', remedy: 'install koffi' });
  });

  it('with source auto and neither sock_diag nor ss, reads /proc/net: limits are unknown, and it says why', async () => {
    const seen = await observeOnce(
      { ...OPTIONS, source: 'auto' },
      { path: folder, openDiagSocket: noNetlink },
    );
    expect(seen.origin.source).toBe('proc');
    expect(seen.gaps[0]).toEqual({
      what: 'netlink',
      why: 'sock_diag cannot be asked without the package koffi: /proc/net is read instead',
    });
    expect(seen.gaps[1]).toEqual({
      what: 'limits',
      why: 'ss was not found (install iproute2 (Debian, Ubuntu) or iproute (Fedora)): read from /proc/net, which has no limits of listeners, no dropped segments and no waiting times',
    });
  });

  it('with no source at all, names the missing ss', async () => {
    const door = { path: folder, proc: folder, openDiagSocket: noNetlink };
    const nothing = observeOnce({ ...OPTIONS, source: 'auto' }, door);
    await expect(nothing).rejects.toMatchObject({
      fault: 'missing',
      message: 'ss was not found; sock_diag cannot be asked without the package koffi',
    });
    const proc = observeOnce({ ...OPTIONS, source: 'proc' }, { proc: folder });
    await expect(proc).rejects.toMatchObject({
      fault: 'permission',
      message: `${folder}/self/net/tcp could not be read`,
    });
  });

  it('says once that ss fell back to /proc, where limits are unknown and not 0', async () => {
    const { sockets, gaps } = await observeOnce(OPTIONS, { path: pathWith('proc-fallback') });
    expect(sockets.row(1).queues).toEqual({ kind: 'listener', length: 3 });
    expect(gaps.filter(({ what }) => what === 'limits')).toEqual([
      {
        what: 'limits',
        why: 'ss fell back to /proc/net, which has no limits of listeners: load tcp_diag and unix_diag (modprobe), or ask the administrator',
      },
    ]);
  });
});
