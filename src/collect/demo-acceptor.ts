import type net from 'node:net';
import type threads from 'node:worker_threads';

/** Shared with the worker: one word, milliseconds for each connection, negative = stopped. */
export type AcceptorControl = Int32Array<SharedArrayBuffer>;

export interface AcceptorData {
  readonly control: AcceptorControl;
  readonly backlog: number;
}

/**
 * A server whose loop really blocks: Node accepts whenever its loop runs, so that only a thread that does not run
 * lets an accept queue fill. Runs as the text of this function in a worker: it may use nothing but its arguments.
 */
export function runAcceptor({ createServer }: typeof net, { parentPort, workerData }: typeof threads): void {
  const { control, backlog } = workerData as AcceptorData;
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', () => {});
    const pause = Atomics.load(control, 0);
    if (pause !== 0) Atomics.wait(control, 0, pause, pause < 0 ? Number.POSITIVE_INFINITY : pause);
    socket.write('HTTP/1.0 204 No Content\r\n\r\n');
  });
  server.on('error', (error) => parentPort?.postMessage({ failed: error.message }));
  server.listen({ host: '127.0.0.1', port: 0, backlog }, () => {
    const address = server.address();
    parentPort?.postMessage({ port: typeof address === 'object' ? address?.port : undefined });
  });
}

/** Source of the worker. `__name` is what TypeScript runners put around named functions. */
export const acceptorSource = (): string =>
  `const __name = (value) => value;
   (${runAcceptor})(require('node:net'), require('node:worker_threads'));`;
