import { Worker } from 'node:worker_threads';
import type { ProcessFds } from './process-fds.js';

const FREE = 0;
const OURS = 1;
const HELPERS = 2;

/** Which thread reads which process: each is taken once, by whoever comes first. */
export class Claims {
  constructor(private readonly taken: Int32Array) {}

  /** For `length` processes, in memory that threads share. */
  static shared(length: number): { memory: SharedArrayBuffer; claims: Claims } {
    const memory = new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT);
    return { memory, claims: new Claims(new Int32Array(memory)) };
  }

  take(index: number, helper = false): boolean {
    return Atomics.compareExchange(this.taken, index, FREE, helper ? HELPERS : OURS) === FREE;
  }

  isHelpers(index: number): boolean {
    return Atomics.load(this.taken, index) === HELPERS;
  }
}

export interface HelperTask {
  readonly proc: string;
  readonly pids: readonly number[];
  readonly memory: SharedArrayBuffer;
}

export interface HelperShare {
  readonly processes: readonly ProcessFds[];
  readonly unreadable: number;
}

/** A second thread that reads processes from the end of the list while the first goes on from its start. */
export class ScanHelper {
  private readonly worker: Worker;
  /** What it has read; `undefined` where the thread cannot be had or has failed. */
  readonly share: Promise<HelperShare | undefined>;

  constructor(task: HelperTask) {
    this.worker = new Worker(new URL('../collect/scan-worker.js', import.meta.url), {
      workerData: task,
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    this.share = new Promise((resolve) => {
      this.worker.once('message', resolve);
      this.worker.once('error', () => resolve(undefined));
      this.worker.once('exit', () => resolve(undefined));
    });
  }

  end(): void {
    void this.worker.terminate();
  }
}
