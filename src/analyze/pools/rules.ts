import { count, counted, duration, listed, percent } from '../words.js';
import { churn, comesAndGoes, requestLimit } from './churn.js';
import { closeWaitLeak } from './close-wait.js';
import type { PoolRule } from './context.js';
import { allWait, exhausted } from './exhausted.js';
import { keepaliveRace, keepaliveUnanswered, noKeepalive } from './keepalive.js';
import { leak } from './leak.js';
import { threadsBusy } from './serving.js';
import { endText, fact, processText } from './words.js';

const LEAST_LOOKS = 3;
const SECOND = 1000;

const WAVE_LEAST_SIZE = 3;

/** Half of a pool replaced at once: a common lifetime, a restart of the other side, or a balancer that closed them. */
export const reconnectWave: PoolRule = (pool, context) => {
  const { past, direction } = pool;
  // Connections that get their process late leave one pool for another: that is no wave.
  if (
    typeof pool.owner !== 'object' ||
    direction !== 'outbound' ||
    past.waves.length === 0 ||
    past.highest < WAVE_LEAST_SIZE
  )
    return undefined;
  // Short connections are another matter.
  if (comesAndGoes(pool, context)) return undefined;
  const periods = past.waves.slice(1).map((time, index) => time - (past.waves[index] ?? 0));
  const period = periods.length === 0 ? undefined : periods.reduce((sum, ms) => sum + ms, 0) / periods.length;
  return {
    rule: 'reconnect_wave',
    severity: periods.length > 0 ? 'warning' : 'info',
    sure: 'likely',
    message: `half or more of the connections of ${processText(pool)} to ${endText(pool)} were replaced ${past.waveMs === undefined ? 'together' : `within ${duration(past.waveMs)}`} ${past.waves.length === 1 ? 'once' : `${past.waves.length} times`} in ${duration(past.watchedMs)}`,
    evidence: [
      fact(
        'waves',
        past.waves.length,
        'waves',
        `at ${listed(past.waves.slice(-3).map((time) => new Date(time).toISOString()))}`,
      ),
      ...(period === undefined
        ? []
        : [fact('wave_period', period / SECOND, 'seconds', `${duration(period)} apart on average`)]),
    ],
    advice:
      'a common lifetime makes connections end together (HikariCP maxLifetime, or a limit of the server or of a balancer): spread it; where the other side restarted, nothing is wrong',
  };
};

const OVERSIZED = { open: 10, busyShare: 0.2, movedShare: 0.2, watchedMs: 1.5 * SECOND, idleMs: 60 * SECOND };

/**
 * Far more idle than were ever used, as far as was seen. What looks miss, bytes tell; and what is used every few seconds may rest for the whole of a
 * short watch: only those that have been idle for long, by the kernel's own times, count as not used.
 */
export const oversized: PoolRule = (pool) => {
  const { open, past, direction, busy, closeWaits, quiet } = pool;
  if (direction !== 'outbound' || typeof pool.owner !== 'object') return undefined;
  if (busy === undefined || past.toldLooks < LEAST_LOOKS) return undefined;
  // Those that the peer closes are another matter.
  if (closeWaits.stuck > 0) return undefined;
  if (past.watchedMs < OVERSIZED.watchedMs || past.lowest < OVERSIZED.open) return undefined;
  if (past.highestMaybeBusy > open * OVERSIZED.busyShare) return undefined;
  if (past.moved > past.seen * OVERSIZED.movedShare) return undefined;
  if (quiet === undefined || quiet.p50 < OVERSIZED.idleMs) return undefined;
  return {
    rule: 'pool_oversized',
    severity: 'info',
    sure: 'suspected',
    message: `${processText(pool)} keeps ${counted(open, 'connection')} to ${endText(pool)}, and ${past.highestMaybeBusy === 0 ? 'none was' : `at most ${count(past.highestMaybeBusy)} were`} busy at any of ${past.toldLooks} looks; half of them have been idle for ${duration(quiet.p50)} or longer`,
    evidence: [
      fact(
        'highest_busy',
        past.highestMaybeBusy,
        'connections',
        `${percent(past.highestMaybeBusy / open)} of ${count(open)} busy (inferred) at the busiest look of ${duration(past.watchedMs)}`,
      ),
      fact(
        'moved',
        past.moved,
        'connections',
        `data moved on ${count(past.moved)} of ${count(past.seen)} during the watch`,
      ),
    ],
    advice:
      'look again under load; where it stays so, a smaller pool (a smaller minimum of idle ones) spares the server memory and leaves connections to others',
  };
};

const UNEVEN = { open: 8, share: 0.9 };

/** The same port on several addresses of one network, one service perhaps, and nearly all connections go to one of them. */
export const uneven: PoolRule = (pool, { neighbours }) => {
  if (pool.direction !== 'outbound' || typeof pool.owner !== 'object' || neighbours.length === 0)
    return undefined;
  const others = neighbours.reduce((sum, { open }) => sum + open, 0);
  if (pool.open < UNEVEN.open || pool.open < (pool.open + others) * UNEVEN.share) return undefined;
  const names = neighbours.map((other) => `${endText(other)}: ${count(other.open)}`);
  const failing = neighbours.filter(({ open, connecting }) => open === 0 && connecting > 0);
  return {
    rule: 'pool_uneven',
    severity: failing.length > 0 ? 'warning' : 'info',
    sure: 'suspected',
    message: `${count(pool.open)} of ${counted(pool.open + others, 'connection')} of ${processText(pool)} to the same port on ${neighbours.length + 1} addresses of one network go to ${endText(pool)}`,
    evidence: [
      fact('open', pool.open, 'connections', `${endText(pool)}: ${count(pool.open)}; ${listed(names)}`),
      ...(failing.length > 0
        ? [
            fact(
              'connecting',
              failing.length,
              'addresses',
              `still connecting to ${listed(failing.map(endText))}`,
            ),
          ]
        : []),
    ],
    advice:
      'where the addresses should share the work: long-lived connections stay where they were opened (after a restart of the others, or a name that was looked up once); a maximum lifetime, or balancing by request, spreads them. A primary with replicas looks the same',
  };
};

/** The table of rules, in the order in which they are told. */
export const POOL_RULES: readonly PoolRule[] = [
  exhausted,
  allWait,
  closeWaitLeak,
  threadsBusy,
  keepaliveRace,
  keepaliveUnanswered,
  churn,
  requestLimit,
  leak,
  reconnectWave,
  uneven,
  oversized,
  noKeepalive,
];
