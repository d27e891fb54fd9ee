import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sockwatch } from '../support/cli.js';
import { needs } from '../support/needs.js';
import { type Namespace, withNamespace } from '../support/netns.js';
import { poll } from '../support/poll.js';
import { Server, serve, unixPath } from '../support/sockets.js';

const missing = needs({
  root: true,
  programs: ['ip', 'ss', 'nsenter', 'python3', 'promtool', 'prometheus', 'prometheus-node-exporter'],
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sockwatch-prom-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Free for sure: nothing else is in the namespace. */
const EXPORTER = '127.0.0.1:9100';
const PROMETHEUS = '127.0.0.1:9090';

const metrics = (namespace: Namespace, args: string[] = []) =>
  sockwatch(namespace, ['check', '--no-config', '--no-state', '--format', 'prometheus', ...args]);

const fetchThere = (namespace: Namespace, url: string) =>
  namespace.must(
    'python3',
    '-c',
    'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())',
    url,
  );

describe.skipIf(missing)(`metrics for Prometheus${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('pass promtool, whatever processes and sockets are called', async () => {
    await withNamespace(async (namespace) => {
      const { server, clients, listening } = await serve(namespace, { backlog: 4 });
      await clients.connect(listening, 5);
      const hostile = await Server.start(namespace);
      await hostile.rename('x"} 1\n#\\y');
      await hostile.listen({ backlog: 4 });
      await server.listen({
        kind: 'unix-stream',
        path_hex: unixPath(join(folder, 'a"b\\c\nd.sock')),
        backlog: 3,
      });
      const { code, stdout, stderr } = await metrics(namespace, [
        '--expect',
        `${listening.port}=python3`,
        '-m',
        'accept-queue,connections',
      ]);
      expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
      expect(stdout).toContain('sockwatch_sockets{state="established"} 10');
      const checked = await namespace.run('promtool', ['check', 'metrics'], { input: stdout });
      expect(checked).toMatchObject({ code: 0, stdout: '', stderr: '' });
      const failed = await metrics(namespace, ['--bogus']);
      expect(failed.code).toBe(3);
      expect(await namespace.run('promtool', ['check', 'metrics'], { input: failed.stdout })).toMatchObject({
        code: 0,
      });
    });
  });

  it('reach Prometheus through the textfile collector of node_exporter', async () => {
    await withNamespace(async (namespace) => {
      const { clients, listening } = await serve(namespace, { backlog: 4 });
      await clients.connect(listening, 3);
      const file = join(folder, 'sockwatch.prom');
      expect(await metrics(namespace, ['--output', file])).toMatchObject({ code: 0, stdout: '', stderr: '' });
      expect(statSync(file).mode & 0o777).toBe(0o644);
      namespace.spawn(
        'prometheus-node-exporter',
        [
          '--collector.disable-defaults',
          '--collector.textfile',
          `--collector.textfile.directory=${folder}`,
          `--web.listen-address=${EXPORTER}`,
        ],
        { stdio: 'ignore' },
      );
      const exported = await poll(() => fetchThere(namespace, `http://${EXPORTER}/metrics`), 'node_exporter');
      expect(exported).toContain('node_textfile_scrape_error 0');
      expect(exported).toMatch(
        new RegExp(`^sockwatch_listener_accept_queue_length\\{.*port="${listening.port}".*\\} 3$`, 'm'),
      );

      const config = join(folder, 'prometheus.yml');
      writeFileSync(
        config,
        `scrape_configs:\n  - job_name: node\n    scrape_interval: 1s\n    static_configs:\n      - targets: ['${EXPORTER}']\n`,
      );
      namespace.spawn(
        'prometheus',
        [
          `--config.file=${config}`,
          `--storage.tsdb.path=${join(folder, 'data')}`,
          `--web.listen-address=${PROMETHEUS}`,
          '--log.level=error',
        ],
        { stdio: 'ignore' },
      );
      const query = async (text: string): Promise<string | undefined> => {
        const said = await fetchThere(
          namespace,
          `http://${PROMETHEUS}/api/v1/query?query=${encodeURIComponent(text)}`,
        );
        return (JSON.parse(said) as { data: { result: { value: [number, string] }[] } }).data.result[0]
          ?.value[1];
      };
      const fill = 'sockwatch_listener_accept_queue_length / sockwatch_listener_accept_queue_capacity';
      expect(await poll(() => query(fill), 'a scraped sample', 60_000)).toBe('0.6');

      // What fails is told as such, and the file is never half.
      expect((await metrics(namespace, ['--output', file, '--timeout', '1ms'])).code).toBe(3);
      expect(readFileSync(file, 'utf8')).toContain('sockwatch_scrape_success 0');
      expect(readdirSync(folder).filter((name) => name.includes('.tmp'))).toEqual([]);
    });
  });
});
