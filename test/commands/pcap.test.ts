import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RUN_JS } from '../support/cli.js';
import { Conversation, pcap } from '../support/packets.js';

const overflow = fileURLToPath(
  new URL('../../fixtures/captures/overflow/s2-full-at-ack-with-data.pcap', import.meta.url),
);
const HOSTILE = '\x1b]0;owned\x07\x1b[2J';

let folder: string;
let web: string;
let hostile: string;
const file = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sockwatch-pcap-'));
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  const good = new Conversation()
    .handshake()
    .data('client', 'GET /a?b=secret HTTP/1.1\r\nHost: web.test\r\n\r\n')
    .data('server', ok)
    .close();
  const bad = new Conversation(1_700_000_002, { client: 40_001, server: 81 }).syn().rst('server');
  web = file('web.pcap', pcap([...good.packets, ...bad.packets]));
  const evil = new Conversation()
    .handshake()
    .data('client', `GET /${HOSTILE} HTTP/1.1\r\nHost: ${HOSTILE}\r\n\r\n`)
    .close();
  hostile = file(`evil.pcap`, pcap(evil.packets));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (args: readonly string[], input?: Uint8Array) =>
  spawnSync(process.execPath, [RUN_JS, 'pcap', ...args], {
    encoding: 'utf8',
    timeout: 30_000,
    ...(input && { input }),
  });
const lines = (args: readonly string[]) =>
  run(args)
    .stdout.trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('sockwatch pcap', () => {
  it('tells the summary first, then connections, the worst at the top', () => {
    const { status, stdout, stderr } = run([overflow]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('31 packets');
    expect(stdout).toContain('!  suspected accept queue overflow: 2 connections');
    const rows = stdout.split('\n').filter((line) => /10\.78\.0\.2:\d+ +10\.78\.0\.1:8202/.test(line));
    expect(rows).toHaveLength(3);
    expect(rows[0]).toContain('suspected: accept queue overflow');
    expect(rows[2]).toMatch(/^ok/);
  });

  it('is what the README shows', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const [, command = '', sample = ''] = /^\$ sockwatch pcap (\S+)\n(.*?)^```$/ms.exec(readme) ?? [];
    const { stdout } = spawnSync(process.execPath, [RUN_JS, 'pcap', command], {
      encoding: 'utf8',
      cwd: fileURLToPath(new URL('../../', import.meta.url)),
    });
    const said = stdout.split('\n').map((line) => line.trimEnd());
    const shown = sample.split('\n').filter((line) => line !== '' && line !== '...');
    expect(shown.length).toBeGreaterThan(7);
    expect(said).toEqual(expect.arrayContaining(shown));
  });

  it('reads standard input, packed or not', () => {
    const plain = run(['-', '--format', 'csv'], readFileSync(web));
    expect(plain.stdout).toBe(run([web, '--format', 'csv']).stdout);
    expect(run(['-', '--format', 'csv'], gzipSync(readFileSync(web))).stdout).toBe(plain.stdout);
  });

  it('ndjson and json are what their schemas say', () => {
    const ajv = new Ajv({ strict: false });
    const schema = (name: string) =>
      JSON.parse(readFileSync(new URL(`../../schema/${name}.schema.json`, import.meta.url), 'utf8'));
    const connection = ajv.compile(schema('connection'));
    const summary = ajv.compile(schema('summary'));
    for (const path of [overflow, web, hostile]) {
      const said = lines([path, '--format', 'ndjson']);
      for (const one of said.slice(0, -1)) expect(connection(one) || connection.errors).toBe(true);
      expect(summary(said.at(-1)) || summary.errors).toBe(true);
      const whole = JSON.parse(run([path, '--format', 'json']).stdout);
      expect(whole.connections).toEqual(said.slice(0, -1));
    }
  });

  it('has the fields that other programs rely on', () => {
    const [good, bad, summary] = lines([web, '--format', 'ndjson']);
    expect(good).toMatchObject({
      schema: 'sockwatch.connection/1',
      protocol: 'tcp',
      client: '10.0.0.1:40000',
      server: '10.0.0.2:80',
      role: 'syn',
      outcome: 'established',
      syn: [{ time: '2023-11-14T22:13:20.000000000Z', frame: 1 }],
      http: { requests: 1, responses: 1 },
      zeek: { conn_state: 'SF', history: 'ShADdFfA'.slice(0, 7) },
    });
    expect(bad).toMatchObject({
      outcome: 'refused',
      findings: [{ rule: 'connect_refused', display_filter: expect.stringContaining('frame.number in {') }],
    });
    expect(summary).toMatchObject({
      schema: 'sockwatch.summary/1',
      connections: 2,
      outcomes: { refused: 1 },
    });
  });

  it('keeps no query string unless asked', () => {
    for (const format of ['table', 'ndjson', 'csv', 'zeek'])
      expect(run([web, '--format', format]).stdout).not.toContain('secret');
    expect(run([web, '--connection', '1']).stdout).not.toContain('secret');
    expect(run([web, '--format', 'ndjson', '--queries']).stdout).toContain('secret');
  });

  it('writes a conn.log of Zeek', () => {
    const { stdout } = run([web, '--format', 'zeek']);
    const fields =
      stdout
        .split('\n')
        .find((line) => line.startsWith('#fields'))
        ?.split('\t')
        .slice(1) ?? [];
    const rows = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(fields.slice(0, 7)).toEqual([
      'ts',
      'uid',
      'id.orig_h',
      'id.orig_p',
      'id.resp_h',
      'id.resp_p',
      'proto',
    ]);
    expect(rows).toHaveLength(2);
    for (const row of rows) expect(row.split('\t')).toHaveLength(fields.length);
    expect(rows[1]?.split('\t')[fields.indexOf('conn_state')]).toBe('REJ');
    const good = Object.fromEntries(fields.map((name, index) => [name, rows[0]?.split('\t')[index]]));
    // SYN, SYN-ACK, ACK, GET, 200, FIN, FIN at 100 us each; the last ACK does not count.
    expect(Number(good.duration)).toBeCloseTo(0.0006, 5);
    expect(good).toMatchObject({ orig_pkts: '5', resp_pkts: '3', service: 'http' });
    const payload = Number(good.orig_bytes);
    expect(Number(good.orig_ip_bytes)).toBe(payload + 5 * 40 + 12);
    expect(Number(good.resp_ip_bytes)).toBe(Number(good.resp_bytes) + 3 * 40 + 12);
  });

  it('says how the frames of several files are numbered', () => {
    expect(run([web, overflow]).stdout).toContain('frame numbers count the packets of all files');
    expect(run([web, overflow, '-c', '1']).stderr).toContain('frame numbers count the packets of all files');
    expect(run([web]).stdout).not.toContain('frame numbers');
  });

  it('tells one connection as its object where that is asked for', () => {
    const [good] = lines([web, '--format', 'ndjson']);
    for (const format of ['json', 'ndjson'])
      expect(JSON.parse(run([web, '-c', '1', '-f', format]).stdout)).toEqual(good);
    for (const format of ['csv', 'zeek'])
      expect(run([web, '-c', '1', '-f', format])).toMatchObject({
        status: 2,
        stdout: '',
        stderr: expect.stringContaining(`--connection has no form ${format}`),
      });
  });

  it('says that a window holds nothing, and refuses one that can hold nothing', () => {
    const empty = run([web, '--since', '1m']);
    expect(empty).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('no packet of the capture lies'),
    });
    const backwards = run([web, '--since', '2s', '--until', '1s']);
    expect(backwards).toMatchObject({ status: 2, stdout: '' });
    expect(backwards.stderr).toContain('--since is later than --until');
  });

  it('counts the same phases as the connections have', () => {
    const said = lines([overflow, '--format', 'ndjson']);
    const own = said.slice(0, -1).filter(({ phases }) => phases.syn_ack_to_ack_ms !== undefined);
    expect(said.at(-1).phases.syn_ack_to_ack.count).toBe(own.length);
  });

  it('tells one connection as a ladder', () => {
    const { stdout } = run([web, '--connection', '1']);
    expect(stdout).toContain('connection 1: 10.0.0.1:40000 -> 10.0.0.2:80 (tcp), established');
    expect(stdout).toMatch(/SYN ─+▶/);
    expect(stdout).toMatch(/◀─+ SYN-ACK/);
    expect(stdout).toContain('request GET /a');
    expect(run([web, '--connection', '9']).stderr).toContain('the capture has 1 to 2');
  });

  it('filters, cuts by time, and fails on demand', () => {
    expect(lines([web, '--format', 'ndjson', '--filter', 'state:refused'])).toHaveLength(2);
    expect(lines([web, '--format', 'ndjson', '--since', '1s'])).toHaveLength(2);
    expect(lines([web, '--format', 'ndjson', '--until', '1s'])).toHaveLength(2);
    expect(run([web, '--fail-on', 'refused'])).toMatchObject({
      status: 1,
      stderr: 'note: --fail-on: refused\n',
    });
    expect(run([web, '--fail-on', 'overflow,timed-out,retransmissions>1%']).status).toBe(0);
    expect(run([overflow, '--fail-on', 'retransmissions>1%']).status).toBe(1);
  });

  it('reads again with the second reader', () => {
    expect(run(['--verify', web, overflow])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/both readers agree on 31 packets/),
    });
  });

  it('a cut capture: what is there, the fault with its offset, status 1', () => {
    const whole = readFileSync(web);
    const { status, stdout } = run([file('cut.pcap', whole.subarray(0, whole.length - 30))]);
    expect(status).toBe(1);
    expect(stdout).toContain('established 1');
    expect(stdout).toMatch(/the file is cut/);
  });

  it('one bad file among good ones: the others, its fault, status 1', () => {
    const empty = file('empty.pcap', Buffer.alloc(0));
    const table = run([web, empty]);
    expect(table).toMatchObject({ status: 1, stderr: '' });
    expect(table.stdout).toContain('empty.pcap: an empty file: not read');
    expect(table.stdout).toContain('established 1');
    const ladder = run([web, join(folder, 'nowhere'), '-c', '1']);
    expect(ladder).toMatchObject({ status: 1, stderr: expect.stringContaining('there is no such file') });
    expect(ladder.stdout).toContain('connection 1:');
  });

  it.each<[string, () => string[], number, RegExp]>([
    ['two files that are none', () => [join(folder, 'a'), join(folder, 'b')], 1, /none of 2 captures/],
    ['no file', () => [], 2, /no capture given/],
    ['a file that is not there', () => [join(folder, 'nowhere')], 1, /there is no such file/],
    ['something else', () => [file('text', Buffer.from('hello hello hello'))], 1, /this is no capture/],
    ['a filter that is none', () => [web, '--filter', 'state:odd'], 2, /state/],
    ['a condition that is none', () => [web, '--fail-on', 'odd'], 2, /--fail-on/],
    ['a time that is none', () => [web, '--since', 'yesterday'], 2, /--since/],
  ])('%s: one line', (_, args, status, message) => {
    const result = run(args());
    expect(result.status).toBe(status);
    expect(result.stderr).toMatch(message);
    expect(result.stderr.trim().split('\n')).toHaveLength(1);
  });

  it('lets no escape sequence of a capture reach the terminal', () => {
    for (const args of [
      [hostile],
      [hostile, '--connection', '1'],
      [hostile, '--format', 'csv'],
      [hostile, '--format', 'zeek'],
      [hostile, '--format', 'ndjson'],
    ]) {
      const { stdout, stderr, status } = run(args);
      expect(status).toBe(0);
      expect(stdout + stderr).not.toContain('\x1b');
      expect(stdout + stderr).not.toContain('\x07');
    }
  });

  it('hides addresses with --redact, in every form', () => {
    for (const format of ['table', 'ndjson', 'csv', 'zeek']) {
      const { stdout } = run([web, '--format', format, '--redact']);
      expect(stdout).not.toMatch(/10\.0\.0\.[12]|web\.test/);
    }
    const ladder = run([web, '--connection', '1', '--redact']).stdout;
    expect(ladder).toMatch(/request GET ─/);
    expect(ladder).not.toMatch(/10\.0\.0\.[12]|web\.test|\/a/);
  });

  it('ends quietly where nobody reads', () => {
    const shell = spawnSync(
      'sh',
      ['-c', `"$0" "$1" pcap "$2" | head -1; exit 0`, process.execPath, RUN_JS, overflow],
      { encoding: 'utf8', timeout: 30_000 },
    );
    expect(shell.stderr).toBe('');
  });
});

describe('sockwatch capture, before it captures', () => {
  it.each([
    ['an argument that it does not know', ['extra'], 2, /unexpected argument "extra"/],
    ['two filters', ['-p', '80', '--expression', 'tcp'], 2, /--port and --expression exclude each other/],
    ['no condition', ['--fail-on', ''], 2, /--fail-on/],
    [
      'a file that cannot be',
      ['-w', '/nonexistent/x.pcap'],
      1,
      /x\.pcap cannot be written: there is no such/,
    ],
  ])('%s', (_, args, status, said) => {
    const result = spawnSync(process.execPath, [RUN_JS, 'capture', '-i', 'lo', '-d', '1s', ...args], {
      encoding: 'utf8',
    });
    expect(result.stderr).toMatch(said);
    expect({ status: result.status, stdout: result.stdout }).toEqual({ status, stdout: '' });
    expect(result.stderr.trim().split('\n')).toHaveLength(1);
  });
});
