// Ends a check whose main thread hears nothing any more. It runs beside it and shares nothing with it but the descriptors.
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

/** `exitAt`: ms from now; `text`: what stdout gets then. */
const { afterMs, text, status } = workerData as { afterMs: number; text: string; status: number };

type Exit = (status: number) => void;

/** `_exit(2)` ends all threads at once, also one that hangs in a system call; process.exit() would wait for it. */
async function systemExit(): Promise<Exit | undefined> {
  try {
    const { default: koffi } = await import('koffi');
    return koffi.load('libc.so.6').func('void _exit(int status)') as Exit;
  } catch {
    return undefined; // koffi is optional, and there are systems without glibc
  }
}

/** Loaded before it is needed, but not by a run that is over in a moment. */
const LOAD_AFTER_MS = 1000;
let exit: Exit | undefined;
setTimeout(async () => (exit = await systemExit()), Math.min(LOAD_AFTER_MS, afterMs / 2));

setTimeout(() => {
  try {
    writeSync(1, text);
  } catch {
    // Nobody reads: the status says it.
  }
  exit?.(status);
  // A run that was ended by a signal is no OK either.
  process.kill(process.pid, 'SIGKILL');
}, afterMs);
