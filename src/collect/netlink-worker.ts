// Reads long lists of sockets beside the main thread, and hands the columns over without a copy.
import { parentPort } from 'node:worker_threads';
import { SourceError } from '../model/errors.js';
import { Dumper, type DumpTask } from './netlink-dump.js';
import type { DescriptorNews, DumpReply } from './netlink-helper.js';
import { type OpenDiagSocket, openDiagSocket } from './netlink-socket.js';

const tell = (what: DescriptorNews): void => parentPort?.postMessage(what);

/** Tells of each descriptor when it has come and before it goes: nobody closes it for a thread that is ended. */
const reported =
  (open: OpenDiagSocket): OpenDiagSocket =>
  async (timeoutMs) => {
    const socket = await open(timeoutMs);
    const { fd } = socket;
    if (fd === undefined) return socket;
    tell({ kind: 'opened', fd });
    return {
      fd,
      send: (request) => socket.send(request),
      receive: (buffer) => socket.receive(buffer),
      deviceName: (index) => socket.deviceName(index),
      close: () => {
        tell({ kind: 'closing', fd });
        socket.close();
      },
    };
  };

const dumper = new Dumper(reported(openDiagSocket));

parentPort?.on('message', async (task: DumpTask) => {
  const reply = await answer(task);
  parentPort?.postMessage(reply, reply.kind === 'sockets' ? [...reply.parts.buffers] : []);
});

async function answer(task: DumpTask): Promise<DumpReply> {
  try {
    const { sockets, gaps, unlisted } = await dumper.run(task);
    return { kind: 'sockets', parts: sockets.toParts(), gaps, unlisted };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    const { fault, message, remedy } = error;
    return { kind: 'fault', fault, message, remedy };
  }
}
