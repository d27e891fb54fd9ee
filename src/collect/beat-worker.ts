// Runs small tasks a hundred times a second beside the main thread: listeners are sampled, and the ends of connections heard.
import { setImmediate as turn } from 'node:timers/promises';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { BeatAnswer, BeatQuestion, BeatWorkerData } from './beat-helper.js';
import { BeatLoop } from './beat-loop.js';
import { BeatTasks, taskOpener } from './beat-tasks.js';
import { monotonicNow } from './origin.js';

const { specs, periodMs, flag } = workerData as BeatWorkerData;
/** `monotonicNow` makes a big number each time; this is the same clock with another zero. */
const offset = monotonicNow() - performance.now();
/** To the microsecond, as recordings hold it. */
const now = () => Math.round((performance.now() + offset) * 1000) / 1000;
/** Promises and timers of the tasks get their turn after so many beats. */
const TURN_BEATS = 50;

const tasks = new BeatTasks(taskOpener(periodMs));
try {
  await tasks.follow(specs);
  await run();
} finally {
  // Also where the thread fails: nobody else closes what it has opened, and an open socket keeps its namespace.
  tasks.close();
}
// Nothing keeps the thread now: it ends by itself, with all that it has loaded.
parentPort?.unref();

async function run(): Promise<void> {
  const loop = new BeatLoop(() => tasks.values(), periodMs, now);
  /** Waits without an event loop, at half of its cost; the main thread ends the wait when it has a question. */
  const wait = () => Atomics.wait(flag, 0, 0, loop.remaining()) !== 'timed-out';
  for (let beats = 1; ; beats++) {
    const isAsked = wait();
    if (isAsked && (await answer()) === 'end') return;
    if (isAsked || beats % TURN_BEATS === 0) await turn();
    if (loop.remaining() === 0) loop.beat();
  }
}

async function answer(): Promise<'end' | undefined> {
  Atomics.store(flag, 0, 0);
  for (let next = question(); next !== undefined; next = question()) {
    if (next === 'end') return next;
    if (next === 'take') tell();
    else await tasks.follow(next);
  }
  return undefined;
}

function question(): BeatQuestion | undefined {
  return parentPort === null
    ? 'end'
    : (receiveMessageOnPort(parentPort)?.message as BeatQuestion | undefined);
}

function tell(): void {
  const at = now();
  const { told, transfer } = tasks.take(at);
  parentPort?.postMessage({ at, told } satisfies BeatAnswer, transfer);
}
