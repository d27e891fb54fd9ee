import { once } from 'node:events';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CheckJson } from '../../src/model/check-json.js';
import type { DiagnosisJson } from '../../src/model/diagnosis-json.js';
import type { AlertJson, SnapshotJson } from '../../src/model/json.js';
import type { PoolsJson } from '../../src/model/pools-json.js';
import { isAlert, isSnapshot, listenerOn, RUN_JS, replay, saidIn, sockwatch } from '../support/cli.js';
import { LiveStream } from '../support/live.js';
import { needs } from '../support/needs.js';
import { type Namespace, withNamespace } from '../support/netns.js';
import { poll } from '../support/poll.js';
import { Database, PoolClient } from '../support/pool.js';
import { PtyTerminal } from '../support/pty-terminal.js';
import { serve } from '../support/sockets.js';

const missing = needs({ root: true, programs: ['ip', 'ss', 'nsenter', 'python3', 'mount'] });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sockwatch-recording-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const inFolder = (name: string) => join(folder, name);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Text of a recording, compressed or not, as far as it goes. */
function linesOf(path: string): string[] {
  const bytes = readFileSync(path);
  const text = path.endsWith('.gz') ? gunzipSync(bytes, { finishFlush: 2 }) : bytes;
  return text.toString().split('\n').filter(Boolean);
}

/** Records a real overflow that comes and goes, with live beside it; gives what live said. */
async function recordOverflow(namespace: Namespace, path: string, extra: string[] = []) {
  const { server, listening, clients } = await serve(namespace, { backlog: 4 });
  const live = new LiveStream(namespace, ['--no-config', '--interval', '200ms', '--record', path, ...extra]);
  await someLooks(live);
  await clients.connect(listening, 12, 5);
  await live.until(() => live.alerts.find(({ severity }) => severity === 'critical'));
  await someLooks(live);
  await server.run(listening);
  await live.until(() => isOver(live));
  await someLooks(live);
  const code = await live.interrupt();
  // A machine that is busy for long samples its listeners less often, and says so.
  const stderr = live.errors.replace(/^note: samples of TCP listeners: about .*\n/gm, '');
  expect({ code, stderr }).toEqual({ code: 130, stderr: '' });
  return { live, port: listening.port, server };
}

async function someLooks(live: LiveStream): Promise<void> {
  const before = live.snapshots.length;
  await live.until(() => live.snapshots[before + 2]);
}

/** Whether the overflow is over, for its listener. Short bursts may have been seen, and are told of for a minute. */
function isOver({ alerts }: LiveStream): true | undefined {
  const last = alerts.filter(({ rule }) => rule === 'accept_queue_full').at(-1);
  return last?.phase === 'cleared' ? true : undefined;
}

/** What a replay says, without the look that live was interrupted at. */
function replayedIn(
  stdout: string,
  { snapshots }: LiveStream,
): { snapshots: SnapshotJson[]; alerts: AlertJson[] } {
  const last = snapshots.at(-1)?.time ?? '';
  const said = saidIn(stdout).filter(({ time }) => time <= last);
  return { snapshots: said.filter(isSnapshot), alerts: said.filter(isAlert) };
}

describe.skipIf(missing)(`recordings of real sockets${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it.each(['web.ndjson', 'web.ndjson.gz'])(
    '%s: an overflow is replayed with the same verdicts and alerts',
    async (name) => {
      await withNamespace(async (namespace) => {
        const path = inFolder(name);
        const { live, port, server } = await recordOverflow(namespace, path);
        expect(statSync(path).mode & 0o777).toBe(0o600);
        const replayed = await replay(namespace, path);
        expect(replayed).toMatchObject({ code: 0, stderr: '' });
        const again = replayedIn(replayed.stdout, live);
        const alerts = (all: readonly AlertJson[]) =>
          all.map(({ phase, rule, severity, subject, message }) => ({
            phase,
            rule,
            severity,
            subject,
            message,
          }));
        expect(alerts(again.alerts)).toEqual(alerts(live.alerts));
        expect(again.alerts.map(({ rule }) => rule)).toContain('accept_queue_full');
        const verdicts = (all: readonly SnapshotJson[]) =>
          all.map(({ time, listeners }) => [
            time,
            ...listeners.map(({ verdict, accept_queue, findings }) => [verdict, accept_queue, findings]),
          ]);
        expect(verdicts(again.snapshots)).toEqual(verdicts(live.snapshots));

        // One moment of it, and the whole as a check.
        const full = live.snapshots.find((one) => listenerOn(one, port).verdict === 'full');
        const at = await sockwatch(namespace, [
          'snapshot',
          '--from',
          path,
          '--at',
          full?.time ?? '',
          '--format',
          'json',
        ]);
        expect(listenerOn(JSON.parse(at.stdout) as SnapshotJson, port)).toMatchObject({
          verdict: 'full',
          owners: [{ pid: server.pid }],
        });
        const checked = await sockwatch(namespace, ['check', '--replay', path, '--no-config']);
        expect(checked).toMatchObject({ code: 2, stderr: '' });
        expect(checked.stdout).toContain('accept queue 5/5 (100%)');
        expect(checked.stdout).toMatch(/WARNING: \d+ accept-queue overflows? in/);
      });
    },
  );

  it('of several namespaces: every look is replayed as it was', async () => {
    await withNamespace((other) =>
      withNamespace(async (namespace) => {
        const path = inFolder('all.ndjson');
        await serve(namespace, { backlog: 4 });
        const { server, listening, clients } = await serve(other, { backlog: 2 });
        const own = ['--no-config', '--filter', `netns:${namespace.name},${other.name}`];
        const live = new LiveStream(namespace, [
          ...own,
          ...['--netns', 'all', '--interval', '300ms', '--record', path],
        ]);
        await someLooks(live);
        await clients.connect(listening, 8, 3);
        await live.until(() => live.alerts.find(({ rule }) => rule === 'accept_queue_full'));
        await server.run(listening);
        await live.until(() => isOver(live));
        await someLooks(live);
        expect(await live.interrupt()).toBe(130);
        const replayed = await sockwatch(namespace, ['live', '--replay', path, '--format', 'ndjson', ...own]);
        expect(replayed.code).toBe(0);
        const again = replayedIn(replayed.stdout, live);
        const looks = (all: readonly SnapshotJson[]) =>
          all.map(({ time, listeners }) => [
            time,
            ...listeners.map(({ local, netns, verdict, accept_queue: queue }) => [
              netns,
              local,
              verdict,
              queue.length,
              queue.capacity,
              queue.peak,
            ]),
          ]);
        expect(live.snapshots.length).toBeGreaterThan(5);
        expect(looks(again.snapshots)).toEqual(looks(live.snapshots));
        const alerts = (all: readonly AlertJson[]) =>
          all.map(({ phase, rule, subject }) => ({ phase, rule, subject }));
        expect(alerts(again.alerts)).toEqual(alerts(live.alerts));
        expect(again.alerts.map(({ rule }) => rule)).toContain('accept_queue_full');
      }),
    );
  });

  it('of several namespaces is diagnosed and checked, each by itself', async () => {
    await withNamespace((other) =>
      withNamespace(async (namespace) => {
        const path = inFolder('all.ndjson');
        const { listening, clients } = await serve(other, { backlog: 2 });
        await clients.connect(listening, 8, 3);
        const words = ['record', path, '--netns', 'all', '--interval', '300ms', '--count', '4'];
        expect((await sockwatch(namespace, words)).code).toBe(0);
        const diagnosed = await sockwatch(namespace, ['diagnose', '--from', path, '--format', 'json']);
        expect(diagnosed.code).toBe(0);
        const { findings, looked_at: lookedAt } = JSON.parse(diagnosed.stdout) as DiagnosisJson;
        expect(lookedAt.namespaces).toBeGreaterThan(1);
        const full = findings.filter(({ subject }) => subject.local === `127.0.0.1:${listening.port}`);
        expect(full.map(({ rule }) => rule)).toContain('accept_queue_full');
        for (const { subject } of full)
          expect(subject).toMatchObject({ netns: other.id, netns_name: other.name });
        expect(findings.filter(({ subject }) => subject.netns === namespace.id)).toEqual([]);
        const filter = ['--filter', `netns:${other.name}`];
        const checked = await sockwatch(namespace, [
          ...['check', '--no-config', '--replay', path, '-m', 'diagnosis', '--format', 'json', ...filter],
        ]);
        expect(checked.code).toBe(2);
        const { items } = JSON.parse(checked.stdout) as CheckJson;
        expect(items.map(({ subject }) => subject)).toContain(`accept_queue_full (netns ${other.name})`);
      }),
    );
  });

  it('on the screen: pause, seek, speed, the next alert and the end', async () => {
    await withNamespace(async (namespace) => {
      const path = inFolder('web.ndjson.gz');
      const { port } = await recordOverflow(namespace, path);
      const terminal = new PtyTerminal(process.execPath, [RUN_JS, 'live', '--replay', path, '--no-config'], {
        columns: 120,
        rows: 40,
      });
      namespace.onRemove(() => terminal.kill());
      const title = () => terminal.text.split('\n')[0] ?? '';
      await terminal.waitFor((text) => /REPLAY web\.ndjson\.gz 00:00:0\d\/00:00:\d\d x1 /.test(text));
      expect(terminal.text).toContain(`127.0.0.1:${port}`);
      terminal.write('n');
      await terminal.waitFor((text) => / (WARN|CRIT) /.test(text) && text.includes('accept queue'));
      terminal.write(' ');
      await terminal.waitFor(() => title().includes('PAUSED'));
      const stood = title();
      await sleep(600);
      expect(title()).toBe(stood);
      terminal.write('\x1b[F');
      await terminal.waitFor(() => /00:00:(\d\d)\/00:00:\1/.test(title()));
      terminal.write('\x1b[H');
      await terminal.waitFor(() => /00:00:00\/00:00:\d\d x1 PAUSED/.test(title()));
      terminal.write('+');
      await terminal.waitFor(() => title().includes('x2'));
      terminal.write(' ');
      await terminal.waitFor(() => title().includes('END'));
      terminal.write('q');
      expect(await terminal.waitForExit()).toMatchObject({ exitCode: 0 });
    });
  });

  it('killed in the middle it loses a line at most', async () => {
    await withNamespace(async (namespace) => {
      await serve(namespace, { backlog: 4 });
      for (const name of ['a.ndjson', 'b.ndjson.gz']) {
        const path = inFolder(name);
        const child = namespace.spawn(process.execPath, [RUN_JS, 'record', path, '--interval', '50ms'], {
          stdio: 'ignore',
        });
        await poll(
          () => (readdirSync(folder).includes(name) && linesOf(path).length > 8 ? true : undefined),
          'some lines',
        );
        child.kill('SIGKILL');
        await once(child, 'close');
        const lines = linesOf(path);
        const whole = lines.filter((line) => line.endsWith('}'));
        expect(lines.length - whole.length).toBeLessThanOrEqual(1);
        const { code, stdout } = await replay(namespace, path);
        expect(code).toBe(0);
        expect(saidIn(stdout).length).toBeGreaterThanOrEqual(whole.length - 2);
      }
    });
  });

  it('a full disk: a clear message, and what was recorded is read', async () => {
    await withNamespace(async (namespace) => {
      await serve(namespace, { backlog: 4 });
      await namespace.must('mount', '-t', 'tmpfs', '-o', 'size=32k', 'tmpfs', folder);
      try {
        const path = inFolder('web.ndjson');
        const recorded = await sockwatch(namespace, [
          'record',
          path,
          '--interval',
          '50ms',
          '--duration',
          '30s',
        ]);
        expect(recorded.code).toBe(1);
        expect(recorded.stderr).toMatch(
          /could not be written: ENOSPC.*what was recorded until now can be read/,
        );
        const { code, stdout, stderr } = await replay(namespace, path);
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        expect(saidIn(stdout).length).toBeGreaterThan(10);
      } finally {
        await namespace.must('umount', folder);
      }
    });
  });

  it('begins new files by size, keeps so many, and overwrites nothing unasked', async () => {
    await withNamespace(async (namespace) => {
      await serve(namespace, { backlog: 4 });
      const path = inFolder('web.ndjson');
      const args = [
        'record',
        path,
        '--interval',
        '50ms',
        '--count',
        '40',
        '--rotate-size',
        '3k',
        '--keep',
        '2',
      ];
      expect(await sockwatch(namespace, args)).toMatchObject({ code: 0 });
      expect(readdirSync(folder).sort()).toEqual(['web.1.ndjson', 'web.2.ndjson', 'web.ndjson']);
      for (const name of readdirSync(folder)) {
        const { code } = await sockwatch(namespace, ['snapshot', '--from', inFolder(name)]);
        expect(code).toBe(0);
      }
      const again = await sockwatch(namespace, args);
      expect(again).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('it is there already; give another name, or remove it first'),
      });
      expect(await sockwatch(namespace, [...args, '--overwrite'])).toMatchObject({ code: 0 });
    });
  });

  it('damage is named, and the rest is shown', async () => {
    await withNamespace(async (namespace) => {
      await serve(namespace, { backlog: 4 });
      const path = inFolder('web.ndjson');
      await sockwatch(namespace, ['record', path, '--interval', '50ms', '--count', '10']);
      const lines = linesOf(path);
      const spoilt = [
        ...lines.slice(0, 5),
        'not a line \x1b[2J',
        ...lines.slice(5, 8),
        '{"k":"frame","t":1,"m":2,"rows":7}',
        lines[8]?.slice(0, 40),
      ];
      writeFileSync(path, spoilt.join('\n'));
      const { code, stdout, stderr } = await replay(namespace, path);
      expect(code).toBe(0);
      expect(saidIn(stdout).length).toBeGreaterThanOrEqual(6);
      expect(stderr).toContain('web.ndjson line 6');
      expect(stderr).not.toContain('\x1b');

      const other = inFolder('other.ndjson');
      for (const text of ['', 'hello\n', '{"k":"head"}\n', '{"k":"key","t":1,"m":1}\n', '\x1f\x8bgarbage']) {
        writeFileSync(other, Buffer.from(text, 'latin1'));
        const refused = await replay(namespace, other, 'lines');
        expect(refused.code).toBe(1);
        expect(refused.stderr.trim().split('\n')).toHaveLength(1);
      }
    });
  });

  it('a frame that is missing is named, also at the end; what cannot be waited for is refused', async () => {
    await withNamespace(async (namespace) => {
      await serve(namespace, { backlog: 4 });
      const path = inFolder('web.ndjson');
      await sockwatch(namespace, ['record', path, '--interval', '50ms', '--count', '12']);
      const lines = linesOf(path).filter((line) => !line.startsWith('{"k":"event"'));
      writeFileSync(path, `${[...lines.slice(0, 6), ...lines.slice(7)].join('\n')}\n`);
      const live = await replay(namespace, path);
      expect(live.stderr).toContain('a frame before it is missing');
      const checked = await sockwatch(namespace, ['check', '--replay', path, '--no-config']);
      expect(checked.stdout).toContain('a frame before it is missing');

      await sockwatch(namespace, ['record', inFolder('slow.ndjson'), '--interval', '3s', '--count', '2']);
      const between = await sockwatch(namespace, [
        'snapshot',
        '--from',
        inFolder('slow.ndjson'),
        '--at',
        '+2s',
      ]);
      expect(between.code).toBe(0);

      const pipe = inFolder('pipe');
      await namespace.must('mkfifo', pipe);
      for (const args of [
        ['snapshot', '--from', pipe, '--at', '+1s'],
        ['live', '--replay', pipe, '--format', 'lines'],
        ['record', pipe, '--overwrite'],
        ['record', '-'],
      ]) {
        const { code, stderr } = await sockwatch(namespace, args, { timeoutMs: 8000 });
        expect(code).not.toBe(null);
        expect(code).not.toBe(0);
        expect(stderr.trim().split('\n')).toHaveLength(1);
      }
      writeFileSync(inFolder('open'), '', { mode: 0o644 });
      await sockwatch(namespace, ['record', inFolder('open'), '--count', '1', '--overwrite']);
      expect(statSync(inFolder('open')).mode & 0o777).toBe(0o600);
    });
  });

  it('a line that is too long, and nothing but empty lines, cost neither memory nor minutes', async () => {
    await withNamespace(async (namespace) => {
      await serve(namespace, { backlog: 4 });
      const path = inFolder('web.ndjson');
      await sockwatch(namespace, ['record', path, '--interval', '50ms', '--count', '3']);
      const bomb = inFolder('bomb.ndjson.gz');
      const script =
        'import gzip,sys\nb=open(sys.argv[1],"rb").read()\nf=gzip.open(sys.argv[2],"wb",1)\nf.write(b)\n[f.write(bytes([int(sys.argv[3])])*(1<<20)) for _ in range(100)]\nf.write(b"\\n")\nf.close()';
      for (const byte of ['120', '10']) {
        await namespace.must('python3', '-c', script, path, bomb, byte);
        const { code, stdout, stderr } = await namespace.run('sh', [
          '-c',
          'ulimit -v 40000000; exec "$@"',
          'sh',
          process.execPath,
          '--max-old-space-size=128',
          RUN_JS,
          'live',
          '--replay',
          bomb,
          '--format',
          'ndjson',
          '--no-config',
        ]);
        expect({ code, looks: saidIn(stdout).length }).toMatchObject({ code: 0, looks: 3 });
        expect(stderr).toMatch(/longer than 64 MiB|empty lines only|damaged|breaks off/);
      }
    });
  });

  it('the black box: an alert that turns critical leaves the minutes before it', async () => {
    await withNamespace(async (namespace) => {
      const path = inFolder('all.ndjson');
      const boxes = inFolder('boxes');
      const { port } = await recordOverflow(namespace, path, ['--keep-on-alert', boxes]);
      // What turns critical soon after the first is written at the end.
      const [box = '', ...others] = readdirSync(boxes).sort();
      expect(others.length).toBeLessThanOrEqual(1);
      expect(statSync(join(boxes, box)).mode & 0o777).toBe(0o600);
      const { stdout } = await replay(namespace, join(boxes, box));
      const kept = saidIn(stdout);
      const [first] = kept.filter((one): one is SnapshotJson => !isAlert(one));
      expect(first && listenerOn(first, port).verdict).toBe('ok');
      expect(kept.filter(isAlert).some(({ severity }) => severity === 'critical')).toBe(true);
    });
  });

  it('--redact: nothing of the host is in the file, and the story is the same', async () => {
    await withNamespace(async (namespace) => {
      const path = inFolder('web.ndjson');
      const { live } = await recordOverflow(namespace, path, ['--redact']);
      const text = readFileSync(path, 'utf8');
      expect(text).not.toContain('python3');
      expect(text).not.toContain(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
      const { stdout } = await replay(namespace, path);
      const rules = (all: readonly AlertJson[]) => all.map(({ phase, rule }) => `${phase} ${rule}`);
      expect(rules(replayedIn(stdout, live).alerts)).toEqual(rules(live.alerts));
      copyFileSync(path, inFolder('copy.ndjson'));
    });
  });
});

describe.skipIf(missing)(`pools in a recording${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('are told by what moved at each look: one is used all the time, one lies idle', {
    timeout: 90_000,
  }, async () => {
    await withNamespace(async (namespace) => {
      const [database, busy, idle] = await Promise.all([
        Database.start(namespace),
        PoolClient.start(namespace),
        PoolClient.start(namespace),
      ]);
      const where = { address: '127.0.0.1', port: await database.listen('127.0.0.1') };
      for (const client of [busy, idle]) await client.query(await client.open(where, 6), 6, 0);
      await busy.paced(0, 6, 100);
      const path = inFolder('pools.ndjson.gz');
      const words = ['record', path, '--duration', '5s', '--interval', '500ms'];
      expect((await sockwatch(namespace, words)).code).toBe(0);
      const { stdout } = await sockwatch(namespace, ['pools', '--from', path, '--format', 'json']);
      const { pools } = JSON.parse(stdout) as PoolsJson;
      const quietOf = (pid: number) =>
        pools.find((pool) => pool.direction === 'outbound' && pool.pid === pid)?.idle_ms?.p50;
      // A frame was written whole at the beginning only: it is longer ago than any pause.
      expect(quietOf(busy.pid)).toBeLessThan(2500);
      expect(quietOf(idle.pid)).toBeGreaterThan(3500);
      const said = (await sockwatch(namespace, ['diagnose', '--from', path, '--format', 'json'])).stdout;
      const rules = (JSON.parse(said) as DiagnosisJson).findings.map(({ rule }) => rule);
      for (const rule of ['pool_waiting', 'peer_not_reading', 'app_not_reading'])
        expect(rules).not.toContain(rule);
    });
  });
});
