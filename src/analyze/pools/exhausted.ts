import type { HikariMatch, Pool } from '../../model/pools.js';
import { isDatabase, isStreaming } from '../../model/services.js';
import { count, counted, duration, percent } from '../words.js';
import type { PoolRule } from './context.js';
import { endText, fact, processText, type Said } from './words.js';

/**
 * Surely busy over all looks: at least this share. Of the rest it cannot be told, and what lies idle most of the time may look like that at many
 * looks, however many there are.
 */
const SURE_SHARE = 0.6;
/** Where more of them have answers that nobody reads, their process is what is slow. */
const MOST_UNREAD = 0.25;
/** Fewer are no pool, or a small one that happens to work. */
const LEAST_OPEN = 4;
const LEAST = { looks: 3, ms: 1000 };
/** Callers that wait take a connection as soon as it is free: answers come, and requests follow. */
const TURNED_OVER = { least: 2, share: 0.25 };

/**
 * Never a connection that was surely idle, and never one more or less: the application may be at its maximum. Whether callers
 * wait leaves no trace in sockets (KERNEL.md 10): only the pool's own numbers say so.
 */
export const exhausted: PoolRule = (pool, { hikari }) => {
  if (pool.direction !== 'outbound' || typeof pool.owner !== 'object') return undefined;
  if (hikari !== undefined && hikari.stats.waiting > 0) return exhaustedByHikari(pool, hikari);
  if ((hikari !== undefined && hikari.stats.idle > 0) || !isPinned(pool) || !turnsOver(pool))
    return undefined;
  const { open, past, busy } = pool;
  const lastText =
    busy === undefined ? '' : `${count(busy)} of ${count(open)} busy (inferred) at the last look; `;
  return {
    rule: 'pool_exhausted',
    severity: 'warning',
    sure: 'suspected',
    message: `none of the ${count(open)} connections of ${processText(pool)} to ${endText(pool)} was surely idle at any of ${past.toldLooks} looks, and none was opened or closed: the pool may be at its maximum`,
    evidence: [
      fact(
        'busy',
        busy ?? Math.round(open * past.busyShare),
        'connections',
        `${lastText}${percent(past.busyShare)} surely over all looks after the first; of the others it cannot be told`,
      ),
      fact(
        'highest',
        past.highest,
        'connections',
        `never more and never fewer than ${count(open)} open in ${duration(past.watchedMs)}`,
      ),
      fact(
        'turned_over',
        past.answered,
        'connections',
        `answers came on ${count(past.answered)} of ${count(open)} during the watch`,
      ),
    ],
    advice: `compare ${count(open)} with the pool's maximum (HikariCP maximumPoolSize), and ask the pool itself whether callers wait, which sockets do not show (--hikari LOG); then look for slow requests to ${endText(pool)} and for connections that are held too long, before raising the maximum`,
  };
};

/**
 * All wait for an answer, and hardly any gets one. Requests that take long look like consumers and long polls that wait on purpose; clients of
 * databases seldom do that.
 */
export const allWait: PoolRule = (pool, { hikari }) => {
  if (pool.direction !== 'outbound' || typeof pool.owner !== 'object') return undefined;
  // It has said more, or otherwise.
  if (hikari !== undefined && (hikari.stats.idle > 0 || hikari.stats.waiting > 0)) return undefined;
  const { open, past, service, quiet } = pool;
  if (!isPinned(pool) || moves(pool) || quiet === undefined) return undefined;
  return {
    rule: 'pool_waiting',
    severity: isDatabase(service) ? 'warning' : 'info',
    sure: 'suspected',
    message: `each of the ${count(open)} connections of ${processText(pool)} to ${endText(pool)} seems to wait for an answer, half of them for ${duration(quiet.p50)} or longer`,
    evidence: [
      fact(
        'busy_share',
        past.busyShare,
        'ratio',
        `${percent(past.busyShare)} surely busy (inferred) over all looks after the first, none surely idle at any of ${past.toldLooks}`,
      ),
      fact(
        'turned_over',
        past.moved,
        'connections',
        `data moved on ${count(past.moved)} of ${count(open)} in ${duration(past.watchedMs)}`,
      ),
    ],
    advice: `where they are requests, ask ${endText(pool)} what it does with them (locks, slow queries); consumers of a queue, long polls and messages that need no answer look the same, and are as they should be`,
  };
};

const isPinned = (pool: Pool): boolean => mayBePinned(pool) && pool.past.busyShare >= SURE_SHARE;

/** It may be at its maximum, but at most looks it could not be told which of its connections were busy. */
export const isPinnedUnsurely = (pool: Pool): boolean =>
  pool.direction === 'outbound' &&
  typeof pool.owner === 'object' &&
  mayBePinned(pool) &&
  turnsOver(pool) &&
  pool.past.busyShare < SURE_SHARE;

/** One-way senders and streams are always busy; they say nothing of a pool. */
function mayBePinned({ open, connecting, past, service, bytesReceived }: Pool): boolean {
  if (isStreaming(service) || bytesReceived === 0 || connecting > 0) return false;
  if (open < LEAST_OPEN || past.toldLooks < LEAST.looks || past.watchedMs < LEAST.ms) return false;
  if (past.lowest !== open || past.highest !== open || past.neverSeenUsed > 0) return false;
  if (past.created > 0 || past.closed > 0) return false;
  return past.neverIdleLooks === past.toldLooks && past.unread <= open * MOST_UNREAD;
}

const isEnough = (some: number, open: number) =>
  some >= Math.max(TURNED_OVER.least, open * TURNED_OVER.share);

const turnsOver = ({ open, past }: Pool): boolean => isEnough(past.answered, open);

/** Whoever goes on sending without an answer does not wait for one. */
const moves = ({ open, past }: Pool): boolean => isEnough(past.moved, open);

/** Which sockets a log belongs to is a guess, unless the user said it; where they contradict it, it may be of another pool. */
const exhaustedByHikari = (pool: Pool, { stats, by, ageMs, disagreements }: HikariMatch): Said => {
  const { total, active, waiting, name } = stats;
  const agrees = disagreements.length === 0 && total === pool.open;
  const known = by === 'process' ? 'certain' : 'likely';
  return {
    rule: 'pool_exhausted',
    severity: agrees ? 'critical' : 'warning',
    sure: agrees ? known : 'suspected',
    message: `${counted(waiting, 'thread')} of ${processText(pool)} waited for one of ${counted(total, 'connection')} to ${endText(pool)}, says HikariCP`,
    evidence: [
      fact(
        'hikari.waiting',
        waiting,
        'threads',
        `the last line of its pool "${name}": total ${count(total)}, active ${count(active)}, waiting ${count(waiting)}${ageMs === undefined ? '' : `, ${duration(ageMs)} before the last look`}${by === 'process' ? '' : '; that it is this pool is a guess'}`,
      ),
      ...(pool.busy === undefined
        ? []
        : [
            fact(
              'busy',
              pool.busy,
              'connections',
              `${count(pool.busy)} of ${count(pool.open)} busy on the wire (inferred)`,
            ),
          ]),
    ],
    advice: `where fewer are busy than active, the application holds connections without using them: keep transactions short (leakDetectionThreshold finds the code); else look for slow queries, and only then raise maximumPoolSize`,
  };
};
