import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AlertJson, SnapshotJson } from '../../src/model/json.js';
import { listenersOn, RUN_JS } from '../support/cli.js';
import { needs } from '../support/needs.js';
import { withNamespace } from '../support/netns.js';
import { PATIENCE_MS } from '../support/poll.js';
import { Running, runToEnd } from '../support/running.js';
import { serve } from '../support/sockets.js';

const FAST = ['--interval', '200ms'];

describe('live, used wrongly', () => {
  it.each([
    [['--filter', 'port:http-alt:'], /--filter|filter|port/],
    [['--on-alert', "notify 'now"], /--on-alert: expected a closing '/],
    [['--on-alert', ''], /--on-alert: expected a program and its arguments/],
    [['--interval', 'soon'], /--interval: expected a duration such as 500ms, 1s or 5m, got "soon"/],
    [['--interval', '1ms'], /--interval: expected at least 50ms/],
    [['--count', '0'], /--count|count/],
    [['--port', '443'], /443/],
    [['--warn', '95', '--critical', '90'], /--warn: expected at most the value of --critical/],
    [
      ['--format', 'screen'],
      /stdin and stdout are not both a terminal; use --format lines, or sockwatch snapshot/,
    ],
    [['--nonsense'], /Nonexistent flag: --nonsense/],
  ])('%j ends with 2 and says why', async (args, why) => {
    const { code, stdout, stderr } = await runToEnd(['live', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(why);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

const ssReason = needs({ programs: ['ss'] });

describe.skipIf(ssReason)(`live in a pipe${ssReason ? ` (skipped: ${ssReason})` : ''}`, () => {
  it('writes as many snapshots as asked for, one on each line', async () => {
    const { code, stdout } = await runToEnd(['live', '--format', 'ndjson', '--count', '3', ...FAST]);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as SnapshotJson | AlertJson);
    const snapshots = lines.filter((line) => line.schema === 'sockwatch.snapshot/1');
    expect(code).toBe(0);
    expect(snapshots).toHaveLength(3);
    const [first, second] = snapshots as SnapshotJson[];
    expect(first?.window_ms).toBeUndefined();
    expect(second?.window_ms).toBeGreaterThan(0);
    expect(second?.window_ms).toBeLessThan(2000);
    expect(first?.listeners).toBeInstanceOf(Array);
    expect(first?.connections).toBeUndefined();
  });

  it('lists connections when asked to', async () => {
    const args = ['live', '--format', 'ndjson', '--connections', '--count', '1'];
    const { stdout } = await runToEnd(args);
    // What else happens on this host may raise an alert, a line of its own.
    const [first = ''] = stdout.split('\n');
    expect((JSON.parse(first) as SnapshotJson).connections).toBeInstanceOf(Array);
  });

  it('ends after the duration', async () => {
    const start = performance.now();
    const { code, stdout } = await runToEnd(['live', '--format', 'ndjson', '--duration', '700ms', ...FAST]);
    expect(code).toBe(0);
    expect(stdout.trim().split('\n').length).toBeGreaterThanOrEqual(2);
    // 700 ms, and the start of a program on a busy machine.
    expect(performance.now() - start).toBeLessThan(PATIENCE_MS);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('ends by %s with %i', async (signal, status) => {
    const live = Running.start(['live', '--format', 'ndjson', ...FAST]);
    await live.line(/sockwatch\.snapshot/);
    live.signal(signal);
    const { code, stderr } = await live.ended();
    expect({ code, stderr: stderr.replace(/^note: .*\n/gm, '') }).toEqual({ code: status, stderr: '' });
  });

  it('ends by Ctrl-C though nobody reads what it writes', async () => {
    const script = `"$0" "$1" live --format ndjson --interval 50ms & pid=$!; sleep 2; kill -INT $pid; wait $pid; echo $? >&2`;
    const { stderr } = spawnSync('sh', ['-c', `(${script}) | sleep 4`, process.execPath, RUN_JS], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(stderr.trim().split('\n').at(-1)).toBe('130');
  });

  it('ends quietly when its reader leaves', () => {
    const script = `{ "$0" "$1" live --format ndjson --no-owners --interval 100ms; echo "status $?" >&2; } | head -n 1`;
    const { stdout, stderr } = spawnSync('sh', ['-c', script, process.execPath, RUN_JS], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(stderr.replace(/^note: .*\n/gm, '')).toBe('status 0\n');
  });
});

const hideReason = ['/usr/sbin/ss', '/sbin/ss'].some(existsSync)
  ? 'ss lies where it is always looked for'
  : undefined;

describe.skipIf(hideReason)(`live without ss${hideReason ? ` (skipped: ${hideReason})` : ''}`, () => {
  const env = { PATH: '/nonexistent' };

  it('ends with 1 and says what to install, before there is any screen', async () => {
    expect(await runToEnd(['live', '--source', 'ss'], { env })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'sockwatch live: ss was not found; install iproute2 (Debian, Ubuntu) or iproute (Fedora)\n',
    });
  });

  it('asks the kernel itself, and needs no ss', async () => {
    const args = ['live', '--count', '1', '--source', 'netlink', ...FAST];
    expect((await runToEnd(args, { env })).code).toBe(0);
  });

  it('and without koffi falls back to /proc/net and says once what that cannot know', async () => {
    const withoutKoffi = { ...env, NODE_OPTIONS: '--no-addons' };
    const { code, stderr } = await runToEnd(['live', '--count', '3', ...FAST], { env: withoutKoffi });
    expect(code).toBe(0);
    expect(stderr.match(/\/proc\/net, which has no limits/g)).toHaveLength(1);
  });
});

const rootReason = needs({ root: true, programs: ['ss', 'nsenter', 'python3'] });

describe.skipIf(rootReason)(
  `live beside a real overflow${rootReason ? ` (skipped: ${rootReason})` : ''}`,
  () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'sockwatch-live-'));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    const program = (name: string, body: string) => {
      const path = join(folder, name);
      writeFileSync(path, `#!/bin/sh\n${body}\n`);
      chmodSync(path, 0o755);
      return path;
    };

    it('says nothing while all is well, then what is wrong at each refresh, and when it is over', () =>
      withNamespace(async (namespace) => {
        const { server, clients, listening } = await serve(namespace, { backlog: 4 });
        const live = Running.start(['live', '--format', 'lines', ...FAST], { namespace });
        await new Promise((resolve) => setTimeout(resolve, 1500));
        expect(live.lines).toEqual([]);

        const where = `127.0.0.1:${listening.port}`;
        await clients.connect({ port: listening.port }, 8, 5);
        // Its process may be found later than its trouble.
        const wanted = ` !! (full|overflowing|stopped_acceptor) ${where} python3/${server.pid} 5/4 100%`;
        expect(await live.line(new RegExp(wanted))).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z !! /);
        await live.line(new RegExp(`ALERT raised critical \\S+ ${where} `));

        await server.run(listening);
        await live.line(new RegExp(`ALERT cleared \\S+ \\S+ ${where} .*\\(lasted `));
        live.signal('SIGINT');
        const { code, stdout } = await live.ended();
        expect(code).toBe(130);
        expect(stdout).not.toContain('\x1b');
      }));

    it('shows and tells only what the filter lets through', () =>
      withNamespace(async (namespace) => {
        const { clients, listening } = await serve(namespace, { backlog: 4 });
        await clients.connect({ port: listening.port }, 8, 5);
        const args = ['live', '--format', 'ndjson', '--count', '6', '--filter', 'port:1', ...FAST];
        const { stdout } = await runToEnd(args, { namespace });
        const lines = stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as SnapshotJson | AlertJson);
        expect(lines.map(({ schema }) => schema)).toEqual(Array(6).fill('sockwatch.snapshot/1'));
        expect((lines as SnapshotJson[]).flatMap(({ listeners }) => listeners)).toEqual([]);
      }));

    it('hides names and addresses when asked to', () =>
      withNamespace(async (namespace) => {
        const { clients, listening } = await serve(namespace, { backlog: 4 });
        await clients.connect({ port: listening.port }, 8, 5);
        const args = ['live', '--format', 'lines', '--count', '12', '--redact', ...FAST];
        const { stdout } = await runToEnd(args, { namespace });
        expect(stdout).toContain(`ip-1:${listening.port} process-1/`);
        expect(stdout).not.toMatch(/127\.0\.0\.1|python3/);
      }));

    it('runs a program for each alert, with the alert on stdin and in the environment', () =>
      withNamespace(async (namespace) => {
        const { clients, listening } = await serve(namespace, { backlog: 4 });
        await clients.connect({ port: listening.port }, 8, 5);
        const tell = program('tell', 'cat >> "$1"; env | grep ^SOCKWATCH_ALERT_ >> "$2"; echo heard >&2');
        const [stdin, env] = [join(folder, "the alert's stdin"), join(folder, 'env')];
        const command = `${tell} "${stdin}" '${env}'`;
        const args = ['live', '--format', 'ndjson', '--count', '8', '--on-alert', command, ...FAST];
        const { code, stdout, stderr } = await runToEnd(args, { namespace });
        const said = stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as SnapshotJson | AlertJson)
          .filter((line): line is AlertJson => line.schema === 'sockwatch.alert/1');
        const told = readFileSync(stdin, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as AlertJson);
        expect(code).toBe(0);
        expect(said.length).toBeGreaterThan(0);
        expect(said).toEqual(expect.arrayContaining(told));
        expect(told.map(({ rule }) => rule)).toEqual(expect.arrayContaining(said.map(({ rule }) => rule)));
        expect(readFileSync(env, 'utf8')).toContain(`SOCKWATCH_ALERT_SUBJECT=127.0.0.1:${listening.port}\n`);
        expect(readFileSync(env, 'utf8')).toMatch(/^SOCKWATCH_ALERT_PHASE=raised$/m);
        expect(stderr).toContain('heard\n');
      }));

    it('is not disturbed by an alert program that hangs or is not there', () =>
      withNamespace(async (namespace) => {
        const { clients, listening } = await serve(namespace, { backlog: 4 });
        await clients.connect({ port: listening.port }, 8, 5);
        const hang = program('hang', 'echo $$ > "$1"; exec sleep 60');
        const pidFile = join(folder, 'hang.pid');
        const hanging = ['--on-alert', `${hang} ${pidFile}`, '--on-alert-timeout', '300ms'];
        const live = ['live', '--format', 'lines', '--count', '6', ...FAST];
        const ended = await runToEnd([...live, ...hanging], { namespace });
        expect(ended).toMatchObject({
          code: 0,
          stderr: expect.stringContaining('took longer than 300 ms and was ended'),
        });
        expect(existsSync(`/proc/${readFileSync(pidFile, 'utf8').trim()}/cmdline`)).toBe(false);

        const absent = await runToEnd([...live, '--on-alert', '/nowhere/at-all'], { namespace });
        expect(absent.code).toBe(0);
        expect(absent.stderr.match(/\/nowhere\/at-all was not found/g)).toHaveLength(1);
        expect(absent.stdout).toContain(' ALERT raised ');
      }));

    it('ends its alert program when it is ended itself', () =>
      withNamespace(async (namespace) => {
        const { clients, listening } = await serve(namespace, { backlog: 4 });
        await clients.connect({ port: listening.port }, 8, 5);
        const pidFile = join(folder, 'long.pid');
        const long = program('long', 'echo $$ > "$1.new"; mv "$1.new" "$1"; exec sleep 60');
        const live = Running.start(
          ['live', '--format', 'lines', '--on-alert', `${long} ${pidFile}`, ...FAST],
          { namespace },
        );
        while (!existsSync(pidFile)) await new Promise((resolve) => setTimeout(resolve, 20));
        live.signal('SIGTERM');
        expect((await live.ended()).code).toBe(143);
        const pid = readFileSync(pidFile, 'utf8').trim();
        const state = existsSync(`/proc/${pid}/stat`)
          ? execFileSync('cat', [`/proc/${pid}/stat`]).toString()
          : ') Z';
        expect(state).toMatch(/\) Z/);
      }));

    it('knows the listener by port in the JSON', () =>
      withNamespace(async (namespace) => {
        const { clients, listening } = await serve(namespace, { backlog: 4 });
        await clients.connect({ port: listening.port }, 3);
        const args = ['live', '--format', 'ndjson', '--count', '2', ...FAST];
        const { stdout } = await runToEnd(args, { namespace });
        // Where the machine is slow, alerts come too, on lines of their own.
        const last = stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as SnapshotJson)
          .findLast(({ listeners }) => listeners !== undefined);
        expect(last && listenersOn(last, listening.port)).toMatchObject([
          {
            accept_queue: { length: 3, backlog: 4, capacity: 5, fill: 0.6 },
            waiting: { count: 3 },
          },
        ]);
      }));
  },
);
