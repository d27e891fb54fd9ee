import type { Evidence, Severity } from '../model/findings.js';
import type { ListenerWindow, SampleFacts } from '../model/listener.js';
import { longerOrFaster } from './advice.js';
import { dropEvidence, evidence, queueEvidence } from './evidence.js';
import { type Draft, type Facts, isFull, isSmall } from './facts.js';
import { count, counted, duration, percent } from './words.js';

/** `100 samples, 10 ms apart (14 ms at most)`: what was shorter may have been missed (KERNEL.md 11). */
export function samplingText({ count: samples, rateHz, longestGapMs }: SampleFacts): string {
  const apart = rateHz > 0 ? `, ${duration(1000 / rateHz)} apart (${duration(longestGapMs)} at most)` : '';
  return `${counted(samples, 'sample')}${apart}`;
}

/** `5 connections`, or `at least 5 connections` where it may have been more for a moment. */
export const peakText = ({ peak, isPeakLeast }: ListenerWindow): string =>
  `${isPeakLeast === true ? 'at least ' : ''}${counted(peak, 'connection')}`;

/** In how many samples it was full; none where nobody sampled, or no sample saw it. */
export function fullEvidence(window: ListenerWindow | undefined): Evidence[] {
  const samples = window?.samples;
  if (samples === undefined || samples.fullShare === 0) return [];
  const times = count(samples.fullShare * samples.count);
  const longest = samples.longestFullMs > 0 ? `, for ${duration(samples.longestFullMs)} at most` : '';
  const text = `full in ${times} of ${samplingText(samples)}${longest}`;
  return [evidence('accept_queue.samples.full_share', samples.fullShare, 'ratio', text)];
}

/** A queue of one or two places is full with every connection that comes: alone that is no trouble. */
const severityOf = (facts: Facts): Severity =>
  isSmall(facts) && (facts.window?.droppedDelta ?? 0) === 0 ? 'info' : 'warning';

/** Full between two looks, and not any more: the looks would never have seen it. */
export function judgeSampledFull(facts: Facts): Draft | undefined {
  const { listener, window } = facts;
  const { samples } = window ?? {};
  if (window === undefined || samples === undefined || samples.fullShare === 0 || isFull(listener))
    return undefined;
  const share = samples.fullShare * window.windowMs;
  const blocks = listener.protocol === 'unix' ? '; connect() blocked, or failed with EAGAIN' : '';
  return {
    severity: severityOf(facts),
    message: `accept queue was full for about ${duration(share)} of the last ${duration(window.windowMs)} (${percent(samples.fullShare)} of the samples)${blocks}`,
    evidence: [
      ...fullEvidence(window),
      evidence(
        'accept_queue.samples.peak',
        samples.peak,
        'connections',
        `${counted(samples.peak, 'connection')} at the highest`,
      ),
      ...queueEvidence(listener),
      ...dropEvidence(window),
    ],
    advice: longerOrFaster(facts),
    verdict: 'burst',
  };
}
