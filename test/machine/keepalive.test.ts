import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { PoolJson, PoolsJson } from '../../src/model/pools-json.js';
import { sockwatch } from '../support/cli.js';
import { HttpClient, startNodeServer } from '../support/http.js';
import { idleServer } from '../support/idle-server.js';
import { needs } from '../support/needs.js';
import {
  FAR_ADDRESS,
  type Namespace,
  SERVER_ADDRESS,
  withFarPair,
  withNamespace,
  withPair,
} from '../support/netns.js';
import { startNginxWith } from '../support/nginx.js';
import { Running } from '../support/running.js';

const missing = needs({ root: true, programs: ['ip', 'nsenter', 'python3', 'nginx'] });
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** `pools` in a namespace until it is told to stop. */
function startPools(namespace: Namespace, ...args: string[]) {
  const words = ['pools', '--format', 'json', '--duration', '5m', ...args];
  const running = Running.start(words, { namespace });
  return async (): Promise<PoolsJson> => {
    running.signal('SIGINT');
    const { stdout } = await running.ended();
    return JSON.parse(stdout) as PoolsJson;
  };
}

function poolOf({ pools }: PoolsJson, pid: number, direction: PoolJson['direction']): PoolJson {
  const found = pools.filter((pool) => pool.pid === pid && pool.direction === direction);
  expect(found, JSON.stringify(pools, null, 1)).toHaveLength(1);
  return found[0] as PoolJson;
}

const raceOf = (said: PoolsJson, pid: number) =>
  said.findings.find(({ rule, subject }) => rule === 'keepalive_race' && subject.pid === pid);

/** Three connections to 10.77.0.1, two of them with TCP keep-alive after a second; says when they are there. */
const KEPT = `
import socket, time
made = []
for kept in (1, 1, 0):
    sock = socket.create_connection(("10.77.0.1", 3000))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, kept)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 100)
    made.append(sock)
print("made", flush=True)
time.sleep(600)
`;

const RESETTER = idleServer(FAR_ADDRESS, { reset: true });

/** Connections with one request, and some with another after nearly two seconds; says of how many of those the answer was a reset. */
const LATE = `
import socket, threading, time
lost = []
def keep(pause):
    sock = socket.create_connection(("${FAR_ADDRESS}", 4000))
    sock.sendall(b"one")
    sock.recv(64)
    time.sleep(pause)
    try:
        if pause:
            sock.sendall(b"two")
    except OSError:
        return
    try:
        sock.recv(64)
    except OSError:
        if pause:
            lost.append(pause)
for _ in range(4):
    threads = [threading.Thread(target=keep, args=(pause,)) for pause in (0, 0, 1.65, 1.7, 1.75, 1.8, 1.85, 1.9)]
    for thread in threads:
        thread.start()
    time.sleep(1)
for thread in threads:
    thread.join()
time.sleep(3)
print(len(lost), flush=True)
time.sleep(600)
`;

const PROXY = (port: number, upstream: string) => `
  upstream up { server ${upstream}; keepalive 32; keepalive_timeout 60s; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_next_upstream off;
    }
  }`;

describe.skipIf(missing)(`keep-alive of real servers${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('measures the keepalive_timeout of nginx, from both sides', async () => {
    await withNamespace(async (namespace) => {
      const nginx = await startNginxWith(
        namespace,
        'keepalive_timeout 3s; server { listen 127.0.0.1:8080; location / { return 200 "ok"; } }',
      );
      const client = await HttpClient.start(namespace);
      const stop = startPools(namespace, '--interval', '100ms');
      for (let round = 0; round < 5; round++) {
        await client.keep({ address: '127.0.0.1', port: 8080 }, 1);
        await sleep(700);
      }
      await sleep(4000);
      const said = await stop();
      const there = poolOf(said, nginx.worker, 'inbound');
      expect(there).toMatchObject({ idle_close_by: 'self' });
      expect(there.idle_close_ms).toBeGreaterThan(2700);
      expect(there.idle_close_ms).toBeLessThan(3300);
      const here = poolOf(said, client.pid, 'outbound');
      expect(here).toMatchObject({ idle_close_by: 'peer' });
      expect(here.idle_close_ms).toBeGreaterThan(2700);
      expect(here.idle_close_ms).toBeLessThan(3300);
      expect(here).not.toHaveProperty('lost_requests');
      expect(raceOf(said, client.pid)).toMatchObject({ severity: 'info' });
      expect(raceOf(said, nginx.worker)).toMatchObject({ severity: 'info' });
    });
  });

  it.each(['100ms', '1s'])(
    'counts the requests that cross the FIN of a server of Node, looking every %s',
    async (interval) => {
      await withFarPair(200, async (near, far) => {
        const server = { address: FAR_ADDRESS, port: 3000 };
        const node = await startNodeServer(far, server, 5000);
        const nginx = await startNginxWith(near, PROXY(8080, `${server.address}:${server.port}`));
        const client = await HttpClient.start(near);
        const proxy = { address: '127.0.0.1', port: 8080 };
        const stops = [near, far].map((namespace) => startPools(namespace, '--interval', interval));
        await sleep(1500);
        // Each of these connections is idle from another moment on.
        expect(new Set(await client.burst(proxy, [100, 600, 1100, 1600]))).toEqual(new Set([200]));
        await sleep(8000);
        let lost = 0;
        for (let round = 0; round < 4 && lost === 0; round++) {
          await client.burst(proxy, [300, 300, 300]);
          // Node closes after 6.0 s; its FIN needs 0.2 s to come here, as the answer did.
          await sleep(5800);
          const statuses = await client.burst(proxy, [300, 300, 300]);
          lost += statuses.filter((status) => status === 502).length;
        }
        await sleep(4000);
        const [here, there] = (await Promise.all(stops.map((stop) => stop()))) as [PoolsJson, PoolsJson];
        expect(lost).toBeGreaterThan(0);
        const outbound = poolOf(here, nginx.worker, 'outbound');
        expect(outbound).toMatchObject({
          idle_close_by: 'peer',
          lost_requests: lost,
          lost_requests_by: 'peer',
        });
        expect(outbound.idle_close_ms).toBeGreaterThan(5400);
        expect(outbound.idle_close_ms).toBeLessThan(6600);
        const race = raceOf(here, nginx.worker);
        expect(race).toMatchObject({ severity: 'warning', sure: 'certain' });
        expect(race?.message).toMatch(
          /closes connections that were idle for \d\.\d s; \d+ requests? met its FIN/,
        );
        const inbound = poolOf(there, node, 'inbound');
        expect(inbound).toMatchObject({ idle_close_by: 'self' });
        expect(inbound.idle_close_ms).toBeGreaterThan(5400);
        expect(inbound.idle_close_ms).toBeLessThan(6600);
        // On a busy machine nginx may send when its kernel has the FIN already: what came then, the server cannot know.
        const crossed = inbound.lost_requests_by === 'self';
        expect(raceOf(there, node)).toMatchObject({
          severity: crossed ? 'warning' : 'info',
          message: expect.stringMatching(crossed ? /crossed its FIN/ : /data came after its FIN/),
        });
      });
    },
  );

  it('counts the requests that cross the reset of a server that sends no FIN', async () => {
    await withFarPair(200, async (near, far) => {
      const server = far.spawn('python3', ['-c', RESETTER], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(server.stdout as NodeJS.ReadableStream, 'data');
      const stop = startPools(near, '--interval', '250ms');
      await sleep(1500);
      const client = near.spawn('python3', ['-c', LATE], { stdio: ['ignore', 'pipe', 'inherit'] });
      const [said] = await once(client.stdout as NodeJS.ReadableStream, 'data');
      const lost = Number(String(said));
      const report = await stop();
      const outbound = poolOf(report, client.pid ?? 0, 'outbound');
      expect(outbound).toMatchObject({ idle_close_reset: true });
      expect(outbound).not.toHaveProperty('idle_close_by');
      expect(outbound.idle_close_ms).toBeGreaterThan(1800);
      expect(outbound.idle_close_ms).toBeLessThan(2200);
      expect(lost).toBeGreaterThan(0);
      expect(outbound.lost_requests).toBe(lost);
      expect(raceOf(report, client.pid ?? 0)).toMatchObject({ severity: 'warning', sure: 'likely' });
    });
  });

  it('tells who has TCP keep-alive, and whose peer answers no probe', async () => {
    await withPair(async (server, client) => {
      await startNodeServer(server, { address: SERVER_ADDRESS, port: 3000 }, 600_000);
      const child = client.spawn('python3', ['-c', KEPT], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(child.stdout as NodeJS.ReadableStream, 'data');
      const look = async () => {
        const { stdout } = await sockwatch(client, [
          'pools',
          '--format',
          'json',
          '--duration',
          '500ms',
          '--interval',
          '100ms',
        ]);
        return JSON.parse(stdout) as PoolsJson;
      };
      const before = poolOf(await look(), child.pid ?? 0, 'outbound');
      expect(before).toMatchObject({ tcp_keepalive: 2, no_tcp_keepalive: 1, tcp_keepalive_unanswered: 0 });
      expect(before.tcp_keepalive_next_ms).toBeLessThanOrEqual(1100);
      await server.must('ip', 'link', 'set', 'sw0', 'down');
      await sleep(3000);
      const said = await look();
      expect(poolOf(said, child.pid ?? 0, 'outbound')).toMatchObject({
        tcp_keepalive: 2,
        tcp_keepalive_unanswered: 2,
      });
      expect(said.findings).toMatchObject([{ rule: 'keepalive_unanswered', severity: 'warning' }]);
    });
  });
});
