import { describe, expect, it } from 'vitest';
import type { PoolsJson } from '../../src/model/pools-json.js';
import { needs } from '../support/needs.js';
import { withNamespace } from '../support/netns.js';
import { Database, PoolClient } from '../support/pool.js';
import { Running } from '../support/running.js';

const missing = needs({ root: true, programs: ['ip', 'nsenter', 'python3'] });
const PORT = 8080;
const [OLD, NEXT] = ['127.0.0.1', '127.0.0.2'] as const;

describe.skipIf(missing)(`a deploy${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('shows as a share of new connections that moves', async () => {
    await withNamespace(async (namespace) => {
      const [old, next] = await Promise.all([Database.start(namespace), Database.start(namespace)]);
      const client = await PoolClient.start(namespace);
      await old.listen(OLD, PORT);
      await next.listen(NEXT, PORT);
      await client.churn({ address: OLD, port: PORT }, 20);
      await client.open({ address: OLD, port: PORT }, 1);
      const words = [
        'pools',
        '--format',
        'json',
        '--duration',
        '6s',
        '--interval',
        '250ms',
        '--filter',
        'rport:8080',
      ];
      const running = Running.start(words, { namespace });
      await new Promise((resolve) => setTimeout(resolve, 3000));
      await client.churn({ address: NEXT, port: PORT }, 20);
      await client.open({ address: NEXT, port: PORT }, 1);
      const { pools } = JSON.parse((await running.ended(30_000)).stdout) as PoolsJson;
      const of = (address: string) =>
        pools
          .filter(({ remote, share_of_new }) => remote === `${address}:${PORT}` && share_of_new !== undefined)
          .sort((a, b) => b.created - a.created)[0]
          ?.share_of_new_by_time?.filter((part) => part !== null);
      const [before, after] = [of(OLD), of(NEXT)];
      expect(before?.[0], JSON.stringify(pools, null, 1)).toBe(1);
      expect(before?.at(-1)).toBeLessThan(0.8);
      expect(after?.[0]).toBe(0);
      expect(after?.at(-1)).toBeGreaterThan(0.2);
    });
  });
});
