import { describe, expect, it } from 'vitest';
import type { ListenerWindow } from '../../src/model/listener.js';
import { millis, monotonicMillis } from '../../src/model/units.js';
import { type QueueSamples, samplesAt } from '../support/samples.js';
import { look } from '../support/table-builder.js';
import { alertTexts, eventTexts, findingTexts, Timeline } from './timeline.js';

const KEY = 'ns:7';
const counters = (overflows: number) => ({
  ListenOverflows: overflows,
  ListenDrops: overflows,
  PassiveOpens: 100,
});
/** `count` samples; `length` for `times` of them, from `at` on. */
const burst = (length: number, times: number, count = 100, at = 50): number[] =>
  Array.from({ length: count }, (_, sample) => (sample >= at && sample < at + times ? length : 0));
const queue = (lengths: readonly number[], rest: Partial<QueueSamples> = {}): QueueSamples => ({
  key: KEY,
  lengths,
  ...rest,
});

/** A look, samples, and a look that sees nothing of what was between. */
function between(samples: QueueSamples | readonly QueueSamples[], overflows = 0, drops = 0) {
  const line = new Timeline();
  line.queue(0, { length: 0, drops: 0 }, counters(0));
  line.take(samplesAt(995, samples, { looks: 100 }));
  const report = line.queue(1000, { length: 0, drops }, counters(overflows));
  return { line, report, window: report.listeners[0]?.window as ListenerWindow };
}

describe('a burst between two looks', () => {
  it('of 40 ms that fills the queue: peak, shares, times, and an alert', () => {
    const { report, window } = between(queue(burst(10, 4)));
    expect(window).toMatchObject({ peak: 10, peakAt: 1_700_000_000_505 });
    expect(window).not.toHaveProperty('isPeakLeast');
    expect(window.samples).toEqual({
      count: 100,
      rateHz: 100,
      longestGapMs: 10,
      peak: 10,
      mean: 0.4,
      busyShare: 0.04,
      warningShare: 0.04,
      criticalShare: 0.04,
      fullShare: 0.04,
      fullRuns: 1,
      longestFullMs: 30,
      histogram: [96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4],
    });
    expect(report.listeners[0]?.verdict).toBe('burst');
    expect(findingTexts(report)).toEqual(['warning accept_queue_full']);
    expect(report.listeners[0]?.findings[0]?.message).toBe(
      'accept queue was full for about 40 ms of the last 1.0 s (4% of the samples)',
    );
    expect(report.listeners[0]?.findings[0]?.evidence[0]?.text).toBe(
      'full in 4 of 100 samples, 10 ms apart (10 ms at most), for at least 30 ms',
    );
    expect(eventTexts(report)).toEqual(['raised accept_queue_full warning']);
  });

  it('that two samples saw full: in how many, and no time', () => {
    const { report } = between(queue(burst(10, 2)));
    expect(report.listeners[0]?.findings[0]?.message).toBe(
      'accept queue was full in 2 of 100 samples (10 ms apart) of the last 1.0 s',
    );
  });

  it('that one sample saw full has no length, not the length 0', () => {
    const { report, window } = between(queue(burst(10, 1)));
    expect(window.samples).not.toHaveProperty('longestFullMs');
    expect(report.listeners[0]?.findings[0]?.evidence[0]?.text).toBe(
      'full in 1 of 100 samples, 10 ms apart (10 ms at most)',
    );
  });

  it('between samples that were long apart: no time is made of a share', () => {
    const line = new Timeline();
    line.queue(0, { length: 0, drops: 0 }, counters(0));
    const batch = samplesAt(995, queue(burst(10, 3, 4, 0)), { looks: 4 });
    line.take({ ...batch, from: monotonicMillis(95), longestGapMs: millis(900) });
    const report = line.queue(1000, { length: 0, drops: 0 }, counters(0));
    expect(report.listeners[0]?.findings[0]?.message).toBe(
      'accept queue was full in 3 of 4 samples (300 ms apart) of the last 1.0 s',
    );
  });

  it('is in the history with its own time, and no trend', () => {
    const { window, line } = between(queue(burst(10, 4)));
    expect(window.history).toEqual([
      [1000, 0],
      [495, 10],
      [0, 0],
    ]);
    expect(window.timeToFullMs).toBeUndefined();
    line.take(samplesAt(1995, queue(burst(0, 0)), { looks: 100 }));
    const later = line.queue(2000, { length: 1 }, counters(0)).listeners[0]?.window;
    expect(later?.timeToFullMs).toBe(18_000);
  });

  it('that only nearly fills it is told as a burst, without an alert', () => {
    const { report } = between(queue(burst(8, 4)));
    expect(findingTexts(report)).toEqual(['info burst']);
    expect(report.listeners[0]?.findings[0]).toMatchObject({
      message: 'burst: 8 of 10 places taken 495 ms ago, 0 now',
      advice: expect.stringMatching(/^if clients were turned away, raise /),
    });
    expect(alertTexts(report)).toEqual([]);
  });

  it('that a single sample saw: the peak is at least that', () => {
    const { window } = between(queue(burst(6, 1)));
    expect(window).toMatchObject({ peak: 6, isPeakLeast: true });
    expect(between(queue(burst(10, 1))).window).not.toHaveProperty('isPeakLeast');
  });

  it('that no sample saw: its drops are attributed, its peak is a lower bound', () => {
    const { report, window } = between(queue(burst(0, 0), { drops: [3] }), 3, 3);
    expect(window).toMatchObject({ peak: 0, isPeakLeast: true, overflowsDelta: 3, droppedDelta: 3 });
    expect(findingTexts(report)).toEqual(['warning accept_queue_overflow']);
  });

  it('two of them are a backlog that is too small', () => {
    const two = burst(10, 2, 100, 20).map((length, at) => length || (burst(10, 2, 100, 70)[at] ?? 0));
    const { report, window } = between(queue(two));
    expect(window.samples).toMatchObject({ fullRuns: 2, fullShare: 0.04 });
    expect(findingTexts(report)).toContain('warning small_backlog');
  });

  it('at a queue of one place is no trouble by itself', () => {
    const line = new Timeline();
    const one = { length: 0, backlog: 0, drops: 0 };
    line.queue(0, one, counters(0));
    line.take(samplesAt(995, queue(burst(1, 2), { backlog: 0 }), { looks: 100 }));
    const report = line.queue(1000, one, counters(0));
    expect(findingTexts(report)).toContain('info accept_queue_full');
    expect(alertTexts(report)).toEqual([]);
  });

  it('at a Unix listener blocks its clients', () => {
    const line = new Timeline();
    const unix = (at: number) =>
      line.look(at, {
        rows: [
          { protocol: 'unix', state: 'listen', local: '/run/x.sock', queues: [0, 9], columns: { inode: 7 } },
        ],
      });
    unix(0);
    line.take(samplesAt(995, queue(burst(10, 2)), { looks: 100, family: 'unix' }));
    const report = unix(1000);
    expect(findingTexts(report)).toEqual(['warning unix_queue_full']);
    expect(report.listeners[0]?.findings[0]?.message).toContain('connect() blocked');
  });
});

describe('samples', () => {
  it('of a listener that was always empty are counted too', () => {
    const { window } = between([]);
    expect(window.samples).toMatchObject({ count: 100, peak: 0, busyShare: 0, fullShare: 0 });
    expect(window.samples?.histogram[0]).toBe(100);
  });

  it('of another kind or namespace say nothing of a listener', () => {
    const line = new Timeline();
    line.queue(0, { length: 0 }, counters(0));
    line.take(samplesAt(900, [], { looks: 100, family: 'unix' }));
    line.take(samplesAt(990, [], { looks: 100, netns: 'other' }));
    expect(line.queue(1000, { length: 0 }, counters(0)).listeners[0]?.window).not.toHaveProperty('samples');
  });

  it('of several batches before one look are one', () => {
    const line = new Timeline();
    line.queue(0, { length: 0 }, counters(0));
    line.take(samplesAt(495, queue(burst(4, 2, 50, 10))));
    line.take(samplesAt(995, queue(burst(10, 3, 50, 20))));
    const window = line.queue(1000, { length: 0 }, counters(0)).listeners[0]?.window;
    expect(window).toMatchObject({
      peak: 10,
      samples: { count: 100, mean: 0.38, fullShare: 0.03, peak: 10 },
    });
    expect(window?.samples?.histogram).toEqual([95, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 3]);
  });

  it('since the watch began are added up, and a window has its own', () => {
    const { line } = between(queue(burst(10, 4)));
    line.take(samplesAt(1995, [], { looks: 100 }));
    const window = line.queue(2000, { length: 0 }, counters(0)).listeners[0]?.window;
    expect(window?.samples).toMatchObject({ count: 100, fullShare: 0 });
    expect(window?.allSamples).toMatchObject({ count: 200, fullShare: 0.02, fullRuns: 1, peak: 10 });
    expect(window?.peak).toBe(10);
  });

  it('show that a listener is in use: the new connections of the namespace are then not those of another', () => {
    const at = (line: Timeline, ms: number, opens: number, samples: readonly QueueSamples[]) => {
      if (ms > 0) line.take(samplesAt(ms - 5, samples, { looks: 100 }));
      const queues = [{ length: ms > 0 ? 2 : 0 }, { length: 0, inode: 8, local: '0.0.0.0:80' }];
      return line.look(ms, { queues, counters: { ...counters(0), PassiveOpens: opens } });
    };
    const rates = (samples: readonly QueueSamples[]) => {
      const line = new Timeline();
      at(line, 0, 100, []);
      const { listeners } = at(line, 1000, 150, samples);
      return listeners.find(({ listener }) => listener.key === KEY)?.window;
    };
    expect(rates([])).toMatchObject({ arrivalsPerSecond: 50, rateBasis: 'passive_opens' });
    const busy = queue(burst(1, 4), { key: 'ns:8', port: 80 });
    expect(rates([busy])).toMatchObject({ arrivalsPerSecond: 2, rateBasis: 'lower_bound' });
    expect(rates([{ ...busy, key: 'ns:9', port: 81 }])).toMatchObject({ rateBasis: 'lower_bound' });
  });

  it('a queue that they saw empty is no slow acceptor', () => {
    const line = new Timeline();
    for (let at = 0; at <= 6; at++) {
      if (at > 0) line.take(samplesAt(at * 1000 - 5, queue(burst(8, 60)), { looks: 100 }));
      const report = line.queue(at * 1000, { length: 8 }, { ...counters(0), PassiveOpens: 100 + at * 50 });
      expect(findingTexts(report)).not.toContain('warning slow_acceptor');
    }
  });

  it('a queue that is full at every sample and look is full once, and no burst', () => {
    const line = new Timeline();
    for (let at = 0; at <= 4; at++) {
      if (at > 0) line.take(samplesAt(at * 1000 - 5, queue(burst(10, 100, 100, 0)), { looks: 100 }));
      const report = line.queue(at * 1000, { length: 10 }, counters(0));
      expect(findingTexts(report)).not.toContain('warning small_backlog');
      const said =
        report.listeners[0]?.findings.find(({ rule }) => rule === 'accept_queue_full')?.evidence ?? [];
      if (at > 0) expect(said.map(({ text }) => text).join()).toContain('full in 100 of 100 samples');
    }
  });
});

describe('overflows of which several listeners may be the cause', () => {
  const two = (atMs: number, line: Timeline, drops: readonly [number, number], overflows: number) =>
    line.look(atMs, {
      queues: [
        { length: 0, inode: 7, drops: drops[0] },
        { length: 0, inode: 8, drops: drops[1], local: '0.0.0.0:80' },
      ],
      counters: counters(overflows),
    });

  it('are those of the only one that samples saw full', () => {
    const line = new Timeline();
    two(0, line, [0, 0], 0);
    line.take(
      samplesAt(995, [
        queue(burst(10, 3), { drops: [4] }),
        { key: 'ns:8', lengths: burst(2, 3), drops: [1] },
      ]),
    );
    const report = two(1000, line, [4, 1], 4);
    const of = (inode: number) => report.listeners.find(({ listener }) => listener.inode === inode)?.window;
    expect(of(7)?.overflowsDelta).toBe(4);
    expect(of(8)?.overflowsDelta).toBe(0);
    expect(report.findings).toEqual([]);
  });

  it('are nobody’s where both were full', () => {
    const line = new Timeline();
    two(0, line, [0, 0], 0);
    line.take(
      samplesAt(995, [
        queue(burst(10, 3), { drops: [4] }),
        { key: 'ns:8', lengths: burst(10, 3), drops: [1] },
      ]),
    );
    const report = two(1000, line, [4, 1], 4);
    expect(report.findings.map(({ rule }) => rule)).toEqual(['accept_queue_overflow']);
    expect(report.findings[0]?.message).toContain('candidates');
  });
});

describe('a listener that lived between two looks', () => {
  const passing = (drops: number) => ({
    key: 'ns:99',
    lengths: burst(4, 5, 20, 2),
    backlog: 3,
    drops: [drops],
    port: 8080,
  });

  it('and was full is told by name, with an alert', () => {
    const { report } = between([queue(burst(0, 0)), passing(0)]);
    expect(report.findings).toMatchObject([
      {
        rule: 'accept_queue_full',
        severity: 'warning',
        subject: 'ns:99',
        message: 'accept queue of 0.0.0.0:8080, which is gone now, was full: 4 connections of backlog 3',
      },
    ]);
    expect(eventTexts(report)).toEqual(['raised accept_queue_full warning']);
  });

  it('and overflowed has its overflows', () => {
    const { report } = between([queue(burst(0, 0)), passing(2)], 2);
    expect(report.findings.map(({ rule, message }) => [rule, message])).toEqual([
      [
        'accept_queue_overflow',
        'accept queue of 0.0.0.0:8080, which is gone now, overflowed: 2 segments dropped',
      ],
      ['accept_queue_full', expect.stringContaining('was full')],
    ]);
  });

  it('and was never full is nothing', () => {
    const { report } = between([queue(burst(0, 0)), { key: 'ns:99', lengths: [0, 1, 0] }]);
    expect(report.findings).toEqual([]);
  });

  it('one that a look missed is none: it was there at all samples', () => {
    const line = new Timeline();
    line.queue(0, { length: 0 }, counters(0));
    line.take(samplesAt(995, queue(burst(10, 3)), { looks: 100 }));
    expect(line.take(look(1000, [], { counters: counters(0) })).findings).toEqual([]);
  });

  it('one that came between has dropped all its segments since', () => {
    const line = new Timeline();
    line.look(0, { counters: counters(0) });
    line.take(samplesAt(995, queue(burst(10, 5, 40, 10), { drops: [3] }), { looks: 100 }));
    const report = line.queue(1000, { length: 0, drops: 3 }, counters(3));
    expect(report.listeners[0]?.window).toMatchObject({
      droppedDelta: 3,
      overflowsDelta: 3,
      samples: { count: 40 },
    });
  });
});
