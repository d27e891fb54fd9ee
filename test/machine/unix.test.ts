import { once } from 'node:events';
import { mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { listenerAt, snapshot, sockwatch } from '../support/cli.js';
import { needs } from '../support/needs.js';
import { type Namespace, withNamespace } from '../support/netns.js';
import { PATIENCE_MS } from '../support/poll.js';
import { abstractName, serve, unixPath, type Where } from '../support/sockets.js';

const missing = needs({ root: true, programs: ['ip', 'ss', 'nsenter', 'python3', 'unshare'] });

/** Fills a listener of backlog 2 with 3 clients; a fourth that does not block gets EAGAIN. */
async function fill(namespace: Namespace, where: Where) {
  const all = await serve(namespace, { ...where, backlog: 2 });
  expect(await all.clients.connect(where, 3)).toMatchObject({ connected: 3, refused: [] });
  expect(await all.clients.connect(where, 1, 0)).toMatchObject({ connected: 0, refused: ['EAGAIN'] });
  return all;
}

function inFolder(namespace: Namespace): string {
  const folder = mkdtempSync(join(tmpdir(), 'sw-unix-'));
  namespace.onRemove(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe.skipIf(missing)(`real Unix listeners${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it.each(['unix-stream', 'unix-seqpacket'] as const)('%s by path: full at backlog + 1', async (kind) => {
    await withNamespace(async (namespace) => {
      const path = join(inFolder(namespace), 'app.sock');
      const { server, listening } = await fill(namespace, { kind, path_hex: unixPath(path) });
      const full = listenerAt(await snapshot(namespace, ['--unix']), path);
      expect(full).toMatchObject({
        protocol: 'unix',
        inode: listening.inode,
        accept_queue: { length: 3, backlog: 2, capacity: 3, fill: 1 },
        owners: [{ pid: server.pid, name: 'python3', fd: listening.fd }],
        verdict: 'full',
      });
      expect(full.findings).toContain('unix_queue_full');
      expect(full.local_port).toBeUndefined();
      await server.accept(listening, 3);
      expect(listenerAt(await snapshot(namespace, ['--unix']), path)).toMatchObject({
        accept_queue: { length: 0 },
        verdict: 'ok',
      });
    });
  });

  it('a client that blocks in connect() is no listener', async () => {
    await withNamespace(async (namespace) => {
      const path = join(inFolder(namespace), 'app.sock');
      const where: Where = { kind: 'unix-stream', path_hex: unixPath(path) };
      const { clients } = await fill(namespace, where);
      await clients.block(where);
      await vi.waitFor(async () => {
        const threads = await namespace.must('sh', '-c', `cat /proc/${clients.agent.pid}/task/*/wchan`);
        expect(threads).toContain('unix_wait_for_peer');
      }, PATIENCE_MS);
      const listeners = (await snapshot(namespace, ['--unix'])).listeners.filter((one) =>
        one.local.startsWith(path),
      );
      expect(listeners.map((one) => one.accept_queue)).toMatchObject([{ length: 3, backlog: 2 }]);
    });
  });

  it('an abstract name with spaces, that looks like a line of ss', async () => {
    await withNamespace(async (namespace) => {
      const name = `sw ${process.pid} LISTEN 0 4 *:1`;
      await fill(namespace, { kind: 'unix-stream', path_hex: abstractName(name) });
      expect(listenerAt(await snapshot(namespace, ['--unix']), `@${name}`)).toMatchObject({
        accept_queue: { length: 3, backlog: 2 },
      });
    });
  });

  it('a path that is not UTF-8 also comes as hex', async () => {
    await withNamespace(async (namespace) => {
      const path = Buffer.concat([
        Buffer.from(join(inFolder(namespace), 'x')),
        Buffer.from([0xff, 0xe9]),
        Buffer.from('.s'),
      ]);
      const { listening } = await fill(namespace, { kind: 'unix-stream', path_hex: unixPath(path) });
      const found = (await snapshot(namespace, ['--unix'])).listeners.find(
        (one) => one.inode === listening.inode,
      );
      expect(found).toMatchObject({
        local_hex: path.toString('hex'),
        accept_queue: { length: 3, backlog: 2 },
      });
    });
  });

  it('a path of another mount namespace is marked, with the right owner; one of ours is not', async () => {
    await withNamespace(async (namespace) => {
      const program = `mount -t tmpfs sockwatch /mnt && exec python3 -c '
import socket, sys, time
one = socket.socket(socket.AF_UNIX)
one.bind("/mnt/${namespace.name}.sock")
one.listen(3)
two = socket.socket(socket.AF_UNIX)
two.bind("\\0${namespace.name}")
two.listen(3)
print("listens", flush=True)
time.sleep(600)
'`;
      const child = namespace.spawn('unshare', ['--mount', 'sh', '-c', program]);
      if (child.stdout === null) throw new Error('no output');
      await once(child.stdout, 'data');
      const said = await snapshot(namespace, ['--unix']);
      const there = listenerAt(said, `/mnt/${namespace.name}.sock`);
      const mounts = readlinkSync(`/proc/${child.pid}/ns/mnt`);
      expect(`mnt:[${there.mount_namespace}]`).toBe(mounts);
      expect(there.owners).toMatchObject([{ pid: child.pid, name: 'python3' }]);
      // An abstract name does not depend on mounts.
      expect(listenerAt(said, `@${namespace.name}`).mount_namespace).toBeUndefined();
      const table = await sockwatch(namespace, ['snapshot', '--unix']);
      expect(table.stdout).toContain(`/mnt/${namespace.name}.sock (mnt ${there.mount_namespace})`);
      const { server } = await serve(namespace, {
        backlog: 2,
        kind: 'unix-stream',
        path_hex: unixPath(join(inFolder(namespace), 'ours')),
      });
      const ours = (await snapshot(namespace, ['--unix'])).listeners.filter(
        ({ owners }) => owners?.[0]?.pid === server.pid,
      );
      expect(ours.map(({ mount_namespace: mounts }) => mounts)).toEqual([undefined]);
    });
  });
});
