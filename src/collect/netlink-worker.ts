// Reads long lists of sockets, and those of other namespaces, beside the main thread, and hands the columns over without a copy.
import { parentPort } from 'node:worker_threads';
import { SourceError } from '../model/errors.js';
import { Dumper, type DumpTask } from './netlink-dump.js';
import type { DumpReply } from './netlink-helper.js';
import { loadSystemCalls, openDiagSocket, openDiagSocketIn } from './netlink-socket.js';
import { NamespaceError, type NamespacePlace, StrandedError, withinNamespace } from './netns-enter.js';
import { readText } from './small-files.js';

const dumper = new Dumper(openDiagSocket);

parentPort?.on('message', async (task: DumpTask) => {
  const reply = await answer(task);
  parentPort?.postMessage(reply, reply.kind === 'sockets' ? [...reply.parts.buffers] : []);
});

async function answer(task: DumpTask): Promise<DumpReply> {
  try {
    if (task.place !== undefined) return await answerInside(task, task.place);
    const { sockets, gaps } = await dumper.run(task);
    return { kind: 'sockets', parts: sockets.toParts(), gaps, texts: {} };
  } catch (error) {
    if (error instanceof StrandedError) process.exit(1); // ends this thread only
    if (!(error instanceof SourceError)) throw error;
    const { fault, message, remedy } = error;
    return { kind: 'fault', fault, message, remedy, isOfNamespace: error instanceof NamespaceError };
  }
}

/** Its socket is closed after the look: an open one would keep a namespace that its owner has removed. */
async function answerInside(task: DumpTask, place: NamespacePlace): Promise<DumpReply> {
  const texts = withinNamespace(await loadSystemCalls(), place, () => readThere(task.files ?? []));
  const inside = new Dumper(openDiagSocketIn(place));
  try {
    const { sockets, gaps } = await inside.run(task);
    return { kind: 'sockets', parts: sockets.toParts(), gaps, texts };
  } finally {
    inside.close();
  }
}

/** /proc/net is that of the process, whichever thread asks; the thread's own is another. /proc/sys/net follows the thread. */
function readThere(files: readonly string[]): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const file of files) {
    const text = readText(file.startsWith('net/') ? `/proc/thread-self/${file}` : `/proc/${file}`);
    if (text !== undefined) texts[file] = text;
  }
  return texts;
}
