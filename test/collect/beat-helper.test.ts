import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as helper from '../../src/collect/beat-helper.js';
import type { ListenBatch } from '../../src/collect/listen-task.js';
import { openDiagSocket } from '../../src/collect/netlink-socket.js';
import { poll } from '../support/poll.js';

/** As it is installed: threads are started from compiled files. */
const built = (): Promise<typeof helper> =>
  import(new URL('../../dist/collect/beat-helper.js', import.meta.url).href);

const missing = await openDiagSocket(1000).then(
  (socket) => socket.close(),
  (error: Error) => error.message,
);

describe.skipIf(missing)(`the thread of beats${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let server: Server;
  beforeAll(async () => {
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 7, resolve));
  });
  afterAll(() => void server.close());
  const spec = {
    kind: 'listeners',
    key: 'tcp',
    family: 'tcp',
    netns: '1',
    share: 1,
    together: 2,
  } as const;
  const unix = { ...spec, key: 'unix', family: 'unix' } as const;

  it('counts, tells when it is asked, and ends in good order', async () => {
    const { BeatHelper } = await built();
    const thread = new BeatHelper({ specs: [spec, unix], periodMs: 5 });
    let looks = 0;
    await poll(async () => {
      const answer = await thread.take();
      const [tcp, other] = (answer?.told ?? []).map(({ batch }) => batch as ListenBatch);
      expect(tcp?.faults ?? []).toEqual([]);
      looks += Math.min(tcp?.looks ?? 0, other?.looks ?? 0);
      return looks > 20 ? looks : undefined;
    }, 'twenty looks');
    await thread.end();
    expect(thread.fault).toBeUndefined();
    expect(await thread.take()).toBeUndefined();
    await thread.end();
  });

  it('what is not there yet comes with the next question', async () => {
    const { BeatHelper } = await built();
    const thread = new BeatHelper({ specs: [spec], periodMs: 10 });
    expect(await thread.take(0)).toBeUndefined();
    const answer = await poll(() => thread.take(), 'the answer');
    expect(answer.told).toMatchObject([{ key: 'tcp', batch: { faults: [] } }]);
    await thread.end();
  });

  it('ends while it is still starting', async () => {
    const { BeatHelper } = await built();
    const thread = new BeatHelper({ specs: [spec], periodMs: 10 });
    await thread.end();
    expect(await thread.take()).toBeUndefined();
  });

  it('tells why it has failed', async () => {
    const { BeatHelper } = await built();
    const thread = new BeatHelper({ specs: [undefined as never], periodMs: 10 });
    await poll(() => thread.fault, 'a fault');
    expect(await thread.take()).toBeUndefined();
    await thread.end();
  });
});
