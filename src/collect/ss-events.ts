import { setTimeout as sleep } from 'node:timers/promises';
import { CLOSE_KINDS } from '../model/closed.js';
import { ParseError } from '../model/errors.js';
import type { Gap } from '../model/observation.js';
import { SOCKET_STATES } from '../model/sockets.js';
import { SocketTable } from '../model/table.js';
import type { SsParser } from '../parse/ss/index.js';
import type { ClosedTaken } from './closed-task.js';
import { copyRows } from './copy-rows.js';
import { preloadRun } from './run.js';

/** One line for each event, numeric, with tcp_info. */
const SS = ['ss', '-E', '-H', '-O', '-t', '-n', '-i', '-e'] as const;
type Words = readonly [string, ...string[]];
/** On a pipe ss writes only what fills its buffer: these make it write whole lines. */
const BY_LINES: readonly Words[] = [
  ['stdbuf', '-oL', ...SS],
  ['script', '-q', '-e', '-f', '-c', SS.join(' '), '/dev/null'],
];
/** It ends with this process, however that ends: ss itself would notice at the next event only. */
const WITH_US: Words = ['setpriv', '--pdeathsig', 'TERM'];
const WRAPPERS: readonly Words[] = BY_LINES.flatMap((words): Words[] => [[...WITH_US, ...words], words]);
/** ss ends when the kernel had no room for an event (ENOBUFS): it is started again after this, and later each time it ends at once. */
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const SETTLED_MS = 200;
/** What nobody takes is let go, and said. A line has some 500 bytes. */
const MOST_BYTES = 8 << 20;
const NEWLINE = 10;
const CLOSE = SOCKET_STATES.indexOf('close');
const WHAT = 'connections that ended';

interface Child {
  kill(): boolean;
}

/** `ss -E` under a program that makes it write line by line, as long as this process lives. */
export class SsEvents {
  private chunks: Uint8Array[] = [];
  private bytes = 0;
  private isOverfull = false;
  private child: Child | undefined;
  /** Loaded before ss is started. */
  private Parser: typeof SsParser | undefined;
  private isRunning = false;
  private readonly stop = new AbortController();
  private readonly gaps: Gap[] = [];
  /** Why nobody listens now. */
  silence: Gap | undefined;

  /** Starts at once. @param path directories to search @param clock monotonic, ms */
  constructor(
    private readonly path: string,
    private readonly clock: () => number,
    private since = clock(),
  ) {
    void this.run();
  }

  /** What has ended since the last time; `undefined`: nobody listened. */
  take(): ClosedTaken | undefined {
    const { chunks } = this;
    if (this.Parser === undefined || (!this.isRunning && chunks.length === 0)) return undefined;
    const now = this.clock();
    const all = Buffer.concat(chunks);
    const end = all.lastIndexOf(NEWLINE) + 1;
    this.chunks = end < all.length ? [all.subarray(end)] : [];
    this.bytes = all.length - end;
    const gaps = [...this.gaps.splice(0), ...this.overfullGap()];
    const read = this.read(new this.Parser({ protocol: 'tcp' }), all.subarray(0, end), gaps);
    const taken = {
      ...read,
      failedConnects: 0,
      lost: undefined,
      spanMs: Math.max(0, now - this.since),
      gaps,
    };
    this.since = now;
    return taken;
  }

  end(): void {
    this.stop.abort();
    this.child?.kill();
  }

  private read(parser: SsParser, lines: Uint8Array, gaps: Gap[]): Pick<ClosedTaken, 'parts' | 'unconnected'> {
    try {
      parser.write(lines);
      const { sockets, gaps: fromSs } = parser.end();
      gaps.push(...fromSs);
      const table = closedRows(sockets);
      return { parts: [table.toParts()], unconnected: sockets.length - table.length };
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      gaps.push({ what: WHAT, why: error.message });
      return { parts: [], unconnected: 0 };
    }
  }

  private overfullGap(): Gap[] {
    const { isOverfull } = this;
    this.isOverfull = false;
    return isOverfull ? [{ what: WHAT, why: 'ss told of more than was taken: some were let go' }] : [];
  }

  private async run(): Promise<void> {
    this.Parser = (await import('../parse/ss/index.js')).SsParser;
    for (const words of WRAPPERS) if (await this.listen(words)) return;
    const why =
      'neither stdbuf (coreutils) nor script (bsdutils) is here, without which ss -E tells nothing in time';
    this.silence = { what: WHAT, why };
  }

  /** Starts it again and again, until the end; false: that program is not here. */
  private async listen(words: Words): Promise<boolean> {
    const { signal } = this.stop;
    for (let waitMs = FIRST_WAIT_MS; ; ) {
      const startedAt = this.clock();
      const why = await this.attempt(words);
      if (signal.aborted) return true;
      if (why === undefined) return false;
      this.fallSilent(`${words[0]} ${words[1]} ... ss -E ended, and is started again: ${why}`);
      if (this.clock() - startedAt > LONGEST_WAIT_MS) waitMs = FIRST_WAIT_MS;
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return true;
      waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
    }
  }

  private fallSilent(why: string): void {
    this.isRunning = false;
    this.silence = { what: WHAT, why };
    // What was cut off in the middle is no line, and must not be taken for the beginning of the next.
    const all = Buffer.concat(this.chunks);
    const whole = all.subarray(0, all.lastIndexOf(NEWLINE) + 1);
    this.chunks = whole.length === 0 ? [] : [whole];
    this.bytes = whole.length;
  }

  /** Now it listens; that it did not is told with what comes. */
  private begin(): void {
    this.isRunning = true;
    this.since = this.clock();
    if (this.silence !== undefined) this.gaps.push(this.silence);
    this.silence = undefined;
  }

  /** Why it ended; `undefined`: that program is not here, or does not know these options. */
  private async attempt([program, ...args]: Words): Promise<string | undefined> {
    const { execa } = await preloadRun();
    if (this.stop.signal.aborted) return undefined;
    const child = execa(program, args, {
      buffer: false,
      encoding: 'buffer',
      stdin: 'ignore',
      reject: false,
      cwd: '/',
      env: { PATH: this.path, LC_ALL: 'C' },
    });
    this.child = child;
    let stderr = '';
    // Who ends at once has never listened.
    const begin = setTimeout(() => this.begin(), SETTLED_MS).unref();
    child.stdout.on('data', (chunk: Uint8Array) => this.keep(chunk));
    child.stderr.on('data', (chunk: Uint8Array) => {
      if (stderr.length < 1000) stderr += Buffer.from(chunk).toString();
    });
    const { code, exitCode } = await child;
    clearTimeout(begin);
    if (code === 'ENOENT' || stderr.startsWith(`${WITH_US[0]}:`)) return undefined;
    return stderr.trim().split('\n').at(-1)?.slice(0, 200) || `exit code ${exitCode}`;
  }

  private keep(chunk: Uint8Array): void {
    if (this.bytes + chunk.length > MOST_BYTES) {
      this.isOverfull = true;
      return;
    }
    this.chunks.push(chunk);
    this.bytes += chunk.length;
  }
}

/** The rows with a far end, as the kernel's own messages would be read. */
function closedRows(from: SocketTable): SocketTable {
  const table = new SocketTable();
  copyRows(from, table, (row) => from.hasFlag(row, 'remotePortKnown'));
  for (let row = 0; row < table.length; row++) {
    table.state[row] = CLOSE;
    // No inode and no queues are told, though ss prints zeros.
    table.set('inode', row, Number.NaN);
    const wasEstablished =
      table.get('rttMs', row) !== undefined || table.get('bytesAcked', row) !== undefined;
    const kind = wasEstablished ? 'connection' : 'attempt';
    table.set('closeKind', row, CLOSE_KINDS.indexOf(kind));
    if (kind === 'attempt')
      for (const age of ['lastSentMs', 'lastReceivedMs', 'lastAckMs'] as const)
        table.set(age, row, Number.NaN);
  }
  return table;
}
