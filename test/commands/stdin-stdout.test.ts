import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RUN_JS } from '../support/cli.js';
import { needs } from '../support/needs.js';

const SAVED = `\
State  Recv-Q Send-Q Local Address:Port  Peer Address:Port Process
LISTEN 11     64           0.0.0.0:443        0.0.0.0:*     ino:81234 sk:3f70b cgroup:/ skmem:(r0,rb131072,t0,tb87040,f0,w0,o0,bl0,d7)
LISTEN 0      64           0.0.0.0:443        0.0.0.0:*     ino:81235 sk:3f70c cgroup:/ skmem:(r0,rb131072,t0,tb87040,f0,w0,o0,bl0,d0)
ESTAB  517    0           10.0.0.5:443    203.0.113.9:51022 ino:0 sk:4 cgroup:/
`;
const UNIX = `\
Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process
u_str LISTEN 3      2      /run/full.sock 4711 * 0 skmem:(r0,rb212992,t0,tb212992,f0,w0,o0,bl0,d0)
u_str ESTAB  0      0      * 4712 * 4713 skmem:(r0,rb212992,t0,tb212992,f0,w0,o0,bl0,d0)
`;
const TIMEOUT = { timeout: 60_000 };
const missing = needs({ programs: ['ss', 'sh'] });

let folder: string;
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o755 });
  return path;
};
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sockwatch-stdio-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (args: readonly string[], input?: string, env: NodeJS.ProcessEnv = {}) =>
  spawnSync(process.execPath, [RUN_JS, ...args], {
    ...(input !== undefined && { input }),
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 30_000,
  });
const shell = (line: string) =>
  spawnSync('sh', ['-c', line], {
    encoding: 'utf8',
    env: { ...process.env, SW: `${process.execPath} ${RUN_JS}` },
    timeout: 50_000,
  });

describe('what comes on stdin', TIMEOUT, () => {
  it.skipIf(missing)('is left to its owner unless - asks for it: a loop goes on', () => {
    const { stdout, stderr } = shell(
      "printf 'a\\nb\\n' | while read h; do echo host $h; $SW snapshot >/dev/null; done",
    );
    expect(stdout).toBe('host a\nhost b\n');
    expect(stderr).not.toContain('could not be read');
  });

  it('is read with --from - as with -', () => {
    const one = run(['snapshot', '--from', '-', '--format', 'csv'], SAVED);
    expect(one.status).toBe(0);
    expect(one.stdout).toBe(run(['snapshot', '-', '--format', 'csv'], SAVED).stdout);
  });

  it('may be empty, but not without a word', () => {
    const { status, stderr } = run(['snapshot', '-'], '');
    expect(status).toBe(0);
    expect(stderr).toContain('the input is empty');
  });
});

describe('stdout that takes nothing', TIMEOUT, () => {
  it.skipIf(!existsSync('/dev/full'))('is one line and status 1', () => {
    const path = file('saved.txt', SAVED);
    const { stderr } = shell(`$SW snapshot ${path} > /dev/full; echo status $? >&2`);
    expect(stderr).toContain('ENOSPC');
    expect(stderr).toContain('status 1');
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe('what is not known', TIMEOUT, () => {
  it('of one member of a SO_REUSEPORT group stays empty in CSV', () => {
    const [head = '', ...rows] = run(['snapshot', '-', '--format', 'csv'], SAVED).stdout.split('\r\n');
    const at = head.split(',').indexOf('waiting_count');
    expect(at).toBeGreaterThan(0);
    expect(rows.filter(Boolean).map((row) => row.split(',')[at])).toEqual(['', '']);
  });

  it('of Unix sockets are drops: the kernel counts none', () => {
    const { stdout } = run(['snapshot', '-', '--unix', '--all', '--format', 'json'], UNIX);
    const said = JSON.parse(stdout);
    expect(said.listeners).toHaveLength(1);
    expect(said.listeners[0]).not.toHaveProperty('dropped_segments');
    expect(said.connections[0]).not.toHaveProperty('drops');
    expect(said).not.toHaveProperty('monotonic_ms');
  });
});

describe('limits', TIMEOUT, () => {
  it('give way to the one that was asked for', () => {
    const verdict = (...flags: string[]) =>
      JSON.parse(run(['snapshot', '-', '--format', 'json', ...flags], SAVED).stdout).listeners[0].verdict;
    expect(verdict('--critical', '15')).toBe('filling');
    expect(run(['snapshot', '-', '--critical', '15'], SAVED).status).toBe(0);
    expect(run(['snapshot', '-', '--critical', '15', '--warn', '20'], SAVED).status).toBe(2);
  });
});

describe('sockwatch live', TIMEOUT, () => {
  it('fails where no look succeeded, and says why once', () => {
    file('ss', '#!/bin/sh\nexec sleep 20\n');
    const args = ['live', '--source', 'ss', '--count', '2', '--timeout', '300ms', '--interval', '200ms'];
    const { status, stderr } = run(args, undefined, { PATH: `${folder}:${process.env.PATH}` });
    expect(status).toBe(1);
    expect(stderr.match(/did not finish within 300 ms/g)).toHaveLength(1);
  });

  it('names an argument that it does not take', () => {
    const { status, stderr } = run(['live', 'foo']);
    expect(status).toBe(2);
    expect(stderr).toBe('sockwatch live: unexpected argument "foo"; see sockwatch live --help\n');
  });
});
