import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SnapshotJson } from '../../src/model/json.js';
import { Cgroup, cgroupRoot } from '../support/cgroups.js';
import { NOBODY, notForNobody, RUN_JS, snapshot, sockwatch } from '../support/cli.js';
import { LiveStream } from '../support/live.js';
import { needs } from '../support/needs.js';
import { Namespace } from '../support/netns.js';
import { poll } from '../support/poll.js';

const root = cgroupRoot();
const missing =
  needs({ root: true, programs: ['ip', 'nsenter', 'python3', 'setpriv'] }) ??
  (root === undefined ? 'needs cgroups of version 2' : undefined);
const nobody = missing ?? notForNobody();
const because = missing ? ` (skipped: ${missing})` : '';

const newId = () => randomBytes(32).toString('hex');
const LISTEN = `import socket,sys,time
s=socket.socket();s.bind(('127.0.0.1',0));s.listen(3)
print(s.getsockname()[1],flush=True)
time.sleep(1000)`;

/** The port that a program says it listens on. */
const portOf = async (child: ChildProcess) => {
  if (child.stdout === null) throw new Error('no stdout');
  return Number(String((await once(child.stdout, 'data'))[0]));
};
const listenerOf = ({ listeners }: SnapshotJson, port: number) =>
  listeners.find(({ local_port: its }) => its === port);

describe.skipIf(missing)(`containers that share a network namespace${because}`, () => {
  const [first, second] = [newId(), newId()];
  const cgroups: Cgroup[] = [];
  const ports: number[] = [];
  let shared: Namespace;
  let watcher: Namespace;
  beforeAll(async () => {
    [shared, watcher] = [new Namespace(), new Namespace()];
    for (const name of [`docker-${first}.scope`, `libpod-${second}.scope`]) {
      const cgroup = new Cgroup(root ?? '', name);
      cgroups.push(cgroup);
      const [program = '', ...words] = cgroup.words;
      const child = shared.spawn(program, [...words, 'python3', '-c', LISTEN], { stdio: 'pipe' });
      ports.push(await portOf(child));
    }
  });
  afterAll(async () => {
    await shared.remove();
    await watcher.remove();
    for (const cgroup of cgroups) await cgroup.remove();
  });

  it('each selects it by the beginning of its id', async () => {
    for (const id of [first, second]) {
      const said = await snapshot(watcher, ['--netns', id.slice(0, 12)]);
      expect(said.netns).toBe(shared.id);
    }
  });

  it("it is nobody's alone: called by its file, with all of them, and each listener has its own", async () => {
    const said = await snapshot(watcher, ['--netns', 'all', '--filter', `netns:${shared.name}`]);
    const namespace = said.namespaces?.find(({ id }) => id === shared.id);
    expect(namespace).toMatchObject({
      name: shared.name,
      containers: [
        { container: first.slice(0, 12), container_id: first, runtime: 'docker' },
        { container: second.slice(0, 12), container_id: second, runtime: 'podman' },
      ],
    });
    expect(namespace).not.toHaveProperty('container');
    expect(ports.map((port) => listenerOf(said, port)?.container_id)).toEqual([first, second]);
    expect(said.listeners.map(({ netns_name: name }) => name)).toEqual([shared.name, shared.name]);
  });

  it('the table and its filter tell them apart', async () => {
    const filter = ['--filter', `container:${second.slice(0, 12)}`];
    const { stdout } = await sockwatch(watcher, ['snapshot', '--netns', 'all', ...filter]);
    expect(stdout).toContain(`${shared.name} (${second.slice(0, 12)})`);
    expect(stdout).toContain(`127.0.0.1:${ports[1]}`);
    expect(stdout).not.toContain(`127.0.0.1:${ports[0]}`);
    const csv = await sockwatch(watcher, ['snapshot', '--netns', 'all', '--format', 'csv', ...filter]);
    expect(csv.stdout).toContain(`,${shared.name},${second.slice(0, 12)},`);
  });

  it('what fits several namespaces is told with all of them', async () => {
    const other = new Namespace();
    const [program = '', ...words] = cgroups[1]?.words ?? [];
    try {
      const child = other.spawn(program, [...words, 'python3', '-c', LISTEN], { stdio: 'pipe' });
      await portOf(child);
      const { code, stderr } = await sockwatch(watcher, ['snapshot', '--netns', second]);
      expect(code).toBe(1);
      expect(stderr).toContain(`2 namespaces fit "${second}": `);
      for (const { id } of [shared, other]) expect(stderr).toContain(`${id} (${second})`);
    } finally {
      await other.remove();
    }
  });

  it('one that joins later is found too, and the namespace is the same', async () => {
    const live = new LiveStream(watcher, ['--netns', 'all', '--interval', '300ms']);
    const seen = () => live.snapshots.at(-1)?.namespaces?.find(({ id }) => id === shared.id)?.containers;
    await live.until(() => seen()?.length === 2 || undefined);
    const third = newId();
    const cgroup = new Cgroup(root ?? '', `docker-${third}.scope`);
    cgroups.push(cgroup);
    const [program = '', ...words] = cgroup.words;
    shared.spawn(program, [...words, 'sleep', '1000'], { stdio: 'ignore' });
    await live.until(() => seen()?.some(({ container_id: id }) => id === third) || undefined);
    expect(await live.interrupt()).toBe(130);
    const about = live.changes.filter(({ netns, event }) => netns === shared.id && event === 'namespace');
    expect(about).toEqual([]);
  });
});

describe.skipIf(missing)(`a container in the host's network${because}`, () => {
  it.skipIf(nobody)(
    'is not the host, nor whoever listens there, for a user who sees only its process',
    async () => {
      const id = newId();
      const cgroup = new Cgroup(root ?? '', `docker-${id}.scope`);
      const [program = '', ...words] = cgroup.words;
      const child = spawn(program, [...words, 'setpriv', ...NOBODY, 'sleep', '1000'], { stdio: 'ignore' });
      const foreign = spawn('python3', ['-c', LISTEN], { stdio: 'pipe' });
      try {
        const port = await portOf(foreign);
        await poll(
          () => readFileSync(`/proc/${child.pid}/cgroup`, 'utf8').includes(id) || undefined,
          'the process in its cgroup',
        );
        const args = [process.execPath, RUN_JS, 'snapshot', '--netns', 'all', '--format', 'json'];
        const look = (words: readonly string[]): SnapshotJson =>
          JSON.parse(
            execFileSync(words[0] ?? '', words.slice(1), {
              encoding: 'utf8',
              stdio: ['ignore', 'pipe', 'ignore'],
            }),
          );
        const said = look(['setpriv', ...NOBODY, ...args]);
        const own = said.namespaces?.find(({ id: its }) => its === said.netns);
        expect(own).not.toHaveProperty('container');
        expect(own?.containers?.map((one) => one.container_id)).toContain(id);
        const listener = listenerOf(said, port);
        expect(listener).not.toHaveProperty('owners');
        expect(listener).not.toHaveProperty('container');
        // As root sees it: the same namespace, by the same name.
        const asRoot = look(args);
        const seen = asRoot.namespaces?.find(({ id: its }) => its === said.netns);
        expect([seen?.name, seen?.container]).toEqual([own?.name, undefined]);
        expect(listenerOf(asRoot, port)?.owners).toMatchObject([{ pid: foreign.pid }]);
      } finally {
        for (const one of [child, foreign]) {
          const ended = once(one, 'close');
          one.kill('SIGKILL');
          await ended;
        }
        await cgroup.remove();
      }
    },
  );
});

describe.skipIf(nobody)(`a namespace with the number of one that went${because}`, () => {
  it('is not said to be deaf for the reason of that one', { timeout: 120_000 }, async (test) => {
    const watcher = new Namespace();
    const made = [watcher];
    /** With a process that the user nobody sees, so that its tables can be read, though nobody may not enter it. */
    const inhabited = async () => {
      const namespace = new Namespace();
      made.push(namespace);
      const child = namespace.spawn('setpriv', [...NOBODY, 'sh', '-c', 'echo 1; exec sleep 1000'], {
        stdio: 'pipe',
      });
      await portOf(child);
      return namespace;
    };
    try {
      const before = await inhabited();
      const live = new LiveStream(watcher, ['--netns', 'all', '--interval', '300ms'], { unprivileged: true });
      const whys = ({ name }: Namespace) =>
        (live.snapshots.at(-1)?.gaps ?? [])
          .filter(({ what }) => what === `netns ${name}: connections that ended`)
          .map(({ why }) => why);
      await live.until(() => whys(before).find((why) => why.includes(before.path)));
      const number = before.id;
      await before.remove();
      let after: Namespace | undefined;
      for (let tries = 0; tries < 20 && after === undefined; tries++) {
        const next = await inhabited();
        if (next.id === number) after = next;
      }
      if (after === undefined) return test.skip('another namespace has its number');
      const now = after;
      const heard: string[] = [];
      await live.until(() => {
        heard.push(...whys(now));
        return whys(now).find((why) => why.includes(now.path));
      });
      expect(heard.filter((why) => why.includes(before.path))).toEqual([]);
      expect(await live.interrupt()).toBe(130);
    } finally {
      for (const namespace of made) await namespace.remove();
    }
  });
});
