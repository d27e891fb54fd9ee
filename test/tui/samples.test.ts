import { describe, expect, it } from 'vitest';
import type { SampleFacts } from '../../src/model/listener.js';
import { connections, millis, ratio } from '../../src/model/units.js';
import { GLYPHS } from '../../src/tui/glyphs.js';
import { lineText } from '../../src/tui/spans.js';
import { gauge, recentFill } from '../../src/tui/views/gauge.js';
import { listenerDetail } from '../../src/tui/views/listener-detail.js';
import { shareText } from '../../src/tui/views/listener-samples.js';
import { listenerReport } from './sample-reports.js';
import { pictureOf, shownUi } from './ui.js';

const SAMPLES: SampleFacts = {
  count: 100,
  rateHz: 99.6,
  longestGapMs: millis(14),
  peak: connections(5),
  mean: 0.2,
  busyShare: ratio(0.04),
  warningShare: ratio(0.04),
  criticalShare: ratio(0.04),
  fullShare: ratio(0.04),
  fullRuns: 2,
  longestFullMs: millis(30),
  histogram: [96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4],
};
const ALL = {
  ...SAMPLES,
  count: 40_000,
  fullShare: ratio(0.0004),
  histogram: [39_000, 500, 250, 0, 0, 0, 0, 0, 0, 0, 234, 16],
};

function reportWith(samples: SampleFacts | undefined, more = {}) {
  const report = listenerReport(
    { local: '0.0.0.0:443', length: 0, backlog: 4, history: [0, 5, 0] } as never,
    0,
  );
  if (report.window === undefined) throw new Error('no window');
  const window = { ...report.window, ...(samples && { samples, allSamples: ALL }), ...more };
  return { ...report, window };
}
const detail = (report: ReturnType<typeof reportWith>, glyphs = GLYPHS.unicode) =>
  listenerDetail(report, 120, glyphs).map(lineText).join('\n');

describe('the details of a listener that was sampled', () => {
  it('peak, shares and the histogram of fill', () => {
    const text = detail(reportWith(SAMPLES, { isPeakLeast: true }));
    expect(text).toContain('100/s, 14 ms apart at most  what is shorter may be missed');
    expect(text).toContain('peak 5, mean 0.2, full 2 times in 4% of the samples, for at least 30 ms');
    expect(text).toContain('warning 4%, critical 4%, full 0.04%  of 40,000 samples');
    expect(text).toContain('empty 97%  1% █▅▁▁▁▁▁▁▁▄▂ full');
    expect(text).toMatch(/peak ≥\d/);
    expect(detail(reportWith(SAMPLES), GLYPHS.ascii)).toContain('1% #');
  });

  it('nothing of it without samples', () => {
    expect(detail(reportWith(undefined))).not.toMatch(/sampled|time at limits/);
  });

  it('seen full by one sample at a time: for how long is not said', () => {
    const { longestFullMs: _, ...brief } = SAMPLES;
    expect(detail(reportWith(brief))).toMatch(/full 2 times in 4% of the samples$/m);
  });

  it('seen full by no sample, which is not never', () => {
    const text = detail(reportWith({ ...SAMPLES, fullShare: ratio(0) }));
    expect(text).toMatch(/peak 5, mean 0.2, full in no sample$/m);
  });

  it('overflowed, and seen full by no sample', () => {
    const unseen = { ...SAMPLES, peak: connections(2), fullShare: ratio(0) };
    expect(detail(reportWith(unseen, { overflowsDelta: 13 }))).toContain(
      'peak ≥2, mean 0.2, full at least once (13 overflows), seen by no sample',
    );
    expect(detail(reportWith(SAMPLES, { overflowsDelta: 13 }))).toContain('peak 5, mean 0.2, full 2 times');
  });
});

it.each([
  [0, '0%'],
  [0.5, '50%'],
  [0.0123, '1.2%'],
  [0.00005, '<0.01%'],
  [1, '100%'],
])('a share of %s is %s', (share, text) => {
  expect(shareText(share)).toBe(text);
});

describe('the mark of a peak', () => {
  const bar = (fill: number, peak: number, glyphs = GLYPHS.unicode) =>
    lineText(gauge(fill, undefined, 17, glyphs, peak));
  it.each([
    [0, 0, '[░░░░░░░░░░]   0%'],
    [0, 1, '[░░░░░░░░░▌]   0%'],
    [0.2, 0.5, '[██░░▌░░░░░]  20%'],
    [0.5, 0.5, '[█████░░░░░]  50%'],
    [0.5, 0.2, '[█████░░░░░]  50%'],
    [1, 1, '[██████████] 100%'],
    [0.1, 1.4, '[█░░░░░░░░▌]  10%'],
  ])('fill %s, peak %s: %s', (fill, peak, text) => {
    expect(bar(fill, peak)).toBe(text);
  });

  it('has a character in ASCII too', () => {
    expect(bar(0.2, 0.5, GLYPHS.ascii)).toBe('[##--|-----]  20%');
  });

  it('stays for ten seconds', () => {
    const report = reportWith(undefined, {
      history: [
        [11_000, 5],
        [9000, 2],
        [0, 0],
      ],
    });
    expect(recentFill(report)).toBeCloseTo(2 / 5);
  });
});

it('a peak in the list that may have been higher says so', () => {
  const ui = shownUi({ columns: 160 });
  const [first, ...others] = ui.report?.listeners ?? [];
  if (first?.window === undefined || ui.report === undefined) throw new Error('no listener');
  const least = { ...first, window: { ...first.window, peak: connections(7), isPeakLeast: true as const } };
  expect(
    pictureOf(shownUi({ columns: 160, report: { ...ui.report, listeners: [least, ...others] } })),
  ).toContain('≥7');
});
