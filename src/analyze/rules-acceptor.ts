import type { SampleFacts } from '../model/listener.js';
import { acceptorEvidence } from './acceptors.js';
import { acceptFaster, raiseBacklog, wakeAcceptor } from './advice.js';
import { dropEvidence, evidence, queueEvidence, waitEvidence } from './evidence.js';
import { type Draft, type Facts, isFilling, isFull, isStopped } from './facts.js';
import { count, counted, duration } from './words.js';

const SLOW_FOR_MS = 3000;
const BURST_MS = 3000;

/** The head of the queue stays, and nothing leaves: the proof is in watch/acceptor. */
export function judgeStopped(facts: Facts): Draft | undefined {
  const { listener, window } = facts;
  const stalledMs = window?.stalledMs;
  if (stalledMs === undefined || !isStopped(facts)) return undefined;
  const { length } = listener.acceptQueue;
  return {
    severity: 'critical',
    message: `nothing was accepted for ${duration(stalledMs)}: ${counted(length, 'connection')} in the accept queue`,
    evidence: [
      evidence('window.stalled_ms', stalledMs, 'ms', `no sign of accept() for ${duration(stalledMs)}`),
      ...queueEvidence(listener),
      ...waitEvidence(listener),
      ...acceptorEvidence(facts.acceptors),
    ],
    advice: stoppedAdvice(facts),
  };
}

/** It accepts, and yet the queue never empties and its connections wait half of what would be critical. */
export function judgeSlow(facts: Facts): Draft | undefined {
  const { listener, past, thresholds } = facts;
  if (past === undefined || !past.accepts || past.busyMs < SLOW_FOR_MS || isStopped(facts)) return undefined;
  const oldest = listener.waiting?.oldestMs;
  const isSlow =
    oldest === undefined ? isFilling(facts) || isFull(listener) : oldest >= thresholds.oldestWaitMs / 2;
  if (!isSlow) return undefined;
  const wait = oldest === undefined ? '' : `, the oldest connection waits ${duration(oldest)}`;
  return {
    severity: 'warning',
    message: `slow acceptor: the accept queue was never seen empty for ${duration(past.busyMs)}${wait}`,
    evidence: [
      evidence('window.busy_ms', past.busyMs, 'ms', `not empty at any look for ${duration(past.busyMs)}`),
      ...acceptEvidence(facts),
      ...queueEvidence(listener),
      ...waitEvidence(listener),
      ...acceptorEvidence(facts.acceptors),
    ],
    advice: acceptFaster(facts),
  };
}

/** Only a process that is stopped is surely why. */
function stoppedAdvice(facts: Facts): string {
  const stopped = facts.acceptors?.find(({ now }) => now.state === 'T');
  if (stopped === undefined || facts.acceptors?.some(({ now }) => now.state !== 'T'))
    return wakeAcceptor(facts);
  const { name, pid } = stopped.owner;
  return `${name}/${pid} is stopped (state T): find out who stopped it, and let it go on (kill -CONT ${pid})`;
}

function acceptEvidence({ window }: Facts) {
  const rate = window?.acceptsPerSecond;
  if (rate === undefined) return [];
  const least = window?.rateBasis === 'lower_bound' ? 'at least ' : '';
  const text = `${least}${count(rate)} connections accepted per second (estimate)`;
  return [evidence('window.accepts_per_second', rate, 'connections per second', text)];
}

/** How bursts can be seen better than they are. */
const seeMore = (samples: SampleFacts | undefined): string =>
  samples === undefined
    ? 'look more often (--interval, or --sample-rate with netlink) to see how high bursts go'
    : `what is shorter than ${duration(samples.longestGapMs)} may have been higher`;

/** High for a moment, low now: worth knowing, for the next look may miss one altogether. */
export function judgeBurst(facts: Facts): Draft | undefined {
  const { listener, past, window, thresholds } = facts;
  const { fill, backlog, capacity, length } = listener.acceptQueue;
  if (past === undefined || fill === undefined || backlog === undefined || capacity === undefined)
    return undefined;
  const { recentPeak } = past;
  const wasHigh =
    capacity < thresholds.smallCapacity
      ? recentPeak.length > backlog
      : recentPeak.length / capacity >= thresholds.warnFill;
  if (!wasHigh || recentPeak.lastedMs > BURST_MS || fill >= thresholds.warnFill / 2) return undefined;
  // Samples saw it full: that says it, and more.
  const samples = window?.samples;
  if (samples !== undefined && samples.fullShare > 0) return undefined;
  const peak = `${count(recentPeak.length)} of ${counted(capacity, 'place')} taken ${duration(recentPeak.agoMs)} ago`;
  return {
    severity: 'info',
    message: `burst: ${peak}, ${count(length)} now`,
    evidence: [
      evidence('accept_queue.peak', recentPeak.length, 'connections', peak),
      ...queueEvidence(listener),
      ...dropEvidence(window),
    ],
    advice: `${seeMore(samples)}; if clients were turned away, ${raiseBacklog(facts)}`,
  };
}
