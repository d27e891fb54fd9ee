import { counted } from '../../analyze/words.js';
import { isPeakMissed, type ListenerWindow, type SampleFacts } from '../../model/listener.js';
import { formatCount, formatDuration } from '../../render/text.js';
import type { Glyphs } from '../glyphs.js';
import { type Line, line, span } from '../spans.js';
import { fact, formatRate } from './format.js';
import { sparkline } from './series.js';

/** What was seen between the looks: in the last window, and since the watch began. Nothing where nobody sampled. */
export function sampleLines(window: ListenerWindow, glyphs: Glyphs): Line[] {
  const { samples, allSamples, windowMs } = window;
  if (samples === undefined) return [];
  return [
    fact('sampled', [
      span(`${formatRate(samples.rateHz)}/s, ${formatDuration(samples.longestGapMs)} apart at most`),
      span('  what is shorter may be missed', 'dim'),
    ]),
    fact(
      `last ${formatDuration(windowMs)}`,
      line(stretchText(samples, window, glyphs), wasFull(samples, window) ? 'alarm' : 'text'),
    ),
    ...(allSamples === undefined ? [] : allLines(allSamples, glyphs)),
  ];
}

const wasFull = ({ fullShare }: SampleFacts, { overflowsDelta }: ListenerWindow): boolean =>
  fullShare > 0 || (overflowsDelta ?? 0) > 0;

function stretchText(samples: SampleFacts, window: ListenerWindow, { atLeast }: Glyphs): string {
  const { peak, mean, fullShare, fullRuns, longestFullMs } = samples;
  const least = isPeakMissed(window) ? atLeast : '';
  const highest = `peak ${least}${formatCount(peak)}, mean ${formatRate(mean)}`;
  // An overflow needs a full queue (KERNEL.md 2): it was full between two samples.
  if (isPeakMissed(window))
    return `${highest}, full at least once (${counted(window.overflowsDelta ?? 0, 'overflow')}), seen by no sample`;
  if (fullShare === 0) return `${highest}, full in no sample`;
  const times = fullRuns > 1 ? ` ${formatCount(fullRuns)} times` : '';
  const longest = longestFullMs === undefined ? '' : `, for at least ${formatDuration(longestFullMs)}`;
  return `${highest}, full${times} in ${shareText(fullShare)} of the samples${longest}`;
}

function allLines(all: SampleFacts, glyphs: Glyphs): Line[] {
  const [empty = 0, ...filled] = all.histogram;
  const most = Math.max(1, ...filled);
  const shares = [
    `warning ${shareText(all.warningShare)}`,
    `critical ${shareText(all.criticalShare)}`,
    `full ${shareText(all.fullShare)}`,
  ];
  return [
    fact('time at limits', [
      span(shares.join(', '), all.fullShare > 0 ? 'warning' : 'text'),
      span(`  of ${formatCount(all.count)} samples`, 'dim'),
    ]),
    fact('fill', [
      span(`empty ${shareText(empty / all.count)}  `),
      span('1% ', 'dim'),
      span(sparkline(filled, most, glyphs), 'fill'),
      span(' full', 'dim'),
    ]),
  ];
}

/** `0%`, `0.02%`, `12%`: a small share is not nothing. */
export function shareText(share: number): string {
  const percent = share * 100;
  if (percent === 0 || percent >= 9.95) return `${Math.floor(percent + 1e-9)}%`;
  return percent < 0.01 ? '<0.01%' : `${Number(percent.toPrecision(2))}%`;
}
