import { describe, expect, it, vi } from 'vitest';
import { listenerOn, snapshot } from '../support/cli.js';
import { needs } from '../support/needs.js';
import { withNamespace } from '../support/netns.js';
import { PATIENCE_MS } from '../support/poll.js';
import { serve } from '../support/sockets.js';

const missing = needs({ root: true, programs: ['ip', 'ss', 'nsenter', 'python3'] });

describe.skipIf(missing)(
  `the accept queue of a real listener${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    it.each([0, 1, 4, 128])(
      'backlog %i: capacity is one more, full only when all of it is taken',
      async (backlog) => {
        await withNamespace(async (namespace) => {
          const { server, listening, clients } = await serve(namespace, { backlog });
          const { port } = listening;
          const capacity = backlog + 1;

          await clients.connect({ port }, backlog);
          const almost = listenerOn(await snapshot(namespace), port);
          expect(almost).toMatchObject({
            protocol: 'tcp',
            local: `127.0.0.1:${port}`,
            local_address: '127.0.0.1',
            netns: namespace.id,
            inode: listening.inode,
            accept_queue: { length: backlog, backlog, capacity, fill: backlog / capacity },
            waiting: { count: backlog, reset: 0 },
            dropped_segments: 0,
            owners: [{ pid: server.pid, name: 'python3', fd: listening.fd }],
          });
          expect(almost.findings).not.toContain('accept_queue_full');

          const beyond = await clients.connect({ port }, 4, 1);
          expect(beyond).toMatchObject({ connected: 1, pending: 3, refused: [] });
          const before = await namespace.counter('ListenOverflows');
          const said = await snapshot(namespace);
          const full = listenerOn(said, port);
          expect(full).toMatchObject({
            accept_queue: { length: capacity, backlog, capacity, fill: 1 },
            waiting: { count: capacity, reset: 0 },
            verdict: 'full',
          });
          expect(full.findings).toContain('accept_queue_full');
          expect(full.evidence?.map((one) => one.text).join('\n')).toContain(`${capacity}`);
          expect(full.advice).toContain('python3');
          expect(full.dropped_segments).toBeGreaterThanOrEqual(3);
          expect(said.counters?.ListenOverflows).toBeGreaterThanOrEqual(Math.max(before, 3));
          expect(said.counters?.ListenOverflows).toBeLessThanOrEqual(
            await namespace.counter('ListenOverflows'),
          );
        });
      },
    );

    it('an acceptor that stopped: what waits, for how long, who; and nothing once it resumes', async () => {
      await withNamespace(async (namespace) => {
        const { server, listening, clients } = await serve(namespace, { backlog: 8 });
        const { port } = listening;
        const started = Date.now();
        await clients.connect({ port }, 6);
        await clients.send(0, 2, 100);
        const said = await snapshot(namespace, ['--connections']);
        const stopped = listenerOn(said, port);
        expect(stopped.accept_queue).toMatchObject({ length: 6, backlog: 8, capacity: 9 });
        expect(stopped.waiting).toMatchObject({ count: 6, reset: 0, abandoned: 0, unread_bytes: 200 });
        expect(stopped.waiting?.oldest_ms).toBeGreaterThan(0);
        expect(stopped.waiting?.oldest_ms).toBeLessThanOrEqual(Date.now() - started);

        const waiting = said.connections?.filter((one) => one.waiting) ?? [];
        expect(waiting.map((one) => one.remote_port).sort()).toEqual((await clients.ports(0, 6)).sort());
        expect(waiting.map((one) => one.recv_queue_bytes).sort()).toEqual([0, 0, 0, 0, 100, 100]);
        expect(waiting.every((one) => one.direction === 'inbound' && one.owners?.length === 0)).toBe(true);

        await server.accept(listening, 6);
        const resumed = listenerOn(await snapshot(namespace), port);
        expect(resumed).toMatchObject({ accept_queue: { length: 0, fill: 0 }, verdict: 'ok', findings: [] });
        expect(resumed.waiting?.count ?? 0).toBe(0);
      });
    });

    it('a client that sent FIN waits on, as CLOSE-WAIT; one that reset holds its place unseen', async () => {
      await withNamespace(async (namespace) => {
        const { listening, clients } = await serve(namespace, { backlog: 8 });
        const { port } = listening;
        await clients.connect({ port }, 6);
        await clients.fin(0, 2);
        await clients.reset(2, 1);
        await vi.waitFor(async () => {
          const rows = await namespace.must('ss', '-Htan', 'state', 'close-wait', 'state', 'established');
          expect(
            rows.split('\n').filter((row) => new RegExp(`127.0.0.1:${port} +127`).test(row)),
          ).toHaveLength(5);
        }, PATIENCE_MS);
        const said = await snapshot(namespace, ['--connections']);
        expect(listenerOn(said, port)).toMatchObject({
          accept_queue: { length: 6, backlog: 8 },
          waiting: { count: 5, reset: 1, abandoned: 2, unread_bytes: 0 },
        });
        const left = said.connections?.filter((one) => one.state === 'close-wait') ?? [];
        expect(left).toHaveLength(2);
        expect(left.every((one) => one.waiting === true && one.inode === 0)).toBe(true);
      });
    });

    it('a backlog above somaxconn is cut, and the advice names both knobs', async () => {
      await withNamespace(async (namespace) => {
        await namespace.sysctl('net.core.somaxconn', 3);
        const { listening, clients } = await serve(namespace, { backlog: 128 });
        await namespace.sysctl('net.core.somaxconn', 200); // too late: it was read by listen()
        await clients.connect(listening, 5, 4);
        const full = listenerOn(await snapshot(namespace), listening.port);
        expect(full).toMatchObject({
          accept_queue: { length: 4, backlog: 3, capacity: 4, fill: 1 },
          verdict: 'full',
        });
        expect(full.advice).toContain('somaxconn');
        expect(full.advice).toContain('200');
        expect(full.advice).toMatch(/backlog|listen\(\)/);
      });
    });

    it('a backlog lowered under a waiting queue: the fill is above 1', async () => {
      await withNamespace(async (namespace) => {
        const { server, listening, clients } = await serve(namespace, { backlog: 64 });
        await clients.connect(listening, 40);
        await server.relisten(listening, 8);
        const lowered = listenerOn(await snapshot(namespace), listening.port);
        expect(lowered.accept_queue).toMatchObject({ length: 40, backlog: 8, capacity: 9 });
        expect(lowered.accept_queue.fill).toBeCloseTo(40 / 9);
        expect(lowered.verdict).toBe('full');
      });
    });

    it('a process at its limit of descriptors: fd_limit, not a slow application', async () => {
      await withNamespace(async (namespace) => {
        const { server, listening, clients } = await serve(namespace, { backlog: 4 });
        const { limit } = await server.limitFiles(2);
        await clients.connect(listening, 2);
        expect(await server.accept(listening, 2)).toEqual({ accepted: 2 });
        await clients.connect(listening, 6, 5);
        expect(await server.acceptUntilError(listening)).toEqual({ accepted: 0, error: 'EMFILE' });
        const stuck = listenerOn(await snapshot(namespace), listening.port);
        expect(stuck).toMatchObject({ accept_queue: { length: 5, backlog: 4 }, verdict: 'fd_limit' });
        expect(stuck.findings).toContain('fd_limit');
        expect(stuck.evidence?.map((one) => one.text).join('\n')).toContain(`${limit}`);
        expect(stuck.advice).toContain('python3');
      });
    });
  },
);
