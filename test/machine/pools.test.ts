import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import type { PoolJson, PoolsJson } from '../../src/model/pools-json.js';
import { sockwatch } from '../support/cli.js';
import { needs } from '../support/needs.js';
import { type Namespace, withNamespace } from '../support/netns.js';
import { startNginxWith } from '../support/nginx.js';
import { meanwhile, poll } from '../support/poll.js';
import { Database, PoolClient } from '../support/pool.js';

const missing = needs({ root: true, programs: ['ip', 'ss', 'nsenter', 'python3'] });
const withoutWrk = missing ?? needs({ programs: ['wrk', 'nginx'] });
const ADDRESS = '127.0.0.1';
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const isValid = new Ajv({ strict: false }).compile<PoolsJson>(
  JSON.parse(readFileSync(new URL('../../schema/pools.schema.json', import.meta.url), 'utf8')),
);

/** What `pools --format json` says there. */
async function pools(namespace: Namespace, ...args: string[]): Promise<PoolsJson> {
  const time = args.includes('--duration') ? [] : ['--duration', '2s'];
  const words = ['pools', '--format', 'json', ...time, '--interval', '250ms', ...args];
  const { code, stdout, stderr } = await sockwatch(namespace, words);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const said = JSON.parse(stdout) as PoolsJson;
  expect(isValid(said), JSON.stringify(isValid.errors)).toBe(true);
  return said;
}

async function start(namespace: Namespace, port = 3306) {
  const [database, client] = await Promise.all([Database.start(namespace), PoolClient.start(namespace)]);
  await database.listen(ADDRESS, port);
  return { database, client, where: { address: ADDRESS, port } };
}

function poolOf({ pools: all }: PoolsJson, pid: number, direction: PoolJson['direction']): PoolJson {
  const found = all.filter((pool) => pool.pid === pid && pool.direction === direction);
  expect(found, JSON.stringify(all, null, 1)).toHaveLength(1);
  return found[0] as PoolJson;
}

const findingOf = (said: PoolsJson, rule: string) => said.findings.find((finding) => finding.rule === rule);

describe.skipIf(missing)(`pools of real sockets${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('tells busy from idle, on both sides, as the programs know it', async () => {
    await withNamespace(async (namespace) => {
      const { database, client, where } = await start(namespace);
      await client.open(where, 10);
      await client.query(0, 10, 20);
      await sleep(50);
      await client.ask(0, 4, 60_000);
      const said = await pools(namespace);
      expect(poolOf(said, client.pid, 'outbound')).toMatchObject({
        process: 'python3',
        remote: '127.0.0.1:3306',
        service: 'mysql',
        open: 10,
        busy: 4,
        idle: 6,
        connecting: 0,
        highest: 10,
        created: 0,
        closed: 0,
        created_per_second: 0,
        age_at_least: true,
        findings: [],
      });
      expect(poolOf(said, database.pid, 'inbound')).toMatchObject({
        local: '127.0.0.1:3306',
        open: 10,
        busy: 4,
        idle: 6,
        findings: [],
      });
      expect(said.remotes).toMatchObject([{ remote: '127.0.0.1:3306', processes: 1, open: 10, busy: 4 }]);
      expect(said.findings).toEqual([]);
    });
  });

  it('sees a request that followed an answer within one jiffy', async () => {
    await withNamespace(async (namespace) => {
      const { client, where } = await start(namespace);
      await client.open(where, 5);
      await client.warmUp(0, 5);
      await sleep(100);
      await client.ask(4, 1, 60_000);
      await client.query(0, 4, 0);
      await client.ask(0, 2, 60_000);
      await sleep(300);
      expect(poolOf(await pools(namespace), client.pid, 'outbound')).toMatchObject({ busy: 3, idle: 2 });
    });
  });

  it.each([
    [300, 'netlink'],
    [300, 'ss'],
  ] as const)(
    'finds a pool that is always busy with requests of %d ms, by %s',
    async (ms, source) => {
      await withNamespace(async (namespace) => {
        const { client, where } = await start(namespace);
        await client.open(where, 5);
        await client.warmUp(0, 5);
        await client.busy(0, 5, ms);
        // A machine that is busy itself lets a connection lie idle for a moment, or keeps too few looks that are sure.
        const said = await poll(async () => {
          const report = await pools(namespace, '--source', source);
          return findingOf(report, 'pool_exhausted') === undefined ? undefined : report;
        }, 'pool_exhausted');
        expect(poolOf(said, client.pid, 'outbound').findings).toEqual(['pool_exhausted']);
        expect(findingOf(said, 'pool_exhausted')).toMatchObject({
          severity: 'warning',
          sure: 'suspected',
          subject: { pid: client.pid, remote: '127.0.0.1:3306', direction: 'outbound' },
        });
      });
    },
    30_000,
  );

  it('does not call a pool exhausted that has one idle connection', async () => {
    await withNamespace(async (namespace) => {
      const { client, where } = await start(namespace);
      await client.open(where, 5);
      await client.query(0, 5, 0);
      await client.busy(0, 4, 300);
      expect((await pools(namespace)).findings).toEqual([]);
    });
  });

  it('does not call a pool exhausted that has a small request now and then', async () => {
    await withNamespace(async (namespace) => {
      const { client, where } = await start(namespace);
      await client.open(where, 10);
      await client.warmUp(0, 10);
      const said = pools(namespace);
      for (let turn = 0; turn < 12; turn++) {
        await client.query(0, 10, 0);
        await sleep(200);
      }
      expect((await said).findings.map(({ rule }) => rule)).not.toContain('pool_exhausted');
    });
  });

  it('does not call a pool too large whose requests fall between the looks, nor one that rests for a moment', async () => {
    await withNamespace(async (namespace) => {
      const { client, where } = await start(namespace);
      await client.open(where, 18);
      await client.query(0, 18, 0);
      const resting = await pools(namespace);
      expect(poolOf(resting, client.pid, 'outbound')).toMatchObject({ open: 18, findings: [] });
      const used = pools(namespace, '--duration', '3s');
      expect(await meanwhile(used, 500, () => client.query(0, 18, 0))).toBeGreaterThan(0);
      const pool = poolOf(await used, client.pid, 'outbound');
      expect(pool.reused).toBe(18);
      expect(pool.findings).not.toContain('pool_oversized');
    });
  });

  it('tells of connections that all wait for one answer', async () => {
    await withNamespace(async (namespace) => {
      const { client, where } = await start(namespace, 8081);
      await client.open(where, 6);
      await client.query(0, 6, 20);
      await sleep(50);
      await client.ask(0, 6, 60_000);
      expect((await pools(namespace)).findings).toMatchObject([{ rule: 'pool_waiting', severity: 'info' }]);
    });
  });

  it('finds connections that are made for each request, by process where it can be told', async () => {
    await withNamespace(async (namespace) => {
      const { client, where } = await start(namespace, 6379);
      await client.churn(where, 20, 40);
      // A machine that is busy itself may come too late to each of them.
      const said = await poll(async () => {
        const report = await pools(namespace);
        return findingOf(report, 'pool_churn')?.subject.pid === undefined ? undefined : report;
      }, 'pool_churn of a process');
      expect(findingOf(said, 'pool_churn')).toMatchObject({
        severity: 'warning',
        subject: { remote: '127.0.0.1:6379', pid: client.pid },
      });
      const [remote] = said.remotes;
      expect(remote?.created_per_second).toBeGreaterThan(10);
      expect(remote?.closed_per_second).toBeGreaterThan(10);
      expect(remote?.time_wait).toBeGreaterThan(20);
      // Each of them left a TIME-WAIT here, so that hardly any is missed.
      expect(
        said.pools.reduce((sum, { direction, created }) => sum + (direction === 'outbound' ? created : 0), 0),
      ).toBeGreaterThan((said.active_opens ?? 0) * 0.9);
      expect(said.findings.filter(({ rule }) => rule === 'pool_churn')).toHaveLength(1);
    });
  });

  it('counts connections that leave no TIME-WAIT, and finds their churn', async () => {
    await withNamespace(async (namespace) => {
      const { database, client, where } = await start(namespace, 6379);
      await namespace.sysctl('net.ipv4.tcp_max_tw_buckets', 0);
      await client.churn(where, 20);
      const said = await pools(namespace, '--duration', '4s');
      expect(said.ends_told).toBe('all');
      const made = (direction: string) =>
        said.pools.reduce((sum, pool) => sum + (pool.direction === direction ? pool.created : 0), 0);
      // The kernel's own count of the same time: those that are open at either end of it may miss.
      expect(made('outbound')).toBeGreaterThan((said.active_opens ?? 0) * 0.9 - 2);
      expect(made('outbound')).toBeLessThanOrEqual((said.active_opens ?? 0) + 2);
      expect(made('inbound')).toBeGreaterThan(made('outbound') * 0.9 - 2);
      expect(said.remotes[0]?.time_wait).toBe(0);
      expect(poolOf(said, database.pid, 'inbound').created).toBeGreaterThan(0);
      expect(said.findings.filter(({ rule }) => rule === 'pool_churn')).toHaveLength(1);
      expect(said.gaps.filter(({ what }) => what === 'pool_churn')).toEqual([]);
    });
  });

  it.skipIf(withoutWrk)(
    `takes keep-alive that ends at a limit of requests for no churn, and a master for no worker${withoutWrk ? ` (skipped: ${withoutWrk})` : ''}`,
    async () => {
      await withNamespace(async (namespace) => {
        const servers =
          'keepalive_requests 40; server { listen 127.0.0.1:8080; location / { return 200 "ok"; } }';
        const nginx = await startNginxWith(namespace, servers);
        const url = 'http://127.0.0.1:8080/';
        namespace.spawn('wrk', ['-t1', '-c4', '-d600s', '--timeout', '30s', url], { stdio: 'ignore' });
        const said = await poll(async () => {
          const report = await pools(namespace);
          return findingOf(report, 'request_limit') === undefined ? undefined : report;
        }, 'request_limit');
        expect(findingOf(said, 'pool_churn')).toBeUndefined();
        expect(findingOf(said, 'request_limit')?.message).toMatch(
          /to 127\.0\.0\.1:8080 \(http\) are replaced after about (39|40|41) requests and answers each/,
        );
        // Who accepted what no look has seen is not known: never the master, which accepts nothing.
        const inbound = said.pools.filter(({ direction }) => direction === 'inbound');
        expect(inbound.find(({ owner }) => owner === 'shared')?.created).toBeGreaterThan(10);
        expect(inbound.filter(({ pid, created }) => pid === nginx.master && created > 0)).toEqual([]);
      });
    },
  );

  it('takes a pool that fills, or that is replaced, for no churn', async () => {
    await withNamespace(async (namespace) => {
      const { client, where } = await start(namespace);
      await client.grow(where, 100);
      const said = await pools(namespace);
      const pool = poolOf(said, client.pid, 'outbound');
      expect(pool.created_per_second).toBeGreaterThan(5);
      expect(pool.closed).toBe(0);
      expect(pool.findings).not.toContain('pool_churn');
    });
  });

  it('finds a wave of reconnects', async () => {
    await withNamespace(async (namespace) => {
      const { client, where } = await start(namespace);
      await client.open(where, 6);
      await client.replace(where, 4000);
      const said = await pools(namespace, '--duration', '8s');
      const pool = poolOf(said, client.pid, 'outbound');
      expect(pool).toMatchObject({
        open: 6,
        highest: 6,
        created: 6,
        closed: 6,
        findings: ['reconnect_wave'],
      });
      expect(findingOf(said, 'reconnect_wave')).toMatchObject({ severity: 'info' });
    });
  });

  it('finds CLOSE-WAIT that grows, and not what is closed soon', async () => {
    await withNamespace(async (namespace) => {
      const { database, client, where } = await start(namespace);
      await client.open(where, 300);
      await client.query(0, 300, 0);
      await database.accepted(300);
      const looking = pools(namespace, '--duration', '4s');
      await meanwhile(looking, 200, () => database.fin(1));
      const said = await looking;
      const pool = poolOf(said, client.pid, 'outbound');
      expect(pool.findings).toContain('close_wait_leak');
      expect(pool.close_wait_growth).toBeGreaterThan(3);
      expect(pool.close_wait_stuck).toBeGreaterThan(3);
      expect(pool.half_closed).toBe(pool.close_wait);
      expect(findingOf(said, 'close_wait_leak')?.evidence.map(({ metric }) => metric)).toContain(
        'descriptors',
      );
    });
  });

  it('says where connections go to one of several addresses only', async () => {
    await withNamespace(async (namespace) => {
      const { database, client, where } = await start(namespace);
      await database.listen('127.0.0.2', 3306);
      await client.open(where, 12);
      await client.open({ address: '127.0.0.2', port: 3306 }, 1);
      const said = await pools(namespace, '--filter', `pid:${client.pid}`);
      expect(said.pools.map(({ remote, findings }) => [remote, findings])).toEqual([
        ['127.0.0.1:3306', ['pool_uneven']],
        ['127.0.0.2:3306', []],
      ]);
    });
  });

  it("shows HikariCP's numbers beside the sockets, and where they differ", async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sockwatch-hikari-'));
    try {
      await withNamespace(async (namespace) => {
        const { client, where } = await start(namespace);
        await client.open(where, 5);
        await client.query(0, 5, 0);
        await sleep(100);
        await client.ask(0, 2, 60_000);
        await sleep(300);
        const log = join(folder, 'app.log');
        writeFileSync(
          log,
          '12:00:00.000 [HikariPool-1 housekeeper] DEBUG com.zaxxer.hikari.pool.HikariPool - HikariPool-1 - Pool stats (total=5/5, idle=1/5, active=4, waiting=0)\n',
        );
        const said = await pools(namespace, '--hikari', log);
        const { hikari } = poolOf(said, client.pid, 'outbound');
        expect(hikari).toMatchObject({
          name: 'HikariPool-1',
          total: 5,
          active: 4,
          idle: 1,
          waiting: 0,
          maximum: 5,
        });
        expect(hikari?.disagreements).toEqual([
          expect.stringMatching(/4 of "HikariPool-1" are active, 2 at most are busy on the wire/),
        ]);
        const table = await sockwatch(namespace, ['pools', '--duration', '0s', '--hikari', log]);
        expect(table.stdout).toContain(
          'HikariCP HikariPool-1 (a guess: as many connections): total 5/5, active 4, idle 1, waiting 0; ',
        );
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('sums a remote over network namespaces, and keeps loopback apart', async () => {
    await withNamespace(async (first) => {
      await withNamespace(async (second) => {
        const address = '10.99.0.9';
        for (const [namespace, count] of [
          [first, 10],
          [second, 6],
        ] as const) {
          await namespace.must('ip', 'addr', 'add', `${address}/32`, 'dev', 'lo');
          const { database, client } = await start(namespace, 5432);
          await database.listen(address, 5432);
          await client.open({ address, port: 5432 }, count);
          await client.open({ address: ADDRESS, port: 5432 }, count / 2);
        }
        const only = `rport:5432 netns:${first.name},${second.name}`;
        const said = await pools(first, '--netns', 'all', '--filter', only);
        expect(
          said.remotes.map(({ remote, netns, processes, open, highest }) => [
            remote,
            netns,
            processes,
            open,
            highest,
          ]),
        ).toEqual([
          ['10.99.0.9:5432', undefined, 2, 16, 16],
          ['127.0.0.1:5432', first.id, 1, 5, 5],
          ['127.0.0.1:5432', second.id, 1, 3, 3],
        ]);
        const words = ['pools', '--netns', 'all', '--duration', '500ms', '--filter', only];
        const table = (await sockwatch(first, words)).stdout;
        expect(table).toMatch(/ALL PROCESSES TO[^\n]*\n10\.99\.0\.9:5432 .* 2 +16 /);
        expect(table.replaceAll('\n', ' ')).toContain(
          'a private address that is used again on another bridge',
        );
      });
    });
  });

  it('looks twice at least, and says what it could not judge', async () => {
    await withNamespace(async (namespace) => {
      const { client, where } = await start(namespace);
      await client.open(where, 3);
      const words = ['pools', '--format', 'json', '-d', '200ms', '-i', '1s', '--fail-on', 'pool_leak'];
      const short = await sockwatch(namespace, [...words, '--no-owners']);
      expect(short.code).toBe(0);
      const said = JSON.parse(short.stdout) as PoolsJson;
      expect(said.looks).toBe(2);
      expect(said.pools.map(({ owner }) => owner)).toContain('unknown');
      expect(
        said.gaps.filter(({ what }) => what.split(', ').includes('pool_leak')).map(({ why }) => why),
      ).toEqual([
        'not judged: the processes of 6 connections are not known',
        expect.stringMatching(/^not judged: it needs 4 looks over 10 min, there were 2 in /),
      ]);
      expect(
        JSON.parse((await sockwatch(namespace, ['pools', '-d', '0', '-f', 'json'])).stdout),
      ).toMatchObject({
        looks: 1,
      });
    });
  });

  it('ends with 1 where --fail-on is met, hides what --redact must hide', async () => {
    await withNamespace(async (namespace) => {
      const { client, where } = await start(namespace);
      await client.open(where, 4);
      await client.query(0, 4, 0);
      await sleep(100);
      await client.ask(0, 4, 60_000);
      const look = ['pools', '--duration', '1500ms', '--interval', '300ms'];
      const failed = await sockwatch(namespace, [...look, '--fail-on', 'pool-waiting', '--redact']);
      expect(failed).toMatchObject({ code: 1, stderr: '' });
      expect(failed.stdout).toContain('process-1');
      expect(failed.stdout).not.toMatch(/python3|127\.0\.0\.1/);
      expect(await sockwatch(namespace, [...look, '--fail-on', 'pool_leak', '--top', '1'])).toMatchObject({
        code: 0,
      });
      const lines = (await sockwatch(namespace, [...look, '--format', 'ndjson'])).stdout.trim().split('\n');
      expect(lines.map((line) => JSON.parse(line).schema)).toEqual([
        'sockwatch.header/1',
        'sockwatch.pool/1',
        'sockwatch.pool/1',
        'sockwatch.end/1',
      ]);
      const csv = (await sockwatch(namespace, [...look, '--format', 'csv'])).stdout.split('\r\n');
      expect(csv[0]).toMatch(/^direction,pid,process,owner,netns,remote,local,service,open,busy,idle,unsure/);
      expect(csv).toHaveLength(4);
    });
  });
});
