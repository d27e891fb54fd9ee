import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { DiagnosisJson } from '../../src/model/diagnosis-json.js';
import type { PoolsJson } from '../../src/model/pools-json.js';
import { notForNobody, RUN_JS, sockwatch } from '../support/cli.js';
import { needs } from '../support/needs.js';
import { type Namespace, withNamespace } from '../support/netns.js';
import { Database, PoolClient } from '../support/pool.js';

const missing = needs({ root: true, programs: ['ip', 'ss', 'nsenter', 'unshare', 'python3'] });
const noNobody = missing ?? notForNobody();
const CHURNING = fileURLToPath(new URL('../support/programs/churning.py', import.meta.url));
const HERE = '127.0.0.1';
const NOT_KNOWN = /^not judged: the processes of (.*) are not known$/;

/** What sockwatch says in a PID namespace of its own, as in a container, beside a process there that opens and closes connections all the time. */
async function contained<T>(namespace: Namespace, command: string, ...args: readonly string[]): Promise<T> {
  // What is left there ends with the shell, its process 1.
  const script =
    'python3 -B "$1" & until [ "$(ss -Htan state time-wait)" ]; do sleep 0.1; done; shift; exec "$@"';
  const words = ['--duration', '1500ms', '--interval', '300ms', '--format', 'json', ...args];
  const { code, stdout, stderr } = await namespace.run('unshare', [
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    ...['sh', '-c', script, 'sh', CHURNING, process.execPath, RUN_JS, command, ...words],
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as T;
}

const hiddenIn = ({ gaps }: Pick<DiagnosisJson | PoolsJson, 'gaps'>) =>
  gaps.flatMap(({ what, why }) => {
    const things = NOT_KNOWN.exec(why)?.[1];
    return things === undefined ? [] : [{ rules: what.split(', '), things }];
  });

describe.skipIf(missing)(
  `in a PID namespace of its own${missing ? ` (skipped: ${missing})` : ''}`,
  { timeout: 120_000 },
  () => {
    it.each(['netlink', 'ss', 'proc'])(
      'sockets that ended before their owner was sought are not hidden (%s)',
      async (source) => {
        await withNamespace(async (namespace) => {
          const said = await contained<DiagnosisJson>(namespace, 'diagnose', '--source', source);
          expect(said.looked_at.connections).toBeGreaterThan(10);
          expect(hiddenIn(said)).toEqual([]);
          const pools = await contained<PoolsJson>(namespace, 'pools', '--source', source);
          expect(hiddenIn(pools)).toEqual([]);
          expect(pools.pools.map(({ owner }) => owner)).not.toContain('unknown');
        });
      },
    );

    it('those of processes in another one are, once, with one count', async () => {
      await withNamespace(async (namespace) => {
        const database = await Database.start(namespace);
        const port = await database.listen(HERE);
        const client = await PoolClient.start(namespace);
        await client.open({ address: HERE, port }, 3);
        await database.accepted(3);
        for (const args of [[], ['--netns', 'all', '--port', String(port)]]) {
          const [hidden, ...others] = hiddenIn(
            await contained<DiagnosisJson>(namespace, 'diagnose', ...args),
          );
          expect(others).toEqual([]);
          expect(hidden?.things).toBe('6 connections and 1 listener');
          expect(hidden?.rules).toEqual(
            expect.arrayContaining(['pool_exhausted', 'close_wait_leak', 'fd_limit', 'threads_blocked']),
          );
        }
        const [pools, ...others] = hiddenIn(await contained<PoolsJson>(namespace, 'pools'));
        expect(others).toEqual([]);
        expect(pools?.things).toBe('6 connections');
        expect(pools?.rules).not.toContain('fd_limit');
      });
    });

    it('also those that no second look shows', async () => {
      await withNamespace(async (namespace) => {
        const database = await Database.start(namespace);
        const port = await database.listen(HERE);
        const client = await PoolClient.start(namespace);
        for (let n = 0; n < 6; n++) await client.churn({ address: HERE, port }, 0, 250);
        const [hidden] = hiddenIn(await contained<DiagnosisJson>(namespace, 'diagnose'));
        expect(hidden?.things).toMatch(/^\d+ connections? and 1 listener$/);
      });
    });
  },
);

describe.skipIf(noNobody)(`as another user${noNobody ? ` (skipped: ${noNobody})` : ''}`, () => {
  it('what others hold is hidden', async () => {
    await withNamespace(async (namespace) => {
      const database = await Database.start(namespace);
      const port = await database.listen(HERE);
      const client = await PoolClient.start(namespace);
      await client.open({ address: HERE, port }, 2);
      await database.accepted(2);
      const words = ['diagnose', '--duration', '500ms', '--interval', '250ms', '--format', 'json'];
      const { stdout } = await sockwatch(namespace, words, { unprivileged: true });
      const hidden = hiddenIn(JSON.parse(stdout) as DiagnosisJson);
      expect(hidden.map(({ things }) => things)).toEqual(['4 connections and 1 listener']);
    });
  });
});
