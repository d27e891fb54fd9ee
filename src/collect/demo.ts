import { Worker } from 'node:worker_threads';
import { SockwatchError } from '../model/errors.js';
import { type AcceptorControl, type AcceptorData, acceptorSource } from './demo-acceptor.js';
import { DemoClients } from './demo-clients.js';
import { DEMO_BACKLOG, DEMO_SECONDS, type DemoPhase, demoMoment } from './demo-schedule.js';

const STEP_MS = 50;
const START_MS = 5000;

/** A listener on loopback in trouble, and its clients: all real, nothing is simulated. */
export interface Demo {
  readonly port: number;
  readonly backlog: number;
  readonly phase: () => DemoPhase['name'];
  /** Ends thread, listener and clients. May be called twice. */
  end(): Promise<void>;
}

/**
 * Starts the demo's listener and clients in this process; a cycle of `DEMO_SCHEDULE` lasts `cycleMs` and repeats.
 * The thread dies with the process, so that no way out leaves anything behind.
 * @throws SockwatchError when the listener cannot be started
 */
export async function startDemo({ cycleMs = DEMO_SECONDS * 1000 } = {}): Promise<Demo> {
  const control: AcceptorControl = new Int32Array(new SharedArrayBuffer(4));
  const worker = startWorker({ control, backlog: DEMO_BACKLOG });
  const port = await portOf(worker);
  const clients = new DemoClients(port);
  const start = performance.now();
  let phase = demoMoment(0, cycleMs).phase;

  const advance = () => {
    const moment = demoMoment(performance.now() - start, cycleMs);
    phase = moment.phase;
    setPace(control, phase.acceptMs);
    clients.aim(moment.clients);
  };
  advance();
  const timer = setInterval(advance, STEP_MS);

  const end = async () => {
    clearInterval(timer);
    clients.end();
    await worker.terminate();
  };
  return { port, backlog: DEMO_BACKLOG, phase: () => phase.name, end };
}

function startWorker(workerData: AcceptorData): Worker {
  // Nothing of the parent's loaders: the source is complete.
  return new Worker(acceptorSource(), { eval: true, workerData, execArgv: [], stdout: true, stderr: true });
}

/** Wakes the acceptor when, and only when, its pace changes. */
function setPace(control: AcceptorControl, acceptMs: number): void {
  if (Atomics.exchange(control, 0, acceptMs) !== acceptMs) Atomics.notify(control, 0);
}

function portOf(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      void worker.terminate();
      reject(new SockwatchError(`the demo could not start its listener: ${why}`));
    };
    const timer = setTimeout(() => fail(`nothing after ${START_MS} ms`), START_MS);
    worker.once('message', ({ port, failed }: { port?: number; failed?: string }) => {
      clearTimeout(timer);
      if (port === undefined) fail(failed ?? 'no port');
      else resolve(port);
    });
    worker.once('error', (error) => {
      clearTimeout(timer);
      fail(error.message);
    });
  });
}
