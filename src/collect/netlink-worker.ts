// Reads long lists of sockets beside the main thread, and hands the columns over without a copy.
import { parentPort } from 'node:worker_threads';
import { SourceError } from '../model/errors.js';
import { Dumper, type DumpTask } from './netlink-dump.js';
import type { DumpReply } from './netlink-helper.js';
import { openDiagSocket } from './netlink-socket.js';

const dumper = new Dumper(openDiagSocket);

parentPort?.on('message', async (task: DumpTask) => {
  const reply = await answer(task);
  parentPort?.postMessage(reply, reply.kind === 'sockets' ? [...reply.parts.buffers] : []);
});

async function answer(task: DumpTask): Promise<DumpReply> {
  try {
    const { sockets, gaps } = await dumper.run(task);
    return { kind: 'sockets', parts: sockets.toParts(), gaps };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    const { fault, message, remedy } = error;
    return { kind: 'fault', fault, message, remedy };
  }
}
