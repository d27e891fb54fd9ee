import { CLOSE_KINDS } from '../model/closed.js';
import { ParseError } from '../model/errors.js';
import type { Gap } from '../model/observation.js';
import { SOCKET_STATES } from '../model/sockets.js';
import { SocketTable } from '../model/table.js';
import { SsParser } from '../parse/ss/index.js';
import type { ClosedTaken } from './closed-task.js';
import { copyRows } from './copy-rows.js';
import { preloadRun } from './run.js';

/** One line for each event, numeric, with tcp_info. */
const SS = ['ss', '-E', '-H', '-O', '-t', '-n', '-i', '-e'] as const;
/** On a pipe ss writes only what fills its buffer: these make it write whole lines. */
const WRAPPERS: readonly (readonly [string, ...string[]])[] = [
  ['stdbuf', '-oL', ...SS],
  ['script', '-q', '-e', '-f', '-c', SS.join(' '), '/dev/null'],
];
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
  private ended = false;
  private readonly gaps: Gap[] = [];

  /** Starts at once. @param path directories to search */
  constructor(
    private readonly path: string,
    private since: number,
  ) {
    void this.run();
  }

  take(now: number): ClosedTaken {
    const { chunks } = this;
    const all = Buffer.concat(chunks);
    const end = all.lastIndexOf(NEWLINE) + 1;
    this.chunks = end < all.length ? [all.subarray(end)] : [];
    this.bytes = all.length - end;
    const gaps = [...this.gaps.splice(0), ...this.overfullGap()];
    const read = this.read(all.subarray(0, end), gaps);
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
    this.ended = true;
    this.child?.kill();
  }

  private read(lines: Uint8Array, gaps: Gap[]): Pick<ClosedTaken, 'parts' | 'unconnected'> {
    const parser = new SsParser({ protocol: 'tcp' });
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
    for (const words of WRAPPERS) {
      const why = await this.attempt(words);
      if (this.ended) return;
      if (why === undefined) continue;
      this.gaps.push({ what: WHAT, why: `${words[0]} ${words[1]} ss -E ended: ${why}` });
      return;
    }
    const why =
      'neither stdbuf (coreutils) nor script (bsdutils) is here, without which ss -E tells nothing in time';
    this.gaps.push({ what: WHAT, why });
  }

  /** Why it ended; `undefined`: that program is not here. */
  private async attempt([program, ...args]: readonly [string, ...string[]]): Promise<string | undefined> {
    const { execa } = await preloadRun();
    const child = execa(program, args, {
      buffer: false,
      encoding: 'buffer',
      stdin: 'ignore',
      reject: false,
      cwd: '/',
      env: { PATH: this.path, LC_ALL: 'C' },
    });
    this.child = child;
    if (this.ended) child.kill();
    let stderr = '';
    child.stdout.on('data', (chunk: Uint8Array) => this.keep(chunk));
    child.stderr.on('data', (chunk: Uint8Array) => {
      if (stderr.length < 1000) stderr += Buffer.from(chunk).toString();
    });
    const { code, exitCode } = await child;
    if (code === 'ENOENT') return undefined;
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
