import type { Severity } from '../model/findings.js';
import { findLimit, longerOrFaster, raiseBacklog, raiseFdLimit } from './advice.js';
import { dropEvidence, evidence, lastingEvidence, queueEvidence, waitEvidence } from './evidence.js';
import { type Draft, type Facts, hasWaitedLong, isFilling, isFull, waitingOf } from './facts.js';
import { fullEvidence, judgeSampledFull } from './rules-samples.js';
import { count, counted, duration, percent } from './words.js';

/** Descriptors that a process may have left and still be unable to accept: some keep one or two in reserve. */
const FEW_DESCRIPTORS = 2;

/** Critical at 90 % for 1 s (one look alone does not wait), or when a connection has waited 1 s (issue 2, 5.1). */
function queueSeverity(facts: Facts): Severity {
  const { listener, thresholds, past, oneLook } = facts;
  const atLimit = (listener.acceptQueue.fill ?? 0) >= thresholds.criticalFill;
  const lasts = oneLook || (past?.criticalMs ?? 0) >= thresholds.criticalForMs;
  return (atLimit && lasts) || hasWaitedLong(facts) ? 'critical' : 'warning';
}

const queueFacts = (facts: Facts) => [
  ...queueEvidence(facts.listener),
  ...waitEvidence(facts.listener),
  ...lastingEvidence(facts),
  ...fullEvidence(facts.window),
];

export function judgeFilling(facts: Facts): Draft | undefined {
  const { length, capacity, fill } = facts.listener.acceptQueue;
  if (fill === undefined || isFull(facts.listener) || !isFilling(facts)) return undefined;
  return {
    severity: queueSeverity(facts),
    message: `accept queue at ${percent(fill)}: ${count(length)} of ${counted(capacity ?? 0, 'place')} taken`,
    evidence: [...queueFacts(facts), ...fillTime(facts)],
    advice: longerOrFaster(facts),
  };
}

function fillTime({ window }: Facts) {
  const ms = window?.timeToFullMs;
  if (ms === undefined) return [];
  return [evidence('window.time_to_full_ms', ms, 'ms', `full in about ${duration(ms)} at the present rate`)];
}

export function judgeFull(facts: Facts): Draft | undefined {
  const { listener } = facts;
  const { length, backlog } = listener.acceptQueue;
  if (listener.protocol === 'unix' || backlog === undefined) return undefined;
  if (!isFull(listener)) return judgeSampledFull(facts);
  return {
    severity: queueSeverity(facts),
    message: `accept queue full: ${counted(length, 'connection')} of backlog ${count(backlog)}`,
    evidence: [...queueFacts(facts), ...dropEvidence(facts.window)],
    advice: longerOrFaster(facts),
  };
}

/** A full Unix listener drops nothing and counts nothing: its clients block in connect() (KERNEL.md 5). */
export function judgeUnixFull(facts: Facts): Draft | undefined {
  const { listener } = facts;
  const { length, backlog } = listener.acceptQueue;
  if (listener.protocol !== 'unix' || backlog === undefined) return undefined;
  if (!isFull(listener)) return judgeSampledFull(facts);
  return {
    severity: queueSeverity(facts),
    message: `accept queue full: ${counted(length, 'connection')} of backlog ${count(backlog)}; connect() blocks, or fails with EAGAIN`,
    evidence: queueFacts(facts),
    advice: longerOrFaster(facts),
  };
}

export function judgeOverflow({ window, ...facts }: Facts): Draft | undefined {
  const recent = window?.recentOverflows.filter(Boolean).length ?? 0;
  const now = window?.overflowsDelta ?? 0;
  if (window === undefined || (now === 0 && recent < 2)) return undefined;
  const times =
    now > 0
      ? `accept queue overflowed since the last look: ${counted(now, 'segment')} dropped in ${duration(window.windowMs)}`
      : `accept queue overflowed in ${recent} of the last 3 looks`;
  return {
    severity: recent >= 2 ? 'critical' : 'warning',
    message: times,
    evidence: [
      ...overflowEvidence(now, recent),
      ...dropEvidence(window),
      ...fullEvidence(window),
      ...queueEvidence(facts.listener),
      ...waitEvidence(facts.listener),
    ],
    advice: longerOrFaster(facts),
  };
}

function overflowEvidence(now: number, recent: number) {
  const rose = `ListenOverflows of the namespace rose by ${count(now)}, and only this listener dropped segments`;
  const windows = `overflows in ${recent} of the last 3 windows`;
  return [
    ...(now === 0 ? [] : [evidence('ListenOverflows', now, 'segments', rose)]),
    evidence('window.recent_overflows', recent, 'windows', windows),
  ];
}

export function judgeOldestWait(facts: Facts): Draft | undefined {
  const { listener } = facts;
  const oldest = waitingOf(listener)?.oldestMs;
  // Where the queue is filling or full, that says it, and is critical because of the wait.
  if (oldest === undefined || !hasWaitedLong(facts) || isFilling(facts) || isFull(listener)) return undefined;
  return {
    severity: 'critical',
    message: `a connection has waited ${duration(oldest)} for accept()`,
    evidence: [...waitEvidence(listener), ...queueEvidence(listener)],
    advice: longerOrFaster(facts),
  };
}

/** accept() takes a descriptor before it takes a connection: at the limit the queue is not drained (KERNEL.md 1). */
export function judgeFdLimit({ listener, descriptors }: Facts): Draft | undefined {
  if (listener.acceptQueue.length === 0) return undefined;
  for (const { pid, name } of listener.owners ?? []) {
    const files = descriptors?.get(pid);
    if (files === undefined || files.open + FEW_DESCRIPTORS < files.limit) continue;
    const text = `${name}/${pid} has ${count(files.open)} of ${count(files.limit)} descriptors open`;
    return {
      severity: 'critical',
      message: `${text}, and ${counted(listener.acceptQueue.length, 'connection')} in the accept queue`,
      evidence: [
        evidence('descriptors.open', files.open, 'descriptors', text),
        ...queueEvidence(listener),
        ...waitEvidence(listener),
      ],
      advice: raiseFdLimit(`${name}/${pid}`),
    };
  }
  return undefined;
}

export function judgeUnknownLimit({ listener }: Facts): Draft | undefined {
  if (listener.acceptQueue.backlog !== undefined) return undefined;
  return {
    severity: 'info',
    message: 'the limit of the accept queue is not known: the source does not show it',
    evidence: queueEvidence(listener),
    advice: findLimit,
  };
}

/** Emptied fast, and yet too short: the only case where a longer queue is all that is needed. */
export function judgeSmallBacklog(facts: Facts): Draft | undefined {
  const { past, listener, thresholds } = facts;
  const times = past?.shortBursts ?? 0;
  const oldest = waitingOf(listener)?.oldestMs ?? 0;
  const isCalm = !isFull(listener) && !isFilling(facts) && oldest < thresholds.oldestWaitMs / 5;
  if (times < 2 || !isCalm) return undefined;
  return {
    severity: 'warning',
    message: `backlog too small for its bursts: full or overflowing ${times} times in the last 60 s, and emptied at once`,
    evidence: [
      evidence('window.bursts', times, 'times', `full or overflowing ${times} times for less than 2 s each`),
      ...queueEvidence(listener),
    ],
    advice: raiseBacklog(facts),
  };
}
