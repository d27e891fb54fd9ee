import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SnapshotJson } from '../../src/model/json.js';
import { RUN_JS } from '../support/cli.js';
import { needs } from '../support/needs.js';

/** What `ss -tlnpe` and `ss -tnpe` print, shortened: a full listener, a quiet one, who waits and who is served. */
const SAVED = `\
State  Recv-Q Send-Q Local Address:Port  Peer Address:Port Process
LISTEN 129    128          0.0.0.0:443        0.0.0.0:*     users:(("nginx",pid=812,fd=6)) ino:81234 sk:3f70b cgroup:/ <->
LISTEN 0      128             [::]:22            [::]:*     users:(("sshd",pid=77,fd=3)) ino:5 sk:2 cgroup:/ v6only:1 <->
ESTAB  517    0           10.0.0.5:443    203.0.113.9:51022 ino:0 sk:4 cgroup:/ <->
ESTAB  0      14480       10.0.0.5:443   198.51.100.7:40112 users:(("nginx",pid=812,fd=9)) ino:9001 sk:5 cgroup:/ <->
`;

interface Run {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
}

function run(args: readonly string[], { input = '', env = {} }: Run = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [RUN_JS, 'snapshot', ...args], {
    input,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 30_000,
  });
  return { status, stdout, stderr };
}

let folder: string;
let saved: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sw-snapshot-'));
  saved = join(folder, 'ss.txt');
  writeFileSync(saved, SAVED);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('sockwatch snapshot on saved output', () => {
  it('shows the full listener first, with owner, queue and verdict', () => {
    const { status, stdout, stderr } = run([saved]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(
      /^S +LOCAL +PROCESS +ACCEPT QUEUE +QUEUE +CAPACITY +WAIT +DROPPED +SYN-RECV +VERDICT$/,
    );
    expect(lines[1]).toMatch(/^!! +0\.0\.0\.0:443 +nginx\/812 +\[#{10}\] 100% +129\/128 +129 .* full$/);
    expect(lines.find((line) => line.startsWith('ok'))).toMatch(
      /^ok +\[::\]:22 +sshd\/77 +\[-{10}\] +0% +0\/128 +129 .* ok$/,
    );
    expect(stdout).not.toContain('\x1b');
  });

  it('reads stdin and --from just so', () => {
    const { stdout } = run([saved]);
    expect(run(['-'], { input: SAVED })).toEqual({ status: 0, stdout, stderr: '' });
    expect(run(['--from', saved])).toEqual({ status: 0, stdout, stderr: '' });
  });

  it('prints JSON that its schema takes', () => {
    const { status, stdout } = run([saved, '--format', 'json', '--connections']);
    expect(status).toBe(0);
    const said = JSON.parse(stdout) as SnapshotJson;
    const file = fileURLToPath(new URL('../../schema/snapshot.schema.json', import.meta.url));
    const validate = new Ajv({ allowUnionTypes: true }).compile(JSON.parse(readFileSync(file, 'utf8')));
    expect(validate(said) ? [] : validate.errors).toEqual([]);
    expect(said).toMatchObject({ schema: 'sockwatch.snapshot/1', source: 'file', gaps: [] });
    expect(said.listeners[0]).toMatchObject({
      local: '0.0.0.0:443',
      accept_queue: { length: 129, backlog: 128, capacity: 129, fill: 1 },
      owners: [{ pid: 812, name: 'nginx', fd: 6 }],
      waiting: { count: 1 },
      verdict: 'full',
    });
    expect(said.connections?.map(({ remote, waiting, direction }) => [remote, waiting, direction])).toEqual([
      ['203.0.113.9:51022', true, 'inbound'],
      ['198.51.100.7:40112', false, 'inbound'],
    ]);
  });

  it('filters, and groups', () => {
    const listed = JSON.parse(run([saved, '--format', 'json', '--filter', 'port:22']).stdout) as SnapshotJson;
    expect(listed.listeners.map(({ local }) => local)).toEqual(['[::]:22']);
    expect(run([saved, '--group-by', 'port', '--format', 'csv']).stdout.split('\r\n')[1]).toBe(
      '443,inbound,2,1,517,14480,established 2',
    );
  });

  it('hides addresses and names with --redact', () => {
    for (const format of ['table', 'json', 'ndjson', 'csv']) {
      const { stdout } = run([saved, '--all', '--redact', '--format', format]);
      expect(stdout).not.toMatch(/nginx|sshd|10\.0\.0|203\.0|198\.51/);
      expect(stdout).toMatch(/process-1[\s\S]*ip-1/);
    }
  });

  it('says on stderr what it could not read, and shows the rest', () => {
    const { status, stdout, stderr } = run(['-'], { input: `${SAVED}ESTAB x y z\n` });
    expect(status).toBe(0);
    expect(stdout).toContain('0.0.0.0:443');
    expect(stderr).toMatch(/^note: ss line 6: expected .*\n$/);
  });
});

describe('exit status', () => {
  it.each([
    [['--fail-on', 'critical'], 1],
    [['--fail-on', 'warning'], 1],
    [['--fail-on', 'critical', '--filter', 'port:22'], 0],
    [[], 0],
  ])('%j ends with %d', (args, status) => {
    expect(run([saved, ...args])).toMatchObject({ status, stderr: '' });
  });

  it.each([
    [['--nonsense'], 'Nonexistent flag: --nonsense; see sockwatch snapshot --help'],
    [
      ['--format', 'xml'],
      'Expected --format=xml to be one of: table, json, ndjson, csv; see sockwatch snapshot --help',
    ],
    [
      ['--timeout', '10'],
      '--timeout: expected a duration such as 500ms, 1s or 5m, got "10"; see sockwatch snapshot --help',
    ],
    [
      ['--warn', 'many'],
      '--warn: expected a percentage such as 70, got "many"; see sockwatch snapshot --help',
    ],
    [
      ['--warn', '95', '--critical', '90'],
      '--warn: expected at most the value of --critical; see sockwatch snapshot --help',
    ],
    [
      ['a.txt', '--from', 'b.txt'],
      'expected one file, got "a.txt" and --from "b.txt"; see sockwatch snapshot --help',
    ],
  ])('%j is wrong usage: 2, one line', (args, message) => {
    expect(run(args)).toEqual({ status: 2, stdout: '', stderr: `sockwatch snapshot: ${message}\n` });
  });

  it.each([
    ['--filter', 'prot:443'],
    ['--sort', 'nonsense'],
    ['--port', '443'],
  ])('%s %s is wrong usage and says what is right', (...args) => {
    const { status, stdout, stderr } = run([saved, ...args]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^sockwatch snapshot: .*expected .*\n$/);
  });

  it('a file that is not there, or is something else: 1, one line', () => {
    const missing = run([join(folder, 'none.txt')]);
    expect(missing).toMatchObject({ status: 1, stdout: '' });
    expect(missing.stderr).toMatch(/^sockwatch snapshot: .*none\.txt.*\n$/);
    const other = run(['-'], { input: 'lorem ipsum\n\x1b[2J dolor\n' });
    expect(other).toMatchObject({ status: 1, stdout: '' });
    expect(other.stderr).toMatch(/^sockwatch snapshot: [^\x1b\n]*expected [^\x1b\n]*\n$/);
  });

  it('a signal ends it as a signal does', async () => {
    const child = spawn(process.execPath, [RUN_JS, 'snapshot', '-'], { stdio: ['pipe', 'ignore', 'ignore'] });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    child.kill('SIGTERM');
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
      child.on('exit', (...end) => resolve(end)),
    );
    expect(signal ?? code).toBe(signal === null ? 143 : 'SIGTERM');
  });
});

describe('a reader that leaves', () => {
  it.each(['table', 'json', 'ndjson', 'csv'])('%s ends quietly with 0', (format) => {
    const many = join(folder, 'many.txt');
    const row = (i: number) => `ESTAB 0 0 10.0.0.5:443 10.${i >> 8}.${i & 255}.1:40112\n`;
    writeFileSync(many, `${SAVED}${Array.from({ length: 20_000 }, (_, i) => row(i)).join('')}`);
    const script = `"$1" "$2" snapshot "$3" --all --format ${format} | head -n 1 >/dev/null; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', process.execPath, RUN_JS, many], {
      encoding: 'utf8',
    });
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
  });
});

const missing = needs({ programs: ['ss'] });
describe.skipIf(missing)(`sockwatch snapshot here${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('finds a listener of this process, with --udp and --unix too', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const { status, stdout } = run(['--format', 'json', '--udp', '--unix']);
    server.close();
    expect(status).toBe(0);
    const said = JSON.parse(stdout) as SnapshotJson;
    expect(said.listeners.find(({ local_port: on }) => on === port)).toMatchObject({
      local: `127.0.0.1:${port}`,
      accept_queue: { length: 0 },
      verdict: 'ok',
    });
    expect(said.netns).toMatch(/^\d+$/);
  });
});
