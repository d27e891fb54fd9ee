import { ParseError, SourceError } from '../model/errors.js';
import type { Gap } from '../model/observation.js';
import type { SocketTable } from '../model/table.js';
import type { SsParser, SsResult } from '../parse/ss/index.js';
import type { Door } from './options.js';
import { ownSockets } from './own-sockets.js';
import type { Run, RunResult } from './run.js';
import { DROPPABLE, rejectedFlag, type SsQuery, ssArgs } from './ss-args.js';

export interface SsLook {
  readonly sockets: SocketTable;
  readonly gaps: readonly Gap[];
}

const UPGRADE = 'install iproute2 5.2 or newer, or use --source proc';
const MESSAGE_LENGTH = 200;
// Printed once per socket where no cgroup2 is mounted; nothing is missing but a column that is not read (KERNEL.md 8).
const NOISE = /^Failed to find cgroup2 mount$/;

/** A host gains some sockets from look to look. */
const SPARE_ROOM = 1.05;

/** ss of this machine: asks with all the flags that help, and remembers those that it does not know. */
export class SsSource {
  private readonly rejected = new Set<string>();
  /** Sockets of the last look at all: the next table is made that large at once, instead of growing in steps. */
  private lastRows = 0;

  constructor(
    private readonly run: Run,
    private readonly door: Pick<Door, 'path' | 'proc'>,
  ) {}

  /** One run of ss (more only while an old one is being learned). Throws `SourceError`, or the reason of the signal. */
  async look(query: SsQuery, timeoutMs: number, signal?: AbortSignal): Promise<SsLook> {
    // Most looks ask the kernel itself: what reads ss is loaded only here.
    const { SsParser } = await import('../parse/ss/index.js');
    for (;;) {
      const isWhole = query.states === undefined;
      const parser = new SsParser({
        ownSockets: () => ownSockets(this.door.proc),
        ...(isWhole && { expectedRows: this.lastRows * SPARE_ROOM }),
      });
      let bytes = 0;
      const onStdout = (chunk: Uint8Array) => {
        bytes += chunk.length;
        parser.write(chunk);
      };
      const args = ssArgs(query, this.rejected);
      const request = { program: 'ss', args, onStdout, timeoutMs, signal, path: this.door.path };
      const result = await garbageAsFault(() => this.run(request));
      if (result.exitCode !== 0 && this.learn(result.stderr)) continue;
      const look = await this.finish(parser, result, bytes);
      if (isWhole) this.lastRows = look.sockets.length;
      return look;
    }
  }

  /** True where ss rejected a flag that can be left out. */
  private learn(stderr: string): boolean {
    const flag = rejectedFlag(stderr);
    if (flag === undefined) return false;
    if (!(flag in DROPPABLE) || this.rejected.has(flag)) {
      throw new SourceError('too_old', `this ss is too old: it does not know -${flag}`, UPGRADE);
    }
    this.rejected.add(flag);
    return true;
  }

  private async finish(parser: SsParser, result: RunResult, bytes: number): Promise<SsLook> {
    const complaint = firstComplaint(result.stderr);
    if (result.exitCode !== 0) {
      const why = complaint ?? 'it did not say why';
      throw new SourceError('failed', `ss ended with exit code ${result.exitCode}: ${why}`);
    }
    const { sockets, gaps } = await garbageAsFault(async (): Promise<SsResult> => parser.end());
    // ss reports errors of the kernel on stderr and still ends with 0 (KERNEL.md 8).
    if (sockets.length === 0 && complaint !== undefined)
      throw new SourceError('failed', `ss failed: ${complaint}`);
    if (sockets.length === 0 && gaps.length > 0) throw garbage(`${bytes} bytes without one socket`);
    return { sockets, gaps: [...gaps, ...complaintGap(complaint), ...this.oldGaps()] };
  }

  private oldGaps(): Gap[] {
    const lost = [...this.rejected].map((flag) => DROPPABLE[flag]).filter((what) => what !== undefined);
    return lost.map((what) => ({ what, why: `ss is too old to show them: ${UPGRADE}` }));
  }
}

async function garbageAsFault<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof ParseError) throw garbage(error.message, error);
    throw error;
  }
}

const garbage = (why: string, cause?: ParseError) =>
  new SourceError(
    'garbage',
    `ss printed something that is not a list of sockets: ${why}`,
    'run "ss -tan" and look; another program may be called ss here',
    { cause },
  );

function firstComplaint(stderr: string): string | undefined {
  const line = stderr.split('\n').find((text) => text.trim() !== '' && !NOISE.test(text.trim()));
  return line?.trim().slice(0, MESSAGE_LENGTH);
}

const complaintGap = (complaint: string | undefined): Gap[] =>
  complaint === undefined ? [] : [{ what: 'ss', why: `ss warned: ${complaint}` }];
