import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Agent } from '../support/agent.js';
import { needs } from '../support/needs.js';
import { withNamespace, withPair } from '../support/netns.js';
import { Clients, Server } from '../support/sockets.js';

const missing = needs({ root: true, programs: ['ip', 'ss', 'nsenter', 'python3'] });

describe.skipIf(missing)(`the harness of these tests${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('fills a queue that plain ss shows', async () => {
    await withNamespace(async (namespace) => {
      const server = await Server.start(namespace);
      const listening = await server.listen({ backlog: 4 });
      const clients = await Clients.start(namespace);
      const connected = await clients.connect({ port: listening.port }, 5);
      expect(connected).toEqual({ first: 0, connected: 5, pending: 0, refused: [] });
      expect(await namespace.must('ss', '-Hltn')).toMatch(
        new RegExp(`LISTEN 5 +4 +127.0.0.1:${listening.port}`),
      );
      expect(await server.accept(listening, 2)).toEqual({ accepted: 2 });
      expect(await namespace.must('ss', '-Hltn')).toMatch(/LISTEN 3 +4 /);
    });
  });

  it('ends its processes and removes its namespaces, also when a test fails', async () => {
    const seen: { paths: string[]; pid: number } = { paths: [], pid: 0 };
    const failed = withPair(async (server, client) => {
      seen.paths = [server.path, client.path];
      const agent = await Agent.start(server, 'listener.py');
      seen.pid = agent.pid;
      agent.signal('SIGSTOP');
      throw new Error('as a failing test does');
    });
    await expect(failed).rejects.toThrow('as a failing test does');
    expect(seen.paths.map((path) => existsSync(path))).toEqual([false, false]);
    expect(existsSync(`/proc/${seen.pid}`)).toBe(false);
    expect(readdirSync('/run/netns').filter((name) => name.startsWith(`sw-${process.pid}-`))).toEqual([]);
  });

  it('joins two namespaces by a cable', async () => {
    await withPair(async (near, far) => {
      const server = await Server.start(near);
      const { port } = await server.listen({ address: 'fd77::1', backlog: 4 });
      const clients = await Clients.start(far);
      expect((await clients.connect({ address: 'fd77::1', port }, 1)).connected).toBe(1);
      expect(await near.counter('PassiveOpens')).toBe(1);
      expect(await far.counter('PassiveOpens')).toBe(0);
    });
  });

  it('says what a program did wrong', async () => {
    await withNamespace(async (namespace) => {
      const server = await Server.start(namespace);
      await expect(server.listen({ address: '192.0.2.1', backlog: 1 })).rejects.toThrow(
        /listener\.py: OSError: .*Cannot assign requested address/,
      );
    });
  });
});
