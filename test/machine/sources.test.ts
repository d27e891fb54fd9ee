import { describe, expect, it } from 'vitest';
import type { SnapshotJson } from '../../src/model/json.js';
import type { ListenerJson } from '../../src/model/listener-json.js';
import { listenerOn, snapshot } from '../support/cli.js';
import { needs } from '../support/needs.js';
import { withNamespace } from '../support/netns.js';
import { serve } from '../support/sockets.js';

const missing = needs({ root: true, programs: ['ip', 'ss', 'nsenter', 'python3'] });

describe.skipIf(missing)(
  `one kernel, several ways to read it${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    it('saved output of `ss -tunap` says what the direct look says', async () => {
      await withNamespace(async (namespace) => {
        const { server, listening, clients } = await serve(namespace, { backlog: 4 });
        const quiet = await server.listen({ address: '::', backlog: 16, v6only: true });
        await clients.connect(listening, 8, 5);
        const direct = await snapshot(namespace, ['--connections']);
        const saved = await namespace.must('ss', '-tunap');
        const piped = await snapshot(namespace, ['--connections', '-'], { input: saved });
        expect(piped.source).toBe('file');
        for (const port of [listening.port, quiet.port])
          expect(common(listenerOn(piped, port))).toEqual(common(listenerOn(direct, port)));
        expect(rows(piped)).toEqual(rows(direct));
      });
    });

    it('with -e and -i saved output knows who waits, and how long', async () => {
      await withNamespace(async (namespace) => {
        const { listening, clients } = await serve(namespace, { backlog: 4 });
        await clients.connect(listening, 8, 5);
        const saved = await namespace.must('ss', '-tnaeimp');
        const piped = listenerOn(await snapshot(namespace, ['-'], { input: saved }), listening.port);
        expect(piped).toMatchObject({
          inode: listening.inode,
          waiting: { count: 5, reset: 0 },
          verdict: 'full',
        });
        expect(piped.waiting?.oldest_ms).toBeGreaterThanOrEqual(0);
        expect(piped.dropped_segments).toBeGreaterThanOrEqual(3);
      });
    });

    it('/proc/net has lengths without limits: unknown, not 0', async () => {
      await withNamespace(async (namespace) => {
        const { listening, clients } = await serve(namespace, { backlog: 4 });
        await clients.connect(listening, 8, 5);
        const said = await snapshot(namespace, ['--source', 'proc']);
        const listener = listenerOn(said, listening.port);
        expect(said.source).toBe('proc');
        expect(listener).toMatchObject({
          accept_queue: { length: 5 },
          verdict: 'unknown_limit',
          inode: listening.inode,
        });
        for (const unknown of ['backlog', 'capacity', 'fill'])
          expect(listener.accept_queue).not.toHaveProperty(unknown);
      });
    });

    it('a UDP socket that nobody reads: its own drops', async () => {
      await withNamespace(async (namespace) => {
        const { server, clients } = await serve(namespace, { backlog: 1 });
        const { port } = await server.udp('127.0.0.1', 4096);
        await clients.datagrams({ address: '127.0.0.1', port }, 50, 500);
        const dropped = await namespace.counter('RcvbufErrors');
        expect(dropped).toBeGreaterThan(0);
        const said = await snapshot(namespace, ['--udp', '--all']);
        const socket = said.connections?.find(
          (one) => one.protocol === 'udp' && one.local === `127.0.0.1:${port}`,
        );
        expect(socket).toMatchObject({ owners: [{ pid: server.pid }], drops: dropped });
        expect(socket?.recv_queue_bytes).toBeGreaterThan(0);
        expect(said.counters?.UdpRcvbufErrors).toBe(dropped);
      });
    });
  },
);

/** What any `ss` prints: the fields that saved output without -e, -i and -m must share with a direct look. */
const common = ({ protocol, local, accept_queue, owners, verdict }: ListenerJson) => ({
  protocol,
  local,
  accept_queue,
  owners,
  verdict,
});

const rows = (said: SnapshotJson) =>
  (said.connections ?? [])
    .map(
      (one) =>
        `${one.protocol} ${one.state} ${one.local} ${one.remote} ${one.recv_queue_bytes} ${one.send_queue_bytes}`,
    )
    .sort();
