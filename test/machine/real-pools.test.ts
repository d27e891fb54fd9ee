import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PoolJson, PoolsJson } from '../../src/model/pools-json.js';
import { sockwatch } from '../support/cli.js';
import { folderFor, JARS, RealPool, startMariaDb } from '../support/mariadb.js';
import { needs } from '../support/needs.js';
import { type Namespace, withNamespace } from '../support/netns.js';
import { poll } from '../support/poll.js';

const missing = needs({ root: true, programs: ['ip', 'nsenter', 'mariadbd', 'mariadb-install-db'] });
const withoutHikari = missing ?? needs({ programs: ['java', 'javac'], files: JARS });

async function pools(namespace: Namespace, ...args: string[]): Promise<PoolsJson> {
  const time = args.includes('--duration') ? [] : ['--duration', '2s'];
  const words = ['pools', '--format', 'json', ...time, '--interval', '250ms', ...args];
  const { code, stdout, stderr } = await sockwatch(namespace, words);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as PoolsJson;
}

const poolOf = ({ pools: all }: PoolsJson, pid: number, direction: PoolJson['direction']) =>
  all.find((pool) => pool.pid === pid && pool.direction === direction);

/** Once the pool says so many of itself. */
const settled = (pool: RealPool, active: number) =>
  poll(async () => {
    const own = await pool.numbers();
    return own.active === active ? own : undefined;
  }, `${active} active connections`);

describe.skipIf(missing)(`MariaDB and its pools${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('agrees with a pool of mysql2, and so does the server', async () => {
    await withNamespace(async (namespace) => {
      const server = await startMariaDb(namespace);
      const pool = await RealPool.mysql2(namespace, 10, 3);
      const own = await settled(pool, 3);
      expect(own).toMatchObject({ total: 10, idle: 7 });
      const said = await pools(namespace);
      expect(poolOf(said, pool.pid, 'outbound')).toMatchObject({
        remote: '127.0.0.1:3306',
        service: 'mysql',
        open: own.total,
        busy: own.active,
        idle: own.idle,
        findings: [],
      });
      expect(poolOf(said, server, 'inbound')).toMatchObject({ open: 10, busy: 3, idle: 7 });
    });
  });

  it('measures the wait_timeout of a server that ends idle sessions by a reset', {
    timeout: 90_000,
  }, async () => {
    await withNamespace(async (namespace) => {
      await startMariaDb(namespace, '--wait-timeout=2');
      const pool = await RealPool.mysql2(namespace, 5, 0, 3300);
      const said = await poll(async () => {
        const report = await pools(namespace, '--duration', '13s', '--filter', 'port:3306');
        return poolOf(report, pool.pid, 'outbound')?.idle_close_ms === undefined ? undefined : report;
      }, 'idle_close_ms');
      const found = poolOf(said, pool.pid, 'outbound');
      expect(found).toMatchObject({ idle_close_reset: true });
      expect(found).not.toHaveProperty('idle_close_by');
      expect(found?.idle_close_ms).toBeGreaterThan(1800);
      expect(found?.idle_close_ms).toBeLessThan(2200);
      const race = said.findings.find(({ rule }) => rule === 'keepalive_race');
      expect(race).toMatchObject({ severity: 'info', sure: 'likely' });
      expect(race?.message).toMatch(
        /ended by a reset after 2\.0 s without data; which side sent it the sockets do not say/,
      );
    });
  });

  it.skipIf(withoutHikari)(
    `agrees with HikariCP${withoutHikari ? ` (skipped: ${withoutHikari})` : ''}`,
    async () => {
      await withNamespace(async (namespace) => {
        await startMariaDb(namespace);
        const log = join(folderFor(namespace, 'hikari'), 'app.log');
        const pool = await RealPool.hikari(namespace, 4, log);
        const own = await settled(pool, 4);
        await poll(
          () => /total=10, active=4, idle=6/.test(readFileSync(log, 'utf8')) || undefined,
          'its log',
        );
        const said = await pools(namespace, '--hikari', log);
        const found = poolOf(said, pool.pid, 'outbound');
        expect(found).toMatchObject({ open: own.total, busy: own.active, idle: own.idle, service: 'mysql' });
        expect(found?.hikari).toMatchObject({ ...own, disagreements: [] });
        expect(found?.findings).toEqual([]);
      });
    },
  );

  it.skipIf(withoutHikari)(
    `finds the threads that wait for HikariCP${withoutHikari ? ` (skipped: ${withoutHikari})` : ''}`,
    async () => {
      await withNamespace(async (namespace) => {
        await startMariaDb(namespace);
        const log = join(folderFor(namespace, 'hikari'), 'app.log');
        const pool = await RealPool.hikari(namespace, 13, log);
        await settled(pool, 10);
        await poll(
          () => /active=10, idle=0, waiting=3/.test(readFileSync(log, 'utf8')) || undefined,
          'its log',
        );
        const said = await pools(namespace, '--hikari', log, '--hikari-pid', String(pool.pid));
        expect(poolOf(said, pool.pid, 'outbound')).toMatchObject({
          open: 10,
          busy: 10,
          idle: 0,
          hikari: { waiting: 3, match: 'process', disagreements: [] },
        });
        expect(said.findings.find(({ rule }) => rule === 'pool_exhausted')).toMatchObject({
          severity: 'critical',
          sure: 'certain',
        });
      });
    },
  );
});
