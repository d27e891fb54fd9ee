// Records what sock_diag answers about one socket of every kind, and what ss says of them: fixtures/netlink. Needs root.
// node --import tsx scripts/record-netlink.ts
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type DiagSocket, openDiagSocket } from '../src/collect/netlink-socket.js';
import { DUMPS, type DumpName, encodeRequest, STATE_BITS } from '../src/parse/netlink/index.js';
import { withNamespace } from '../test/support/netns.js';
import { standOddSockets } from '../test/support/odd-sockets.js';

const folder = fileURLToPath(new URL('../fixtures/netlink/', import.meta.url));
const NLMSG_DONE = 3;

/** All messages of one answer, one after the other. */
function record(socket: DiagSocket, name: DumpName, sequence: number): Uint8Array {
  socket.send(encodeRequest({ name, states: STATE_BITS.all }, sequence));
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(1 << 16);
  for (;;) {
    const size = socket.receive(buffer);
    parts.push(buffer.slice(0, size));
    if (new DataView(buffer.buffer).getUint16(4, true) === NLMSG_DONE) return Buffer.concat(parts);
  }
}

async function recordHere(): Promise<void> {
  const socket = await openDiagSocket(5000);
  for (const [index, name] of DUMPS.entries())
    writeFileSync(`${folder}linux-6.18-${name}.bin`, record(socket, name, index + 1));
}

async function recordAll(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await withNamespace(async (namespace) => {
    await standOddSockets(namespace);
    await namespace.must(process.execPath, '--import', 'tsx', fileURLToPath(import.meta.url), 'here');
    // Not through a pipe to Node: its ends are Unix sockets of the namespace too, and paths need not be UTF-8.
    await namespace.must('sh', '-c', 'ss -tuxManeimoHO > "$1"', 'sh', `${folder}linux-6.18-ss.txt`);
  });
}

await (process.argv[2] === 'here' ? recordHere() : recordAll());
