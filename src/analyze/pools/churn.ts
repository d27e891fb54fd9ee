import type { Evidence } from '../../model/findings.js';
import type { Pool } from '../../model/pools.js';
import { count, duration } from '../words.js';
import type { PoolRule } from './context.js';
import { apartText, endText, fact, perSecondText, processText } from './words.js';

const SECOND = 1000;
/** From here on it is a habit, not a warm-up. */
const CHURN = { created: 10, perSecond: 2, closedShare: 0.7, reusedShare: 0.2 };

/**
 * Connections are made for a request or two and closed. Those of one remote that had closed before a look could tell whose
 * they were count for the process that alone connects there, if it was seen to do so and to use few of them again: a pool beside
 * a stranger's short connections is none of it.
 */
export const churn: PoolRule = (pool, { seen, siblings }) => {
  if (pool.direction !== 'outbound') return undefined;
  const nameless = siblings.filter(({ owner }) => owner === 'none');
  const processes = [pool, ...siblings].filter(({ owner }) => typeof owner === 'object');
  const [only] = processes;
  const maker = processes.length === 1 && only !== undefined && isMaker(only) ? only : undefined;
  // One finding for both: the process has it.
  if (pool.owner === 'none' && maker !== undefined) return undefined;
  const joined = pool === maker ? [pool, ...nameless] : [pool];
  const total = (of: (one: Pool) => number) => joined.reduce((sum, one) => sum + of(one), 0);
  const created = total(({ past }) => past.created);
  const closed = total(({ past }) => past.closed);
  const ms = Math.max(...joined.map(({ past }) => past.watchedMs));
  const perSecond = ms > 0 ? (created * SECOND) / ms : 0;
  if (created < CHURN.created || perSecond < CHURN.perSecond) return undefined;
  if (closed < created * CHURN.closedShare || created < 2 * Math.max(1, pool.past.highest)) return undefined;
  if (total(({ past }) => past.reused) > total(({ past }) => past.seen) * CHURN.reusedShare) return undefined;
  const isAlone = joined.length === 1 || total((one) => (one === pool ? 0 : one.past.created)) === 0;
  return {
    rule: 'pool_churn',
    severity: 'warning',
    sure: isAlone && typeof pool.owner === 'object' ? 'certain' : 'likely',
    message: `${subjectText(pool)} at least ${perSecondText(perSecond)} new connections per second to ${endText(pool)} and closed most of them soon: no pool or keep-alive seems to be at work`,
    evidence: [
      fact(
        'created',
        created,
        'connections',
        `at least ${count(created)} made and ${count(closed)} closed in ${duration(ms)}; at most ${count(pool.past.highest)} open at a look${apartText(seen)}`,
      ),
      ...evidenceOf(pool, joined),
    ],
    advice: `let ${typeof pool.owner === 'object' ? processText(pool) : 'the clients'} keep connections to ${endText(pool)}: one client or pool for the whole process instead of one per request, HTTP keep-alive on both sides, and a maximum idle that is not below what is used`,
  };
};

const isMaker = ({ past: { created, reused, seen } }: Pool): boolean =>
  created > 0 && reused <= seen * CHURN.reusedShare;

/** What belongs to no process in a look may well be of one that lives. */
function subjectText(pool: Pool): string {
  if (typeof pool.owner === 'object') return `${processText(pool)} made`;
  return pool.owner === 'none'
    ? 'somebody (the connections had closed before a look could tell whose they were) made'
    : 'processes that are not known made';
}

function* evidenceOf(pool: Pool, joined: readonly Pool[]): Generator<Evidence> {
  const total = (of: (one: Pool) => number) => joined.reduce((sum, one) => sum + of(one), 0);
  const reused = total(({ past }) => past.reused);
  const seen = total(({ past }) => past.seen);
  yield fact(
    'reused',
    reused,
    'connections',
    `data moved again on ${count(reused)} of ${count(seen)} at a later look`,
  );
  const nameless = total((one) => (one === pool ? 0 : one.past.created));
  if (nameless > 0)
    yield fact(
      'created_nameless',
      nameless,
      'connections',
      `${count(nameless)} had closed before a look could tell whose they were; only ${processText(pool)} was seen to connect there`,
    );
  const timeWait = total((one) => one.timeWait);
  if (timeWait > 0)
    yield fact(
      'time_wait',
      timeWait,
      'ports',
      `${count(timeWait)} ports in TIME-WAIT: closed from here first`,
    );
}
