import { Worker } from 'node:worker_threads';

/** How long the main thread has to end a run by itself, once the time is over. */
const GRACE_MS = 500;

/**
 * Starts a thread that ends the process with `status`, and `text` on stdout, when the run is not over some moments after `timeoutMs`:
 * the main thread may hang in a system call or a loop. Gives the function that calls it off.
 */
export function startWatchdog(timeoutMs: number, status: number, text: string): () => void {
  const worker = new Worker(new URL('../collect/watchdog-worker.js', import.meta.url), {
    workerData: { afterMs: timeoutMs + GRACE_MS, status, text },
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
    stdin: false,
  });
  // Without it (no memory for a thread) the timers of the main thread remain.
  worker.on('error', () => {});
  worker.unref();
  return () => void worker.terminate();
}
