import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TraceConnectionJson } from '../../src/model/trace-json.js';
import { sockwatch } from '../support/cli.js';
import { needs } from '../support/needs.js';
import { type Namespace, withNamespace } from '../support/netns.js';
import { poll } from '../support/poll.js';
import { Running } from '../support/running.js';

const missing = needs({ root: true, programs: ['ip', 'nsenter', 'nft', 'tcpdump', 'python3', 'openssl'] });
const WIRE = fileURLToPath(new URL('../support/programs/wire.py', import.meta.url));

describe.skipIf(missing)(`captures of the real thing${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sockwatch-wire-'));
    const subject = ['-subj', '/CN=sockwatch.test', '-days', '2'];
    const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...subject], {
      stdio: 'ignore',
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Lets a scenario happen under tcpdump, and reads the capture as a user would. */
  async function captured(namespace: Namespace, ...scenario: string[]): Promise<TraceConnectionJson[]> {
    const path = join(folder, `${scenario[0]}.pcap`);
    const tcpdump = namespace.spawn(
      'tcpdump',
      ['-i', 'lo', '-U', '--immediate-mode', '-Z', 'root', '-w', path],
      {
        stdio: 'ignore',
      },
    );
    await poll(
      () => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) >= 24,
      'the header of the capture',
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    await namespace.must('python3', '-B', WIRE, ...scenario);
    await new Promise((resolve) => setTimeout(resolve, 300));
    tcpdump.kill('SIGINT');
    await once(tcpdump, 'close');
    const { code, stdout, stderr } = await sockwatch(namespace, ['pcap', path, '--format', 'ndjson']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({ schema: 'sockwatch.summary/1' });
    return lines.slice(0, -1);
  }

  const inNamespace = (...scenario: string[]) =>
    withNamespace((namespace) => captured(namespace, ...scenario));

  it('a connect that is refused', async () => {
    const [connection] = await inNamespace('refused');
    expect(connection).toMatchObject({
      outcome: 'refused',
      role: 'syn',
      syn: [{ frame: 1 }],
      rst: { server: { frame: 2 } },
    });
    expect(connection?.findings.map(({ rule }) => rule)).toEqual(['connect_refused']);
  });

  it('a connect that nobody answers', () =>
    withNamespace(async (namespace) => {
      await namespace.must(
        'nft',
        'add table inet sw; add chain inet sw in { type filter hook input priority 0; }; add rule inet sw in tcp dport 4444 drop',
      );
      const [connection] = await captured(namespace, 'timed_out', '4444');
      expect(connection).toMatchObject({ outcome: 'timed_out', server: '127.0.0.1:4444' });
      expect(connection?.syn.length).toBeGreaterThan(1);
      expect(connection?.findings[0]?.rule).toBe('connect_timeout');
    }));

  it('SYNs that a full accept queue drops, until it is drained', async () => {
    const connections = await inNamespace('overflow');
    const signatures = connections.map(
      ({ findings }) => findings.find(({ rule }) => rule === 'accept_queue_overflow')?.signature,
    );
    expect(signatures[0]).toBeUndefined();
    expect(signatures.filter((signature) => signature === 's1').length).toBeGreaterThanOrEqual(2);
  });

  it.each([
    ['s2', { tcp_syncookies: 0, tcp_abort_on_overflow: 0 }, '2'],
    ['s3', { tcp_syncookies: 2, tcp_abort_on_overflow: 0 }, '0'],
    ['s4', { tcp_syncookies: 0, tcp_abort_on_overflow: 1 }, '2'],
  ])('%s: an accept queue that is full when the ACK comes', (signature, sysctls, backlog) =>
    withNamespace(async (namespace) => {
      for (const [name, value] of Object.entries(sysctls)) await namespace.sysctl(`net.ipv4.${name}`, value);
      const connections = await captured(namespace, 'late_ack', backlog);
      expect(await namespace.counter('ListenOverflows')).toBeGreaterThan(0);
      const found = connections.flatMap(({ findings }) =>
        findings.filter(({ rule }) => rule === 'accept_queue_overflow'),
      );
      expect(found.map((finding) => finding.signature)).toEqual([signature]);
    }),
  );

  it('a kept connection that the server closes, and no secret of it', async () => {
    const connections = await inNamespace('kept_alive');
    const [connection] = connections;
    expect(connection).toMatchObject({ outcome: 'established', http: { requests: 2, responses: 2 } });
    expect(connection?.close).toMatchObject({
      first_fin: 'server',
      idle_close: { by: 'server' },
      time_wait: 'server',
    });
    expect(connection?.close?.idle_close?.idle_ms).toBeGreaterThan(1100);
    expect(connection?.close?.idle_close?.idle_ms).toBeLessThan(3000);
    expect(JSON.stringify(connections)).not.toContain('secret');
  });

  it('a WebSocket', async () => {
    const [connection] = await inNamespace('web_socket');
    expect(connection?.http).toMatchObject({ version: 'websocket', requests: 1, responses: 1 });
  });

  it.each(['1.2', '1.3'])('TLS %s', async (version) => {
    const [connection] = await inNamespace('tls', folder, version);
    expect(connection?.tls).toMatchObject({
      version,
      sni: 'sockwatch.test',
      client_hello: {},
      server_hello: {},
      finished: {},
    });
    if (version === '1.2') expect(connection?.tls?.alpn).toBe('http/1.1');
    expect(connection?.phases.tls_ms).toBeGreaterThan(0);
    expect(connection?.phases.first_response_ms).toBeGreaterThan(0);
  });

  it('sockwatch capture tells connections while they end, and keeps the packets', () =>
    withNamespace(async (namespace) => {
      const kept = join(folder, 'kept.pcap');
      const running = Running.start(['capture', '-i', 'lo', '--write', kept], { namespace });
      await poll(() => statSync(kept, { throwIfNoEntry: false })?.size, 'the start of tcpdump');
      await namespace.must('python3', '-B', WIRE, 'kept_alive');
      const line = await running.line(/ established /, 20_000);
      expect(line).toContain('GET /one 200');
      await namespace.must('python3', '-B', WIRE, 'refused');
      await running.line(/ refused /, 20_000);
      running.signal('SIGINT');
      const { code, stdout } = await running.ended();
      expect(code).toBe(130);
      expect(stdout).toMatch(/tcpdump: \d+ packets/);
      expect(stdout).not.toContain('secret');
      expect(statSync(kept).mode & 0o777).toBe(0o600);
      expect(readFileSync(kept).readUInt32LE(0)).toBe(0xa1b2c3d4);
      const again = await sockwatch(namespace, ['pcap', kept, '--format', 'csv']);
      expect(again.stdout.trim().split('\n').length).toBeGreaterThanOrEqual(3);
    }));

  it('an interface that is not there, and a filter that is none: one line and status 1', () =>
    withNamespace(async (namespace) => {
      const none = await sockwatch(namespace, ['capture', '-i', 'nosuch0']);
      expect(none.code).toBe(1);
      expect(none.stderr).toMatch(
        /^sockwatch capture: tcpdump: nosuch0: .*; list the interfaces with tcpdump -D\n$/,
      );
      const wrong = await sockwatch(namespace, ['capture', '-i', 'lo', '--expression', 'no such words']);
      expect(wrong.code).toBe(1);
      expect(wrong.stderr.split('\n')).toHaveLength(2);
    }));
});
