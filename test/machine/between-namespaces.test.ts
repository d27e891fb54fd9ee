import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ClosedGroupJson } from '../../src/model/closed-json.js';
import type { SnapshotJson } from '../../src/model/json.js';
import type { ListenerJson } from '../../src/model/listener-json.js';
import { sockwatch } from '../support/cli.js';
import { LiveStream } from '../support/live.js';
import { needs } from '../support/needs.js';
import { Namespace, withNamespace } from '../support/netns.js';
import { poll } from '../support/poll.js';
import { type Listening, Server } from '../support/sockets.js';

const missing = needs({ root: true, programs: ['ip', 'nsenter', 'python3'] });
const because = missing ? ` (skipped: ${missing})` : '';
const PORT = 9300;
const END = `127.0.0.1:${PORT}`;
/** A burst that falls into a pause of the sampler is repeated: on a busy machine a thread may wait for its turn. */
const MOST_BURSTS = 15;

interface Place {
  readonly namespace: Namespace;
  readonly server: Server;
  readonly listening: Listening;
}

/** A server at the same address and port in each of two namespaces. */
async function twins<T>(use: (a: Place, b: Place) => Promise<T>): Promise<T> {
  const place = async (namespace: Namespace): Promise<Place> => {
    const server = await Server.start(namespace);
    return { namespace, server, listening: await server.listen({ port: PORT, backlog: 4 }) };
  };
  return withNamespace((one) => withNamespace(async (other) => use(await place(one), await place(other))));
}

const only = (...places: readonly Place[]) => [
  '--filter',
  `netns:${places.map(({ namespace }) => namespace.name).join(',')}`,
];

const listenersIn = (said: SnapshotJson | undefined, { namespace, listening }: Place): ListenerJson[] =>
  (said?.listeners ?? []).filter(
    ({ netns, local_port: port }) => netns === namespace.id && port === listening.port,
  );

/** `live` in a namespace of its own, once it samples in all of the others. */
async function watching(at: Namespace, args: readonly string[], places: readonly Place[]) {
  const live = new LiveStream(at, ['--netns', 'all', '--no-owners', '--source', 'netlink', ...args]);
  await live.until(() =>
    live.snapshots.find((said) =>
      places.every((place) =>
        listenersIn(said, place).some(({ accept_queue: { samples } }) => samples !== undefined),
      ),
    ),
  );
  return live;
}

/** Looks at a listener after a time (ms of the wall clock). */
const looksAt = ({ snapshots }: LiveStream, place: Place, since = 0) =>
  snapshots.filter(({ time }) => Date.parse(time) >= since).flatMap((said) => listenersIn(said, place));

async function burst(live: LiveStream, place: Place, holdMs: number): Promise<ListenerJson | undefined> {
  const since = Date.now();
  expect((await place.server.burst(place.listening, 5, holdMs)).accepted).toBe(5);
  const looks = await live.until(() => {
    const all = looksAt(live, place, since);
    return all.length >= 2 ? all : undefined;
  });
  return looks.find(({ accept_queue: { samples } }) => (samples?.full_share ?? 0) > 0);
}

describe.skipIf(missing)(`between the looks into several namespaces${because}`, () => {
  it.each([20, 100])(
    'a burst of %i ms is seen in its namespace, and not at its twin of the same address',
    { timeout: 180_000 },
    async (holdMs) => {
      await twins((a, b) =>
        withNamespace(async (watcher) => {
          const live = await watching(watcher, only(a, b), [a, b]);
          let seen: ListenerJson | undefined;
          for (let count = 0; count < MOST_BURSTS && seen === undefined; count++)
            seen = await burst(live, b, holdMs);
          expect(seen).toMatchObject({
            inode: b.listening.inode,
            netns: b.namespace.id,
            accept_queue: { backlog: 4, capacity: 5, peak: 5, samples: { peak: 5, full_times: 1 } },
          });
          expect(seen?.findings).toContain('accept_queue_full');
          const alert = await live.alert('raised', `${END} (netns ${b.namespace.name})`);
          expect(alert).toMatchObject({ rule: 'accept_queue_full', netns: b.namespace.id });
          for (const { accept_queue, findings } of looksAt(live, a)) {
            expect(accept_queue.peak ?? 0).toBe(0);
            expect(findings).toEqual([]);
          }
          // Nothing is missing there that would have to be said.
          expect(live.snapshots.at(-1)?.gaps.filter(({ what }) => /peaks|ended/.test(what))).toEqual([]);
          expect(await live.interrupt()).toBe(130);
        }),
      );
    },
  );

  it('one by its name is sampled too, and its ends are heard', { timeout: 120_000 }, async () => {
    await twins((a, b) =>
      withNamespace(async (watcher) => {
        const live = new LiveStream(watcher, ['--netns', b.namespace.name, '--no-owners']);
        await live.until(() =>
          looksAt(live, b).find(({ accept_queue: { samples } }) => samples !== undefined),
        );
        await a.server.burst(a.listening, 5, 100);
        const seen = await poll(() => burst(live, b, 100), 'a burst', 60_000);
        expect(seen.accept_queue.peak).toBe(5);
        const closed = await poll(() => settledEnds(live, b), 'connections that ended');
        const opened = await b.namespace.counter('PassiveOpens');
        expect(closed.closed).toBe(opened);
        await live.interrupt();
      }),
    );
  });

  it('connections that ended are counted where they were', { timeout: 120_000 }, async () => {
    await twins((a, b) =>
      withNamespace(async (watcher) => {
        const live = await watching(watcher, ['--interval', '300ms', ...only(a, b)], [a, b]);
        for (let round = 0; round < 8; round++) await b.server.burst(b.listening, 5, 1);
        await a.server.burst(a.listening, 3, 1);
        await live.until(() => (endsAt(live, b) === 40 && endsAt(live, a) === 3 ? true : undefined));
        await live.nextSnapshot();
        const last = await live.nextSnapshot();
        expect(groupsOf(last, b).map(({ direction, closed }) => [direction, closed])).toEqual(
          expect.arrayContaining([
            ['inbound', 40],
            ['outbound', 40],
          ]),
        );
        expect(groupsOf(last, a).find(({ direction }) => direction === 'inbound')).toMatchObject({
          closed: 3,
          netns: a.namespace.id,
          netns_name: a.namespace.name,
        });
        expect(await b.namespace.counter('PassiveOpens')).toBe(40);
        // In the columns of the listeners too.
        const told = (place: Place) =>
          looksAt(live, place).reduce((sum, { window }) => sum + (window?.closed_per_second ?? 0), 0);
        expect(told(a)).toBeGreaterThan(0);
        expect(told(b)).toBeGreaterThan(told(a));
        await live.interrupt();
      }),
    );
  });

  it.each(['live', 'a screen that stands still'])(
    'a namespace that is removed is let go by %s: its cable goes',
    { timeout: 60_000 },
    async (how) => {
      await withNamespace(async (watcher) => {
        const place = new Namespace();
        const cable = `swc${process.pid % 100_000}`;
        link(watcher, 'add', cable, 'type', 'veth', 'peer', 'name', cable, 'netns', place.name);
        const server = await Server.start(place);
        const listening = await server.listen({ port: PORT, backlog: 4 });
        // The next look comes too late for that.
        const args = how === 'live' ? [] : ['--interval', '20s'];
        const live = new LiveStream(watcher, ['--netns', 'all', '--no-owners', ...args]);
        const there = { namespace: place, server, listening };
        await live.until(() => {
          const looks = looksAt(live, there);
          return how === 'live'
            ? looks.find(({ accept_queue: { samples } }) => samples !== undefined)
            : looks[0];
        });
        // The thread has opened its sockets there.
        await poll(() => (socketsIn(place) >= 2 ? true : undefined), 'sockets of sockwatch in it');
        await place.remove();
        await poll(() => (hasLink(watcher, cable) ? undefined : true), 'the end of the namespace', 15_000);
        expect(await live.interrupt()).toBe(130);
      });
    },
  );

  it('is recorded, and replayed as it was', { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sw-between-'));
    const path = join(folder, 'several.ndjson.gz');
    try {
      await twins((a, b) =>
        withNamespace(async (watcher) => {
          const filter = only(a, b);
          const live = await watching(watcher, [...filter, '--record', path], [a, b]);
          await poll(() => burst(live, b, 100), 'a burst', 60_000);
          await live.nextSnapshot();
          await live.interrupt();
          const args = ['live', '--replay', path, '--format', 'ndjson', '--no-config', ...filter];
          const replayed = await sockwatch(watcher, args);
          expect(replayed.code).toBe(0);
          const again = replayed.stdout
            .split('\n')
            .filter((line) => line.includes('"sockwatch.snapshot/1"'))
            .map((line) => JSON.parse(line) as SnapshotJson);
          const seen = (said: readonly SnapshotJson[]) =>
            said.slice(0, live.snapshots.length).map(({ listeners, closed }) => ({
              // A frame has one time for the looks of one round.
              queues: listeners.map(
                ({ netns, inode, accept_queue: { peak_time: _, ...queue }, findings }) => ({
                  netns,
                  inode,
                  queue,
                  findings,
                }),
              ),
              ended: closed?.groups.map(({ netns, direction, closed: count }) => [netns, direction, count]),
            }));
          expect(seen(again)).toEqual(seen(live.snapshots));
          expect(again.some((said) => groupsOf(said, b).length > 0)).toBe(true);
        }),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('check looks between its looks there too', { timeout: 120_000 }, async () => {
    await twins((a, b) =>
      withNamespace(async (watcher) => {
        const found = await poll(
          async () => {
            const running = sockwatch(watcher, [
              ...['check', '--no-config', '--no-state', '--metric', 'accept-queue', '--netns', 'all'],
              ...['--samples', '2', '--every', '2s', '--port', String(PORT), ...only(a, b)],
            ]);
            const finished = await burstsUntil(running, b);
            return finished.stdout.includes('for a moment') ? finished : undefined;
          },
          'a check that sees a burst',
          90_000,
        );
        expect(found.code).toBe(2);
        expect(found.stdout).toMatch(
          new RegExp(`^SOCKWATCH CRITICAL.*${b.namespace.name}.* 5/5 \\(100%\\) for a moment`),
        );
        expect(found.stdout.split('|')[0]).not.toContain(a.namespace.name);
      }),
    );
  });
});

/** One after the other: nobody knows when the first look of a program is over. */
async function burstsUntil<T>(running: Promise<T>, { server, listening }: Place): Promise<T> {
  let isOver = false;
  const ended = running.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    await server.burst(listening, 5, 60);
    await Promise.race([ended, sleep(400)]);
  }
  return ended;
}

const groupsOf = (said: SnapshotJson | undefined, { namespace }: Place): ClosedGroupJson[] =>
  (said?.closed?.groups ?? []).filter(({ netns }) => netns === namespace.id);

const endsAt = ({ snapshots }: LiveStream, place: Place): number | undefined =>
  groupsOf(snapshots.at(-1), place).find(({ direction, end }) => direction === 'inbound' && end === END)
    ?.closed;

/** The connections that came in, once two looks in a row agree. */
function settledEnds({ snapshots }: LiveStream, place: Place): ClosedGroupJson | undefined {
  const [before, last] = snapshots
    .slice(-2)
    .map((said) => groupsOf(said, place).find(({ direction }) => direction === 'inbound'));
  return before !== undefined && before.closed === last?.closed ? last : undefined;
}

const link = (namespace: Namespace, ...args: string[]): string =>
  execFileSync('ip', ['-n', namespace.name, 'link', ...args], { encoding: 'utf8', stdio: 'pipe' });

function hasLink(namespace: Namespace, name: string): boolean {
  try {
    link(namespace, 'show', 'dev', name);
    return true;
  } catch {
    return false;
  }
}

/** Sockets of NETLINK_SOCK_DIAG there, as the kernel lists them. */
const socketsIn = ({ path }: Namespace): number =>
  execFileSync('nsenter', [`--net=${path}`, '--', 'cat', '/proc/thread-self/net/netlink'], {
    encoding: 'utf8',
  })
    .split('\n')
    .filter((text) => text.trim().split(/\s+/)[1] === '4').length;
