// Ends a check whose main thread hears nothing any more. It runs beside it and shares nothing with it but the descriptors.
import { write } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

interface WatchdogData {
  readonly afterMs: number;
  readonly status: number;
  /** What stdout gets then. */
  readonly text: string;
}

let { afterMs, text, status } = workerData as WatchdogData;

/** `_exit(2)` ends all threads at once, also one that hangs in a system call; process.exit() would wait for it. */
async function systemExit(): Promise<((status: number) => void) | undefined> {
  try {
    const { default: koffi } = await import('koffi');
    return koffi.load(null).func('void _exit(int status)');
  } catch {
    return undefined; // koffi is optional
  }
}

/** Nobody may read the text, a full pipe takes none of it, and loading may hang as the run does. */
const PATIENCE_MS = 1000;

/** koffi is loaded only now: a process that exits while a thread of it loads a native module may crash. */
function end(): void {
  write(1, text, () => void systemExit().then((exit) => exit?.(status)));
  setTimeout(() => void systemExit().then((exit) => exit?.(status)), PATIENCE_MS / 2);
  // Without koffi a signal is all there is: that is no OK either.
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), PATIENCE_MS);
}

let timer = setTimeout(end, afterMs);
parentPort?.on('message', (data: WatchdogData) => {
  clearTimeout(timer);
  ({ afterMs, text, status } = data);
  timer = setTimeout(end, afterMs);
});
