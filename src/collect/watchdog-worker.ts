// Ends a check whose main thread hears nothing any more. It runs beside it and shares nothing with it but the descriptors.
import { write } from 'node:fs';
import { workerData } from 'node:worker_threads';

interface WatchdogData {
  readonly afterMs: number;
  readonly status: number;
  /** What stdout gets then. */
  readonly text: string;
}

const { afterMs, text, status } = workerData as WatchdogData;

/** `_exit(2)` ends all threads at once, also one that hangs in a system call; process.exit() would wait for it. */
async function systemExit(): Promise<((status: number) => void) | undefined> {
  try {
    const { default: koffi } = await import('koffi');
    return koffi.load('libc.so.6').func('void _exit(int status)');
  } catch {
    return undefined; // koffi is optional, and there are systems without glibc
  }
}

/** Loaded before it is needed, but not by a run that is over in a moment. */
const LOAD_AFTER_MS = 1000;
/** For the text: nobody may read it, and a full pipe takes nothing. */
const WRITE_MS = 200;

let exit: Awaited<ReturnType<typeof systemExit>>;
setTimeout(
  async () => {
    exit = await systemExit();
  },
  Math.min(LOAD_AFTER_MS, afterMs / 2),
);

setTimeout(() => {
  write(1, text, () => {});
  setTimeout(() => {
    exit?.(status);
    // Without koffi a signal is all there is: that is no OK either.
    process.kill(process.pid, 'SIGKILL');
  }, WRITE_MS);
}, afterMs);
