import type { Pool } from '../../model/pools.js';
import { count, counted, duration } from '../words.js';
import type { PoolContext, PoolRule } from './context.js';
import { endText, fact, processText } from './words.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** Where a larger share of those that come leave again, they are requests under way. */
const MOST_LEFT = 0.2;
const CLOSE_WAIT = { grown: 2, rises: 2, old: 3, oldMs: MINUTE, soonMs: 60 * MINUTE };

/** Of so many of those that stay, the process may still work on an answer: it cannot be told from one that forgot to close. */
const MAY_WORK = 0.5;

/**
 * The peer has ended its side, the process has not, and sends nothing (KERNEL.md 9): by growth of those that stay, not by number. A burst of
 * requests on connections that are half closed looks the same once, a leak goes on. Requests that end with shutdown(SHUT_WR) and take longer than the watch look
 * like one that goes on: where nothing was sent after what came, it is only a suspicion.
 */
export const closeWaitLeak: PoolRule = (pool, context) => {
  const { stuck, asked, growth, rises, came, left: gone, oldestMs } = pool.closeWaits;
  const isOld = stuck >= CLOSE_WAIT.old && (oldestMs ?? 0) >= CLOSE_WAIT.oldMs;
  const stays = gone < came * MOST_LEFT || (oldestMs ?? 0) > pool.past.watchedMs;
  const grows = stays && stuck > 0 && growth >= CLOSE_WAIT.grown && rises >= CLOSE_WAIT.rises;
  if (!isOld && !grows) return undefined;
  const mayWork = asked > stuck * MAY_WORK;
  const left = grows && !mayWork ? untilLimit(pool, context) : undefined;
  const held = grows ? Math.max(stuck, growth) : stuck;
  return {
    rule: 'close_wait_leak',
    severity: severityOf(mayWork && !isOld, left),
    sure: mayWork ? 'suspected' : 'likely',
    message: `${processText(pool)} has not closed ${counted(held, 'connection')} ${pool.direction === 'outbound' ? 'to' : 'on'} ${endText(pool)} whose peer has ended its side${mayWork ? ', or works on requests that ended with shutdown(SHUT_WR)' : ''}`,
    evidence: [
      fact(
        'close_wait',
        pool.closeWait,
        'connections',
        `${count(pool.closeWait)} in CLOSE-WAIT, ${count(stuck)} of them at an earlier look too`,
      ),
      ...(asked === 0
        ? []
        : [
            fact(
              'close_wait_asked',
              asked,
              'connections',
              `on ${count(asked)} of these nothing was sent after what the peer had sent last: an answer may still come`,
            ),
          ]),
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

function severityOf(isDoubtful: boolean, left: number | undefined) {
  if (isDoubtful) return 'info';
  return left !== undefined && left < CLOSE_WAIT.soonMs ? 'critical' : 'warning';
}

/** Milliseconds until RLIMIT_NOFILE at the pace of the watch. Where some leave again and others are older than the watch, it has not seen how many of them do. */
function untilLimit(
  { closeWaits: { growth, left, oldestMs }, past: { watchedMs } }: Pool,
  { descriptors }: PoolContext,
) {
  if (left > 0 && (oldestMs ?? 0) > watchedMs) return undefined;
  if (descriptors === undefined || growth <= 0 || watchedMs <= 0) return undefined;
  return (Math.max(0, descriptors.limit - descriptors.open) * watchedMs) / growth;
}
