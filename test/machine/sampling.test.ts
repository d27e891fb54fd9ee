import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { AlertJson, SnapshotJson } from '../../src/model/json.js';
import type { ListenerJson } from '../../src/model/listener-json.js';
import { isAlert, isSnapshot, listenersOn, notForNobody, replay, saidIn, sockwatch } from '../support/cli.js';
import { LiveStream } from '../support/live.js';
import { needs } from '../support/needs.js';
import { type Namespace, withNamespace } from '../support/netns.js';
import { meanwhile, PATIENCE_MS, poll } from '../support/poll.js';
import { abstractName, type Listening, Server } from '../support/sockets.js';

const missing = needs({ root: true, programs: ['ip', 'nsenter', 'python3', 'setpriv'] });
const nobody = missing ?? notForNobody();
/** A burst that falls into a pause of the sampler is repeated: on a busy machine a thread may wait for its turn. */
const MOST_BURSTS = 15;

/** A server with three listeners of backlog 4, and `live` with one look per second beside it, after its first samples. */
async function watched(namespace: Namespace, args: readonly string[] = []) {
  const server = await Server.start(namespace);
  const listeners: Listening[] = [];
  for (let count = 0; count < 3; count++) listeners.push(await server.listen({ backlog: 4 }));
  const live = new LiveStream(namespace, ['--no-owners', '--source', 'netlink', ...args]);
  const first = listeners[0] as Listening;
  await live.until(() =>
    live.since(0, first.port).find(({ accept_queue: { samples } }) => samples !== undefined),
  );
  return { server, live, burst: listeners[1] as Listening, others: [first, listeners[2] as Listening] };
}

/** The look that ends the window in which something happened at a listener. */
const windowWith = (
  live: LiveStream,
  port: number,
  since: number,
  what: (listener: ListenerJson) => boolean,
) => live.until(() => live.since(since, port).find(what));

describe.skipIf(missing)(`bursts between two looks${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it.each([20, 100])('%i ms that fill a backlog: seen, peak right, at the right listener', async (holdMs) => {
    await withNamespace(async (namespace) => {
      const { server, live, burst, others } = await watched(namespace);
      let seen: ListenerJson | undefined;
      for (let attempt = 0; attempt < MOST_BURSTS && seen === undefined; attempt++) {
        const since = Date.now();
        expect((await server.burst(burst, 5, holdMs)).accepted).toBe(5);
        // The second look after it has the whole of it behind it.
        const looks = await live.until(() => {
          const all = live.since(since, burst.port);
          return all.length >= 2 ? all : undefined;
        });
        seen = looks.find(({ accept_queue: { samples } }) => (samples?.full_share ?? 0) > 0);
        // What was not seen was shorter than the longest gap that is stated.
        if (seen === undefined)
          expect(
            Math.max(...looks.map(({ accept_queue: { samples } }) => samples?.longest_gap_ms ?? Infinity)),
          ).toBeGreaterThanOrEqual(holdMs - 2);
      }
      expect(seen).toMatchObject({
        accept_queue: { backlog: 4, capacity: 5, peak: 5, samples: { peak: 5, full_times: 1 } },
        dropped_segments: 0,
      });
      expect(seen?.accept_queue.peak_is_least).toBeUndefined();
      expect(seen?.findings).toContain('accept_queue_full');
      expect(seen?.evidence.map(({ text }) => text).join('\n')).toMatch(
        /full in \d+ of [\d,]+ samples, \d+ ms apart \(\d+ ms at most\)/,
      );
      const alert = await live.alert('raised', `127.0.0.1:${burst.port}`);
      expect(alert).toMatchObject({ rule: 'accept_queue_full', severity: 'warning' });
      for (const { port } of others)
        for (const { accept_queue, findings } of live.since(0, port)) {
          expect(accept_queue.peak ?? 0).toBe(0);
          expect(findings).toEqual([]);
        }
      expect(await live.interrupt()).toBe(130);
    });
  });

  it('5 ms: drops are counted and attributed, and a peak that no sample saw is a lower bound', async () => {
    await withNamespace(async (namespace) => {
      const { server, live, burst } = await watched(namespace);
      const since = Date.now();
      let dropped = 0;
      for (let count = 0; count < 4; count++) {
        await server.burst(burst, 9, 5);
        dropped = await namespace.counter('ListenOverflows');
        const { accept_queue, findings, window, evidence } = await windowWith(
          live,
          burst.port,
          since,
          ({ dropped_segments }) => dropped_segments === dropped,
        );
        expect(window?.overflows_delta).toBeGreaterThan(0);
        expect(findings).toContain('accept_queue_overflow');
        expect(evidence.map(({ text }) => text).join('\n')).toContain('only this listener dropped segments');
        // Seen full, or not; then it says that there was more.
        const { full_share, peak_is_least } = accept_queue.samples ?? {};
        expect(peak_is_least).toBe(full_share === 0 ? true : undefined);
        if ((accept_queue.peak ?? 0) < 5) expect(accept_queue.peak_is_least).toBe(true);
        else expect(accept_queue.peak).toBe(5);
      }
      const told = live
        .since(since, burst.port)
        .reduce((sum, { dropped_segments_delta: delta = 0 }) => sum + delta, 0);
      expect(told).toBe(dropped);
      expect(dropped).toBeGreaterThanOrEqual(4 * 4);
      await live.interrupt();
    });
  });

  it('a listener that comes, fills and goes between two looks is told by name', async () => {
    await withNamespace(async (namespace) => {
      const { server, live } = await watched(namespace, ['--interval', '3s']);
      const names: string[] = [];
      const alert = await poll(
        async () => {
          const passing = await server.listen({ backlog: 2 });
          names.push(`127.0.0.1:${passing.port}`);
          await server.burst(passing, 3, 100);
          await server.close(passing);
          await sleep(200);
          return live.alerts.find(
            ({ subject, phase }) => phase === 'raised' && names.includes(subject ?? ''),
          );
        },
        'an alert about a listener that is gone',
        60_000,
      );
      expect(alert).toMatchObject({ rule: 'accept_queue_full' });
      expect(alert.message).toMatch(/which is gone now, was full: 3 connections of backlog 2/);
      await live.interrupt();
    });
  });

  it('a Unix listener', async () => {
    await withNamespace(async (namespace) => {
      const path_hex = abstractName(`sw-${process.pid}-burst`);
      const server = await Server.start(namespace);
      const socket = await server.listen({ kind: 'unix-stream', path_hex, backlog: 4 });
      const live = new LiveStream(namespace, ['--unix', '--no-owners', '--source', 'netlink']);
      const seen = await poll(
        async () => {
          await server.burst(socket, 5, 100);
          return live.snapshots
            .flatMap(({ listeners }) => listeners)
            .find(
              ({ inode, accept_queue }) =>
                inode === socket.inode && (accept_queue.samples?.full_share ?? 0) > 0,
            );
        },
        'a full Unix listener',
        40_000,
      );
      expect(seen).toMatchObject({ protocol: 'unix', accept_queue: { peak: 5, backlog: 4 } });
      expect(seen.findings).toContain('unix_queue_full');
      await live.interrupt();
    });
  });

  it.skipIf(nobody)(`without privilege${nobody ? ` (skipped: ${nobody})` : ''}`, async () => {
    await withNamespace(async (namespace) => {
      const server = await Server.start(namespace);
      const listening = await server.listen({ backlog: 4 });
      const running = sockwatch(
        namespace,
        ['live', '--format', 'ndjson', '--duration', '8s', '--no-unix', '--no-config'],
        {
          unprivileged: true,
          timeoutMs: 40_000,
        },
      );
      let isOver = false;
      const { code, stdout } = await Promise.race([
        running.then((finished) => {
          isOver = true;
          return finished;
        }),
        (async () => {
          while (!isOver) {
            await server.burst(listening, 5, 100);
            await sleep(300);
          }
          return running;
        })(),
      ]);
      expect(code).toBe(0);
      const looks = snapshotsIn(stdout).flatMap((said) => listenersOn(said, listening.port));
      expect(looks.some(({ accept_queue: { samples } }) => (samples?.full_share ?? 0) > 0)).toBe(true);
      expect(looks.at(-1)?.accept_queue.peak).toBe(5);
    });
  });
});

describe.skipIf(missing)(`samples elsewhere${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sw-samples-'));
  const path = join(folder, 'burst.ndjson.gz');

  it('are recorded, and replayed with the same peaks and alerts', async () => {
    try {
      await withNamespace(async (namespace) => {
        const { server, live, burst } = await watched(namespace, ['--record', path]);
        await poll(async () => {
          await server.burst(burst, 5, 100);
          return live.alerts.find(({ rule }) => rule === 'accept_queue_full');
        }, 'an alert');
        await live.nextSnapshot();
        await live.interrupt();
        const replayed = await replay(namespace, path);
        expect(replayed).toMatchObject({ code: 0, stderr: '' });
        const queues = (said: readonly SnapshotJson[]) =>
          said.map(({ listeners }) =>
            listeners.map(({ inode, accept_queue, verdict, findings, evidence }) => ({
              inode,
              accept_queue,
              verdict,
              findings,
              evidence,
            })),
          );
        expect(queues(snapshotsIn(replayed.stdout)).slice(0, live.snapshots.length)).toEqual(
          queues(live.snapshots),
        );
        const raised = (alerts: readonly AlertJson[]) =>
          alerts.map(({ phase, rule, subject, message }) => ({ phase, rule, subject, message }));
        expect(raised(saidIn(replayed.stdout).filter(isAlert))).toEqual(raised(live.alerts));

        const checked = await sockwatch(namespace, [
          'check',
          '--replay',
          path,
          '--no-config',
          '--port',
          String(burst.port),
        ]);
        expect(checked.code).toBe(2);
        expect(checked.stdout).toMatch(/accept queue (at )?5\/5 \(100%\)/);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('check looks between its looks', async () => {
    await withNamespace(async (namespace) => {
      const server = await Server.start(namespace);
      const listening = await server.listen({ backlog: 4 });
      const check = (...args: string[]) =>
        sockwatch(namespace, [
          'check',
          '--no-config',
          '--no-state',
          '--metric',
          'accept-queue',
          '--samples',
          '2',
          '--every',
          '1500ms',
          '--port',
          String(listening.port),
          ...args,
        ]);
      const found = await poll(
        async () => {
          // Nobody knows when its first look is over.
          const running = check();
          await meanwhile(running, 400, () => server.burst(listening, 5, 60));
          const finished = await running;
          // A look may fall into a burst, and says that then.
          return finished.stdout.includes('for a moment') ? finished : undefined;
        },
        'a check that sees a burst',
        2 * PATIENCE_MS,
      );
      expect(found.stdout).toMatch(
        /^CRITICAL: .*accept queue at 5\/5 \(100%\) for a moment, full in \d+ of \d+ samples/m,
      );
      expect(found.stdout).toMatch(/accept.queue.*=5;/);

      // Nobody samples: only what a look sees counts.
      const blind = check('--sample-rate', '0');
      await sleep(900);
      await server.burst(listening, 5, 20);
      expect((await blind).stdout).not.toContain('samples,');
    });
  });

  it('with ss there are none, and that is said', async () => {
    await withNamespace(async (namespace) => {
      const server = await Server.start(namespace);
      const { port } = await server.listen({ backlog: 4 });
      const run = (...args: string[]) =>
        sockwatch(namespace, [
          'live',
          '--format',
          'ndjson',
          '--count',
          '2',
          '--interval',
          '300ms',
          '--no-config',
          '--no-owners',
          ...args,
        ]);
      const [blind, asked] = [await run('--source', 'ss', '--sample-rate', '0'), await run('--source', 'ss')];
      const peaks = (stdout: string) =>
        snapshotsIn(stdout).flatMap(({ gaps }) => gaps.filter(({ what }) => what === 'peaks'));
      expect(peaks(blind.stdout)).toEqual([]);
      expect(peaks(asked.stdout)[0]?.why).toBe(
        'of one look at each refresh, not 100 samples per second: only the source netlink can be asked often enough (--sample-rate 0 asks for none)',
      );
      expect(
        snapshotsIn(asked.stdout)
          .flatMap((said) => listenersOn(said, port))
          .every(({ accept_queue }) => accept_queue.samples === undefined),
      ).toBe(true);
      const without = await sockwatch(
        namespace,
        ['live', '--format', 'ndjson', '--count', '2', '--interval', '300ms', '--no-config', '--no-owners'],
        {
          env: { NODE_OPTIONS: '--no-addons' },
        },
      );
      expect(peaks(without.stdout)[0]?.why).toContain('only the source netlink');
    });
  });
});

const snapshotsIn = (stdout: string): SnapshotJson[] => saidIn(stdout).filter(isSnapshot);
