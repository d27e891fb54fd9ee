import { describe, expect, it } from 'vitest';
import { listenerOn, snapshot } from '../support/cli.js';
import { needs } from '../support/needs.js';
import { type Namespace, SERVER_ADDRESS, withPair } from '../support/netns.js';
import { Clients, Server } from '../support/sockets.js';

const missing = needs({ root: true, programs: ['ip', 'ss', 'nsenter', 'nft', 'python3'] });

/** The clients' last ACK of a handshake never leaves: the server's requests stay in SYN-RECV. */
const dropAcks = (client: Namespace) =>
  client.must(
    'nft',
    'add table inet sw; add chain inet sw out { type filter hook output priority 0; }; ' +
      'add rule inet sw out tcp flags & (syn|ack|rst|fin) == ack drop',
  );

/** `requests` half-open connections at a listener with this backlog, of which the kernel stores `stored`. */
async function pin(
  server: Namespace,
  client: Namespace,
  backlog: number,
  requests: number,
  answered = requests,
) {
  await dropAcks(client);
  const [listener, clients] = await Promise.all([Server.start(server), Clients.start(client)]);
  const { port } = await listener.listen({ address: SERVER_ADDRESS, backlog });
  await clients.connect({ address: SERVER_ADDRESS, port }, requests, answered);
  return { listener, clients, port };
}

describe.skipIf(missing)(`the SYN queue of a real listener${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('counts the requests of a listener against its backlog', async () => {
    await withPair(async (server, client) => {
      const { port } = await pin(server, client, 16, 10);
      const quiet = listenerOn(await snapshot(server), port);
      expect(quiet).toMatchObject({
        accept_queue: { length: 0, backlog: 16 },
        syn_queue: { length: 10, limit: 16 },
        dropped_segments: 0,
      });
      expect(quiet.findings).not.toContain('syn_queue_full');
    });
  });

  it('full with SYN cookies: what is beyond is answered, and nothing is dropped', async () => {
    await withPair(async (server, client) => {
      const { port } = await pin(server, client, 4, 8);
      const said = await snapshot(server);
      const full = listenerOn(said, port);
      expect(full).toMatchObject({
        syn_queue: { length: 5, limit: 4 },
        verdict: 'syn_queue_full',
        dropped_segments: 0,
      });
      expect(full.findings).toContain('syn_queue_full');
      expect(full.accept_queue.length).toBe(0);
      expect(said.counters).toMatchObject({
        TCPReqQFullDoCookies: 3,
        TCPReqQFullDrop: 0,
        ListenOverflows: 0,
        ListenDrops: 0,
      });
    });
  });

  it('full without SYN cookies: what is beyond is dropped', async () => {
    await withPair(async (server, client) => {
      await server.sysctl('net.ipv4.tcp_syncookies', 0);
      const { port } = await pin(server, client, 4, 8, 5);
      const said = await snapshot(server);
      const full = listenerOn(said, port);
      expect(full).toMatchObject({ syn_queue: { length: 5, limit: 4 }, verdict: 'syn_queue_full' });
      expect(full.dropped_segments).toBeGreaterThanOrEqual(3);
      expect(said.counters?.TCPReqQFullDrop).toBeGreaterThanOrEqual(3);
      expect(said.counters).toMatchObject({ TCPReqQFullDoCookies: 0, ListenOverflows: 0 });
      expect(said.counters?.ListenDrops).toBe(said.counters?.TCPReqQFullDrop);
    });
  });

  it('three quarters of tcp_max_syn_backlog, without SYN cookies: drops that are no overflows', async () => {
    await withPair(async (server, client) => {
      await server.sysctl('net.ipv4.tcp_syncookies', 0);
      await server.sysctl('net.ipv4.tcp_max_syn_backlog', 16);
      const { port } = await pin(server, client, 64, 20, 13);
      const said = await snapshot(server);
      const limited = listenerOn(said, port);
      expect(limited).toMatchObject({ accept_queue: { length: 0 }, syn_queue: { length: 13 } });
      expect(limited.dropped_segments).toBeGreaterThanOrEqual(7);
      expect(said.counters).toMatchObject({
        TCPReqQFullDrop: 0,
        TCPReqQFullDoCookies: 0,
        ListenOverflows: 0,
      });
      expect(said.counters?.ListenDrops).toBeGreaterThanOrEqual(7);
      expect(limited.findings).not.toContain('accept_queue_overflow');
      expect(limited.findings).toContain('syn_queue_full');
      expect(limited.advice).toContain('tcp_max_syn_backlog');
    });
  });

  it('SYN cookies for every SYN: nothing is stored, and nothing is full', async () => {
    await withPair(async (server, client) => {
      await server.sysctl('net.ipv4.tcp_syncookies', 2);
      const { port } = await pin(server, client, 4, 8);
      const said = await snapshot(server);
      expect(said.counters).toMatchObject({ TCPReqQFullDoCookies: 8, ListenDrops: 0 });
      expect(listenerOn(said, port)).toMatchObject({
        syn_queue: { length: 0, limit: 4 },
        verdict: 'ok',
        findings: [],
        dropped_segments: 0,
      });
    });
  });

  it('the requests of a SO_REUSEPORT group are known for the group only', async () => {
    await withPair(async (server, client) => {
      await dropAcks(client);
      const [listener, clients] = await Promise.all([Server.start(server), Clients.start(client)]);
      const { port } = await listener.listen({ address: SERVER_ADDRESS, backlog: 64, reuseport: true });
      await listener.listen({ address: SERVER_ADDRESS, port, backlog: 64, reuseport: true });
      await clients.connect({ address: SERVER_ADDRESS, port }, 12);
      const members = (await snapshot(server)).listeners.filter((one) => one.local_port === port);
      expect(members).toHaveLength(2);
      for (const member of members) {
        expect(member.syn_queue).toBeUndefined();
        expect(member.group).toMatchObject({ members: 2, syn_queue: { length: 12 } });
      }
    });
  });
});
