// Records what sock_diag answers about one socket of every kind, and what ss says of them, and what it tells of connections that end in
// every way: fixtures/netlink. Needs root.
// node --import tsx scripts/record-netlink.ts
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openClosedSocket } from '../src/collect/closed-socket.js';
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

const endings = fileURLToPath(new URL('../test/support/programs/endings.py', import.meta.url));

/** All messages about the connections that a program ends meanwhile, and what it says that it does. */
async function recordClosed(): Promise<void> {
  const socket = await openClosedSocket(1 << 22);
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(1 << 16);
  const drain = () => {
    for (let size = socket.receive(buffer); size > 0; size = socket.receive(buffer))
      parts.push(buffer.slice(0, size));
  };
  const program = spawn('python3', [endings], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said: Uint8Array[] = [];
  program.stdout.on('data', (chunk: Uint8Array) => said.push(chunk));
  await once(program, 'close');
  await sleep(500);
  drain();
  writeFileSync(`${folder}linux-6.18-closed.bin`, Buffer.concat(parts));
  writeFileSync(`${folder}linux-6.18-closed.ndjson`, Buffer.concat(said));
}

async function recordAll(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await withNamespace(async (namespace) => {
    const again = [process.execPath, '--import', 'tsx', fileURLToPath(import.meta.url)] as const;
    await namespace.must(...again, 'closed');
    if (process.argv[2] === 'only-closed') return;
    await standOddSockets(namespace);
    await namespace.must(...again, 'here');
    // Not through a pipe to Node: its ends are Unix sockets of the namespace too, and paths need not be UTF-8.
    await namespace.must('sh', '-c', 'ss -tuxManeimoHO > "$1"', 'sh', `${folder}linux-6.18-ss.txt`);
  });
}

const PARTS: Readonly<Record<string, () => Promise<void>>> = { here: recordHere, closed: recordClosed };
await (PARTS[process.argv[2] ?? ''] ?? recordAll)();
