import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PoolJson, PoolsJson } from '../../src/model/pools-json.js';
import { idleServer } from '../support/idle-server.js';
import { needs } from '../support/needs.js';
import { type Namespace, SERVER_ADDRESS, withNamespace, withPair } from '../support/netns.js';
import { Running } from '../support/running.js';

const missing = needs({ root: true, programs: ['ip', 'nsenter', 'python3', 'openssl'] });

/** A server of HTTPS that closes what was idle for two seconds, and says nothing before its FIN: key, certificate. */
const SERVER = `
const { readFileSync } = require('node:fs');
const [key, cert] = process.argv.slice(1).map((path) => readFileSync(path));
const server = require('node:https').createServer({ key, cert }, (_, response) => response.end('ok'));
server.keepAliveTimeout = 2000;
server.listen(8443, '127.0.0.1', () => console.log('listening'));
`;

/** Twelve connections with one request each, some time apart, that stay until the server closes; says when all have ended. */
const CLIENT = `
const { get, Agent } = require('node:https');
let left = 12;
for (let one = 0; one < 12; one++)
  setTimeout(() => {
    const agent = new Agent({ keepAlive: true });
    const request = get({ host: '127.0.0.1', port: 8443, agent, rejectUnauthorized: false, maxVersion: process.argv[1] }, (response) => response.resume());
    request.on('error', (error) => console.error(error));
    request.on('socket', (socket) => socket.on('close', () => --left === 0 && console.log('done')));
  }, one * 400);
setInterval(() => {}, 60_000);
`;

const IDLE_SERVER = idleServer(SERVER_ADDRESS);

/** Answers its one request after two seconds, and closes. */
const SLOW_SERVER = IDLE_SERVER.replace('import socket', 'import time, socket')
  .replace('    sock.settimeout(2)\n', '')
  .replace('while sock.recv(64):', 'if sock.recv(64):\n            time.sleep(2)');

/** Asks, reads the answer and what may follow, and closes, with a reset if told so: twelve times, some time apart. */
const ASKER = `
import socket, struct, sys, threading, time
def ask():
    sock = socket.create_connection(("${SERVER_ADDRESS}", 4000))
    sock.sendall(b"one")
    while sock.recv(64):
        pass
    if sys.argv[1] == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
threads = [threading.Thread(target=ask) for _ in range(12)]
for thread in threads:
    thread.start()
    time.sleep(0.4)
for thread in threads:
    thread.join()
time.sleep(1)
print("done", flush=True)
time.sleep(600)
`;

/** Reads a request until its end, works on it for a minute, answers and closes. */
const WORKING_SERVER = `
import socket, threading, time
def serve(sock):
    while sock.recv(4096):
        pass
    time.sleep(60)
    sock.sendall(b"done")
    sock.close()
listener = socket.create_server(("${SERVER_ADDRESS}", 4000), backlog=512)
print("listening", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
`;

/** The same requests are answered at once and then forgotten: the descriptor stays. */
const LEAKING_SERVER = WORKING_SERVER.replace('    time.sleep(60)\n', '')
  .replace('    sock.close()', '    kept.append(sock)')
  .replace('def serve', 'kept = []\ndef serve');

/** Uploads, ends its side, and waits for the answer: forty times, some time apart. Says when all are sent. */
const UPLOADER = `
import socket, time
made = []
for _ in range(40):
    sock = socket.create_connection(("${SERVER_ADDRESS}", 4000))
    sock.sendall(b"x" * 2000)
    sock.shutdown(socket.SHUT_WR)
    made.append(sock)
    time.sleep(0.15)
print("done", flush=True)
time.sleep(600)
`;

/** Connects and closes, without a byte or with one: eighty times. Says when that is done. */
const PROBER = `
import socket, sys, time
for _ in range(80):
    with socket.create_connection(("${SERVER_ADDRESS}", 4000)) as sock:
        if sys.argv[1] == "request":
            sock.sendall(b"x")
            sock.recv(64)
    time.sleep(0.05)
print("done", flush=True)
time.sleep(600)
`;

async function start(namespace: Namespace, program: string, ...args: string[]) {
  const child = namespace.spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child.pid ?? 0;
}

/** `pools` in a namespace until the programs that `during` starts have said that they are done; gives what `during` gives. */
async function watched<T>(namespaces: readonly Namespace[], during: () => Promise<T>, ...args: string[]) {
  const words = ['pools', '--format', 'json', '--duration', '5m', '--interval', '250ms', ...args];
  const running = namespaces.map((namespace) => Running.start(words, { namespace }));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const pids = await during();
  const reports = running.map(async (one) => {
    one.signal('SIGINT');
    return JSON.parse((await one.ended()).stdout) as PoolsJson;
  });
  return [pids, await Promise.all(reports)] as const;
}

function poolOf({ pools }: PoolsJson, direction: PoolJson['direction']): PoolJson {
  const found = pools.filter((pool) => pool.direction === direction && pool.seen >= 12);
  expect(found, JSON.stringify(pools, null, 1)).toHaveLength(1);
  return found[0] as PoolJson;
}

const raceOf = ({ findings }: PoolsJson, side: 'local' | 'remote') =>
  findings.filter(({ rule, subject }) => rule === 'keepalive_race' && subject[side] !== undefined);

/** Two seconds, and what a busy machine adds before a program wakes up. */
function expectTwoSeconds({ idle_close_ms: ms }: PoolJson) {
  expect(ms).toBeGreaterThan(1800);
  expect(ms).toBeLessThan(4000);
}

describe.skipIf(missing)(`ends of connections${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it.each(['TLSv1.3', 'TLSv1.2'])(
    'where the clients answer the FIN with the close_notify of %s, no request is lost',
    async (version) => {
      const folder = mkdtempSync(join(tmpdir(), 'sockwatch-tls-'));
      try {
        await withNamespace(async (namespace) => {
          const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
          const words = 'req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout';
          await namespace.must('openssl', ...words.split(' '), key, '-out', cert);
          await start(namespace, process.execPath, '-e', SERVER, key, cert);
          const [, [said]] = await watched([namespace], () =>
            start(namespace, process.execPath, '-e', CLIENT, version),
          );
          const report = said as PoolsJson;
          for (const direction of ['outbound', 'inbound'] as const) {
            const pool = poolOf(report, direction);
            expectTwoSeconds(pool);
            expect(pool).toMatchObject({ idle_close_by: direction === 'outbound' ? 'peer' : 'self' });
            expect(pool).not.toHaveProperty('lost_requests');
          }
          const [here] = raceOf(report, 'remote');
          expect(here).toMatchObject({
            severity: 'info',
            message: expect.stringContaining('no request was seen'),
          });
          expect(here?.evidence.map(({ metric }) => metric)).toContain('alerts_after_fin');
          const [there] = raceOf(report, 'local');
          expect(there).toMatchObject({ severity: 'info', sure: 'suspected' });
          expect(there?.message).toContain("a request, or the client's close_notify of TLS");
        });
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  it('the time is measured where the clients answer the FIN with a reset, on both sides', async () => {
    await withPair(async (server, client) => {
      await start(server, 'python3', '-c', IDLE_SERVER);
      const [, [there, here]] = await watched([server, client], () =>
        start(client, 'python3', '-c', ASKER, 'reset'),
      );
      expectTwoSeconds(poolOf(there as PoolsJson, 'inbound'));
      expectTwoSeconds(poolOf(here as PoolsJson, 'outbound'));
      for (const said of [there, here] as PoolsJson[]) {
        expect(said.findings.filter(({ rule }) => rule === 'keepalive_race')).toMatchObject([
          { severity: 'info' },
        ]);
        for (const pool of said.pools) expect(pool).not.toHaveProperty('lost_requests');
      }
    });
  });

  it.each(['netlink', 'ss'])(
    'a slow answer and the close after it are no idle timeout, as %s shows them',
    async (source) => {
      await withPair(async (server, client) => {
        await start(server, 'python3', '-c', SLOW_SERVER);
        const [, reports] = await watched(
          [server, client],
          () => start(client, 'python3', '-c', ASKER, 'close'),
          '--source',
          source,
        );
        for (const said of reports) {
          expect(said.findings.filter(({ rule }) => rule === 'keepalive_race')).toEqual([]);
          for (const pool of said.pools) expect(pool).not.toHaveProperty('idle_close_ms');
        }
      });
    },
  );

  it.each([
    ['are worked on: a suspicion', WORKING_SERVER, { severity: 'info', sure: 'suspected' }],
    ['were answered and left open: a leak', LEAKING_SERVER, { sure: 'likely' }],
  ])('requests that ended with shutdown(SHUT_WR) and %s', async (_, program, expected) => {
    await withPair(async (server, client) => {
      await start(server, 'python3', '-c', program);
      const [, [said]] = await watched([server], () => start(client, 'python3', '-c', UPLOADER));
      const found = (said as PoolsJson).findings.filter(({ rule }) => rule === 'close_wait_leak');
      expect(found).toMatchObject([expected]);
      // How bad it is depends on the limit of descriptors.
      expect(found[0]?.severity === 'info').toBe(expected.sure === 'suspected');
      expect(found[0]?.message.includes('shutdown(SHUT_WR)')).toBe(expected.sure === 'suspected');
    });
  });

  it.each([
    ['no byte: health checks', 'probe', { severity: 'info' }],
    ['a request each: churn', 'request', { severity: 'warning' }],
  ])('short connections with %s', async (_, kind, expected) => {
    await withPair(async (server, client) => {
      await start(server, 'python3', '-c', IDLE_SERVER);
      const [, [said]] = await watched([client], () => start(client, 'python3', '-c', PROBER, kind));
      const found = (said as PoolsJson).findings.filter(({ rule }) => rule === 'pool_churn');
      expect(found).toMatchObject([expected]);
      expect(found[0]?.message.includes('that carried no data')).toBe(kind === 'probe');
    });
  });
});
