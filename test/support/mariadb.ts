import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Namespace } from './netns.js';
import { poll } from './poll.js';

const PATH = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const MYSQL_PORT = 3306;
export const JARS = ['HikariCP', 'mariadb-java-client', 'slf4j-api', 'slf4j-simple'].map(
  (name) => `/usr/share/java/${name}.jar`,
);

/** A folder that goes away with the namespace. */
export function folderFor(namespace: Namespace, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `sw-${name}-`));
  namespace.onRemove(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** MariaDB with data of its own and without passwords, on 127.0.0.1:3306 of the namespace; gives its pid. */
export async function startMariaDb(namespace: Namespace, ...options: string[]): Promise<number> {
  const folder = folderFor(namespace, 'mariadb');
  const data = ['--no-defaults', `--datadir=${join(folder, 'data')}`, '--user=root'];
  execFileSync(
    'mariadb-install-db',
    [...data, '--auth-root-authentication-method=normal', '--skip-test-db'],
    { env: PATH, stdio: 'pipe' },
  );
  const log = join(folder, 'log');
  const child = namespace.spawn(
    'mariadbd',
    [
      ...data,
      `--socket=${join(folder, 'socket')}`,
      `--pid-file=${join(folder, 'pid')}`,
      '--bind-address=127.0.0.1',
      `--port=${MYSQL_PORT}`,
      '--skip-networking=0',
      '--skip-grant-tables',
      '--skip-name-resolve',
      ...options,
    ],
    { stdio: ['ignore', 'ignore', openSync(log, 'w')] },
  );
  namespace.onRemove(async () => {
    if (child.kill('SIGTERM'))
      await once(child, 'close', { signal: AbortSignal.timeout(10_000) }).catch(() => {});
  });
  await poll(() => /ready for connections/.test(readFileSync(log, 'utf8')) || undefined, 'MariaDB', 60_000);
  return child.pid ?? 0;
}

/** What a pool says of itself. */
export interface OwnNumbers {
  readonly total: number;
  readonly active: number;
  readonly idle: number;
  readonly waiting: number;
}

/** A program with a pool of ten connections to MariaDB of the namespace, some of them with a query that takes a minute. */
export class RealPool {
  private readonly lines: AsyncIterator<string>;

  private constructor(private readonly child: ChildProcess) {
    if (child.stdout === null) throw new Error('no stdout');
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** `everyMs`: small queries on all that are idle, again and again. */
  static async mysql2(namespace: Namespace, size: number, active: number, everyMs = 0): Promise<RealPool> {
    const path = fileURLToPath(new URL('programs/mysql_pool.mjs', import.meta.url));
    return RealPool.start(
      namespace,
      process.execPath,
      [path, `${MYSQL_PORT}`, `${size}`, `${active}`, `${everyMs}`],
      'inherit',
    );
  }

  /** HikariCP; its log goes to `log`, with its numbers four times per second. */
  static async hikari(namespace: Namespace, active: number, log: string): Promise<RealPool> {
    const classes = folderFor(namespace, 'classes');
    const source = fileURLToPath(new URL('programs/Hikari.java', import.meta.url));
    execFileSync('javac', ['-cp', JARS.join(':'), '-d', classes, source], { stdio: 'pipe' });
    const args = [
      '-Xmx128m',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=debug',
      '-Dorg.slf4j.simpleLogger.log.org.mariadb=warn',
      '-Dcom.zaxxer.hikari.housekeeping.periodMs=250',
      '-cp',
      [classes, ...JARS].join(':'),
      'Hikari',
      `jdbc:mariadb://127.0.0.1:${MYSQL_PORT}/`,
      `${active}`,
    ];
    return RealPool.start(namespace, 'java', args, openSync(log, 'w'));
  }

  private static async start(
    namespace: Namespace,
    program: string,
    args: readonly string[],
    stderr: number | 'inherit',
  ): Promise<RealPool> {
    const pool = new RealPool(namespace.spawn(program, args, { stdio: ['pipe', 'pipe', stderr] }));
    await pool.line();
    return pool;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async numbers(): Promise<OwnNumbers> {
    this.child.stdin?.write('\n');
    return JSON.parse(await this.line()) as OwnNumbers;
  }

  private async line(): Promise<string> {
    const { value, done } = await this.lines.next();
    if (done) throw new Error('the pool has ended');
    return value;
  }
}
