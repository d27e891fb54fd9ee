import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { needs } from '../support/needs.js';
import { type Namespace, withNamespace } from '../support/netns.js';
import { Running } from '../support/running.js';
import { Server } from '../support/sockets.js';

const missing = needs({ root: true, programs: ['ip', 'nsenter', 'python3', 'unshare', 'mount'] });

const watch = (namespace: Namespace, ...words: string[]) =>
  Running.start(['live', '--format', 'ndjson', '--interval', '250ms', ...words], { namespace });

const subjects = (running: Running, kind: string) =>
  running.lines
    .map((line) => JSON.parse(line) as { event?: string; subject?: string; message?: string })
    .filter((said) => said.event === kind)
    .map(({ subject, message }) => `${subject} ${message}`);

/** A process with a tmpfs of its own at /mnt, that listens in it. */
async function listenUnderMounts(namespace: Namespace) {
  const program = `mount -t tmpfs sockwatch /mnt && exec python3 -c '
import socket, time
one = socket.socket(socket.AF_UNIX)
one.bind("/mnt/${namespace.name}.sock")
one.listen(3)
print("listens", flush=True)
time.sleep(600)
'`;
  const child = namespace.spawn('unshare', ['--mount', 'sh', '-c', program]);
  if (child.stdout === null) throw new Error('no output');
  await once(child.stdout, 'data');
  const mounts = /\d+/.exec(readlinkSync(`/proc/${child.pid}/ns/mnt`))?.[0];
  return { child, mounts, who: `python3/${child.pid}` };
}

describe.skipIf(missing)(`listeners that change hands${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('SO_REUSEPORT: who comes beside is said, and that it has taken over', async () => {
    await withNamespace(async (namespace) => {
      const [old, next] = await Promise.all([Server.start(namespace), Server.start(namespace)]);
      const first = await old.listen({ backlog: 4, reuseport: true });
      const running = watch(namespace, '--connections');
      await running.line(new RegExp(`"owners":\\[\\{[^}]*"pid":${old.pid}\\b`));
      await next.listen({ backlog: 4, reuseport: true, port: first.port });
      const [was, is] = [`python3/${old.pid}`, `python3/${next.pid}`];
      await running.line(/listens there too/);
      await old.close(first);
      await running.line(/"takeover"/);
      running.signal('SIGINT');
      await running.ended();
      const place = `127.0.0.1:${first.port}`;
      expect(subjects(running, 'owner')).toEqual([`${place} ${is} listens there too, beside ${was}`]);
      expect(subjects(running, 'takeover')).toEqual([
        expect.stringContaining(`${place} taken over by ${is}, was ${was}`),
      ]);
    });
  });

  it('the same path under other mounts is another socket', async () => {
    await withNamespace(async (namespace) => {
      const path = `/mnt/${namespace.name}.sock`;
      const one = await listenUnderMounts(namespace);
      const running = watch(namespace, '--unix');
      await running.line(new RegExp(`"pid":${one.child.pid}\\b`));
      one.child.kill('SIGKILL');
      await once(one.child, 'close');
      const other = await listenUnderMounts(namespace);
      await running.line(new RegExp(`"message":"${other.who} listens now"`));
      await running.line(/"message":"listens no more/);
      running.signal('SIGINT');
      await running.ended();
      expect(
        subjects(running, 'listener')
          .filter((text) => text.startsWith(path))
          .sort(),
      ).toEqual(
        [
          `${path} (mnt ${other.mounts}) ${other.who} listens now`,
          `${path} (mnt ${one.mounts}) listens no more (was ${one.who})`,
        ].sort(),
      );
      expect(subjects(running, 'takeover')).toEqual([]);
    });
  });
});
