import type { ClosedGroup, ClosedReport } from '../../model/closed.js';
import type { Connecting, DiagnosisFacts } from '../../model/diagnosis.js';
import { formatEndpoint } from '../../model/endpoint.js';
import { sumOf } from './attempts.js';

/** How attempts to one destination ended that looks have seen: lower bounds. */
export interface Outcome {
  /** Without an answer; of those, before the kernel sent a second SYN. */
  readonly unanswered: number;
  readonly early: number;
  /** The kernel told of as many as went early that no segment came back. */
  readonly isTold: boolean;
  /** Who ended them. `application`: the kernel counted no failure that could be theirs. */
  readonly by: 'application' | 'kernel' | 'either';
}

const known = new WeakMap<DiagnosisFacts, ReadonlyMap<Connecting, Outcome>>();

/** Asked for again and again by rules: worked out once for each facts. */
export function outcomesOf(facts: DiagnosisFacts): ReadonlyMap<Connecting, Outcome> {
  const before = known.get(facts);
  if (before !== undefined) return before;
  const told = toldByRemote(facts.closed);
  const outcomes = new Map(
    facts.seen.connecting.map((one) => [one, outcomeOf(one, told.get(formatEndpoint(one.remote)), facts)]),
  );
  known.set(facts, outcomes);
  return outcomes;
}

function outcomeOf(one: Connecting, told: Told = NOTHING, facts: DiagnosisFacts): Outcome {
  const early = earlyUnanswered(one, told, facts);
  const unanswered = one.goneUnanswered + early;
  return { unanswered, early, isTold: told.unanswered >= early, by: endedBy(unanswered, told, facts) };
}

/**
 * What went before a second SYN may have been answered by a reset, or established and closed between two looks: only where nothing was
 * established, and others were not answered for longer, or the kernel told or counted nothing else, had it no answer.
 */
function earlyUnanswered(one: Connecting, told: Told, facts: DiagnosisFacts): number {
  const { established, everRetried, gone, goneUnanswered, isAnswered } = one;
  const early = gone - goneUnanswered;
  if (early === 0 || established + told.refused + told.closed > 0) return 0;
  if (everRetried > 0) return early;
  if (isComplete(facts.closed)) return Math.min(early, told.unanswered);
  const failed = failedIn(facts);
  return isAnswered || failed === undefined ? 0 : Math.max(0, early - failed);
}

/** Of whoever gives up the kernel tells where it went, and counts no failure (KERNEL.md 4 and 7); what it ends itself it counts (AttemptFails). */
function endedBy(unanswered: number, told: Told, facts: DiagnosisFacts): Outcome['by'] {
  const failed = failedIn(facts);
  if (failed === undefined) return 'either';
  // Where all of these have a destination, those without one are others.
  const elsewhere = told.unanswered >= unanswered ? (facts.closed?.failedWithoutDestination ?? 0) : 0;
  if (failed <= toldRefused(facts) + elsewhere) return 'application';
  return isComplete(facts.closed) && told.unanswered === 0 ? 'kernel' : 'either';
}

/** Attempts that the kernel counted as failed; `undefined`: it is not known. */
export const failedIn = ({ seen: { attempts } }: DiagnosisFacts): number | undefined =>
  attempts.length === 0 ? undefined : sumOf(attempts).failed;

/** Attempts that were answered with a reset, as far as the kernel told. */
export const toldRefused = ({ closed }: DiagnosisFacts): number =>
  outbound(closed).reduce((sum, { refused }) => sum + refused, 0);

const isComplete = (closed: ClosedReport | undefined): boolean => closed !== undefined && !closed.incomplete;

const outbound = (closed: ClosedReport | undefined): readonly ClosedGroup[] =>
  (closed?.groups ?? []).filter(({ direction }) => direction === 'outbound');

/** What the kernel told of ends of attempts and connections to one remote, of whatever process. */
interface Told {
  readonly refused: number;
  readonly unanswered: number;
  readonly closed: number;
}

const NOTHING: Told = { refused: 0, unanswered: 0, closed: 0 };

function toldByRemote(closed: ClosedReport | undefined): ReadonlyMap<string, Told> {
  const sums = new Map<string, Told>();
  for (const group of outbound(closed)) {
    const to = formatEndpoint(group.end);
    const { refused, unanswered, closed: ended } = sums.get(to) ?? NOTHING;
    sums.set(to, {
      refused: refused + group.refused,
      unanswered: unanswered + group.unanswered,
      closed: ended + group.closed,
    });
  }
  return sums;
}
