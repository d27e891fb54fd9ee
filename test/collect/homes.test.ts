import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HomeFinder } from '../../src/collect/homes.js';
import { NamespaceFinder } from '../../src/collect/namespaces.js';

const ID = 'a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90';

let root: string;
let proc: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sockwatch-homes-'));
  proc = join(root, 'proc');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const addProcess = (pid: number, cgroup: string, netns: number) => {
  write(`proc/${pid}/cgroup`, cgroup);
  mkdirSync(join(proc, `${pid}/ns`), { recursive: true });
  symlinkSync(`net:[${netns}]`, join(proc, `${pid}/ns/net`));
};

describe('where a process lives', () => {
  it.each([
    ['docker', `0::/docker/${ID}`, `var/lib/docker/containers/${ID}/config.v2.json`, '{"Name":"/web"}'],
    [
      'podman',
      `0::/machine.slice/libpod-${ID}.scope`,
      'var/lib/containers/storage/overlay-containers/containers.json',
      JSON.stringify([{ id: ID, names: ['web'] }]),
    ],
    [
      'containerd',
      `0::/kubepods/pod6f2a1c3e-0b4d-4e5f-8a9b-0c1d2e3f4a5b/${ID}`,
      `run/containerd/io.containerd.runtime.v2.task/k8s.io/${ID}/config.json`,
      '{"annotations":{"io.kubernetes.cri.container-name":"web"}}',
    ],
    [
      'CRI-O',
      `0::/kubepods.slice/crio-${ID}.scope`,
      `run/containers/storage/overlay-containers/${ID}/userdata/config.json`,
      '{"annotations":{"io.kubernetes.container.name":"web"}}',
    ],
  ])('has the name that %s keeps in a file', (_, cgroup, path, text) => {
    write('proc/812/cgroup', `${cgroup}\n`);
    write(path, text);
    expect(new HomeFinder({ proc, root }).homeOf(812).container).toMatchObject({ id: ID, name: 'web' });
  });

  describe('of podman without root', () => {
    const CGROUP = '0::/user.slice/user-1000.slice/user@1000.service/user.slice';
    const LIST = '.local/share/containers/storage/overlay-containers/containers.json';
    /** Made-up files are of whoever runs the test; only root may give them to another user. */
    const isRoot = process.getuid?.() === 0;
    const user = isRoot ? 1000 : (process.getuid?.() ?? 1000);
    const list = JSON.stringify([{ id: ID, names: ['web'] }]);
    const containerOf = (pid: number) => new HomeFinder({ proc, root }).homeOf(pid).container;
    const give = (path: string) => isRoot && chownSync(join(root, path), user, user);
    beforeEach(() => {
      write('etc/passwd', `root:x:0:0::/root:/bin/sh\nann:x:${user}:${user}::/home/ann:/bin/sh\n`);
      write('proc/812/cgroup', `${CGROUP.replaceAll('1000', String(user))}/libpod-${ID}.scope/container\n`);
      write('proc/813/cgroup', `0::/system.slice/app.service/libpod-${ID}\n`);
      write('proc/813/uid_map', `0 ${user} 1\n1 100000 65536\n`);
    });

    it.each([
      ['in the home of its user', `home/ann/${LIST}`],
      [
        'of a storage that lasts as long as the session',
        `run/user/${user}/containers/overlay-containers/volatile-containers.json`,
      ],
    ])('has the name of the list %s', (_, path) => {
      write(path, list);
      give(path);
      expect(containerOf(812)).toEqual({ id: ID, name: 'web', runtime: 'podman' });
      expect(containerOf(813)).toMatchObject({ name: 'web' });
    });

    it.skipIf(!isRoot)('believes no file of somebody else, and none of a user who does not run it', () => {
      write(`home/ann/${LIST}`, list);
      expect(containerOf(812)).toEqual({ id: ID, runtime: 'podman' });
      give(`home/ann/${LIST}`);
      write('proc/814/cgroup', `0::/machine.slice/libpod-${ID}.scope\n`);
      write('proc/814/uid_map', '0 0 4294967295\n');
      expect(containerOf(814)).toEqual({ id: ID, runtime: 'podman' });
      expect(containerOf(812)).toMatchObject({ name: 'web' });
    });

    it('waits for no pipe that stands where the list should', () => {
      const path = join(root, 'home/ann', LIST);
      mkdirSync(dirname(path), { recursive: true });
      execFileSync('mkfifo', [path]);
      give(`home/ann/${LIST}`);
      expect(containerOf(812)).toEqual({ id: ID, runtime: 'podman' });
    });
  });

  it('has no name where no file tells it, and is empty for a process that has ended', () => {
    write('proc/812/cgroup', `0::/docker/${ID}\n`);
    const finder = new HomeFinder({ proc, root });
    expect(finder.homeOf(812)).toEqual({ container: { id: ID, runtime: 'docker' } });
    expect(finder.homeOf(813)).toEqual({});
  });
});

describe('namespaces of processes', () => {
  it('are found with the home of the first process of each, and followed', () => {
    addProcess(1, '0::/init.scope', 4026531840);
    addProcess(812, `0::/docker/${ID}`, 4026532500);
    addProcess(900, '0::/system.slice/late.service', 4026532500);
    const finder = new NamespaceFinder({ proc, root });
    const { found, hiddenProcesses } = finder.find();
    expect(hiddenProcesses).toBe(0);
    expect(found.map(({ namespace, pid }) => [namespace.id, pid, namespace.container?.id])).toEqual([
      ['4026531840', 1, undefined],
      ['4026532500', 812, ID],
    ]);
    expect(found[1]?.place).toEqual({ id: '4026532500', path: join(proc, '812/ns/net') });
    // The same object as long as nothing has changed: lookers hang on it.
    expect(finder.find().found[1]).toBe(found[1]);
    rmSync(join(proc, '812'), { recursive: true });
    expect(finder.find().found.map(({ namespace, pid }) => [namespace.unit, pid])[1]).toEqual([
      'late.service',
      900,
    ]);
    rmSync(join(proc, '900'), { recursive: true });
    expect(finder.find().found).toHaveLength(1);
  });

  it('have the container that alone lives there, also while somebody looks in; of several none, but all of them', () => {
    const POD = 'kubepods/pod6f2a1c3e-0b4d-4e5f-8a9b-0c1d2e3f4a5b';
    const [pause, app] = ['b'.repeat(64), 'c'.repeat(64)];
    addProcess(1, '0::/init.scope', 4026531840);
    addProcess(700, `0::/docker/${'d'.repeat(64)}`, 4026531840);
    addProcess(812, `0::/${POD}/${pause}`, 4026532500);
    addProcess(900, `0::/${POD}/${app}`, 4026532500);
    addProcess(913, `0::/docker/${ID}`, 4026532600);
    addProcess(990, '0::/user.slice', 4026532600);
    addProcess(1012, '0::/user.slice', 4026532700);
    addProcess(1090, `0::/docker/${ID}`, 4026532700);
    const { found } = new NamespaceFinder({ proc, root }).find();
    const lives = found.map(({ namespace: { container, containers, pod } }) => [
      container?.id,
      containers?.map(({ id }) => id),
      pod,
    ]);
    expect(lives).toEqual([
      // Without a first PID namespace nothing is called host.
      [undefined, ['d'.repeat(64)], undefined],
      [undefined, [pause, app], '6f2a1c3e-0b4d-4e5f-8a9b-0c1d2e3f4a5b'],
      [ID, [ID], undefined],
      [undefined, [ID], undefined],
    ]);
  });

  it('have no home where processes cannot be seen which may be there: process 1 is not listed (hidepid)', () => {
    addProcess(812, `0::/docker/${ID}`, 4026532500);
    const { found } = new NamespaceFinder({ proc, root }).find();
    expect(found[0]?.namespace).toEqual({
      id: '4026532500',
      containers: [{ id: ID, runtime: 'docker' }],
    });
  });

  it('a file that was left behind in /run/netns is none', () => {
    addProcess(1, '', 4026531840);
    write('run/netns/old', '');
    expect(new NamespaceFinder({ proc, root }).find().found).toHaveLength(1);
  });
});
