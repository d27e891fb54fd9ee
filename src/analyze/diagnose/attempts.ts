import type { AttemptWindow, DiagnosisFacts } from '../../model/diagnosis.js';
import { count, counted, percent } from '../words.js';
import { isCurrent } from './found.js';

/**
 * Attempts per second that are no chance, how many there must be to tell, and how much of the pace must stay: a pause that grows by the same
 * each time leaves 0.41 of it in the second half, one that doubles far less. So many per second are no client that waits, even where a busy
 * machine slows it down.
 */
export const STORM = { perSecond: 2, attempts: 10, steady: 0.5, endless: 20 };

/** Time from the window in which an attempt failed last to the end; `undefined`: none failed. */
export function sinceFailureMs({ seen: { attempts } }: DiagnosisFacts): number | undefined {
  const last = attempts.findLastIndex(({ failed }) => failed > 0);
  return last < 0 ? undefined : sumOf(attempts.slice(last + 1)).ms;
}

export const WHOSE_PACE = 'one client without back-off, or several';

/** How connects of the namespace failed at a pace that did not fall, or not far; `undefined`: they did not. */
export function steadyPace(facts: DiagnosisFacts) {
  const { attempts } = facts.seen;
  if (!isCurrent(sinceFailureMs(facts), facts)) return undefined;
  const half = attempts.length >> 1;
  const [early, late] = [sumOf(attempts.slice(0, half)), sumOf(attempts.slice(half))];
  const all = sumOf(attempts);
  const pace = (of: AttemptWindow) => (of.failed * 1000) / Math.max(1, of.ms);
  const perSecond = pace(all);
  if (half === 0 || all.failed < STORM.attempts || perSecond < STORM.perSecond) return undefined;
  const isSteady = pace(late) >= pace(early) * STORM.steady;
  if (!isSteady && pace(late) < STORM.endless) return undefined;
  const text = `${shareText(all)}: ${rateText(pace(early))} per second in the first half of the watch, ${rateText(pace(late))} in the second${isSecondTry(all) ? SECOND_TRY : ''}`;
  return { all, perSecond, text, kind: isSteady ? 'a steady pace' : 'a high pace' };
}

/** What began before the watch may fail in it. */
const shareText = ({ failed, opened }: AttemptWindow): string =>
  failed > opened
    ? `${counted(failed, 'connect')} failed, and ${count(opened)} began meanwhile (100%)`
    : `${count(failed)} of ${counted(opened, 'connect')} failed (${percent(failed / Math.max(1, opened))})`;

/** As many succeed as fail. */
const isSecondTry = ({ opened, failed }: AttemptWindow): boolean =>
  Math.abs(opened - 2 * failed) <= failed * NEARLY;

const NEARLY = 0.2;
const SECOND_TRY =
  '; as many succeed: it looks as if a second address was tried after each failure (IPv6 first, then IPv4)';

export const rateText = (perSecond: number) => (perSecond < 10 ? perSecond.toFixed(1) : count(perSecond));

export const sumOf = (windows: readonly AttemptWindow[]): AttemptWindow =>
  windows.reduce(
    (sum, { ms, opened, failed }) => ({
      ms: sum.ms + ms,
      opened: sum.opened + opened,
      failed: sum.failed + failed,
    }),
    { ms: 0, opened: 0, failed: 0 },
  );
