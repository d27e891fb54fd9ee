import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RUN_JS, sockwatch } from '../support/cli.js';
import { needs } from '../support/needs.js';
import { type Namespace, type RunOptions, withNamespace } from '../support/netns.js';
import { parsePlugin } from '../support/perfdata.js';
import { PATIENCE_MS } from '../support/poll.js';
import { Server, serve, unixPath } from '../support/sockets.js';

const missing = needs({ root: true, programs: ['ip', 'ss', 'nsenter', 'python3', 'mount'] });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sockwatch-check-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const stateFile = () => join(folder, 'state.json');

/** One run with a state file of the test's own. */
const check = (namespace: Namespace, args: string[] = [], options: RunOptions = {}) =>
  sockwatch(namespace, ['check', '--no-config', '--state', stateFile(), ...args], options);

/** A program by this name, and the words for `env` with which it is found before the system's. */
function fake(name: string, script: string): string[] {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
  return [`PATH=${folder}:${process.env.PATH}`];
}

/** Looks for some seconds, so that something may happen meanwhile. */
const FOR_A_WHILE = ['--samples', '60', '--every', '50ms', '--timeout', '60s'];

describe.skipIf(missing)(`check, of real queues${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('an overflow between two runs: OK, CRITICAL with who and what to do, and OK again', async () => {
    await withNamespace(async (namespace) => {
      const { server, listening, clients } = await serve(namespace, { backlog: 4 });
      const first = await check(namespace);
      expect(first).toMatchObject({ code: 0, stderr: '' });
      expect(statSync(stateFile()).mode & 0o777).toBe(0o600);

      await clients.connect(listening, 9, 5);
      const before = await namespace.counter('ListenOverflows');
      const second = await check(namespace);
      const counted = await namespace.counter('ListenOverflows');
      expect(second.code).toBe(2);
      const { head, long, perfdata } = parsePlugin(second.stdout);
      expect(head).toContain(
        `SOCKWATCH CRITICAL - 127.0.0.1:${listening.port} (python3/${server.pid}) accept queue 5/5 (100%)`,
      );
      expect(long.join('\n')).toMatch(/WARNING: \d+ accept-queue overflows? in .* at 127\.0\.0\.1:/);
      expect(long.join('\n')).toContain('to do: ');
      const overflows = perfdata.find(({ label }) => label === 'overflows')?.value;
      expect(overflows).toBeGreaterThanOrEqual(before);
      expect(overflows).toBeLessThanOrEqual(counted);
      expect(perfdata).toContainEqual({
        label: `127.0.0.1:${listening.port}_acceptq`,
        value: 5,
        unit: '',
        warning: '@3.5:',
        critical: '@4.5:',
        min: 0,
        max: 5,
      });

      // The clients that were dropped come again, and are accepted.
      await server.run(listening);
      await expect.poll(async () => (await check(namespace)).code, { timeout: PATIENCE_MS }).toBe(0);
    });
  });

  it("limits of one's own, on one listener", async () => {
    await withNamespace(async (namespace) => {
      const { listening, clients } = await serve(namespace, { backlog: 9 });
      await clients.connect(listening, 5);
      const port = String(listening.port);
      const codes = async (...args: string[]) =>
        (await check(namespace, ['-m', 'accept-queue', '--port', port, ...args])).code;
      expect(await codes()).toBe(0);
      expect(await codes('-w', '50')).toBe(0);
      expect(await codes('-w', '@50:')).toBe(1);
      expect(await codes('-w', '40%')).toBe(1);
      expect(await codes('-c', '40')).toBe(2);
      expect(await codes('-c', '60:')).toBe(2);
      const other = await check(namespace, ['--port', '1']);
      expect(other.code).toBe(3);
      expect(other.stdout).toContain('no listener at 1');
    });
  });

  it('a Unix listener', async () => {
    await withNamespace(async (namespace) => {
      const path = join(folder, 'x y.sock');
      const { clients } = await serve(namespace, {
        kind: 'unix-stream',
        path_hex: unixPath(path),
        backlog: 1,
      });
      await clients.connect({ kind: 'unix-stream', path_hex: unixPath(path) }, 2);
      const full = await check(namespace, ['-m', 'accept-queue', '--unix', path]);
      expect(full.code).toBe(2);
      expect(parsePlugin(full.stdout).head).toContain(`${path} (python3/`);
    });
  });

  it('a burst between the looks of a monitoring system is seen with --samples', async () => {
    await withNamespace(async (namespace) => {
      const { server, listening, clients } = await serve(namespace, { backlog: 4 });
      const run = check(namespace, ['-m', 'accept-queue', '--samples', '100', '--every', '50ms']);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await clients.connect(listening, 5);
      await new Promise((resolve) => setTimeout(resolve, 200));
      await server.accept(listening, 5);
      const { code, stdout } = await run;
      expect({ code, head: parsePlugin(stdout).head }).toMatchObject({
        code: 2,
        head: expect.stringContaining('5/5'),
      });
      expect((await check(namespace, ['-m', 'accept-queue'])).code).toBe(0);
    });
  });

  it('an overflow between the first look and the last of the first run is no OK', async () => {
    await withNamespace(async (namespace) => {
      const { listening, clients } = await serve(namespace, { backlog: 4 });
      const run = check(namespace, ['-m', 'overflows', ...FOR_A_WHILE]);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await clients.connect(listening, 9, 5);
      const { code, stdout } = await run;
      expect({ code, stdout }).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(/WARNING - \d+ accept-queue overflows? in .* s, while it looked/),
      });
    });
  });

  it('a listener that comes after the first look is there', async () => {
    await withNamespace(async (namespace) => {
      const server = await Server.start(namespace);
      const port = 8444;
      const run = check(namespace, ['-m', 'accept-queue', '--port', `${port}`, ...FOR_A_WHILE]);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await server.listen({ backlog: 4, port });
      const { code, stdout } = await run;
      expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining(`:${port}`) });
      expect(stdout).not.toContain('no listener');
    });
  });

  it('a listener that must be there, and its process', async () => {
    await withNamespace(async (namespace) => {
      const { server, listening } = await serve(namespace, { backlog: 4 });
      const expecting = (text: string) => check(namespace, ['--expect', text]);
      expect((await expecting(`${listening.port}`)).code).toBe(0);
      expect((await expecting(`127.0.0.1:${listening.port}=python3`)).code).toBe(0);
      const wrong = await expecting(`${listening.port}=nginx`);
      expect(wrong).toMatchObject({ code: 2, stdout: expect.stringContaining('but python3 holds it') });
      await server.close(listening);
      expect(await expecting(`${listening.port}`)).toMatchObject({
        code: 2,
        stdout: expect.stringContaining('nothing listens at'),
      });
    });
  });

  it('leaks, pools, retries and ports of real sockets', async () => {
    await withNamespace(async (namespace) => {
      const { server, listening, clients } = await serve(namespace, { backlog: 16 });
      await clients.connect(listening, 6);
      await server.accept(listening, 4);
      await clients.fin(0, 3);
      await namespace.sysctl('net.ipv4.tcp_syn_retries', 6);
      const values = async () => {
        const { stdout } = await check(namespace, [
          '-f',
          'json',
          '-m',
          'close-wait,pool,ephemeral-ports,connections,time-wait,orphans,tcp-memory,close-wait-age',
          '--by',
          'state',
        ]);
        return JSON.parse(stdout).items as {
          metric: string;
          subject: string;
          value: number;
          capacity?: number;
        }[];
      };
      const items = await values();
      const of = (metric: string, subject?: string) =>
        items.find((one) => one.metric === metric && (subject === undefined || one.subject === subject));
      expect(of('close-wait')).toMatchObject({ subject: 'python3', value: 3 });
      expect(of('close-wait-age')?.value).toBeGreaterThan(0);
      // The three that sent FIN are in FIN-WAIT-2: a pool holds what is open.
      expect(of('pool')).toMatchObject({ subject: `python3>127.0.0.1:${listening.port}`, value: 3 });
      expect(of('ephemeral-ports')).toMatchObject({
        subject: `127.0.0.1>127.0.0.1:${listening.port}`,
        value: 6,
        capacity: 28232,
      });
      expect(of('connections', 'close-wait')?.value).toBe(3);
      // tcp_mem is a setting of the host, and not there in other namespaces.
      expect(of('tcp-memory')).toMatchObject({ status: 'unknown' });
    });
  });

  it('state of another boot, counters that went back, damage: a baseline with a note, status of what is there', async () => {
    await withNamespace(async (namespace) => {
      await serve(namespace, { backlog: 4 });
      await check(namespace);
      const good = readFileSync(stateFile(), 'utf8');
      const fields = JSON.parse(good);
      const spoilt: [string, string][] = [
        [JSON.stringify({ ...fields, bootId: '0f0f' }), 'another boot'],
        [JSON.stringify({ ...fields, netns: '1' }), 'another network namespace'],
        [JSON.stringify({ ...fields, counters: { ...fields.counters, ListenOverflows: 1e6 } }), 'gone down'],
        [JSON.stringify({ ...fields, check: 'x' }), 'another check'],
        [good.slice(0, 50), 'could not be used'],
        ['\0\x1b[2J', 'could not be used'],
      ];
      for (const [text, why] of spoilt) {
        writeFileSync(stateFile(), text);
        const { code, stdout } = await check(namespace);
        expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining(why) });
        expect(parsePlugin(stdout).perfdata.map(({ label }) => label)).not.toContain('overflows');
        // The next run has something to compare with again.
        expect((await check(namespace)).stdout).toContain('overflows=0');
      }
    });
  });

  it('two runs at once both judge, and leave a state that can be read', async () => {
    await withNamespace(async (namespace) => {
      await serve(namespace, { backlog: 4 });
      const runs = await Promise.all([1, 2, 3].map(() => check(namespace)));
      expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
      expect((await check(namespace)).stdout).toContain('overflows=0');
      expect(readdirSync(folder)).toEqual(['state.json']);
    });
  });

  it('a full disk: the verdict stands, the old state stays, a note says so', async () => {
    await withNamespace(async (namespace) => {
      await serve(namespace, { backlog: 4 });
      await namespace.must('mount', '-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', folder);
      try {
        await check(namespace);
        const before = readFileSync(stateFile(), 'utf8');
        await namespace.run('dd', ['if=/dev/zero', `of=${join(folder, 'filler')}`, 'bs=1k']);
        const { code, stdout, stderr } = await check(namespace);
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        expect(stdout).toContain('could not be written: ENOSPC');
        expect(readFileSync(stateFile(), 'utf8')).toBe(before);
      } finally {
        await namespace.must('umount', folder);
      }
    });
  });

  it("in cron's environment, and as a user without any rights", async () => {
    await withNamespace(async (namespace) => {
      await serve(namespace, { backlog: 4 });
      const bare = await namespace.run('env', [
        '-i',
        process.execPath,
        RUN_JS,
        'check',
        '--no-config',
        '--state',
        stateFile(),
      ]);
      expect(bare).toMatchObject({ code: 0, stderr: '' });
      const quiet = await namespace.run('env', [
        '-i',
        process.execPath,
        RUN_JS,
        'check',
        '--no-config',
        '--state',
        stateFile(),
        '--quiet-ok',
      ]);
      expect(quiet).toEqual({ code: 0, stdout: '', stderr: '' });
    });
  });

  it('cron hears of a problem when it comes, when it changes and when it is over', async () => {
    await withNamespace(async (namespace) => {
      const { server, listening, clients } = await serve(namespace, { backlog: 4 });
      const run = () => check(namespace, ['-m', 'accept-queue', '--quiet-ok', '--renotify', '1h']);
      const firstWord = async () => {
        const { code, stdout } = await run();
        return [code, stdout.split('\n')[0]?.slice(0, 40)];
      };
      expect(await firstWord()).toEqual([0, '']);
      await clients.connect(listening, 4);
      expect(await firstWord()).toEqual([1, expect.stringContaining('SOCKWATCH WARNING')]);
      expect(await firstWord()).toEqual([1, '']);
      await clients.connect(listening, 1);
      expect(await firstWord()).toEqual([2, expect.stringContaining('SOCKWATCH CRITICAL')]);
      await server.accept(listening, 5);
      expect(await firstWord()).toEqual([0, expect.stringContaining('SOCKWATCH OK - recovered')]);
      expect(await firstWord()).toEqual([0, '']);
    });
  });

  it('--for 2/3: a problem counts in the second run that sees it', async () => {
    await withNamespace(async (namespace) => {
      const { listening, clients } = await serve(namespace, { backlog: 4 });
      await clients.connect(listening, 5);
      const run = async () => (await check(namespace, ['-m', 'accept-queue', '--for', '2/3'])).code;
      expect([await run(), await run(), await run()]).toEqual([0, 2, 2]);
    });
  });

  it('whatever goes wrong inside is 3, with one line that says what', async () => {
    await withNamespace(async (namespace) => {
      const says = async (args: string[], env: string[] = []) => {
        const words = [...env, process.execPath, RUN_JS, 'check', ...args];
        const { code, stdout, stderr } = await namespace.run('env', words);
        expect(stderr).toBe('');
        return `${code} ${stdout.trim()}`;
      };
      expect(await says(['--bogus'])).toContain('3 SOCKWATCH UNKNOWN - Nonexistent flag: --bogus');
      expect(await says(['word'])).toContain('3 SOCKWATCH UNKNOWN - unexpected argument "word"');
      expect(await says(['-w', 'x'])).toContain('3 SOCKWATCH UNKNOWN - --warning: expected a range');
      expect(await says(['-m', 'x'])).toContain('3 SOCKWATCH UNKNOWN - --metric: expected one of');
      expect(await says(['--format', 'x'])).toContain('3 SOCKWATCH UNKNOWN - ');
      expect(await says(['--config', join(folder, 'none.yaml')])).toContain('could not be read');
      expect(await says(['--source', 'ss', '--timeout', '700ms'], fake('ss', 'exec sleep 30'))).toContain(
        '3 SOCKWATCH UNKNOWN - the check did not finish within 700 ms',
      );
      expect(await says(['--source', 'ss'], fake('ss', 'kill -KILL $$'))).toContain(
        '3 SOCKWATCH UNKNOWN - ss was ended by SIGKILL',
      );
      expect(await says(['--source', 'ss'], fake('ss', 'echo nonsense; exit 0'))).toContain(
        '3 SOCKWATCH UNKNOWN - ',
      );
      expect(await says(['--source', 'ss'], fake('ss', 'exit 7'))).toContain(
        '3 SOCKWATCH UNKNOWN - ss ended with exit code 7',
      );
      expect(JSON.parse((await check(namespace, ['-f', 'json', '--bogus'])).stdout)).toMatchObject({
        schema: 'sockwatch.check/1',
        status: 'unknown',
        exit_code: 3,
      });
    });
  });

  it('nothing that was measured is UNKNOWN, and a place limits connections too', async () => {
    await withNamespace(async (namespace) => {
      const { server, listening, clients } = await serve(namespace, { backlog: 16 });
      const other = await server.listen({ backlog: 16 });
      await clients.connect(listening, 2);
      await clients.connect(other, 3);
      const json = async (...args: string[]) => {
        const { code, stdout } = await check(namespace, ['-f', 'json', ...args]);
        return {
          code,
          items: JSON.parse(stdout).items as { metric: string; value?: number; text: string }[],
        };
      };
      expect(await json('--filter', 'process:none')).toMatchObject({
        code: 3,
        items: [{ text: 'no listener matches the filter' }, {}],
      });
      expect(await json('-m', 'listener')).toMatchObject({ code: 3 });
      expect(await json('-m', 'pool', '--port', `${listening.port}`)).toMatchObject({
        items: [{ value: 2 }],
      });
      expect(await json('-m', 'pool', '--port', `${other.port}`)).toMatchObject({ items: [{ value: 3 }] });
      expect(await json('-m', 'pool', '--port', '1')).toMatchObject({ code: 0, items: [{ value: 0 }] });
    });
  });

  it('each network namespace has a state of its own', async () => {
    await withNamespace(async (one) => {
      await withNamespace(async (other) => {
        const env = { HOME: folder, STATE_DIRECTORY: folder };
        const run = async (namespace: Namespace) =>
          (
            await namespace.run(
              'env',
              [
                `STATE_DIRECTORY=${folder}`,
                process.execPath,
                RUN_JS,
                'check',
                '--no-config',
                '-m',
                'overflows',
              ],
              { env },
            )
          ).stdout;
        await run(one);
        await run(other);
        for (const namespace of [one, other])
          expect(await run(namespace)).toContain('0 accept-queue overflows in');
        expect(readdirSync(folder)).toHaveLength(2);
      });
    });
  });

  it('a state that cannot be kept is said, also with --quiet-ok; --for then waits for nothing', async () => {
    await withNamespace(async (namespace) => {
      const { listening, clients } = await serve(namespace, { backlog: 4 });
      writeFileSync(join(folder, 'plain'), '');
      const lost = ['--state', join(folder, 'plain', 'state.json')];
      const quiet = await sockwatch(namespace, ['check', '--no-config', '-q', ...lost]);
      expect(quiet).toMatchObject({ code: 0, stdout: expect.stringContaining('could not be written') });
      await clients.connect(listening, 5);
      const forLong = await sockwatch(namespace, [
        'check',
        '--no-config',
        '-m',
        'accept-queue',
        '--for',
        '2/3',
        ...lost,
      ]);
      expect(forLong.code).toBe(2);
      expect((await sockwatch(namespace, ['check', '--no-config', '--for', '2/3', '--no-state'])).code).toBe(
        3,
      );
    });
  });

  it('replaces files, and neither devices nor what a link stands for', async () => {
    await withNamespace(async (namespace) => {
      await serve(namespace, { backlog: 4 });
      const [pipe, device, link, target] = ['pipe', 'device', 'link', 'target'].map((name) =>
        join(folder, name),
      ) as [string, string, string, string];
      await namespace.must('mkfifo', pipe);
      await namespace.must('mknod', device, 'c', '1', '3');
      writeFileSync(target, '');
      await namespace.must('ln', '-s', target, link);
      for (const path of [pipe, device]) {
        expect((await sockwatch(namespace, ['check', '--no-config', '--state', path])).stdout).toContain(
          'it is no regular file',
        );
        expect(
          (await sockwatch(namespace, ['check', '--no-config', '--no-state', '--output', path])).code,
        ).toBe(3);
        expect(statSync(path).isFile()).toBe(false);
      }
      await namespace.must(
        'sh',
        '-c',
        `umask 077; exec "$@"`,
        'sh',
        process.execPath,
        RUN_JS,
        'check',
        '--no-config',
        '--no-state',
        '--output',
        link,
      );
      expect(readFileSync(target, 'utf8')).toContain('SOCKWATCH OK');
      expect(statSync(target).mode & 0o777).toBe(0o644);
      expect(
        (
          await sockwatch(namespace, [
            'check',
            '--no-config',
            '--no-state',
            '--output',
            join(folder, 'none', 'x'),
          ])
        ).code,
      ).toBe(3);
    });
  });

  it('with too few descriptors, and at signals that nobody expects, it is 3', async () => {
    await withNamespace(async (namespace) => {
      await serve(namespace, { backlog: 4 });
      const checkWith = (limit: number) => {
        const words = [process.execPath, RUN_JS, 'check', '--no-config', '--no-state'];
        // As outside of a test: with NODE_ENV=test oclif looks for TypeScript.
        const script = `unset NODE_ENV; ulimit -n ${limit}; exec "$@"`;
        return namespace.run('sh', ['-c', script, 'sh', ...words]);
      };
      // How many are needed differs by version; with still fewer Node itself does not start.
      let limit = 32;
      let ended = await checkWith(limit);
      expect(ended.code).toBe(0);
      while (ended.code === 0) {
        expect(parsePlugin(ended.stdout).head).toBe('SOCKWATCH OK - 3 values within limits');
        ended = await checkWith(--limit);
      }
      expect(ended).toMatchObject({ code: 3, stdout: expect.stringContaining('SOCKWATCH UNKNOWN - ') });
      const env = fake('ss', `echo $$ > ${folder}/pid; exec sleep 30`);
      for (const signal of ['SIGQUIT', 'SIGUSR2', 'SIGALRM'] as const) {
        rmSync(join(folder, 'pid'), { force: true });
        const check = [RUN_JS, 'check', '--no-config', '--no-state', '--source', 'ss'];
        const words = [...env, process.execPath, ...check];
        const child = namespace.spawn('env', words);
        await expect.poll(() => readdirSync(folder), { timeout: PATIENCE_MS }).toContain('pid');
        child.kill(signal);
        expect((await once(child, 'close'))[0]).toBe(3);
      }
    });
  });

  it('ended by a signal it is 3, and its ss is gone', async () => {
    await withNamespace(async (namespace) => {
      const env = fake('ss', `echo $$ > ${folder}/pid; exec sleep 30`);
      const args = ['check', '--no-state', '--no-config', '--source', 'ss'];
      const words = [...env, process.execPath, RUN_JS, ...args];
      const child = namespace.spawn('env', words);
      let stdout = '';
      child.stdout?.on('data', (chunk) => (stdout += chunk));
      await expect.poll(() => readdirSync(folder), { timeout: PATIENCE_MS }).toContain('pid');
      child.kill('SIGTERM');
      const [code] = await once(child, 'close');
      expect({ code, stdout }).toEqual({
        code: 3,
        stdout: 'SOCKWATCH UNKNOWN - ended by SIGTERM before it had finished\n',
      });
      const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
      await expect.poll(() => isRunning(pid), { timeout: PATIENCE_MS }).toBe(false);
    });
  });

  it('a main thread that hangs in a write is ended with 3 by the watchdog', async () => {
    // A pipe that is full and that nobody reads: the write of the result never returns.
    const script = `
import os, subprocess, sys, time
reader, writer = os.pipe()
os.set_blocking(writer, False)
try:
    while True: os.write(writer, b'x' * 4096)
except BlockingIOError: pass
os.set_blocking(writer, True)
started = time.time()
code = subprocess.run(sys.argv[1:], stdout=writer).returncode
print(code, time.time() - started)
`;
    const words = [process.execPath, RUN_JS, 'check', '--no-state', '--no-config', '--timeout', '1s'];
    const child = spawn('python3', ['-c', script, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
    let stdout = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    await once(child, 'close');
    const [code, seconds] = stdout.trim().split(' ').map(Number);
    expect(code).toBe(3);
    expect(seconds).toBeLessThan(15);
  });
});

function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}
