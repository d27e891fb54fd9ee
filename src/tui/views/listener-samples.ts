import type { ListenerWindow, SampleFacts } from '../../model/listener.js';
import { formatCount, formatDuration } from '../../render/text.js';
import type { Glyphs } from '../glyphs.js';
import { type Line, line, span } from '../spans.js';
import { fact, formatRate } from './format.js';
import { sparkline } from './series.js';

/** What was seen between the looks: in the last window, and since the watch began. Nothing where nobody sampled. */
export function sampleLines({ samples, allSamples, windowMs }: ListenerWindow, glyphs: Glyphs): Line[] {
  if (samples === undefined) return [];
  return [
    fact('sampled', [
      span(`${formatRate(samples.rateHz)}/s, ${formatDuration(samples.longestGapMs)} apart at most`),
      span('  what is shorter may be missed', 'dim'),
    ]),
    fact(
      `last ${formatDuration(windowMs)}`,
      line(stretchText(samples), samples.fullShare > 0 ? 'alarm' : 'text'),
    ),
    ...(allSamples === undefined ? [] : allLines(allSamples, glyphs)),
  ];
}

function stretchText({ peak, mean, fullShare, fullRuns, longestFullMs }: SampleFacts): string {
  const highest = `peak ${formatCount(peak)}, mean ${formatRate(mean)}`;
  if (fullShare === 0) return `${highest}, never full`;
  const times = fullRuns > 1 ? ` ${formatCount(fullRuns)} times` : '';
  const longest = longestFullMs > 0 ? `, for ${formatDuration(longestFullMs)} at most` : '';
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
