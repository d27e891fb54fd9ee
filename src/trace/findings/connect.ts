import type { Moment } from '../../model/trace-moment.js';
import { type FindingContext, type FindingRule, framesOf, plural, seconds } from './facts.js';

const ADVICE =
  'a firewall that drops, a host that is down, a route that is missing, or a full queue at the server';

/** SYNs that nobody answered; of a capture that ended too early to tell a timeout only where they were sent again. */
export const timedOut: FindingRule = ({ outcome, syn, synSchedule }, context) => {
  const isOver = outcome === 'timed_out';
  if (!isOver && !(outcome === 'unresolved' && syn.length > 1)) return undefined;
  if (context.othersAnswered) return undefined;
  const span = seconds((syn.at(-1)?.time ?? 0) - (syn[0]?.time ?? 0));
  const what = `nobody answered ${plural(syn.length, 'SYN')}${syn.length > 1 ? ` in ${span}` : ''}`;
  return {
    rule: 'connect_timeout',
    severity: 'warning',
    sure: isOver ? 'certain' : 'likely',
    frames: framesOf([...syn.slice(0, 10), context.successor]),
    message: isOver ? what : `${what}, and then the capture ended`,
    evidence: [
      ...(synSchedule === undefined
        ? []
        : [
            `pauses of ${synSchedule.stepsMs.map((ms) => `${Math.round(ms)} ms`).join(', ')} (${synSchedule.shape})`,
          ]),
      ...gaveUpAfter(syn, isOver, context),
    ],
    advice: ADVICE,
  };
};

/** No packet says when connect() failed: not before the last SYN, and before the next one was due or was sent from another port. */
function gaveUpAfter(
  syn: readonly Moment[],
  isOver: boolean,
  { successor, nextSynDue }: FindingContext,
): string[] {
  const start = syn[0]?.time ?? 0;
  const last = (syn.at(-1)?.time ?? 0) - start;
  const due = isOver && nextSynDue !== undefined ? last + nextSynDue : Number.POSITIVE_INFINITY;
  const next = successor === undefined ? Number.POSITIVE_INFINITY : successor.time - start;
  const most = Math.min(due, next);
  if (!Number.isFinite(most)) return [];
  const why =
    next <= due
      ? `its next attempt began then (frame ${successor?.frame})`
      : 'the next SYN was due then and did not come';
  return [
    `the client gave up after ${last > 0 ? `${seconds(last)} to ` : ''}${seconds(most)}${last > 0 ? '' : ' at most'}: ${why}`,
  ];
}
