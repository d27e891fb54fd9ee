import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CollectOptions } from '../../src/collect/options.js';
import type { Counters, Gap, Origin, Scope } from '../../src/model/observation.js';
import type { Queues } from '../../src/model/socket-row.js';
import type { Owner } from '../../src/model/sockets.js';
import { needs } from '../support/needs.js';
import { Namespace } from '../support/netns.js';
import { abstractName, Clients, Server } from '../support/sockets.js';
import { OPTIONS } from './support.js';

interface Look {
  readonly origin: Origin;
  readonly scope: Scope;
  readonly rows: readonly {
    readonly protocol: string;
    readonly state: string;
    readonly port?: number;
    readonly path?: string;
    readonly queues?: Queues;
    readonly inode?: number;
    readonly owners?: readonly Owner[];
    readonly isWaiting?: boolean;
  }[];
  readonly counters: Counters;
  readonly descriptors: readonly [number, { open: number; limit: number }][];
  readonly gaps: readonly Gap[];
}

const reason = needs({ root: true, programs: ['ip', 'nsenter', 'ss', 'python3'] });

describe.skipIf(reason)(`observeOnce with the real ss${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let namespace: Namespace;
  let server: Server;
  let clients: Clients;
  beforeAll(async () => {
    namespace = new Namespace();
    [server, clients] = await Promise.all([Server.start(namespace), Clients.start(namespace)]);
  });
  afterAll(() => namespace.remove());

  async function look(options: Partial<CollectOptions>): Promise<Look> {
    const program = fileURLToPath(new URL('./print-look.ts', import.meta.url));
    const args = ['--import', 'tsx', program, JSON.stringify({ ...OPTIONS, ...options })];
    return JSON.parse(await namespace.must(process.execPath, ...args)) as Look;
  }

  it('sees a full listener, who waits, its owner and its descriptors, in its own namespace', async () => {
    const { port, inode, fd } = await server.listen({ backlog: 1 });
    await clients.connect({ port }, 2);
    const seen = await look({ owners: true });
    expect(seen.origin.netns).toBe(namespace.id);
    expect(seen.scope).toBe('troubled');
    expect(seen.gaps).toEqual([]);
    const listener = seen.rows.find((row) => row.inode === inode);
    expect(listener).toMatchObject({
      protocol: 'tcp',
      state: 'listen',
      port,
      queues: { kind: 'listener', length: 2, backlog: 1 },
    });
    expect(listener?.owners).toEqual([{ pid: server.pid, fd, name: expect.stringMatching(/^python/) }]);
    const waiting = seen.rows.filter((row) => row.isWaiting);
    expect(waiting.map((row) => [row.state, row.port, row.owners])).toEqual([
      ['established', port, []],
      ['established', port, []],
    ]);
    const [pid, descriptors] = seen.descriptors[0] ?? [];
    expect(pid).toBe(server.pid);
    expect(descriptors?.open).toBeGreaterThanOrEqual(4);
    expect(descriptors?.limit).toBeGreaterThanOrEqual(descriptors?.open ?? Infinity);
    expect(seen.counters.PassiveOpens).toBe(2);
    expect(seen.counters.ListenOverflows).toBe(0);
  });

  it('sees MPTCP listeners, Unix listeners and UDP sockets in the same run', async () => {
    const mptcp = await server.listen({ kind: 'mptcp', backlog: 5 });
    const unix = await server.listen({ kind: 'unix-stream', path_hex: abstractName('sw one'), backlog: 2 });
    const udp = await server.udp('127.0.0.1', 4096);
    const seen = await look({ udp: true, unix: true, scope: 'listeners' });
    expect(seen.scope).toBe('listeners');
    const rowsOf = (inode: number) => seen.rows.filter((row) => row.inode === inode);
    expect(rowsOf(mptcp.inode).map((row) => row.protocol)).toEqual(['tcp', 'mptcp']);
    expect(rowsOf(unix.inode)).toMatchObject([{ protocol: 'unix', state: 'listen', path: '@sw one' }]);
    expect(rowsOf(udp.inode)).toMatchObject([{ protocol: 'udp', state: 'unconnected', port: udp.port }]);
    expect(seen.rows.some((row) => row.state === 'established')).toBe(false);
  });

  it('sees the connections of both ends with scope all', async () => {
    const seen = await look({ scope: 'all', owners: true });
    expect(seen.scope).toBe('all');
    const owned = seen.rows.filter((row) => row.state === 'established' && row.owners?.length === 1);
    expect(owned.map((row) => row.owners?.[0]?.pid)).toEqual(Array(2).fill(clients.agent.pid));
  });

  it('reads /proc/net when told to: the same listeners, without limits', async () => {
    const seen = await look({ source: 'proc', unix: true });
    expect(seen.origin.source).toBe('proc');
    expect(seen.gaps[0]?.what).toBe('limits');
    const full = seen.rows.find((row) => row.queues?.kind === 'listener' && row.queues.length === 2);
    expect(full?.queues).toEqual({ kind: 'listener', length: 2 });
  });
});
