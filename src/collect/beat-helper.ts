import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { BeatTaskSpec, ToldByTask } from './beat-tasks.js';

export interface BeatWorkerData {
  readonly specs: readonly BeatTaskSpec[];
  readonly periodMs: number;
  /** 1: there is a question; the thread waits on it. */
  readonly flag: Int32Array;
}

/** A list: these tasks from now on. */
export type BeatQuestion = 'take' | 'end' | readonly BeatTaskSpec[];

/** What the tasks have found. */
export interface BeatAnswer {
  /** Monotonic, ms. */
  readonly at: number;
  readonly told: readonly ToldByTask[];
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
  /** The tasks as they were described last. */
  private described: string;
  private hasFaults = false;

  constructor(data: Omit<BeatWorkerData, 'flag'>) {
    this.worker = new Worker(new URL('../collect/beat-worker.js', import.meta.url), {
      workerData: { ...data, flag: this.flag } satisfies BeatWorkerData,
      stdin: false,
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    this.described = JSON.stringify(data.specs);
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

  /** These tasks from now on: the thread opens and closes what has changed, and tries again what could not be opened. */
  follow(specs: readonly BeatTaskSpec[]): void {
    const described = JSON.stringify(specs);
    if (this.isOver || (described === this.described && !this.hasFaults)) return;
    this.described = described;
    this.hasFaults = false;
    this.put(specs);
  }

  /**
   * `undefined`: the thread cannot be had, has failed, or does not answer within `patienceMs`; what it answers later comes with the
   * next question.
   */
  async take(patienceMs = PATIENCE_MS): Promise<BeatAnswer | undefined> {
    if (this.isOver) return undefined;
    this.answer ??= this.ask();
    const late = new AbortController();
    const patience = sleep(patienceMs, undefined, { signal: late.signal }).catch(() => undefined);
    const answer = await Promise.race([this.answer, patience]);
    late.abort();
    return answer as BeatAnswer | undefined;
  }

  private ask(): Promise<BeatAnswer | undefined> {
    const { worker } = this;
    return new Promise((resolve) => {
      const settle = (answer: BeatAnswer | undefined) => {
        this.answer = undefined;
        this.hasFaults = answer?.told.some(({ fault }) => fault !== undefined) ?? false;
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
