import { listPids, type ProcessFds } from './process-fds.js';
import { Claims, ScanHelper } from './scan-helper.js';
import { type Depth, isLively, ScanShare } from './scan-share.js';
import type { Effort } from './thread-time.js';

export interface Scan {
  readonly processes: ReadonlyMap<number, ProcessFds>;
  /** Processes whose descriptors may not be read. */
  readonly unreadable: number;
}

export const EMPTY_SCAN: Scan = { processes: new Map(), unreadable: 0 };

/** Most hosts are read within this time: a second thread would cost more than it saves. */
const ALONE_MS = 20;

/** Lively ones first, then others with sockets: a connection of milliseconds is only met by who looks there at once. */
function mostLikelyFirst(pids: readonly number[], { processes }: Scan): number[] {
  const ranks: [number[], number[], number[]] = [[], [], []];
  for (const pid of pids) {
    const known = processes.get(pid);
    const hasSockets = known !== undefined && known.sockets > 0;
    ranks[known !== undefined && isLively(known) ? 0 : hasSockets ? 1 : 2].push(pid);
  }
  return ranks.flat();
}

interface ScanOptions {
  readonly depth: Depth;
  readonly signal?: AbortSignal | undefined;
  /** Somebody waits: a second thread may help with what is read for the first time. */
  readonly hurry?: boolean;
  /** Pauses while others have the thread. */
  readonly effort?: Effort;
}

/**
 * Reads /proc/PID/fd of what is new since `before`, in slices, so that a key press still finds the loop free. A second thread
 * nearly halves the time (4 to 5 µs per descriptor on each) for 25 ms and 15 MB of its own, so it only helps where somebody waits.
 */
export async function scanOwners(
  proc: string,
  before: Scan,
  { depth, signal, hurry = false, effort }: ScanOptions,
): Promise<Scan> {
  const started = performance.now();
  const pids = mostLikelyFirst(listPids(proc), before);
  const { memory, claims } = Claims.shared(pids.length);
  let helper: ScanHelper | undefined;
  const share = new ScanShare(
    proc,
    depth,
    (pid) => before.processes.get(pid),
    async () => {
      effort?.pause();
      await new Promise<void>((resolve) => setImmediate(resolve));
      effort?.resume();
      signal?.throwIfAborted();
      if (hurry && performance.now() - started > ALONE_MS) helper ??= new ScanHelper({ proc, pids, memory });
    },
  );
  try {
    for (const [index, pid] of pids.entries()) if (claims.take(index)) await share.add(pid);
    const helped = await helper?.share;
    if (helped === undefined) {
      for (const [index, pid] of pids.entries()) if (claims.isHelpers(index)) await share.add(pid);
    }
    const found = [...share.processes, ...(helped?.processes ?? [])];
    return {
      processes: new Map(found.map((process) => [process.pid, process])),
      unreadable: share.unreadable + (helped?.unreadable ?? 0),
    };
  } finally {
    helper?.end();
  }
}
