import { describe, expect, it } from 'vitest';
import type { PoolJson, PoolsJson } from '../../src/model/pools-json.js';
import { RUN_JS, sockwatch } from '../support/cli.js';
import { needs } from '../support/needs.js';
import { type Namespace, withNamespace } from '../support/netns.js';
import { PATIENCE_MS, poll } from '../support/poll.js';
import { Database, PoolClient } from '../support/pool.js';
import { PtyTerminal } from '../support/pty-terminal.js';
import { Trouble } from '../support/trouble.js';

const missing = needs({ root: true, programs: ['ip', 'ss', 'nsenter', 'python3'] });
const ADDRESS = '127.0.0.1';

/** The pools of `sockwatch live` in a namespace, in a pty that is wide enough for all of their columns. */
async function showPools(namespace: Namespace, interval = '1s'): Promise<PtyTerminal> {
  const words = [RUN_JS, 'live', '--no-unix', '--interval', interval];
  const [command, args] = namespace.enter(process.execPath, words);
  const terminal = new PtyTerminal(command, args, { columns: 200, rows: 50 });
  namespace.onRemove(() => terminal.kill());
  await terminal.waitFor((text) => / 4 Connections /.test(text), PATIENCE_MS);
  terminal.write('p');
  await terminal.waitFor((text) => / 4 Pools /.test(text), PATIENCE_MS);
  return terminal;
}

interface Shown {
  readonly process: string;
  readonly remote: string;
  readonly open: number;
  readonly other: number;
  readonly made: string;
}

/** Rows of the pools on the screen: `python3/812  clients of 127.0.0.1:80  4  0  4  0.0  0.0  3 ...` */
function rowsOf(text: string): Shown[] {
  const lines = text.split('\n').map((line) => line.slice(1, -1).replace(/^[ >]/, ''));
  const head = lines.findIndex((line) => /^PROCESS .*OTHER/.test(line));
  const columns = (line: string) => line.trim().split(/ {2,}/);
  return lines.slice(head + 1).flatMap((line) => {
    const [process = '', remote = '', ...numbers] = columns(line);
    if (!/:\d+$/.test(remote) || numbers.length < 6) return [];
    const [open, _busy, _idle, made = '', _ended, other] = numbers;
    return [{ process, remote, open: Number(open), other: Number(other), made }];
  });
}

/** The same as `pools` says it. */
function saidOf({ process, pid, owner, remote, local, open, ...pool }: PoolJson) {
  return {
    process: pid === undefined ? (owner === 'none' ? '-' : `${owner}`) : `${process}/${pid}`,
    remote: remote ?? `clients of ${local}`,
    open,
    other: pool.connecting + pool.half_closed + pool.time_wait,
  };
}

const byName = (a: { process: string; remote: string }, b: { process: string; remote: string }) =>
  `${a.remote} ${a.process}` < `${b.remote} ${b.process}` ? -1 : 1;

async function pools(namespace: Namespace): Promise<PoolsJson> {
  const { stdout } = await sockwatch(namespace, ['pools', '--format', 'json', '--duration', '1s']);
  return JSON.parse(stdout) as PoolsJson;
}

describe.skipIf(missing)(`the pools of live${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('are those of pools, with what has no process any more at the process of its listener', async () => {
    await withNamespace(async (namespace) => {
      const [server, client] = await Promise.all([Trouble.start(namespace), Trouble.start(namespace)]);
      const port = await server.listen(ADDRESS, { backlog: 64 });
      await client.connect(ADDRESS, port, 15);
      await server.accept(12);
      // Closed here and then there: TIME-WAIT of the server; closed here alone: FIN-WAIT-2 without a process. Three are not accepted.
      await server.closeTaken(5);
      await client.closeMade(3);
      const terminal = await showPools(namespace);
      const seen = await poll(async () => {
        const said = (await pools(namespace)).pools.map(saidOf).sort(byName);
        const rows = rowsOf(terminal.text).sort(byName);
        return JSON.stringify(rows.map(({ made: _, ...row }) => row)) === JSON.stringify(said)
          ? said
          : undefined;
      }, 'the same rows');
      expect(seen).toEqual([
        { process: `python3/${client.pid}`, remote: `${ADDRESS}:${port}`, open: 10, other: 2 },
        { process: `python3/${server.pid}`, remote: `clients of ${ADDRESS}:${port}`, open: 10, other: 5 },
      ]);
      terminal.write('q');
      expect(await terminal.waitForExit()).toMatchObject({ exitCode: 0 });
    });
  });

  it('have those that no look has shown, all of them, by what the kernel tells of their end', async () => {
    await withNamespace(async (namespace) => {
      await namespace.sysctl('net.ipv4.tcp_max_tw_buckets', 0);
      const database = await Database.start(namespace);
      const port = await database.listen(ADDRESS);
      const terminal = await showPools(namespace, '3s');
      // Far shorter than the time between two looks.
      await namespace.must('python3', '-c', SHORT_ONES, ADDRESS, String(port));
      const isTheirs = ({ process, remote }: Shown) => process === '-' && remote === `${ADDRESS}:${port}`;
      await terminal.waitFor((text) => rowsOf(text).some(isTheirs), PATIENCE_MS);
      const rows = rowsOf(terminal.text);
      expect(rows.find(isTheirs)).toMatchObject({ open: 0, other: 0, made: expect.stringMatching(/[1-9]/) });
      const clients = { process: `python3/${database.pid}`, remote: `clients of ${ADDRESS}:${port}` };
      expect(rows).toContainEqual(expect.objectContaining({ ...clients, open: 0, other: 0 }));
      terminal.write('/');
      await terminal.waitFor((text) => /Filter:/.test(text), PATIENCE_MS);
      terminal.write('process:python3');
      await terminal.waitFor((text) => /Filter: process:python3/.test(text), PATIENCE_MS);
      terminal.write('\r');
      await terminal.waitFor((text) => !rowsOf(text).some(isTheirs), PATIENCE_MS);
      expect(rowsOf(terminal.text)).toContainEqual(expect.objectContaining(clients));
      terminal.write('\r');
      // A look may meet one of them.
      await terminal.waitFor((text) => / made +(59|60), /.test(text), PATIENCE_MS);
      terminal.write('q');
      expect(await terminal.waitForExit()).toMatchObject({ exitCode: 0 });
    });
  });

  it('count a client without a pool by process and in all, as pools does', async () => {
    await withNamespace(async (namespace) => {
      const [database, client] = await Promise.all([Database.start(namespace), PoolClient.start(namespace)]);
      const where = { address: ADDRESS, port: await database.listen(ADDRESS) };
      await client.churn(where, 50);
      const terminal = await showPools(namespace);
      const rate = await poll(async () => {
        const rows = rowsOf(terminal.text).filter(({ remote }) => remote === `${ADDRESS}:${where.port}`);
        const made = rows.reduce((sum, row) => sum + Number(row.made.replace('≥', '')), 0);
        const said = (await pools(namespace)).remotes[0]?.created_per_second ?? 0;
        // A machine that is busy with other things lets the client be slower for a while.
        return made > 0 && Math.abs(made - said) < said / 4 ? made : undefined;
      }, 'the same rate');
      expect(rate).toBeGreaterThan(0);
      const alert = new RegExp(`WARN to ${ADDRESS}:${where.port} .* new connections per second`);
      await terminal.waitFor(alert, PATIENCE_MS);
      process.kill(client.pid, 'SIGKILL');
      await terminal.waitFor((text) => !alert.test(text), PATIENCE_MS);
      terminal.write('q');
      expect(await terminal.waitForExit()).toMatchObject({ exitCode: 0 });
    });
  });
});

/** Sixty connections, one after the other. */
const SHORT_ONES = `
import socket, sys
for _ in range(60):
    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as one:
        one.sendall(b"q 0\\n")
        one.recv(100)
`;
