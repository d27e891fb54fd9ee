import type { Pool } from '../../model/pools.js';
import { count, counted, duration, listed, percent } from '../words.js';
import type { PoolContext, PoolRule } from './context.js';
import { allWait, exhausted } from './exhausted.js';
import { keepaliveRace, keepaliveUnanswered, noKeepalive } from './keepalive.js';
import { endText, fact, perSecondText, processText } from './words.js';

const LEAST_LOOKS = 3;
const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** From here on it is a habit, not a warm-up. */
const CHURN = { created: 10, perSecond: 2, closedShare: 0.7, reusedShare: 0.2 };

/**
 * Connections are made for a request or two and closed. Those of one remote that had closed before a look could tell whose
 * they were count for the process that alone connects there.
 */
export const churn: PoolRule = (pool, { siblings, seen }) => {
  if (pool.direction !== 'outbound') return undefined;
  const processes = siblings.filter(({ owner }) => typeof owner === 'object');
  const others = siblings.filter(({ owner }) => typeof owner !== 'object');
  // One finding for both: the process has it.
  if (typeof pool.owner !== 'object' && processes.length === 1) return undefined;
  const joined = processes.length === 0 && typeof pool.owner === 'object' ? [pool, ...others] : [pool];
  const total = (of: (one: Pool) => number) => joined.reduce((sum, one) => sum + of(one), 0);
  const created = total(({ past }) => past.created);
  const closed = total(({ past }) => past.closed);
  const ms = seen.watchedMs;
  const perSecond = ms > 0 ? (created * SECOND) / ms : 0;
  if (created < CHURN.created || perSecond < CHURN.perSecond) return undefined;
  if (closed < created * CHURN.closedShare || created < 2 * Math.max(1, pool.past.highest)) return undefined;
  if (total(({ past }) => past.reused) > total(({ past }) => past.seen) * CHURN.reusedShare) return undefined;
  const nameless = total((one) => (one === pool ? 0 : one.past.created));
  return {
    rule: 'pool_churn',
    severity: 'warning',
    sure: nameless > 0 || typeof pool.owner !== 'object' ? 'likely' : 'certain',
    message: `${churnSubject(pool)} at least ${perSecondText(perSecond)} new connections per second to ${endText(pool)} and closed most of them soon: no pool or keep-alive seems to be at work`,
    evidence: [
      fact(
        'created',
        created,
        'connections',
        `at least ${count(created)} made and ${count(closed)} closed in ${duration(ms)}; at most ${count(pool.past.highest)} open at a look`,
      ),
      fact(
        'reused',
        total(({ past }) => past.reused),
        'connections',
        `data moved again on ${count(total(({ past }) => past.reused))} of ${count(total(({ past }) => past.seen))} at a later look`,
      ),
      ...(nameless > 0
        ? [
            fact(
              'created_nameless',
              nameless,
              'connections',
              `${count(nameless)} had closed before a look could tell whose they were; only ${processText(pool)} was seen to connect there`,
            ),
          ]
        : []),
      ...(total(({ timeWait }) => timeWait) > 0
        ? [
            fact(
              'time_wait',
              total(({ timeWait }) => timeWait),
              'ports',
              `${count(total(({ timeWait }) => timeWait))} ports in TIME-WAIT: closed from here first`,
            ),
          ]
        : []),
    ],
    advice: `let ${typeof pool.owner === 'object' ? processText(pool) : 'the clients'} keep connections to ${endText(pool)}: one client or pool for the whole process instead of one per request, HTTP keep-alive on both sides, and a maximum idle that is not below what is used`,
  };
};

const churnSubject = (pool: Pool) =>
  typeof pool.owner === 'object' ? `${processText(pool)} made` : 'processes that were gone at the look made';

const WAVE_LEAST_SIZE = 3;

/** Half of a pool replaced at once: a common lifetime, a restart of the other side, or a balancer that closed them. */
export const reconnectWave: PoolRule = (pool) => {
  const { past, direction } = pool;
  if (direction !== 'outbound' || past.waves.length === 0 || past.highest < WAVE_LEAST_SIZE) return undefined;
  // All the time is no wave.
  if (past.waveLooks * 2 > past.looks && past.looks > 4) return undefined;
  const periods = past.waves.slice(1).map((time, index) => time - (past.waves[index] ?? 0));
  const period = periods.length === 0 ? undefined : periods.reduce((sum, ms) => sum + ms, 0) / periods.length;
  return {
    rule: 'reconnect_wave',
    severity: periods.length > 0 ? 'warning' : 'info',
    sure: 'likely',
    message: `half or more of the connections of ${processText(pool)} to ${endText(pool)} were replaced together ${past.waves.length === 1 ? 'once' : `${past.waves.length} times`} in ${duration(past.watchedMs)}`,
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

const LEAK = { watchedMs: 10 * MINUTE, grown: 5, grownShare: 0.2 };

/** Grows, never shrinks, and lies idle. Only of what was seen: a short watch says nothing. */
export const leak: PoolRule = (pool) => {
  const { past, open, quiet, direction } = pool;
  if (direction !== 'outbound' || past.watchedMs < LEAK.watchedMs || quiet === undefined) return undefined;
  const grown = open - past.first;
  if (grown < Math.max(LEAK.grown, past.first * LEAK.grownShare)) return undefined;
  if (past.closed > past.created * 0.1 || open < past.highest || quiet.p50 < past.watchedMs / 2)
    return undefined;
  return {
    rule: 'pool_leak',
    severity: 'warning',
    sure: 'likely',
    message: `connections of ${processText(pool)} to ${endText(pool)} only grow, and most lie idle: ${count(grown)} more in ${duration(past.watchedMs)}`,
    evidence: [
      fact(
        'open',
        open,
        'connections',
        `${count(past.first)} at the first look, ${count(open)} now, ${count(past.closed)} closed meanwhile`,
      ),
      fact(
        'idle_p50',
        quiet.p50 / SECOND,
        'seconds',
        `half of them have been quiet for ${duration(quiet.p50)} or longer`,
      ),
    ],
    advice: `look in ${processText(pool)} for connections or clients that are made and never closed; a maximum and an idle timeout of the pool bound the damage`,
  };
};

const OVERSIZED = { open: 10, busyShare: 0.2, watchedMs: 1.5 * SECOND };

/** Far more idle than were ever used at once, as far as was seen. */
export const oversized: PoolRule = (pool) => {
  const { open, past, direction, busy, closeWaits } = pool;
  if (direction !== 'outbound' || busy === undefined || past.looks < LEAST_LOOKS) return undefined;
  // Those that the peer closes are another matter.
  if (closeWaits.stuck > 0) return undefined;
  if (past.watchedMs < OVERSIZED.watchedMs || past.lowest < OVERSIZED.open) return undefined;
  if (past.highestMaybeBusy > open * OVERSIZED.busyShare) return undefined;
  return {
    rule: 'pool_oversized',
    severity: 'info',
    sure: 'suspected',
    message: `${processText(pool)} keeps ${counted(open, 'connection')} to ${endText(pool)}, and ${past.highestMaybeBusy === 0 ? 'none was' : `at most ${count(past.highestMaybeBusy)} were`} busy at any of ${past.looks} looks`,
    evidence: [
      fact(
        'highest_busy',
        past.highestMaybeBusy,
        'connections',
        `${percent(past.highestMaybeBusy / open)} of ${count(open)} busy (inferred) at the busiest look of ${duration(past.watchedMs)}`,
      ),
    ],
    advice:
      'look again under load; where it stays so, a smaller pool (a smaller minimum of idle ones) spares the server memory and leaves connections to others',
  };
};

const UNEVEN = { open: 8, share: 0.9 };

/** One service on several addresses of one network, and nearly all connections go to one of them. */
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
    message: `${count(pool.open)} of ${counted(pool.open + others, 'connection')} of ${processText(pool)} to ${neighbours.length + 1} addresses of one service go to ${endText(pool)}`,
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

const CLOSE_WAIT = { grown: 2, old: 3, oldMs: MINUTE, soonMs: 60 * MINUTE };

/** The peer has closed, the process has not (KERNEL.md 9): by growth of those that stay, not by number. */
export const closeWaitLeak: PoolRule = (pool, context) => {
  const { stuck, growth, oldestMs } = pool.closeWaits;
  const isOld = stuck >= CLOSE_WAIT.old && (oldestMs ?? 0) >= CLOSE_WAIT.oldMs;
  const grows = stuck > 0 && growth >= CLOSE_WAIT.grown;
  if (!isOld && !grows) return undefined;
  const left = grows ? untilLimit(pool, context) : undefined;
  const held = grows ? Math.max(stuck, growth) : stuck;
  return {
    rule: 'close_wait_leak',
    severity: left !== undefined && left < CLOSE_WAIT.soonMs ? 'critical' : 'warning',
    sure: grows ? 'likely' : 'certain',
    message: `${processText(pool)} has not closed ${counted(held, 'connection')} ${pool.direction === 'outbound' ? 'to' : 'on'} ${endText(pool)} that the peer has closed`,
    evidence: [
      fact(
        'close_wait',
        pool.closeWait,
        'connections',
        `${count(pool.closeWait)} in CLOSE-WAIT, ${count(stuck)} of them at an earlier look too`,
      ),
      ...(growth === 0
        ? []
        : [
            fact(
              'close_wait_growth',
              growth,
              'connections',
              `${growth > 0 ? `${count(growth)} more` : `${count(-growth)} fewer`} than ${duration(pool.past.watchedMs)} before`,
            ),
          ]),
      ...(oldestMs === undefined
        ? []
        : [
            fact(
              'close_wait_age',
              oldestMs / SECOND,
              'seconds',
              `nothing from the peer of the oldest for ${duration(oldestMs)}`,
            ),
          ]),
      ...(left === undefined || context.descriptors === undefined
        ? []
        : [
            fact(
              'descriptors',
              context.descriptors.open,
              'descriptors',
              `${count(context.descriptors.open)} of ${count(context.descriptors.limit)} descriptors in use: at this pace the limit is reached in ${duration(left)}`,
            ),
          ]),
    ],
    advice: `${processText(pool)} must close what read() has said is at its end: look for error paths that forget close(), responses that are not read to the end, and pools that do not test idle connections`,
  };
};

/** Milliseconds until RLIMIT_NOFILE at the pace of the watch. */
function untilLimit({ closeWaits: { growth }, past: { watchedMs } }: Pool, { descriptors }: PoolContext) {
  if (descriptors === undefined || growth <= 0 || watchedMs <= 0) return undefined;
  return (Math.max(0, descriptors.limit - descriptors.open) * watchedMs) / growth;
}

/** The table of rules, in the order in which they are told. */
export const POOL_RULES: readonly PoolRule[] = [
  exhausted,
  allWait,
  closeWaitLeak,
  keepaliveRace,
  keepaliveUnanswered,
  churn,
  leak,
  reconnectWave,
  uneven,
  oversized,
  noKeepalive,
];
