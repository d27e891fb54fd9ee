import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as helper from '../../src/collect/netlink-helper.js';
import { openDiagSocket } from '../../src/collect/netlink-socket.js';
import { STATE_BITS } from '../../src/parse/netlink/index.js';
import { until } from './support.js';

/** As it is installed: threads are started from compiled files. */
const built = (): Promise<typeof helper> =>
  import(new URL('../../dist/collect/netlink-helper.js', import.meta.url).href);

const missing = await openDiagSocket(1000).then(
  (socket) => socket.close(),
  (error: Error) => error.message,
);
const TASK = {
  dumps: [
    { name: 'tcp4', states: STATE_BITS.listen },
    { name: 'unix', states: STATE_BITS.all },
  ],
  timeoutMs: 5000,
  expectedRows: 0,
} as const;

describe.skipIf(missing)(`a thread that reads sockets${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let server: Server;
  beforeAll(async () => {
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 7, resolve));
  });
  afterAll(() => void server.close());

  const port = () => (server.address() as { port: number }).port;

  it('hands its columns over, look after look', async () => {
    const { DumpHelper } = await built();
    const thread = new DumpHelper();
    for (let look = 0; look < 3; look++) {
      const result = await thread.run(TASK);
      if (result === undefined) throw new Error('the thread failed');
      const { sockets } = result;
      const rows = Array.from({ length: sockets.length }, (_, index) => sockets.row(index));
      const listener = rows.find(({ local }) => local.kind === 'ip' && local.port === port());
      expect(listener).toMatchObject({
        state: 'listen',
        queues: { kind: 'listener', length: 0, backlog: 7 },
      });
      expect(listener?.inode).toBeGreaterThan(0);
      expect(listener?.drops).toBe(0);
      // The table can still grow.
      for (let more = 0; more < 200; more++) sockets.append();
      expect(sockets.row(sockets.length - 1).local).toMatchObject({ kind: 'ip' });
    }
  });

  it('is left at once on abort, and starts anew', async () => {
    const { DumpHelper } = await built();
    const thread = new DumpHelper();
    const controller = new AbortController();
    const look = thread.run(TASK, controller.signal);
    controller.abort(new Error('enough'));
    await expect(look).rejects.toThrow('enough');
    await expect(thread.run(TASK, controller.signal)).rejects.toThrow('enough');
    expect((await thread.run(TASK))?.sockets.length).toBeGreaterThan(0);
  });

  it('leaves no descriptor behind when it is ended', async () => {
    const { DumpHelper } = await built();
    const thread = new DumpHelper();
    const before = diagSockets();
    for (let look = 0; look < 5; look++) {
      expect((await thread.run(TASK))?.sockets.length).toBeGreaterThan(0);
      expect(diagSockets()).toBe(before + 1);
      const controller = new AbortController();
      const next = thread.run(TASK, controller.signal);
      controller.abort(new Error('enough'));
      await expect(next).rejects.toThrow('enough');
      await until('the end of the thread', () => diagSockets() === before);
    }
  });

  it('goes on after a refusal', async () => {
    const { DumpHelper } = await built();
    const thread = new DumpHelper();
    const before = threads();
    await thread.run(TASK);
    const running = threads();
    expect(running).toBeGreaterThan(before);
    const late = thread.run({ ...TASK, timeoutMs: 0 });
    await expect(late).rejects.toMatchObject({ fault: 'timeout' });
    expect(threads()).toBe(running);
    expect((await thread.run(TASK))?.sockets.length).toBeGreaterThan(0);
  });
});

/** Descriptors of this process for NETLINK_SOCK_DIAG, protocol 4. */
function diagSockets(): number {
  const lines = readFileSync('/proc/net/netlink', 'utf8').trimEnd().split('\n').slice(1);
  const inodes = new Set(
    lines
      .map((one) => one.trim().split(/\s+/))
      .filter((cells) => cells[1] === '4')
      .map((cells) => cells[9]),
  );
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return inodes.has(/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1]);
    } catch {
      return false; // that of this listing
    }
  }).length;
}

const threads = (): number => readdirSync('/proc/self/task').length;
