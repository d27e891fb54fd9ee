// Reads long lists of sockets, and those of other namespaces, beside the main thread, and hands the columns over without a copy.
import { parentPort } from 'node:worker_threads';
import { SourceError } from '../model/errors.js';
import type { DumpName } from '../parse/netlink/index.js';
import { Dumper, type DumpTask } from './netlink-dump.js';
import type { DescriptorNews, DumpReply } from './netlink-helper.js';
import { loadSystemCalls, type OpenDiagSocket, openDiagSocket, openDiagSocketIn } from './netlink-socket.js';
import { NamespaceError, type NamespacePlace, StrandedError, withinNamespace } from './netns-enter.js';
import { readText } from './small-files.js';

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
      netnsCookie: () => socket.netnsCookie?.(),
      close: () => {
        tell({ kind: 'closing', fd });
        socket.close();
      },
    };
  };

/** What this kernel cannot list, it cannot list in any namespace. */
const refused = new Set<DumpName>();
const dumper = new Dumper(reported(openDiagSocket), refused);

parentPort?.on('message', async (task: DumpTask) => {
  const reply = await answer(task);
  parentPort?.postMessage(reply, reply.kind === 'sockets' ? [...reply.parts.buffers] : []);
});

async function answer(task: DumpTask): Promise<DumpReply> {
  try {
    if (task.place !== undefined) return await answerInside(task, task.place);
    const { sockets, ...rest } = await dumper.run(task);
    return { kind: 'sockets', parts: sockets.toParts(), ...rest, texts: {} };
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
  const inside = new Dumper(reported(openDiagSocketIn(place)), refused);
  try {
    const { sockets, ...rest } = await inside.run(task);
    return { kind: 'sockets', parts: sockets.toParts(), ...rest, texts };
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
