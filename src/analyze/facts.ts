import type { Evidence, Rule, Severity, Verdict } from '../model/findings.js';
import type { Listener, ListenerWindow, Waiting } from '../model/listener.js';
import type { Sysctls, TableObservation } from '../model/observation.js';
import type { AcceptorFacts, HeldConnections } from '../model/processes.js';
import type { Millis } from '../model/units.js';
import type { Thresholds } from './thresholds.js';

/** What a watch remembers of one listener, beyond the window that outputs show. */
export interface Past {
  /** How long its fill has been critical at every look. */
  readonly criticalMs: Millis;
  /** How long its queue has not been empty at any look, and whether accepts were seen meanwhile. */
  readonly busyMs: Millis;
  readonly accepts: boolean;
  /** Windows without a sign of accept() in a row. */
  readonly stalledWindows: number;
  /** Highest length of the last 15 s, how long ago, and how long the queue was at least half as long around it. */
  readonly recentPeak: { readonly length: number; readonly agoMs: Millis; readonly lastedMs: Millis };
  /** Times in the last 60 s that it was full or overflowed for a moment; 0 where it once was so for long. */
  readonly shortBursts: number;
}

/** Counters of the namespace in this window that matter to listeners. Absent: unknown. */
export interface DropCounters {
  readonly overflows?: number | undefined;
  readonly listenDrops?: number | undefined;
}

/** Everything that the judgement of one listener may use. */
export interface Facts {
  readonly listener: Listener;
  readonly window?: ListenerWindow | undefined;
  readonly past?: Past | undefined;
  /** Those of this listener's port. */
  readonly thresholds: Thresholds;
  /** One look alone: nothing can be waited for. */
  readonly oneLook: boolean;
  readonly sysctls?: Sysctls | undefined;
  readonly descriptors?: TableObservation['descriptors'] | undefined;
  readonly counters?: DropCounters | undefined;
  /** Its owners, where its queue is not empty; those that could be read. */
  readonly acceptors?: readonly AcceptorFacts[] | undefined;
  /** What they have accepted and hold. */
  readonly held?: HeldConnections | undefined;
}

/** What a rule says of a listener. */
export interface Draft {
  readonly severity: Severity;
  readonly message: string;
  readonly evidence: readonly Evidence[];
  readonly advice?: string;
  /** In place of the rule's own. */
  readonly verdict?: Verdict;
}

export interface RuleSpec {
  readonly rule: Rule;
  readonly verdict: Verdict;
  /** `undefined`: the rule has nothing to say. */
  readonly judge: (facts: Facts) => Draft | undefined;
}

/** Who waits: of a SO_REUSEPORT group only a member whose queue holds something can be meant. */
export function waitingOf({ acceptQueue, waiting, group }: Listener): Waiting | undefined {
  return waiting ?? (acceptQueue.length > 0 ? group?.waiting : undefined);
}

export const isFull = ({ acceptQueue: { length, backlog } }: Listener): boolean =>
  backlog !== undefined && length > backlog;

/** Few places: one connection more or less is a great share, so only full counts. */
export const isSmall = ({ listener, thresholds }: Facts): boolean =>
  (listener.acceptQueue.capacity ?? 0) < thresholds.smallCapacity;

export const isFilling = (facts: Facts): boolean =>
  !isSmall(facts) && (facts.listener.acceptQueue.fill ?? 0) >= facts.thresholds.warnFill;

export const hasWaitedLong = ({ listener, thresholds }: Facts): boolean =>
  (waitingOf(listener)?.oldestMs ?? 0) >= thresholds.oldestWaitMs;

/** Stopped for 2 s in several windows: one window may just hold no accept(). */
export const isStopped = ({ listener, window, past }: Facts): boolean =>
  listener.acceptQueue.length > 0 && (window?.stalledMs ?? 0) >= 2000 && (past?.stalledWindows ?? 0) >= 2;
