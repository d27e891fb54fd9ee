import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { PoolsJson } from '../../src/model/pools-json.js';
import { needs } from '../support/needs.js';
import { type Namespace, withNamespace } from '../support/netns.js';
import { Running } from '../support/running.js';

const missing = needs({ root: true, programs: ['ip', 'nsenter'] });
const PROGRAM = fileURLToPath(new URL('../support/programs/streams.mjs', import.meta.url));

/** A server with an event stream, a WebSocket and plain answers, or a client with one of each and a silent one: its pid. */
async function startStreams(namespace: Namespace, what: 'serve' | 'ask'): Promise<number> {
  const child = namespace.spawn(process.execPath, [PROGRAM, what, '127.0.0.1', '8080'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.stdout !== null) await once(child.stdout, 'data', { signal: AbortSignal.timeout(10_000) });
  return child.pid ?? 0;
}

describe.skipIf(missing)(`connections that last${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('are told apart by what data do on them, from both sides', { timeout: 60_000 }, async () => {
    await withNamespace(async (namespace) => {
      const server = await startStreams(namespace, 'serve');
      const client = await startStreams(namespace, 'ask');
      const words = ['pools', '--format', 'json', '--duration', '10s', '--interval', '200ms'];
      const { stdout } = await Running.start(words, { namespace }).ended(50_000);
      const { pools } = JSON.parse(stdout) as PoolsJson;
      for (const pid of [server, client])
        expect(
          pools.filter((pool) => pool.pid === pid).map(({ traffic, open }) => ({ traffic, open })),
          JSON.stringify(pools, null, 1),
        ).toEqual([
          {
            open: 4,
            traffic: {
              basis: 'inferred',
              push: 1,
              two_way: 1,
              request_response: 1,
              silent: 1,
              unknown: 0,
            },
          },
        ]);
    });
  });
});
