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

/** How often was looked since the look before: a burst that is shorter than the longest pause may have been higher. */
export const samplesEvidence = (samples: SampleFacts): Evidence =>
  evidence(
    'accept_queue.samples.count',
    samples.count,
    'samples',
    `${samplingText(samples)} since the last look`,
  );

const timesFull = ({ fullShare, count: samples }: SampleFacts): number => Math.round(fullShare * samples);

/** `full in 1 of 102 samples, 10 ms apart (14 ms at most)`. */
export const fullText = (samples: SampleFacts): string =>
  `full in ${count(timesFull(samples))} of ${samplingText(samples)}`;

/** In how many samples it was full; none where nobody sampled, or no sample saw it. */
export function fullEvidence(window: ListenerWindow | undefined): Evidence[] {
  const samples = window?.samples;
  if (samples === undefined || samples.fullShare === 0) return [];
  const { longestFullMs } = samples;
  const longest = longestFullMs === undefined ? '' : `, for at least ${duration(longestFullMs)}`;
  const text = `${fullText(samples)}${longest}`;
  return [evidence('accept_queue.samples.full_share', samples.fullShare, 'ratio', text)];
}

/** A queue of one or two places is full with every connection that comes: alone that is no trouble. */
const severityOf = (facts: Facts): Severity =>
  isSmall(facts) && (facts.window?.droppedDelta ?? 0) === 0 ? 'info' : 'warning';

/** Fewer than these say nothing of a time: each may stand for a moment. */
const LEAST_FULL_SAMPLES = 3;

/** For how long, where the samples are close enough to tell; else in how many of them. */
function fullTime(samples: SampleFacts, { windowMs }: ListenerWindow): string {
  const { fullShare, longestGapMs, count: all, rateHz } = samples;
  const fullMs = fullShare * windowMs;
  if (timesFull(samples) >= LEAST_FULL_SAMPLES && longestGapMs < fullMs)
    return `for about ${duration(fullMs)} of the last ${duration(windowMs)} (${percent(fullShare)} of the samples)`;
  const apart = rateHz > 0 ? ` (${duration(1000 / rateHz)} apart)` : '';
  return `in ${count(timesFull(samples))} of ${counted(all, 'sample')}${apart} of the last ${duration(windowMs)}`;
}

/** Full between two looks, and not any more: the looks would never have seen it. */
export function judgeSampledFull(facts: Facts): Draft | undefined {
  const { listener, window } = facts;
  const { samples } = window ?? {};
  if (window === undefined || samples === undefined || samples.fullShare === 0 || isFull(listener))
    return undefined;
  const blocks = listener.protocol === 'unix' ? '; connect() blocked, or failed with EAGAIN' : '';
  return {
    severity: severityOf(facts),
    message: `accept queue was full ${fullTime(samples, window)}${blocks}`,
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
