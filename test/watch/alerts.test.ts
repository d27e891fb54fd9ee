import { describe, expect, it } from 'vitest';
import { alertTexts, eventTexts, Timeline } from './timeline.js';

/** A look each second with these lengths; gives `seconds: event` for each event that says how full the queue is. */
function play(lengths: readonly number[], line = new Timeline()): string[] {
  return lengths.flatMap((length, second) =>
    eventTexts(line.queue(second * 1000, { length }))
      .filter((event) => event.includes('accept_queue'))
      .map((event) => `${second}: ${event}`),
  );
}

describe('an alert about a level', () => {
  it('is raised at once and cleared after 5 quiet seconds', () => {
    expect(play([0, 8, 2, 2, 2, 2, 2, 2])).toEqual([
      '1: raised accept_queue_filling warning',
      '6: cleared accept_queue_filling warning',
    ]);
  });

  it('does not flap around its threshold: it holds until 10 points below', () => {
    expect(play([7, 6, 7, 6, 6, 6, 6, 6, 6, 6, 6, 6, 7])).toEqual(['0: raised accept_queue_filling warning']);
  });

  it('does not flap when trouble comes back before it is cleared', () => {
    expect(play([8, 0, 0, 8, 0, 0, 8, 0, 0, 0, 8])).toEqual(['0: raised accept_queue_filling warning']);
  });

  it('becomes critical once that lasts, and milder only after 5 s', () => {
    expect(play([9, 9, 8, 8, 9, 8, 8, 8, 8, 8, 8])).toEqual([
      '0: raised accept_queue_filling warning',
      '1: changed accept_queue_filling critical',
      '6: changed accept_queue_filling warning',
    ]);
  });

  it('is kept for three looks where looks are rare', () => {
    const line = new Timeline();
    const events = [8, 0, 0, 0].flatMap((length, look) => eventTexts(line.queue(look * 60_000, { length })));
    expect(events).toEqual(['raised accept_queue_filling warning', 'cleared accept_queue_filling warning']);
  });

  it('tells when it was raised and how long it lasted, with the evidence of the last time', () => {
    const line = new Timeline();
    line.queue(0, { length: 7 });
    line.queue(1000, { length: 8 });
    for (let ms = 2000; ms < 6000; ms += 1000) expect(eventTexts(line.queue(ms, { length: 0 }))).toEqual([]);
    const [event] = line.queue(6000, { length: 0 }).events;
    expect(event).toMatchObject({
      phase: 'cleared',
      time: 1_700_000_006_000,
      lastedMs: 6000,
      alert: {
        id: 'accept_queue_filling ns:7',
        subjectText: '0.0.0.0:443',
        raisedAt: 1_700_000_000_000,
        changedAt: 1_700_000_000_000,
        finding: { message: 'accept queue at 80%: 8 of 10 places taken' },
      },
    });
    expect(event?.alert.finding.evidence[0]).toMatchObject({ metric: 'accept_queue.length', value: 8 });
  });
});

describe('filling and full', () => {
  it('are one alert in the list while both are open, and each is cleared', () => {
    const line = new Timeline();
    line.queue(0, { length: 8 });
    expect(alertTexts(line.queue(1000, { length: 10 }))).toEqual(['warning accept_queue_full']);
    expect(alertTexts(line.queue(2000, { length: 10 }))).toEqual(['critical accept_queue_full']);
    const cleared = [3000, 4000, 5000, 6000, 7000].flatMap((ms) => eventTexts(line.queue(ms, { length: 0 })));
    expect(cleared.sort()).toEqual([
      'cleared accept_queue_filling warning',
      'cleared accept_queue_full critical',
    ]);
  });

  it('filling is not raised on the way down', () => {
    expect(play([10, 8, 8, 8, 0, 0, 0, 0, 0, 0])).toEqual([
      '0: raised accept_queue_full warning',
      '5: cleared accept_queue_full warning',
    ]);
  });
});

describe('an alert about an event', () => {
  it('keeps a burst that one look saw, though the queue is empty at every look', () => {
    const line = new Timeline();
    const at = (ms: number, overflows: number) =>
      eventTexts(
        line.queue(
          ms,
          { length: 0, drops: overflows },
          { ListenOverflows: overflows, ListenDrops: overflows },
        ),
      ).map((event) => `${ms}: ${event}`);
    const overflows = [0, 4, 4, 4, 4, 4, 4, 4];
    expect(overflows.flatMap((count, second) => at(second * 1000, count))).toEqual([
      '1000: raised accept_queue_overflow warning',
      '6000: cleared accept_queue_overflow warning',
    ]);
  });

  it('is critical with overflows in two of the last three windows', () => {
    const line = new Timeline();
    const events = [0, 4, 4, 5, 5, 5].flatMap((overflows, second) =>
      eventTexts(
        line.queue(
          second * 1000,
          { length: 0, drops: overflows },
          { ListenOverflows: overflows, ListenDrops: overflows },
        ),
      ).map((event) => `${second}: ${event}`),
    );
    expect(events).toEqual([
      '1: raised accept_queue_overflow warning',
      '3: changed accept_queue_overflow critical',
      '3: raised small_backlog warning',
    ]);
  });
});

describe('a listener that is gone', () => {
  it('clears its alerts at the second look without it', () => {
    const line = new Timeline();
    line.queue(0, { length: 10 });
    expect(eventTexts(line.look(500, {}))).toEqual([]);
    expect(eventTexts(line.look(1000, {}))).toEqual(['cleared accept_queue_full warning']);
    expect(line.look(1500, {}).alerts).toEqual([]);
  });

  it('and is missed by one look only keeps them', () => {
    const line = new Timeline();
    line.queue(0, { length: 10 });
    line.look(500, {});
    expect(eventTexts(line.queue(1000, { length: 10 }))).toEqual(['changed accept_queue_full critical']);
  });

  it('is another one with another inode, at the same address', () => {
    const line = new Timeline();
    line.queue(0, { length: 10 });
    const restarted = line.queue(1000, { length: 10, inode: 8 });
    expect(eventTexts(restarted)).toEqual(['raised accept_queue_full warning']);
    expect(eventTexts(line.queue(2000, { length: 0, inode: 8 }))).toEqual([
      'cleared accept_queue_full warning',
    ]);
  });
});

it('notes raise no alert', () => {
  const line = new Timeline();
  const report = line.look(0, {
    rows: [
      { state: 'listen', local: '*:80', queues: [3, 0], flags: ['limitUnknown'], columns: { inode: 3 } },
    ],
  });
  expect(report.listeners[0]?.verdict).toBe('unknown_limit');
  expect(report.events).toEqual([]);
});

it('one look alone raises none', () => {
  const line = new Timeline({ oneLook: true });
  const report = line.queue(0, { length: 10 });
  expect(report.listeners[0]?.findings[0]?.severity).toBe('critical');
  expect([report.alerts, report.events]).toEqual([[], []]);
});
