import { describe, expect, it } from 'vitest';
import { listenerOn } from '../support/cli.js';
import { LiveStream } from '../support/live.js';
import { needs } from '../support/needs.js';
import { withNamespace } from '../support/netns.js';
import { serve } from '../support/sockets.js';

const missing = needs({ root: true, programs: ['ip', 'ss', 'nsenter', 'python3'] });

describe.skipIf(missing)(`live on real listeners${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('an acceptor that stops is said within two looks, as stopped in the end, and cleared when it resumes', async () => {
    await withNamespace(async (namespace) => {
      const { server, listening, clients } = await serve(namespace, { backlog: 9 });
      const { port } = listening;
      const subject = `127.0.0.1:${port}`;
      await server.run(listening);
      const live = new LiveStream(namespace, ['--interval', '250ms']);
      const quiet = listenerOn(await live.nextSnapshot(), port);
      expect(quiet).toMatchObject({ accept_queue: { length: 0 }, verdict: 'ok' });

      await server.stop(listening);
      await clients.connect({ port }, 10);
      const filledAt = Date.now();
      await live.until(() => live.since(filledAt, port)[1]);
      const looks = live.since(filledAt, port);
      expect(looks[1]).toMatchObject({
        accept_queue: { length: 10, backlog: 9, capacity: 10, fill: 1, peak: 10 },
      });
      expect(looks[1]?.verdict).not.toBe('ok');
      const raised = await live.alert('raised', subject);
      expect(
        live.snapshots.filter((said) => said.time < raised.time && Date.parse(said.time) >= filledAt).length,
      ).toBeLessThan(2);
      expect(raised.message).toContain('10');
      await live.until(() =>
        live.alerts.find((one) => one.subject === subject && one.severity === 'critical'),
      );
      const stopped = await live.until(() =>
        live.since(filledAt, port).find((look) => look.verdict === 'stopped_acceptor'),
      );
      expect(stopped.findings).toContain('stopped_acceptor');
      expect(stopped.advice).toContain('python3');

      await server.run(listening);
      await live.until(() =>
        live.snapshots
          .at(-1)
          ?.listeners.find((one) => one.local_port === port && one.accept_queue.length === 0),
      );
      const cleared = await live.alert('cleared', subject);
      expect(cleared.lasted_ms).toBeGreaterThan(0);
      const opened = new Set(live.alerts.filter((one) => one.phase === 'raised').map((one) => one.rule));
      await live.until(() => {
        const closed = live.alerts.filter((one) => one.phase === 'cleared').map((one) => one.rule);
        return [...opened].every((rule) => closed.includes(rule)) ? true : undefined;
      });
      expect(await live.interrupt()).toBe(130);
    });
  });

  it('a burst between two looks is seen through the drops, though no look sees the full queue', async () => {
    await withNamespace(async (namespace) => {
      const { server, listening, clients } = await serve(namespace, { backlog: 4 });
      const { port } = listening;
      const live = new LiveStream(namespace, ['--interval', '3s']);
      await live.nextSnapshot();
      await clients.connect({ port }, 12, 5);
      await server.accept(listening, 5);
      await server.run(listening);
      const missed = await namespace.counter('ListenOverflows');
      expect(missed).toBeGreaterThanOrEqual(7);
      const after = await live.nextSnapshot();
      const burst = listenerOn(after, port);
      expect(burst.accept_queue).toMatchObject({ length: 0, backlog: 4 });
      expect(burst.dropped_segments_delta).toBeGreaterThanOrEqual(missed);
      expect(after.counters_delta?.ListenOverflows).toBeGreaterThanOrEqual(missed);
      expect(burst.verdict).toBe('overflowing');
      const alert = await live.alert('raised', `127.0.0.1:${port}`);
      expect(alert.rule).toBe('accept_queue_overflow');
    });
  });
});
