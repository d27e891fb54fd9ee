import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { BeatTaskSpec } from './beat-tasks.js';

export interface BeatWorkerData {
  readonly specs: readonly BeatTaskSpec[];
  readonly periodMs: number;
  /** 1: there is a question; the thread waits on it. */
  readonly flag: Int32Array;
}

export type BeatQuestion = 'take' | 'end';

/** What the tasks have found, in the order of their descriptions. */
export interface BeatAnswer {
  /** Monotonic, ms. */
  readonly at: number;
  /** `undefined`: the task could not be made, and `faults` says why. */
  readonly batches: readonly unknown[];
  readonly faults: readonly (string | undefined)[];
}

/** The thread answers between two beats. One that does not is stuck in the kernel, or gone. */
const PATIENCE_MS = 2000;

/** The thread of beats. It keeps no process alive; `end` waits for it, for a process must not exit while it loads koffi. */
export class BeatHelper {
  private readonly worker: Worker;
  private isOver = false;
  /** Why the thread has failed. */
  fault: string | undefined;
  /** Asked for and not here yet. */
  private answer: Promise<BeatAnswer | undefined> | undefined;
  private readonly exited: Promise<unknown>;

  private readonly flag = new Int32Array(new SharedArrayBuffer(4));

  constructor(data: Omit<BeatWorkerData, 'flag'>) {
    this.worker = new Worker(new URL('../collect/beat-worker.js', import.meta.url), {
      workerData: { ...data, flag: this.flag } satisfies BeatWorkerData,
      stdin: false,
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    this.worker.once('error', ({ message }) => {
      this.isOver = true;
      this.fault = message;
    });
    this.exited = once(this.worker, 'exit').catch(() => {});
    this.worker.once('exit', () => {
      this.isOver = true;
    });
    this.worker.unref();
  }

  /** `undefined`: the thread cannot be had, has failed or does not answer now; what it then answers comes with the next question. */
  async take(): Promise<BeatAnswer | undefined> {
    if (this.isOver) return undefined;
    this.answer ??= this.ask();
    const late = new AbortController();
    const patience = sleep(PATIENCE_MS, undefined, { signal: late.signal }).catch(() => undefined);
    const answer = await Promise.race([this.answer, patience]);
    late.abort();
    return answer as BeatAnswer | undefined;
  }

  private ask(): Promise<BeatAnswer | undefined> {
    const { worker } = this;
    return new Promise((resolve) => {
      const settle = (answer: BeatAnswer | undefined) => {
        this.answer = undefined;
        worker.off('message', settle).off('exit', onExit).unref();
        resolve(answer);
      };
      const onExit = () => settle(undefined);
      worker.on('message', settle).on('exit', onExit).ref();
      this.put('take');
    });
  }

  private put(question: BeatQuestion): void {
    this.worker.postMessage(question);
    Atomics.store(this.flag, 0, 1);
    Atomics.notify(this.flag, 0);
  }

  /** In good order: the thread closes what it has opened, and ends by itself. */
  async end(): Promise<void> {
    if (!this.isOver) this.put('end');
    this.worker.ref();
    const timer = setTimeout(() => void this.worker.terminate(), PATIENCE_MS);
    await this.exited;
    clearTimeout(timer);
  }
}
