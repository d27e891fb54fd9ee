import { describe, expect, it } from 'vitest';
import type { DiagnosisJson } from '../../src/model/diagnosis-json.js';
import { sockwatch } from '../support/cli.js';
import { HttpClient } from '../support/http.js';
import { needs } from '../support/needs.js';
import { type Namespace, withNamespace } from '../support/netns.js';
import { poll } from '../support/poll.js';
import { PoolClient } from '../support/pool.js';
import { startTomcat, TOMCAT_JARS } from '../support/tomcat.js';

const missing = needs({
  root: true,
  programs: ['ip', 'ss', 'nsenter', 'python3', 'java', 'javac'],
  files: TOMCAT_JARS,
});
const WHERE = { address: '127.0.0.1', port: 8080 };

async function diagnosis(namespace: Namespace): Promise<DiagnosisJson> {
  const words = ['diagnose', '--format', 'json', '--duration', '6s', '--port', '8080'];
  const { stdout, stderr } = await sockwatch(namespace, words, { timeoutMs: 60_000 });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as DiagnosisJson;
}

/** Connections to Tomcat with a request that nobody has read. */
async function unreadAtServer(namespace: Namespace): Promise<number> {
  const { stdout } = await namespace.run('ss', ['-Htn', 'state', 'established', 'sport', '=', ':8080']);
  return stdout.split('\n').filter((row) => Number.parseInt(row, 10) > 0).length;
}

const findingOf = ({ findings }: DiagnosisJson, name: string) => findings.find(({ rule }) => rule === name);

describe.skipIf(missing)(`limits of Tomcat${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('names maxConnections when idle connections have used it up', async () => {
    await withNamespace(async (namespace) => {
      const pid = await startTomcat(namespace, { maxThreads: 3, maxConnections: 6, acceptCount: 4 });
      const [http, client] = await Promise.all([HttpClient.start(namespace), PoolClient.start(namespace)]);
      await http.keep(WHERE, 6);
      await client.open(WHERE, 5);
      const said = await diagnosis(namespace);
      const limit = findingOf(said, 'connection_limit');
      expect(limit, JSON.stringify(said, null, 1)).toMatchObject({ severity: 'critical', sure: 'suspected' });
      expect(limit?.subject).toMatchObject({ pid });
      expect(limit?.message).toContain('holds 6 connections and accepts no more');
      expect(limit?.advice).toContain('maxConnections');
      // The queue of acceptCount + 1 is full, and that is the consequence.
      expect(findingOf(said, 'accept_queue_full')).toMatchObject({ caused_by: 'connection_limit' });
      expect(findingOf(said, 'threads_blocked')).toBeUndefined();
    });
  });

  it('names maxThreads when requests wait for a thread', async () => {
    await withNamespace(async (namespace) => {
      const pid = await startTomcat(namespace, { maxThreads: 3, maxConnections: 100, acceptCount: 4 });
      const http = await HttpClient.start(namespace);
      await http.burst(WHERE, [0]);
      void http.burst(WHERE, Array(9).fill(30_000)).catch(() => {});
      await poll(
        async () => ((await unreadAtServer(namespace)) === 6 ? true : undefined),
        '6 unread requests',
      );
      const busy = findingOf(await diagnosis(namespace), 'threads_busy');
      expect(busy).toMatchObject({ severity: 'warning', sure: 'suspected', subject: { pid } });
      expect(busy?.message).toContain('had 3 requests under way at each of');
      expect(busy?.message).toContain('at least 6 waited unread');
      expect(busy?.advice).toContain('maxThreads');
    });
  });

  it('has nothing to say of as many connections that are accepted', async () => {
    await withNamespace(async (namespace) => {
      await startTomcat(namespace, { maxThreads: 3, maxConnections: 100, acceptCount: 4 });
      const [http, client] = await Promise.all([HttpClient.start(namespace), PoolClient.start(namespace)]);
      await http.keep(WHERE, 6);
      await client.open(WHERE, 5);
      const said = await diagnosis(namespace);
      const rules = said.findings.filter(({ severity }) => severity !== 'info').map(({ rule }) => rule);
      expect(rules).toEqual([]);
    });
  });
});
