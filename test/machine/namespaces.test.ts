import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { observeTimes } from '../../src/collect/observe.js';
import type { CheckJson } from '../../src/model/check-json.js';
import type { ConnectionJson } from '../../src/model/connection-json.js';
import { formatEndpoint } from '../../src/model/endpoint.js';
import type { SnapshotJson } from '../../src/model/json.js';
import type { ListenerJson } from '../../src/model/listener-json.js';
import { PoolWatches } from '../../src/watch/pools-of-all.js';
import { notForNobody, snapshot, sockwatch } from '../support/cli.js';
import { LiveStream } from '../support/live.js';
import { needs } from '../support/needs.js';
import { Namespace, withNamespace } from '../support/netns.js';
import { standOddSockets } from '../support/odd-sockets.js';
import { listenFromOutside } from '../support/outside.js';
import { serve } from '../support/sockets.js';

const missing = needs({ root: true, programs: ['ip', 'ss', 'nsenter', 'python3', 'setpriv'] });
const nobody = missing ?? notForNobody();
const because = missing ? ` (skipped: ${missing})` : '';

/** Other tests have namespaces of their own at the same time. */
const only = (namespaces: readonly Namespace[]) => [
  '--filter',
  `netns:${namespaces.map(({ name }) => name).join(',')}`,
];
const EVERYTHING = ['--netns', 'all', '--all', '--udp', '--unix'];

describe.skipIf(missing)(`ten namespaces full of odd sockets${because}`, () => {
  const namespaces: Namespace[] = [];
  const others: Namespace[] = [];
  let deserted: Namespace;
  let outside: { readonly pid: number; readonly port: number; readonly inode: number };
  beforeAll(async () => {
    for (let number = 0; number < 9; number++) namespaces.push(new Namespace());
    await Promise.all(namespaces.map(standOddSockets));
    deserted = new Namespace();
    outside = await listenFromOutside(deserted, namespaces[0] as Namespace, 7);
    namespaces.push(deserted);
  });
  afterAll(async () => {
    for (const namespace of [...namespaces, ...others]) await namespace.remove();
  });

  it('both sources see the same in each of them, all at once', async () => {
    // From beside them: what sockwatch talks to ss through are sockets too.
    const at = new Namespace();
    others.push(at);
    const look = (source: string) => snapshot(at, [...EVERYTHING, ...only(namespaces), '--source', source]);
    const [fromSs, fromNetlink] = [await look('ss'), await look('netlink')];
    expect([fromSs.source, fromNetlink.source]).toEqual(['ss', 'netlink']);
    for (const { id, name } of namespaces) {
      const [ss, netlink] = [inNamespace(fromSs, id), inNamespace(fromNetlink, id)];
      expect(ss.namespace).toMatchObject({ id, name });
      expect(netlink.namespace).toMatchObject({ id, name });
      expect(netlink.namespace?.sysctls).toEqual(ss.namespace?.sysctls);
      expect(Object.keys(netlink.namespace?.counters ?? {})).toEqual(
        Object.keys(ss.namespace?.counters ?? {}),
      );
      expect(netlink.listeners).toEqual(ss.listeners);
      expect(netlink.connections).toEqual(ss.connections);
      if (name === deserted.name) continue;
      expect(netlink.listeners.size).toBeGreaterThan(10);
      expect(netlink.connections.size).toBeGreaterThan(20);
    }
  });

  it('one without any process shows its listener, its own counters and settings, and an owner elsewhere', async () => {
    await deserted.sysctl('net.core.somaxconn', 77);
    const said = await snapshot(namespaces[1] as Namespace, ['--netns', deserted.name]);
    const { pid, port, inode } = outside;
    expect(said.netns).toBe(deserted.id);
    expect(said.listeners).toMatchObject([
      {
        local: `127.0.0.1:${port}`,
        inode,
        netns: deserted.id,
        netns_name: deserted.name,
        owners: [{ pid, name: 'python3' }],
        accept_queue: { backlog: 7 },
      },
    ]);
    expect(said.namespaces).toMatchObject([{ id: deserted.id, name: deserted.name }]);
    expect(said.namespaces?.[0]?.sysctls?.['net.core.somaxconn']).toBe(77);
    expect(said.counters?.PassiveOpens).toBe(await deserted.counter('PassiveOpens'));
    const fromSs = await snapshot(namespaces[1] as Namespace, ['--netns', deserted.path, '--source', 'ss']);
    expect(fromSs.namespaces?.[0]?.sysctls).toEqual(said.namespaces?.[0]?.sysctls);
    expect(fromSs.counters?.PassiveOpens).toBe(said.counters?.PassiveOpens);
  });

  it('a pid means the namespace in which that process is', async () => {
    const at = namespaces[2] as Namespace;
    const said = await snapshot(at, ['--netns', String(outside.pid)]);
    expect(said.netns).toBe(namespaces[0]?.id);
  });

  it('does not keep a namespace that its owner has removed, and says what came and went', async () => {
    const [watcher, ...others] = namespaces as [Namespace, ...Namespace[]];
    const removed = others.slice(2, 5);
    // Without a filter: the name of the one that comes later is not known yet.
    const args = ['--netns', 'all', '--interval', '300ms'];
    const live = new LiveStream(watcher, args);
    await live.until(() => live.snapshots.find((said) => hasAll(said, namespaces)));
    for (const namespace of removed) {
      namespaces.splice(namespaces.indexOf(namespace), 1);
      await namespace.remove();
    }
    for (const { name } of removed) {
      const went = await live.until(() => live.changes.find(isAbout(name, 'went')));
      expect(went).toMatchObject({ event: 'namespace', severity: 'info' });
      // A look may fall between the end of its processes and its own.
      expect(went.message).toMatch(/^went, with (no|\d+) listeners$/);
    }
    const after = await live.nextSnapshot();
    expect(
      after.listeners.filter(({ netns_name: name }) => removed.some((one) => one.name === name)),
    ).toEqual([]);
    expect(hasAll(after, namespaces)).toBe(true);
    const fresh = new Namespace();
    namespaces.push(fresh);
    expect((await live.until(() => live.changes.find(isAbout(fresh.name, 'came')))).netns).toBe(fresh.id);
    const { listening } = await serve(fresh, { backlog: 3 });
    await live.until(() =>
      live.snapshots
        .at(-1)
        ?.listeners.find(({ netns, local_port: port }) => netns === fresh.id && port === listening.port),
    );
    // All of them are sampled and heard: nothing is missing.
    expect(after.gaps.filter(({ what }) => what === 'peaks' || what === 'connections that ended')).toEqual(
      [],
    );
    expect(await live.interrupt()).toBe(130);
  });

  it.skipIf(nobody)(
    `without privilege what cannot be entered is counted${nobody ? ` (skipped: ${nobody})` : ''}`,
    async () => {
      const at = namespaces[0] as Namespace;
      const { code, stdout } = await sockwatch(at, ['snapshot', '--netns', 'all', '--format', 'json'], {
        unprivileged: true,
      });
      expect(code).toBe(0);
      const said = JSON.parse(stdout) as SnapshotJson;
      expect(said.listeners.length).toBeGreaterThan(5);
      // Those of a process of the same user may be seen, through /proc/PID/net: those of this test have none.
      const seen = new Set(said.listeners.map(({ netns }) => netns));
      expect(namespaces.filter(({ id }) => seen.has(id))).toEqual([at]);
      const whys = said.gaps.filter(({ what }) => what === 'namespaces').map(({ why }) => why);
      expect(whys).toEqual([
        expect.stringMatching(
          /^\d+ namespaces of other users could not be entered: run as root or with CAP_SYS_ADMIN$/,
        ),
        expect.stringMatching(/^those of \d+ processes of other users could not be seen: run as root /),
      ]);
      expect(Number.parseInt(whys[0] ?? '', 10)).toBeGreaterThanOrEqual(namespaces.length - 1);
      const all = ['check', '--no-config', '--no-state', '--netns', 'all', '--format', 'json'];
      const checked = await sockwatch(at, all, { unprivileged: true });
      // Of others on this host something may be worse.
      expect([2, 3]).toContain(checked.code);
      const items = (JSON.parse(checked.stdout) as CheckJson).items.filter(({ text }) =>
        /^\d+ namespaces .*could not be looked into/.test(text),
      );
      expect(items).toMatchObject([{ status: 'unknown' }]);
      const asked = ['check', '--no-config', '--no-state', '--netns', 'all', '-m', 'oldest-wait', '--filter'];
      const ofOwn = await sockwatch(at, [...asked, `netns:${at.name}`], { unprivileged: true });
      expect(ofOwn.stdout).not.toContain('could not be looked into');
      const refused = await sockwatch(at, ['snapshot', '--netns', deserted.name], { unprivileged: true });
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('could not be entered: not allowed');
    },
    30_000,
  );
});

/** What a check of several namespaces says of one of them. */
const itemOf = ({ items }: CheckJson, { name }: Namespace) =>
  items.find(({ subject }) => subject === `netns ${name}`);

/** Fills a queue of that namespace; gives how many connections overflowed there. */
async function overflowIn(namespace: Namespace): Promise<number> {
  const { listening, clients } = await serve(namespace, { backlog: 2 });
  await clients.connect(listening, 9, 3);
  return namespace.counter('ListenOverflows');
}

describe.skipIf(missing)(`check of all namespaces, run after run${because}`, () => {
  it('overflows in one that was made since are no OK, and one that went is named', async () => {
    await withNamespace(async (watcher) => {
      const state = `/tmp/sockwatch-check-all-${watcher.name}.json`;
      const args = ['check', '--no-config', '--netns', 'all', '-m', 'overflows', '--state', state];
      const run = async () => JSON.parse((await sockwatch(watcher, [...args, '--format', 'json'])).stdout);
      const first = new Namespace();
      const name = await (async () => {
        try {
          expect((await run()).namespaces).toBeUndefined(); // nothing to compare with
          expect(await overflowIn(first)).toBeGreaterThan(0);
          const known = await run();
          expect(itemOf(known, first)).toMatchObject({ status: 'warning' });
          expect(known.namespaces.new.map(nameOf)).not.toContain(first.name);
          expect(itemOf(await run(), first)?.text).not.toContain('new');
          return first.name;
        } finally {
          await first.remove();
        }
      })();
      await withNamespace(async (second) => {
        const overflows = await overflowIn(second);
        const said: CheckJson = await run();
        const item = itemOf(said, second);
        expect(item).toMatchObject({ status: 'warning' });
        expect(item?.value).toBeGreaterThanOrEqual(overflows);
        expect(item?.text).toContain('new since the last run');
        expect(said.namespaces?.new.map(nameOf)).toContain(second.name);
        expect(said.namespaces?.gone.map(nameOf)).toContain(name);
        const { stdout } = await sockwatch(watcher, args);
        expect(stdout).not.toContain(`netns ${second.name}: 0`);
        const after: CheckJson = await run();
        expect(after.namespaces?.new.map(nameOf)).not.toContain(second.name);
      });
    });
  });
});

const nameOf = ({ name }: { readonly name?: string }) => name;

describe.skipIf(missing)(`a namespace by name${because}`, () => {
  it('is checked by its own counters: overflows since the run before', async () => {
    await withNamespace((other) =>
      withNamespace(async (namespace) => {
        const { listening, clients } = await serve(namespace, { backlog: 2 });
        const state = `/tmp/sockwatch-check-${namespace.name}.json`;
        const args = ['check', '--netns', namespace.name, '-m', 'overflows', '--state', state];
        const first = await sockwatch(other, args);
        expect(first.code).toBe(0);
        await clients.connect(listening, 9, 3);
        const overflows = await namespace.counter('ListenOverflows');
        expect(overflows).toBeGreaterThan(0);
        const second = await sockwatch(other, [...args, '--format', 'json']);
        const said = JSON.parse(second.stdout);
        expect(said.netns).toBe(namespace.id);
        expect(said.items).toMatchObject([{ metric: 'overflows', status: 'warning' }]);
        expect(said.items[0].value).toBeGreaterThanOrEqual(overflows);
      }),
    );
  });

  it('is followed where it is made anew: said as an event, and nothing of the one before is subtracted', async () => {
    await withNamespace((other) =>
      withNamespace(async (namespace) => {
        const overflow = async () => {
          const { listening, clients } = await serve(namespace, { backlog: 2 });
          await clients.connect(listening, 9, 3);
          return listening;
        };
        const before = await overflow();
        const live = new LiveStream(other, ['--netns', namespace.name, '--interval', '200ms']);
        const listenerOf = (said: SnapshotJson | undefined, port: number) =>
          said?.listeners.find((one) => one.local_port === port);
        await live.until(() => live.snapshots.find((said) => listenerOf(said, before.port)));
        const oldId = namespace.id;
        await namespace.renew();
        const event = await live.until(() => live.changes.find(isAbout(namespace.name, 'is another')));
        expect(event).toMatchObject({ event: 'namespace', severity: 'info', netns: namespace.id });
        // The kernel may give the number of the one that went.
        const was = namespace.id === oldId ? 'under the same number' : `was ${oldId}`;
        expect(event.message).toContain(`made anew (${was})`);
        const after = await overflow();
        const said = await live.until(() => live.snapshots.find((one) => listenerOf(one, after.port)));
        expect(listenerOf(said, before.port)).toBeUndefined();
        expect(said.netns).toBe(namespace.id);
        expect(said.counters?.ListenOverflows).toBeLessThanOrEqual(
          await namespace.counter('ListenOverflows'),
        );
        // Gone for longer than a look: told as what it is, and found again under its name.
        await namespace.renew(async () => {
          const gone = await live.alert('raised', `netns ${namespace.name}`);
          expect(gone).toMatchObject({ rule: 'source_error', severity: 'warning' });
          expect(live.changes.filter(isAbout(namespace.name, 'went'))).toHaveLength(1);
        });
        const again = await overflow();
        await live.until(() => live.snapshots.find((one) => listenerOf(one, again.port)));
        expect(live.changes.filter(isAbout(namespace.name, 'is another'))).toHaveLength(2);
        expect(await live.interrupt()).toBe(130);
      }),
    );
  });

  it('is told of where the filter names it, whenever something listens there, and others are not', async () => {
    const other = new Namespace();
    await withNamespace((watcher) =>
      withNamespace(async (namespace) => {
        const filter = ['--filter', `netns:${namespace.name}*`];
        const live = new LiveStream(watcher, ['--netns', 'all', '--interval', '300ms', ...filter]);
        await live.until(() => live.snapshots.find((said) => hasAll(said, [namespace, other])));
        const told = (verb: string) => live.changes.filter(isAbout(namespace.name, verb)).length;
        await namespace.renew(async () => {
          await other.remove();
          await live.until(() => told('went') || undefined);
        });
        await live.until(() => told('came') || undefined);
        const { listening } = await serve(namespace, { backlog: 3 });
        await live.until(() =>
          live.snapshots.at(-1)?.listeners.find(({ local_port: port }) => port === listening.port),
        );
        expect(await live.interrupt()).toBe(130);
        expect([told('went'), told('came')]).toEqual([1, 1]);
        const others = live.changes.filter(
          ({ event, subject }) => event === 'namespace' && subject !== `netns ${namespace.name}`,
        );
        expect(others).toEqual([]);
      }),
    );
  });

  it('is judged by a check up to its end, which is no OK', async () => {
    await withNamespace((watcher) =>
      withNamespace(async (namespace) => {
        const { listening, clients } = await serve(namespace, { backlog: 2 });
        await clients.connect(listening, 3);
        const args = ['--no-config', '--no-state', '--netns', namespace.name, '--format', 'json'];
        const running = sockwatch(watcher, [
          'check',
          ...args,
          '--timeout',
          '60s',
          '--samples',
          '30',
          '--every',
          '300ms',
        ]);
        await new Promise((resolve) => setTimeout(resolve, 4000));
        await namespace.renew(() => running.then(() => {}));
        const { code, stdout } = await running;
        const said: CheckJson = JSON.parse(stdout);
        const gone = `the network namespace "${namespace.name}" went while it was watched`;
        expect(said.items.filter(({ text }) => text.startsWith(gone))).toMatchObject([{ status: 'unknown' }]);
        expect(said.items.find(({ metric }) => metric === 'accept-queue')).toMatchObject({
          value: 3,
          status: 'critical',
        });
        expect(code).toBe(2);
      }),
    );
  });

  it('outlives its end where it is looked into some times, and tells those before and after apart', async () => {
    await withNamespace(async (namespace) => {
      const options = {
        netns: [namespace.name],
        source: 'ss' as const,
        udp: false,
        unix: false,
        scope: 'all' as const,
        owners: true,
        timeoutMs: 20_000,
      };
      const connect = async () => {
        const { listening, clients } = await serve(namespace, { backlog: 9 });
        await clients.connect(listening, 3);
        return listening;
      };
      const before = await connect();
      const looks = observeTimes(options, { samples: 9, everyMs: 10 }, new AbortController().signal);
      const watch = new PoolWatches();
      const look = async () => {
        const { value } = await looks.next();
        if (value === undefined) throw new Error('no look');
        watch.take(value);
        return value;
      };
      const first = await look();
      await namespace.renew(async () => {
        const gone = await look();
        expect(gone.kind === 'gap' ? gone.gaps[0]?.why : gone.kind).toBe(
          `the network namespace "${namespace.name}" went while it was watched`,
        );
      });
      const after = await connect();
      const second = await look();
      expect([first.kind, second.kind]).toEqual(['table', 'table']);
      expect(second.origin.netnsMark).not.toBe(first.origin.netnsMark);
      await looks.return();
      const said = watch.report();
      const outbound = said?.pools.filter(({ direction }) => direction === 'outbound') ?? [];
      expect(outbound.map(({ end, open }) => [formatEndpoint(end), open]).sort()).toEqual(
        [before, after].map(({ port }) => [`127.0.0.1:${port}`, 3]).sort(),
      );
      expect(said?.gaps).toContainEqual({
        what: `netns ${namespace.name}`,
        why: 'made anew while it was watched: what was seen of the one before is told apart, up to then',
      });
    });
  });

  it('where the source can read none of them, all fail: nothing read is not all well', async () => {
    await withNamespace(async (namespace) => {
      const env = { NODE_OPTIONS: '--no-addons' };
      const all = ['--netns', 'all', '--source', 'netlink'];
      const looked = await sockwatch(namespace, ['snapshot', ...all], { env });
      expect(looked.code).toBe(1);
      expect(looked.stderr).toContain('koffi');
      const checked = await sockwatch(namespace, ['check', '--no-config', '--no-state', ...all], { env });
      expect(checked.code).toBe(3);
      expect(checked.stdout).toContain('koffi');
    });
  });

  it('that nobody has is a plain error', async () => {
    await withNamespace(async (namespace) => {
      const { code, stderr } = await sockwatch(namespace, ['snapshot', '--netns', 'sw-nobody']);
      expect(code).toBe(1);
      expect(stderr).toContain('no network namespace or container is called "sw-nobody"');
      const otherKind = await sockwatch(namespace, ['snapshot', '--netns', '/proc/self/ns/mnt']);
      expect(otherKind.code).toBe(1);
      expect(otherKind.stderr).toContain('"/proc/self/ns/mnt" is no network namespace');
      const unset = await sockwatch(namespace, ['snapshot', '--netns', '']);
      expect(unset.code).toBe(2);
      expect(unset.stderr).toContain('--netns: expected a name, a pid, a path or all');
    });
  });
});

describe.skipIf(missing)(`several namespaces by name${because}`, () => {
  const both = (use: (first: Namespace, second: Namespace, beside: Namespace) => Promise<void>) =>
    withNamespace((first) =>
      withNamespace((second) => withNamespace((beside) => use(first, second, beside))),
    );
  const portsIn = (said: SnapshotJson, { id }: Namespace) =>
    said.listeners.filter(({ netns }) => netns === id).map(({ local_port: port }) => port);

  it('each once, whichever way it was named, in the shape of all of them', async () => {
    await both(async (first, second, beside) => {
      const [one, two] = [await serve(first, { backlog: 3 }), await serve(second, { backlog: 3 })];
      const pid = String(one.server.pid);
      const ways = [
        ['--netns', `${first.name},${second.name}`],
        ['--netns', first.path, '--netns', `${second.id}, ${pid},${first.name}`],
      ];
      for (const args of ways) {
        const said = await snapshot(beside, args);
        expect(said.namespaces?.map(({ id }) => id).sort()).toEqual([first.id, second.id].sort());
        expect(portsIn(said, first)).toEqual([one.listening.port]);
        expect(portsIn(said, second)).toEqual([two.listening.port]);
        expect(said.netns).toBe(beside.id);
        expect(said.gaps).toEqual([]);
      }
      for (const command of ['diagnose', 'pools']) {
        // A shorter watch could not judge some rules, and would say so.
        const words = [command, '--duration', '1200ms', '--interval', '200ms', '--format', 'json'];
        const { code, stdout } = await sockwatch(beside, [
          ...words,
          '--netns',
          `${first.name},${second.name}`,
        ]);
        expect(code).toBe(0);
        expect(JSON.parse(stdout).gaps).toEqual([]);
        if (command === 'diagnose') expect(JSON.parse(stdout).looked_at).toMatchObject({ listeners: 2 });
      }
    });
  });

  it('one that is not there is said, and the others are looked into; without any of them it is an error', async () => {
    await both(async (first, second, beside) => {
      const { listening } = await serve(first, { backlog: 3 });
      await serve(second, { backlog: 3 });
      const said = await snapshot(beside, ['--netns', `${first.name},sw-nobody`]);
      expect(said.listeners.map(({ local_port: port }) => port)).toEqual([listening.port]);
      expect(said.gaps.map(({ what, why }) => `${what}: ${why}`)).toEqual([
        'netns "sw-nobody": not looked into: no network namespace or container is called "sw-nobody": see what there is with: sockwatch snapshot --netns all',
      ]);
      const checked = await sockwatch(beside, [
        'check',
        '--no-config',
        '--no-state',
        '--netns',
        `${first.name},sw-nobody`,
      ]);
      expect(checked.code).toBe(3);
      expect(checked.stdout).toContain('UNKNOWN: sockets of netns "sw-nobody" cannot be read: no network');
      // What comes behind the flag is no further name.
      const file = join(mkdtempSync(join(tmpdir(), 'sw-several-')), 'r.ndjson');
      const recorded = await sockwatch(beside, [
        'record',
        '--count',
        '1',
        '--netns',
        `${first.name},${second.name}`,
        file,
      ]);
      expect(recorded.code).toBe(0);
      const again = await snapshot(beside, ['--from', file]);
      expect(again.namespaces?.map(({ id }) => id).sort()).toEqual([first.id, second.id].sort());
      const none = await sockwatch(beside, ['snapshot', '--netns', 'sw-nobody,sw-no-other']);
      expect(none).toMatchObject({ code: 1, stdout: '' });
      expect(none.stderr).toMatch(/called "sw-nobody"; .* called "sw-no-other"/);
      const mixed = await sockwatch(beside, ['live', '--format', 'lines', '--netns', 'all,web']);
      expect(mixed.code).toBe(2);
      expect(mixed.stderr).toContain('--netns: expected all alone, or names without it');
    });
  });

  it.skipIf(nobody)(
    `one that may not be entered is named${nobody ? ` (skipped: ${nobody})` : ''}`,
    async () => {
      await both(async (first, second) => {
        await serve(first, { backlog: 3 });
        const words = ['snapshot', '--format', 'json', '--netns', `${first.path},${second.path}`];
        const { code, stdout } = await sockwatch(first, words, { unprivileged: true });
        expect(code).toBe(0);
        const said = JSON.parse(stdout) as SnapshotJson;
        expect(said.namespaces?.map(({ id }) => id)).toEqual([first.id]);
        expect(said.gaps.filter(({ what }) => what.startsWith('netns')).map(({ why }) => why)).toEqual([
          expect.stringMatching(/^not looked into: .* could not be entered: not allowed: run as root/),
        ]);
      });
    },
  );

  it('are followed as they come, go and are made anew', async () => {
    await both(async (first, second, beside) => {
      await serve(first, { backlog: 3 });
      const nowhere = `${second.name}-nowhere`;
      const live = new LiveStream(beside, [
        '--netns',
        `${first.name},${second.name},${nowhere}`,
        '--interval',
        '200ms',
      ]);
      await live.until(() => live.snapshots.find((said) => hasAll(said, [first, second])));
      expect(live.snapshots.at(-1)?.gaps.map(({ what }) => what)).toContain(`netns "${nowhere}"`);
      await second.renew();
      const two = await serve(second, { backlog: 3 });
      await live.until(() =>
        live.snapshots.find((said) => portsIn(said, second).includes(two.listening.port)),
      );
      expect(live.changes.some(isAbout(second.name, 'went'))).toBe(true);
      expect(live.changes.some(isAbout(second.name, 'came'))).toBe(true);
      await first.remove();
      await live.until(() => live.changes.find(isAbout(first.name, 'went')));
      const after = await live.nextSnapshot();
      expect(after.listeners.map(({ local_port: port }) => port)).toEqual([two.listening.port]);
      expect(after.gaps.map(({ what }) => what)).toContain(`netns "${first.name}"`);
      // Both are gone: a fault, as of one name.
      await second.remove();
      await live.until(() => live.alerts.find(({ rule }) => rule === 'source_error'));
      expect(await live.interrupt()).toBe(130);
    });
  });

  it('are checked each against its own past: one made anew with zero, and others are no news', async () => {
    await both(async (first, second, beside) => {
      const state = `/tmp/sockwatch-check-several-${beside.name}.json`;
      const run = async (asked: string): Promise<CheckJson> => {
        const args = ['check', '--no-config', '--netns', asked, '-m', 'overflows', '--state', state];
        return JSON.parse((await sockwatch(beside, [...args, '--format', 'json'])).stdout);
      };
      await serve(first, { backlog: 9 });
      await run(`${first.name},${second.name}`);
      const overflows = await overflowIn(second);
      const said = await run(`${second.name},${first.name}`);
      expect(itemOf(said, first)).toMatchObject({ value: 0, status: 'ok' });
      expect(itemOf(said, second)).toMatchObject({ status: 'warning' });
      expect(itemOf(said, second)?.value).toBeGreaterThanOrEqual(overflows);
      expect(said.namespaces).toEqual({ new: [], gone: [] });
      await second.renew();
      const anew = await overflowIn(second);
      // Nobody asked for this one.
      await withNamespace(async (other) => {
        await overflowIn(other);
        const after = await run(`${first.name},${second.name}`);
        expect(itemOf(after, second)?.text).toContain('new since the last run');
        expect(itemOf(after, second)?.value).toBeGreaterThanOrEqual(anew);
        expect(after.namespaces?.new.map(nameOf)).toEqual([second.name]);
        expect(after.namespaces?.gone.map(nameOf)).toEqual([second.name]);
        expect(after.items).toHaveLength(2);
      });
      expect((await run(`${first.name},${second.name}`)).namespaces).toEqual({ new: [], gone: [] });
    });
  });
});

const isAbout = (name: string, verb: string) => (change: { subject: string; message: string }) =>
  change.subject === `netns ${name}` && change.message.startsWith(verb);

const hasAll = (said: SnapshotJson, namespaces: readonly Namespace[]): boolean =>
  namespaces.every(({ id }) => said.namespaces?.some((one) => one.id === id));

/** Without what moves while nothing happens; Unix cookies ss does not print. */
function inNamespace(said: SnapshotJson, id: string) {
  const here = <T extends { netns?: string }>(list: readonly T[] = []) =>
    list.filter(({ netns }) => netns === id);
  return {
    namespace: said.namespaces?.find((one) => one.id === id),
    listeners: byIdentity(here(said.listeners)),
    connections: byIdentity(here(said.connections)),
  };
}

// `reset` and `cgroup_id`: ss cannot tell them.
const MOVING =
  /^reset$|^cgroup_id$|_ms$|^retransmit|^verdict$|^findings$|^evidence$|^advice$|^severity$|^timer$|^drops$/;

function byIdentity(sockets: readonly (ListenerJson | ConnectionJson)[]): Map<string, unknown> {
  return new Map(
    sockets.map((socket) => {
      const { cookie, ...rest } = socket;
      const kept = socket.protocol === 'unix' ? rest : { cookie, ...rest };
      const settled = JSON.parse(
        JSON.stringify(kept, (key, value) => (MOVING.test(key) ? undefined : value)),
      );
      const { protocol, local, inode } = socket;
      const remote = 'remote' in socket ? socket.remote : '';
      return [`${protocol} ${local} ${remote} ${inode}`, settled];
    }),
  );
}
