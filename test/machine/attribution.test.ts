import { describe, expect, it } from 'vitest';
import { listenerAt, listenerOn, listenersOn, snapshot } from '../support/cli.js';
import { needs } from '../support/needs.js';
import { kernelHas, SERVER_ADDRESS, withNamespace, withPair } from '../support/netns.js';
import { Clients, type Listening, Server, serve } from '../support/sockets.js';

const missing = needs({ root: true, programs: ['ip', 'ss', 'nsenter', 'python3'] });
const noMptcp = missing ?? (kernelHas('net/mptcp/enabled') ? undefined : 'this kernel has no MPTCP');

describe.skipIf(missing)(`whose connections wait${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('IPv6', async () => {
    await withNamespace(async (namespace) => {
      const { listening, clients } = await serve(namespace, { address: '::1', backlog: 4 });
      await clients.connect({ address: '::1', port: listening.port }, 3);
      expect(listenerOn(await snapshot(namespace), listening.port)).toMatchObject({
        local: `[::1]:${listening.port}`,
        local_address: '::1',
        accept_queue: { length: 3, backlog: 4 },
        waiting: { count: 3 },
      });
    });
  });

  it('dual stack: an IPv4 client waits for the listener of [::], under its IPv4 address', async () => {
    await withNamespace(async (namespace) => {
      const { listening, clients } = await serve(namespace, { address: '::', backlog: 4, v6only: false });
      await clients.connect({ address: '127.0.0.1', port: listening.port }, 2);
      await clients.connect({ address: '::1', port: listening.port }, 1);
      const said = await snapshot(namespace, ['--connections']);
      expect(listenerOn(said, listening.port)).toMatchObject({
        local: `[::]:${listening.port}`,
        dual_stack: true,
        accept_queue: { length: 3, backlog: 4 },
        waiting: { count: 3, reset: 0 },
      });
      const remotes = said.connections?.filter((one) => one.waiting).map((one) => one.remote_address);
      expect(remotes?.sort()).toEqual(['127.0.0.1', '127.0.0.1', '::1']);
    });
  });

  it('the specific address before the wildcard', async () => {
    await withPair(async (near, far) => {
      const server = await Server.start(near);
      const specific = await server.listen({ address: SERVER_ADDRESS, backlog: 8 });
      const { port } = specific;
      await server.listen({ address: '::', port, backlog: 8, v6only: true });
      const everywhere = await server.listen({ address: '127.0.0.1', port, backlog: 8 });
      const [local, remote] = await Promise.all([Clients.start(near), Clients.start(far)]);
      await remote.connect({ address: SERVER_ADDRESS, port }, 3);
      await remote.connect({ address: 'fd77::1', port }, 2);
      await local.connect({ port: everywhere.port }, 1);
      const said = await snapshot(near);
      expect(listenersOn(said, port)).toHaveLength(3);
      for (const [address, length] of [
        [SERVER_ADDRESS, 3] as const,
        ['[::]', 2] as const,
        ['127.0.0.1', 1] as const,
      ])
        expect(listenerAt(said, `${address}:${port}`)).toMatchObject({
          accept_queue: { length },
          waiting: { count: length, reset: 0 },
        });
    });
  });

  it('a dual-stack wildcard leaves IPv4 to a specific IPv4 listener', async () => {
    await withPair(async (near, far) => {
      const server = await Server.start(near);
      const wildcard = await server.listen({ address: '::', backlog: 8, v6only: false, reuseport: true });
      const { port } = wildcard;
      await server.listen({ address: SERVER_ADDRESS, port, backlog: 8, reuseport: true });
      const [local, remote] = await Promise.all([Clients.start(near), Clients.start(far)]);
      await remote.connect({ address: SERVER_ADDRESS, port }, 3);
      await local.connect({ port }, 2);
      const said = await snapshot(near);
      expect(listenerAt(said, `${SERVER_ADDRESS}:${port}`)).toMatchObject({
        accept_queue: { length: 3 },
        waiting: { count: 3 },
      });
      expect(listenerAt(said, `[::]:${port}`)).toMatchObject({
        accept_queue: { length: 2 },
        waiting: { count: 2 },
      });
    });
  });

  it.each([
    ['the bound one listened last', ['plain', 'bound'] as const],
    ['the unbound one listened last', ['bound', 'plain'] as const],
  ])('a listener bound to a device beside one that is not: %s', async (_, order) => {
    await withPair(async (near, far) => {
      const [server, clients] = await Promise.all([Server.start(near), Clients.start(far)]);
      const inodes = new Map<string, number>();
      let port = 0;
      for (const which of order) {
        const device = which === 'bound' ? { device: 'sw0' } : {};
        const made = await server.listen({
          address: '0.0.0.0',
          port,
          backlog: 8,
          reuseport: true,
          ...device,
        });
        inodes.set(which, made.inode);
        port = made.port;
      }
      await clients.connect({ address: SERVER_ADDRESS, port }, 3);
      const said = listenersOn(await snapshot(near), port);
      const taker = said.find((one) => one.inode === inodes.get(order[1]));
      const other = said.find((one) => one.inode === inodes.get(order[0]));
      expect(said.map((one) => one.local).sort()).toEqual([`0.0.0.0%sw0:${port}`, `0.0.0.0:${port}`]);
      expect(taker).toMatchObject({ accept_queue: { length: 3 }, waiting: { count: 3, reset: 0 } });
      expect(other).toMatchObject({ accept_queue: { length: 0 }, waiting: { count: 0 } });
    });
  });

  it('a link-local address with its zone', async () => {
    await withPair(async (near, far) => {
      await near.must('ip', 'address', 'add', 'fe80::77:1/64', 'dev', 'sw0', 'nodad');
      await far.must('ip', 'address', 'add', 'fe80::77:2/64', 'dev', 'sw0', 'nodad');
      const [server, clients] = await Promise.all([Server.start(near), Clients.start(far)]);
      const { port } = await server.listen({ address: 'fe80::77:1%sw0', backlog: 8 });
      await clients.connect({ address: 'fe80::77:1%sw0', port }, 2);
      const said = await snapshot(near, ['--connections']);
      expect(listenerOn(said, port)).toMatchObject({
        local: `[fe80::77:1%sw0]:${port}`,
        accept_queue: { length: 2, backlog: 8 },
        waiting: { count: 2, reset: 0 },
      });
    });
  });

  it('SO_REUSEPORT: each member has its own queue, the rows are known for the group only', async () => {
    await withNamespace(async (namespace) => {
      const [server, clients] = await Promise.all([Server.start(namespace), Clients.start(namespace)]);
      const members: Listening[] = [];
      for (let member = 0; member < 3; member++)
        members.push(await server.listen({ port: members[0]?.port ?? 0, backlog: 4, reuseport: true }));
      const port = members[0]?.port ?? 0;
      const { connected } = await clients.connect({ port }, 60, 15);
      expect(connected).toBe(15); // all three full; then two of them are emptied
      await server.accept(members[0] as Listening, 5);
      await server.accept(members[2] as Listening, 4);

      const said = listenersOn(await snapshot(namespace), port);
      expect(said).toHaveLength(3);
      const byInode = new Map(said.map((listener) => [listener.inode, listener]));
      const [first, second, third] = members.map((member) => byInode.get(member.inode));
      expect(second).toMatchObject({ accept_queue: { length: 5, backlog: 4, fill: 1 }, verdict: 'full' });
      for (const member of [first, third]) expect(member?.accept_queue.length).toBeLessThanOrEqual(5);
      for (const member of said) {
        expect(member.waiting).toBeUndefined();
        expect(member.syn_queue).toBeUndefined();
        expect(member.group).toMatchObject({ members: 3 });
        expect(member.group?.id).toBe(first?.group?.id);
      }
      expect(first?.group?.waiting?.count).toBeGreaterThanOrEqual(6);
      const drops = said.map((member) => member.dropped_segments ?? 0);
      expect(drops.reduce((sum, one) => sum + one, 0)).toBeGreaterThanOrEqual(1);
    });
  });

  it('one listener of several processes: all owners, counted once', async () => {
    await withNamespace(async (namespace) => {
      const { server, listening, clients } = await serve(namespace, { backlog: 4 });
      const { pids } = await server.fork(3);
      await clients.connect(listening, 2);
      const shared = listenerOn(await snapshot(namespace), listening.port);
      expect(shared.accept_queue).toMatchObject({ length: 2, backlog: 4 });
      expect(shared.owners?.map((owner) => owner.pid).sort()).toEqual([server.pid, ...pids].sort());
      expect(shared.owners?.every((owner) => owner.name === 'python3' && owner.fd === listening.fd)).toBe(
        true,
      );
    });
  });
});

describe.skipIf(noMptcp)(`MPTCP${noMptcp ? ` (skipped: ${noMptcp})` : ''}`, () => {
  it('a listener that ss lists twice is one, with the clients of both protocols', async () => {
    await withNamespace(async (namespace) => {
      const { listening, clients } = await serve(namespace, { kind: 'mptcp', backlog: 8 });
      await clients.connect({ port: listening.port }, 2);
      await clients.connect({ kind: 'mptcp', port: listening.port }, 2);
      expect(listenerOn(await snapshot(namespace), listening.port)).toMatchObject({
        protocol: 'mptcp',
        inode: listening.inode,
        accept_queue: { length: 4, backlog: 8, capacity: 9 },
        waiting: { count: 4, reset: 0 },
      });
    });
  });
});
