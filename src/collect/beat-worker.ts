// Runs small tasks a hundred times a second beside the main thread: listeners are sampled, and later the ends of connections heard.
import { setImmediate as turn } from 'node:timers/promises';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { SourceError } from '../model/errors.js';
import type { BeatAnswer, BeatQuestion, BeatWorkerData } from './beat-helper.js';
import { BeatLoop, type BeatTask } from './beat-loop.js';
import { openBeatTask } from './beat-tasks.js';
import { monotonicNow } from './origin.js';

const { specs, periodMs, flag } = workerData as BeatWorkerData;
/** `monotonicNow` makes a big number each time; this is the same clock with another zero. */
const offset = monotonicNow() - performance.now();
/** To the microsecond, as recordings hold it. */
const now = () => Math.round((performance.now() + offset) * 1000) / 1000;
/** Promises and timers of the tasks get their turn after so many beats. */
const TURN_BEATS = 50;

const faults: (string | undefined)[] = [];
const tasks: (BeatTask | undefined)[] = [];
for (const [index, spec] of specs.entries()) {
  try {
    tasks[index] = await openBeatTask(spec, periodMs);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    faults[index] = error.message;
  }
}
const loop = new BeatLoop(
  tasks.filter((task) => task !== undefined),
  periodMs,
  now,
);

/** Waits without an event loop, at half of its cost; the main thread ends the wait when it has a question. */
const wait = () => Atomics.wait(flag, 0, 0, loop.remaining()) !== 'timed-out';

for (let beats = 1; ; beats++) {
  const isAsked = wait();
  if (isAsked && answer() === 'end') break;
  if (isAsked || beats % TURN_BEATS === 0) await turn();
  if (loop.remaining() === 0) loop.beat();
}
// Nothing keeps the thread now: it ends by itself, with all that it has loaded.
loop.close();
parentPort?.unref();

function answer(): BeatQuestion | undefined {
  Atomics.store(flag, 0, 0);
  let last: BeatQuestion | undefined;
  for (let next = question(); next !== undefined; next = question()) {
    last = next;
    if (next === 'take') tell();
  }
  return last;
}

function question(): BeatQuestion | undefined {
  return parentPort === null
    ? 'end'
    : (receiveMessageOnPort(parentPort)?.message as BeatQuestion | undefined);
}

function tell(): void {
  const at = now();
  const taken = tasks.map((task) => task?.take(at));
  const told: BeatAnswer = { at, batches: taken.map((one) => one?.batch), faults };
  parentPort?.postMessage(
    told,
    taken.flatMap((one) => one?.transfer ?? []),
  );
}
