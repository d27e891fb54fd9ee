import { Worker } from 'node:worker_threads';

/** How long the main thread has to end a run by itself, once the time is over. */
const GRACE_MS = 500;

/** What ends a run that does not end itself. */
export interface Watchdog {
  /** The time counts anew, from now on. */
  set(timeoutMs: number, text: string): void;
  /** Nothing is ended any more. */
  end(): void;
}

/**
 * Starts a thread that ends the process with `status`, and `text` on stdout, when the run is not over some moments after `timeoutMs`:
 * the main thread may hang in a system call or a loop.
 */
export function startWatchdog(timeoutMs: number, status: number, text: string): Watchdog {
  const data = (ms: number, last: string) => ({ afterMs: ms + GRACE_MS, status, text: last });
  const worker = new Worker(new URL('../collect/watchdog-worker.js', import.meta.url), {
    workerData: data(timeoutMs, text),
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
    stdin: false,
  });
  // Without it (no memory for a thread) the timers of the main thread remain.
  worker.on('error', () => {});
  worker.unref();
  return {
    set: (ms, last) => worker.postMessage(data(ms, last)),
    end: () => void worker.terminate(),
  };
}
