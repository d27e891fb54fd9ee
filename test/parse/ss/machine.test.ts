import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseProcNet } from '../../../src/parse/proc/net.js';
import { parseSs } from '../../../src/parse/ss/index.js';
import { needs } from '../../support/needs.js';
import { type ReadableRow, readable } from '../readable.js';

const reason = needs({ root: true, programs: ['ip', 'ss', 'nsenter', 'python3'] });
const netns = `sw-parse-${process.pid}`;
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

const run = (program: string, ...args: string[]): Buffer =>
  execFileSync(program, args, { env, stdio: ['ignore', 'pipe', 'ignore'], timeout: 20_000 });
const inside = (...command: string[]): Buffer => run('nsenter', `--net=/run/netns/${netns}`, ...command);
const ss = (...args: string[]) => readable(parseSs(inside('ss', ...args)));

/** What does not change while the sockets stand still, whatever ss is asked to show. */
const IDENTITY = ['protocol', 'state', 'local', 'remote', 'queues'] as const;
/** What an option adds that stands still too. */
const BY_OPTION: Readonly<Record<string, readonly string[]>> = {
  e: ['inode', 'cookie', 'uid'],
  i: [
    'rttMs',
    'mss',
    'pathMtu',
    'congestionWindow',
    'bytesSent',
    'bytesReceived',
    'segmentsOut',
    'segmentsIn',
  ],
  m: ['memReceive', 'memReceiveLimit', 'memSendLimit', 'memForward', 'drops'],
  p: ['owners'],
};

const pick = (row: ReadableRow, names: readonly string[]): ReadableRow =>
  Object.fromEntries(names.map((name) => [name, row[name]]));
const sorted = (rows: readonly ReadableRow[], names: readonly string[]): string[] =>
  rows.map((row) => JSON.stringify(pick(row, names))).sort();

function subsets(options: readonly string[]): string[][] {
  return options.reduce<string[][]>((sets, option) => sets.flatMap((set) => [set, [...set, option]]), [[]]);
}

describe.skipIf(reason)(`the ss of this machine${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let sockets: ChildProcess | undefined;
  let whole: readonly ReadableRow[] = [];

  beforeAll(async () => {
    run('ip', 'netns', 'add', netns);
    run('ip', '-n', netns, 'link', 'set', 'lo', 'up');
    const program = fileURLToPath(new URL('./sockets.py', import.meta.url));
    sockets = spawn('nsenter', [`--net=/run/netns/${netns}`, 'python3', program], {
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (sockets.stdout) await once(sockets.stdout, 'data');
    whole = ss('-tuxanHOeimop').rows;
  });

  afterAll(async () => {
    if (sockets?.exitCode === null) {
      sockets.stdin?.end();
      await once(sockets, 'exit');
    }
    run('ip', 'netns', 'del', netns);
  });

  it('prints what was made', () => {
    const count = (part: ReadableRow) =>
      whole.filter((row) => Object.entries(part).every(([name, value]) => row[name] === value)).length;
    expect(count({ protocol: 'tcp', state: 'listen' })).toBe(6);
    expect(count({ queues: '4 of backlog 7' })).toBe(1);
    expect(count({ state: 'established', inode: 0 })).toBe(5);
    expect(count({ state: 'close-wait', inode: 0, queues: '1 bytes unread, 0 unacked' })).toBe(1);
    expect(count({ queues: '1000 bytes unread, 0 unacked', protocol: 'tcp' })).toBe(1);
    expect(count({ protocol: 'tcp', flags: 'localDualStack' })).toBe(2);
    expect(count({ protocol: 'unix seqpacket', local: '@x\ny', queues: '0 of backlog 2' })).toBe(1);
    expect(count({ protocol: 'unix stream', queues: '1 of backlog 5' })).toBe(1);
    expect(count({ protocol: 'udp', flags: 'localDualStack' })).toBe(1);
    expect(whole.some((row) => /^0\.0\.0\.0%lo:/.test(String(row.local)))).toBe(true);
    expect(whole.some((row) => String(row.owners).includes('a"'))).toBe(true);
  });

  it('means the same with any mix of -e -i -m -o -p -O -H', () => {
    for (const options of subsets(['e', 'i', 'm', 'o', 'p', 'O', 'H'])) {
      const args = `-tuxan${options.join('')}`;
      const { rows, gaps } = ss(args);
      expect(gaps, args).toEqual([]);
      const names = [...IDENTITY, ...options.flatMap((option) => BY_OPTION[option] ?? [])];
      expect(sorted(rows, names), args).toEqual(sorted(whole, names));
    }
  });

  it('means the same one protocol at a time, without the Netid column', () => {
    for (const [args, protocol] of [
      ['-tan', 'tcp'],
      ['-uan', 'udp'],
    ] as const) {
      expect(sorted(ss(args).rows, IDENTITY), args).toEqual(
        sorted(
          whole.filter((row) => row.protocol === protocol),
          IDENTITY,
        ),
      );
    }
  });

  it('means the same with a filter for one state, without the State column', () => {
    const names = ['protocol', 'local', 'remote', 'queues', 'inode'];
    for (const [filter, state] of [
      ['established', 'established'],
      ['close-wait', 'close-wait'],
      ['fin-wait-2', 'fin-wait-2'],
    ] as const) {
      const rows = ss('-tuneHO', 'state', filter).rows;
      expect(sorted(rows, names), filter).toEqual(
        sorted(
          whole.filter((row) => row.state === state && !String(row.protocol).startsWith('unix')),
          names,
        ),
      );
      expect(rows.filter((row) => row.protocol === 'tcp').every((row) => row.state === 'unknown')).toBe(true);
    }
    expect(sorted(ss('-tnO', 'state', 'listening').rows, [...IDENTITY])).toEqual(
      sorted(
        whole.filter((row) => row.protocol === 'tcp' && row.state === 'listen'),
        [...IDENTITY],
      ),
    );
  });

  it('means the same as /proc/net/tcp and udp, which know no device and no limit', () => {
    const file = (name: string) => inside('cat', `/proc/net/${name}`);
    const { rows, gaps } = readable(
      parseProcNet({ tcp: file('tcp'), tcp6: file('tcp6'), udp: file('udp'), udp6: file('udp6') }),
    );
    expect(gaps).toEqual([]);
    const names = ['protocol', 'state', 'local', 'remote', 'queues', 'inode', 'uid'];
    const plain = whole
      .filter((row) => !String(row.protocol).startsWith('unix'))
      .map((row) => ({
        ...row,
        local: String(row.local).replace(/%\w+/, ''),
        queues: String(row.queues).replace(/backlog \d+/, 'backlog unknown'),
      }));
    expect(sorted(rows, names)).toEqual(sorted(plain, names));
  });

  it('means the same as /proc/net/unix, which has a row for each connection that waits for accept()', () => {
    const { rows } = readable(parseProcNet({ unix: inside('cat', '/proc/net/unix') }));
    const names = ['protocol', 'local', 'inode'];
    const unix = whole.filter((row) => String(row.protocol).startsWith('unix'));
    const waiting = rows.filter((row) => row.inode === 0);
    const others = rows.filter((row) => row.inode !== 0);
    expect(sorted(others, names)).toEqual(sorted(unix, names));
    expect(waiting).toMatchObject([
      { protocol: 'unix stream', local: expect.stringMatching(/\/a 5 \* 0 b$/) },
    ]);
    const listens = (row: ReadableRow) => row.state === 'listen';
    expect(sorted(others.filter(listens), names)).toEqual(sorted(unix.filter(listens), names));
  });
});
