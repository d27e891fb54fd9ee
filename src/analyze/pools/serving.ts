import { count, counted } from '../words.js';
import type { PoolRule } from './context.js';
import { endText, fact, processText } from './words.js';

const LEAST = { looks: 4, ms: 1500, served: 2 };

/**
 * The same number of requests under way at every look, while others wait unread on connections that were accepted: as many as there are
 * threads, it seems (Tomcat maxThreads, KERNEL.md 10). A single one is an event loop or a program that is slow, which is not this.
 */
export const threadsBusy: PoolRule = (pool) => {
  const { serving, past } = pool;
  if (pool.direction !== 'inbound' || serving === undefined || typeof pool.owner !== 'object')
    return undefined;
  const { looks, least, most, unread, leastUnread } = serving;
  const perLookMs = past.watchedMs / Math.max(1, past.looks - 1);
  if (looks < LEAST.looks || (looks - 1) * perLookMs < LEAST.ms || least < LEAST.served || least !== most)
    return undefined;
  return {
    rule: 'threads_busy',
    severity: 'warning',
    sure: 'suspected',
    message: `${processText(pool)} on ${endText(pool)} had ${counted(most, 'request')} under way at each of ${looks} looks, never more, while at least ${count(leastUnread)} waited unread: all of its threads seem to be busy`,
    evidence: [
      fact('requests_under_way', most, 'connections', `${count(most)} under way (inferred) at every look`),
      fact(
        'unread_requests',
        unread,
        'connections',
        `${counted(unread, 'accepted connection')} with bytes that nobody has read`,
      ),
    ],
    advice: `compare ${count(most)} with the number of worker threads of ${processText(pool)} (Tomcat maxThreads): see what they wait for (a thread dump, its own pools), and only then give it more`,
  };
};
