import { describe, expect, it } from 'vitest';
import type { ClosedGroupJson, ClosedJson } from '../../src/model/closed-json.js';
import { Agent } from '../support/agent.js';
import { notForNobody } from '../support/cli.js';
import { LiveStream } from '../support/live.js';
import { needs } from '../support/needs.js';
import { kernelHas, type Namespace, withNamespace } from '../support/netns.js';

const missing = needs({ root: true, programs: ['ip', 'nsenter', 'python3'] });
const noMptcp = missing ?? (kernelHas('net/mptcp/enabled') ? undefined : 'this kernel has no MPTCP');

type Protocol = 'tcp' | 'mptcp';
type Direction = ClosedGroupJson['direction'];

interface Answers {
  readonly port: number;
  answer(options: object): Promise<void>;
  /** Of all that went one way, once there are so many: how they ended, as the listener or their processes had them. */
  ended(direction: Direction, count: number): Promise<readonly ClosedGroupJson[]>;
  counter(name: string): Promise<number>;
  readonly live: LiveStream;
}

/** A listener, and somebody who hears of what ends there. */
async function answering(
  namespace: Namespace,
  protocol: Protocol,
  args: readonly string[] = [],
): Promise<Answers> {
  const agent = await Agent.start(namespace, 'answers.py');
  const { port } = await agent.ask<{ port: number }>('listen', { protocol });
  const live = new LiveStream(namespace, ['--connections', '--interval', '250ms', ...args]);
  const told = (): ClosedJson | undefined => live.snapshots.at(-1)?.closed;
  const listed = () => live.snapshots.at(-1)?.listeners.some(({ local_port: at }) => at === port);
  await live.until(() => (listed() && told() !== undefined ? true : undefined));
  return {
    port,
    live,
    counter: (name) => namespace.counter(name),
    answer: async (options) => {
      await agent.ask('answer', { port, ...options });
    },
    ended: (direction, count) =>
      live.until(() => {
        const groups = told()?.groups.filter((one) => one.direction === direction) ?? [];
        return groups.reduce((sum, { closed }) => sum + closed, 0) === count ? groups : undefined;
      }),
  };
}

const COUNT = 10;

/** The one group of the listener. */
async function atListener({ ended, port }: Answers): Promise<ClosedGroupJson['recent']> {
  const [group, ...others] = await ended('inbound', COUNT);
  expect([group?.end, others]).toEqual([`127.0.0.1:${port}`, []]);
  if (group === undefined) throw new Error('no group');
  return group.recent;
}

/** How all of those ended that went out; of some a look has seen the process. */
async function endingsOut({ ended }: Answers): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { recent } of await ended('outbound', COUNT))
    for (const [ending, count] of Object.entries(recent.endings)) sums[ending] = (sums[ending] ?? 0) + count;
  return sums;
}

describe.skipIf(noMptcp)(`connections of MPTCP that end${noMptcp ? ` (skipped: ${noMptcp})` : ''}`, () => {
  it('are no resets at their server, which closed last: the kernel reset none', async () => {
    await withNamespace(async (namespace) => {
      const all = await answering(namespace, 'mptcp');
      await all.answer({ protocol: 'mptcp', count: COUNT });
      const recent = await atListener(all);
      expect([await all.counter('EstabResets'), await all.counter('OutRsts')]).toEqual([0, 0]);
      expect(recent.endings).toEqual({ unknown: COUNT });
      // A look may have seen the FIN of the client.
      expect(recent.closed_first.self).toBeUndefined();
      expect(await endingsOut(all)).toEqual({ finished: COUNT });
      await all.live.interrupt();
    });
  });

  it('are no resets at their client, where the server closed first', async () => {
    await withNamespace(async (namespace) => {
      const all = await answering(namespace, 'mptcp');
      await all.answer({ protocol: 'mptcp', count: COUNT, first: 'server' });
      expect((await atListener(all)).endings).toEqual({ finished: COUNT });
      expect(await endingsOut(all)).toEqual({ unknown: COUNT });
      expect([await all.counter('EstabResets'), await all.counter('OutRsts')]).toEqual([0, 0]);
      await all.live.interrupt();
    });
  });

  it('leave those of TCP at the same listener as they are: finished, with their bytes', async () => {
    await withNamespace(async (namespace) => {
      const all = await answering(namespace, 'mptcp');
      await all.answer({ protocol: 'tcp', count: COUNT });
      expect(await atListener(all)).toMatchObject({ endings: { finished: COUNT }, bytes_sent: COUNT * 1000 });
      expect(await all.counter('EstabResets')).toBe(0);
      await all.live.interrupt();
    });
  });

  it('and those of TCP that are aborted there: resets, where nobody ever asked for MPTCP', async () => {
    await withNamespace(async (namespace) => {
      const all = await answering(namespace, 'mptcp');
      await all.answer({ protocol: 'tcp', count: COUNT, first: 'server', abort: true });
      expect(await atListener(all)).toMatchObject({
        endings: { reset: COUNT },
        closed_first: { self: COUNT },
      });
      // Both ends are here, and each counts its own.
      expect(await all.counter('EstabResets')).toBe(2 * COUNT);
      await all.live.interrupt();
    });
  });
});

describe.skipIf(missing)(`numbers of what ended${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('are unknown of what was aborted, and lower bounds where others were not', async () => {
    await withNamespace(async (namespace) => {
      const all = await answering(namespace, 'tcp');
      await all.answer({ count: COUNT, first: 'server', abort: true });
      const aborted = await atListener(all);
      expect(aborted.endings).toEqual({ reset: COUNT });
      for (const name of ['bytes_sent', 'bytes_received', 'bytes_sent_each', 'retransmissions', 'busy_ms'])
        expect(aborted).not.toHaveProperty(name);
      await all.answer({ count: 3, size: 700 });
      const [both] = await all.ended('inbound', COUNT + 3);
      expect(both?.recent).toMatchObject({ bytes_sent: 2100, bytes_are_least: true });
      expect(both?.recent.bytes_received).toBeGreaterThanOrEqual(30);
      expect(both?.recent.bytes_sent_each).toEqual({ count: 3, p50: 700, p95: 700, max: 700 });
      await all.live.interrupt();
    });
  });

  it('are exact where all are equal, and bounds where they are bounds', async () => {
    await withNamespace(async (namespace) => {
      const all = await answering(namespace, 'tcp');
      const from = performance.now();
      await all.answer({ count: COUNT, hold: 0.2 });
      const longest = performance.now() - from;
      const recent = await atListener(all);
      expect(recent.bytes_sent_each).toEqual({ count: COUNT, p50: 1000, p95: 1000, max: 1000 });
      expect(recent).toMatchObject({ bytes_sent: COUNT * 1000 });
      expect(recent).not.toHaveProperty('bytes_are_least');
      // Each was held for 200 ms at least, and all of them together took so long.
      expect(recent.lasted_at_most_ms?.p50 ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(200);
      expect(recent.lasted_at_least_ms?.p50).toBeLessThan(longest - (COUNT - 1) * 200);
      await all.live.interrupt();
    });
  });
});

describe.skipIf(missing)(`what live cannot know${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('is said where nobody tells of connections that end', async () => {
    await withNamespace(async (namespace) => {
      const live = new LiveStream(namespace, ['--source', 'proc']);
      const { gaps, closed } = await live.until(() => live.snapshots[1]);
      expect(closed).toBeUndefined();
      expect(gaps).toContainEqual({
        what: 'connections that ended',
        why: 'nobody is asked with --source proc: use netlink or ss',
      });
      await live.interrupt();
    });
  });

  it.skipIf(notForNobody())(
    'is in every report where owners are hidden, and told to people once',
    async () => {
      await withNamespace(async (namespace) => {
        const agent = await Agent.start(namespace, 'answers.py');
        await agent.ask('listen');
        const live = new LiveStream(namespace, ['--interval', '250ms'], { unprivileged: true });
        // The first look is made before anybody has searched for owners.
        const told = await live.until(() => {
          const found = live.snapshots.filter(({ findings }) =>
            findings.some(({ rule }) => rule === 'owners_hidden'),
          );
          return found.length > 2 ? found : undefined;
        });
        for (const { gaps } of told)
          expect(gaps).toContainEqual({ what: 'owners', why: expect.stringMatching(/^hidden/) });
        expect(live.errors.match(/owners:? hidden/g)).toHaveLength(1);
        await live.interrupt();
      });
    },
  );
});
