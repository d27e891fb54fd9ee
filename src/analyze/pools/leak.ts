import { count, duration, listed } from '../words.js';
import type { PoolRule } from './context.js';
import { endText, fact, processText } from './words.js';

const LEAK = { watchedMs: 600_000, grown: 5, grownShare: 0.2 };

/**
 * Connections that are made and then forgotten: those that lie idle grow in each quarter of the watch, the first of which is for the application
 * to start. What is used beside them, and one or the other that is closed, says nothing against it. A short watch says nothing at all.
 */
export const leak: PoolRule = (pool) => {
  const { past, open, direction, quiet } = pool;
  if (direction !== 'outbound' || typeof pool.owner !== 'object' || past.watchedMs < LEAK.watchedMs)
    return undefined;
  const steps = past.idleGrowth;
  const grown = (steps.at(-1) ?? 0) - (steps[0] ?? 0);
  if (grown < Math.max(LEAK.grown, past.first * LEAK.grownShare)) return undefined;
  if (!steps.every((value, index) => index === 0 || value > (steps[index - 1] ?? 0))) return undefined;
  return {
    rule: 'pool_leak',
    severity: 'warning',
    sure: 'likely',
    message: `more and more connections of ${processText(pool)} to ${endText(pool)} are opened and then lie idle: ${count(grown)} more in three quarters of ${duration(past.watchedMs)}`,
    evidence: [
      fact(
        'idle_growth',
        grown,
        'connections',
        `opened during the watch and idle for long: ${listed(steps.map(count), steps.length)} after each quarter of it`,
      ),
      fact(
        'open',
        open,
        'connections',
        `${count(past.first)} open at the first look, ${count(open)} now; ${count(past.created)} made and ${count(past.closed)} closed meanwhile`,
      ),
      ...(quiet === undefined
        ? []
        : [
            fact(
              'idle_p50',
              quiet.p50 / 1000,
              'seconds',
              `half of all have been quiet for ${duration(quiet.p50)} or longer`,
            ),
          ]),
    ],
    advice: `look in ${processText(pool)} for connections or clients that are made and never closed; a maximum and an idle timeout of the pool bound the damage`,
  };
};
