import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { DiagnosisJson } from '../../src/model/diagnosis-json.js';
import { Agent } from '../support/agent.js';
import { listenerOn, snapshot, sockwatch } from '../support/cli.js';
import { LiveStream } from '../support/live.js';
import { needs } from '../support/needs.js';
import { type Namespace, withNamespace } from '../support/netns.js';
import { poll } from '../support/poll.js';
import { PoolClient } from '../support/pool.js';
import { Running } from '../support/running.js';

const missing = needs({ root: true, programs: ['ip', 'nsenter', 'python3'] });
const withoutJava = missing ?? needs({ programs: ['java', 'javac'] });
const ADDRESS = '127.0.0.1';
const CPU_GROUPS = '/sys/fs/cgroup/cpu';

interface Where {
  readonly port: number;
  readonly pid: number;
}

async function fill(namespace: Namespace, port: number, count: number) {
  const client = await PoolClient.start(namespace);
  await client.open({ address: ADDRESS, port }, count);
  return client;
}

/** What one look says once the oldest has waited for a second and more. */
const listenerAfterWait = (namespace: Namespace, port: number) =>
  poll(async () => {
    const listener = listenerOn(await snapshot(namespace), port);
    return (listener.waiting?.oldest_ms ?? 0) > 1500 ? listener : undefined;
  }, 'connections that wait for a second');

const evidenceOf = (
  { evidence }: { evidence: { metric: string; value: number; text: string }[] },
  metric: string,
) => evidence.find((one) => one.metric === metric);

describe.skipIf(missing)(`threads of real servers${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('finds threads that all wait for idle connections', async () => {
    await withNamespace(async (namespace) => {
      const servers = await Agent.start(namespace, 'threads.py');
      const { port } = await servers.ask<Where>('blocking', { address: ADDRESS, backlog: 4, threads: 3 });
      await fill(namespace, port, 8);
      const listener = await listenerAfterWait(namespace, port);
      expect(listener.accept_queue.length).toBe(5);
      expect(listener.findings).toContain('threads_blocked');
      expect(evidenceOf(listener, 'threads.blocked')?.value).toBe(3);
      expect(evidenceOf(listener, 'connections.idle')?.value).toBe(3);
    });
  });

  it('finds threads that all wait for one other server', async () => {
    await withNamespace(async (namespace) => {
      const [servers, silent] = await Promise.all([
        Agent.start(namespace, 'threads.py'),
        Agent.start(namespace, 'threads.py'),
      ]);
      const other = await silent.ask<Where>('silent', { address: ADDRESS, backlog: 9 });
      const where = { address: ADDRESS, backlog: 4, threads: 3, port: other.port };
      const { port } = await servers.ask<Where>('asking', where);
      await fill(namespace, port, 8);
      const listener = await listenerAfterWait(namespace, port);
      expect(listener.findings).toContain('threads_busy');
      expect(listener.findings).not.toContain('threads_blocked');
      expect(evidenceOf(listener, 'threads.waiting')).toMatchObject({
        value: 3,
        text: expect.stringContaining(`for ${ADDRESS}:${other.port}`),
      });
    });
  });

  it('finds processes that each wait for a client that asks all the time', async () => {
    await withNamespace(async (namespace) => {
      const servers = await Agent.start(namespace, 'threads.py');
      const forked = { address: ADDRESS, backlog: 4 };
      const { port } = await servers.ask<Where>('prefork', { ...forked, workers: 4 });
      const roomy = await servers.ask<Where>('prefork', { ...forked, workers: 9 });
      for (const one of [port, roomy.port]) {
        const clients = await fill(namespace, one, 4);
        await clients.paced(0, 4, 100);
        await fill(namespace, one, 3);
      }
      const said = await poll(async () => {
        const listener = listenerOn(await snapshot(namespace), port);
        const text = evidenceOf(listener, 'threads.blocked')?.text ?? '';
        return text.startsWith('4 of 4 worker processes in read()') ? listener : undefined;
      }, 'four processes that wait for their clients');
      expect(said.accept_queue.length).toBe(3);
      expect(said.findings).toContain('threads_blocked');
      // The same clients, and workers to spare.
      expect(listenerOn(await snapshot(namespace), roomy.port).findings).toEqual([]);
    });
  });

  it('does not when there is a thread for each', async () => {
    await withNamespace(async (namespace) => {
      const servers = await Agent.start(namespace, 'threads.py');
      const { port } = await servers.ask<Where>('blocking', { address: ADDRESS, backlog: 4, threads: 9 });
      await fill(namespace, port, 8);
      const live = new LiveStream(namespace, ['--interval', '250ms']);
      await live.until(() => live.snapshots[8]);
      for (const said of live.snapshots) expect(listenerOn(said, port).findings).toEqual([]);
      expect(await live.interrupt()).toBe(130);
    });
  });

  it('tells a server that waits for many in one thread, and takes no more, from that', async () => {
    await withNamespace(async (namespace) => {
      const servers = await Agent.start(namespace, 'threads.py');
      const { port } = await servers.ask<Where>('waiting', { address: ADDRESS, backlog: 4, most: 6 });
      await fill(namespace, port, 11);
      expect((await listenerAfterWait(namespace, port)).findings).not.toContain('threads_blocked');
      const live = new LiveStream(namespace, ['--interval', '250ms']);
      const said = await live.until(() =>
        live.snapshots
          .map((one) => listenerOn(one, port))
          .find(({ findings }) => findings.includes('connection_limit')),
      );
      expect(said.verdict).toBe('stopped_acceptor');
      expect(said.findings).not.toContain('threads_blocked');
      expect(evidenceOf(said, 'connections.accepted')?.value).toBe(6);
      expect(await live.interrupt()).toBe(130);
    });
  });

  it('says that a process is stopped, as the reason', async () => {
    await withNamespace(async (namespace) => {
      const servers = await Agent.start(namespace, 'threads.py');
      const { port, pid } = await servers.ask<Where>('blocking', {
        address: ADDRESS,
        backlog: 4,
        threads: 9,
      });
      await fill(namespace, port, 2);
      servers.signal('SIGSTOP');
      await fill(namespace, port, 3);
      const live = new LiveStream(namespace, ['--interval', '250ms']);
      const said = await live.until(() =>
        live.snapshots
          .map((one) => listenerOn(one, port))
          .find(({ findings }) => findings.includes('stopped_acceptor')),
      );
      expect(evidenceOf(said, 'owner.stopped')?.text).toBe(`python3/${pid} is stopped (state T)`);
      expect(said.findings).not.toContain('connection_limit');
      expect(said.advice).toContain('kill -CONT');
      servers.signal('SIGCONT');
      expect(await live.interrupt()).toBe(130);
    });
  });

  it('says so of a recording too, and not of one in which it runs', { timeout: 60_000 }, async () => {
    await withNamespace(async (namespace) => {
      const folder = mkdtempSync(join(tmpdir(), 'sockwatch-threads-'));
      try {
        const servers = await Agent.start(namespace, 'threads.py');
        const { port, pid } = await servers.ask<Where>('blocking', {
          address: ADDRESS,
          backlog: 4,
          threads: 9,
        });
        const diagnosis = async (name: string) => {
          const path = join(folder, name);
          const words = ['record', path, '--interval', '250ms', '--duration', '4s'];
          await Running.start(words, { namespace }).ended(40_000);
          const { stdout } = await sockwatch(namespace, ['diagnose', '--from', path, '--format', 'json']);
          return (JSON.parse(stdout) as DiagnosisJson).findings;
        };
        await fill(namespace, port, 2);
        expect(await diagnosis('runs.ndjson')).toEqual([]);
        servers.signal('SIGSTOP');
        await fill(namespace, port, 3);
        const found = (await diagnosis('stopped.ndjson')).find(({ rule }) => rule === 'stopped_acceptor');
        servers.signal('SIGCONT');
        expect(found && evidenceOf(found, 'owner.stopped')?.text).toBe(`python3/${pid} is stopped (state T)`);
        expect(found?.advice).toContain('kill -CONT');
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });

  it.skipIf(!existsSync(`${CPU_GROUPS}/cpu.cfs_quota_us`) && !existsSync('/sys/fs/cgroup/cpu.max'))(
    'says that a control group is throttled',
    async () => {
      await withNamespace(async (namespace) => {
        const burner = namespace.spawn('python3', ['-c', BURNER], { stdio: ['ignore', 'pipe', 'inherit'] });
        const [port] = (await once(burner.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
        const group = throttledGroup(burner.pid ?? 0);
        await fill(namespace, Number(port), 5);
        const live = new LiveStream(namespace, ['--interval', '250ms']);
        const said = await live.until(() =>
          live.snapshots
            .map((one) => listenerOn(one, Number(port)))
            .find((one) => evidenceOf(one, 'cgroup.throttled_ms') !== undefined),
        );
        expect(evidenceOf(said, 'cgroup.throttled_ms')?.value).toBeGreaterThan(0);
        expect(await live.interrupt()).toBe(130);
        burner.kill('SIGKILL');
        await once(burner, 'close');
        await poll(() => group.remove(), 'an empty control group');
      });
    },
  );
});

/** Accepts nothing, for it computes. */
const BURNER = `
import socket
sock = socket.create_server(("127.0.0.1", 0), backlog=8)
print(sock.getsockname()[1], flush=True)
while True:
    pass
`;

/** A group with a tenth of a processor and one process in it. */
function throttledGroup(pid: number) {
  const isFirst = existsSync(`${CPU_GROUPS}/cpu.cfs_quota_us`);
  const folder = `${isFirst ? CPU_GROUPS : '/sys/fs/cgroup'}/sw-test-${process.pid}`;
  mkdirSync(folder);
  if (isFirst) writeFileSync(`${folder}/cpu.cfs_quota_us`, '10000');
  else writeFileSync(`${folder}/cpu.max`, '10000 100000');
  writeFileSync(`${folder}/cgroup.procs`, String(pid));
  return {
    remove: () => {
      rmdirSync(folder);
      return true;
    },
  };
}

describe.skipIf(withoutJava)(`threads of Java${withoutJava ? ` (skipped: ${withoutJava})` : ''}`, () => {
  it('finds threads of which each waits for its connection', async () => {
    await withNamespace(async (namespace) => {
      const path = fileURLToPath(new URL('../support/programs/Blocking.java', import.meta.url));
      const java = namespace.spawn('java', ['-Xmx64m', path, ADDRESS, '8081', '4', '3'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(java.stdout as NodeJS.ReadableStream, 'data', { signal: AbortSignal.timeout(40_000) });
      await fill(namespace, 8081, 8);
      const listener = await listenerAfterWait(namespace, 8081);
      expect(listener.findings).toContain('threads_blocked');
      expect(evidenceOf(listener, 'threads.blocked')?.value).toBe(3);
    });
  });
});
