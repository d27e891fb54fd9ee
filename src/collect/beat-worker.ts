// Runs small tasks a hundred times a second beside the main thread: listeners are sampled, and later the ends of connections heard.
import { parentPort, workerData } from 'node:worker_threads';
import { SourceError } from '../model/errors.js';
import type { BeatAnswer, BeatQuestion, BeatWorkerData } from './beat-helper.js';
import { BeatLoop, type BeatTask } from './beat-loop.js';
import { openBeatTask } from './beat-tasks.js';
import { monotonicNow } from './origin.js';

const { specs, periodMs } = workerData as BeatWorkerData;
/** Reading the clock of the process makes a big number each time; this one is the same clock, with another zero. */
const offset = monotonicNow() - performance.now();
const now = () => performance.now() + offset;

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

parentPort?.on('message', (question: BeatQuestion) => {
  if (question === 'end') {
    // Without its port and its timer nothing keeps the thread: it ends by itself, with all that it has loaded.
    loop.close();
    parentPort?.close();
    return;
  }
  const at = now();
  const taken = tasks.map((task) => task?.take(at));
  const answer: BeatAnswer = { at, batches: taken.map((one) => one?.batch), faults };
  parentPort?.postMessage(
    answer,
    taken.flatMap((one) => one?.transfer ?? []),
  );
});
