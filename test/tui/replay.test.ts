import { describe, expect, it } from 'vitest';
import type { ReplayControl } from '../../src/model/replay.js';
import type { Report } from '../../src/model/report.js';
import { actionOf } from '../../src/tui/keys.js';
import { replayEffect } from '../../src/tui/replay-keys.js';
import { NOW, sampleReport } from './sample-reports.js';
import { after, pictureOf, press, shownUi } from './ui.js';

const START = NOW - 90_000;

/** A report at a time of a recording that goes from START for an hour. */
function at(time: number, rest: { sought?: boolean; ended?: boolean; speed?: number } = {}): Report {
  const report = sampleReport();
  const replay = {
    name: 'web.ndjson.gz',
    start: START,
    end: START + 3_600_000,
    speed: 1,
    sought: false,
    ended: false,
    ...rest,
  };
  return {
    ...report,
    origin: { ...report.origin, time, host: 'web-07' } as Report['origin'],
    pace: { ...report.pace, replay },
  };
}

const titleOf = (state: Parameters<typeof pictureOf>[0]) => pictureOf(state).split('\n')[0];

describe('a recording on the screen', () => {
  it('says so, with its place, its speed, its clock and its host', () => {
    const title = titleOf(shownUi({ report: at(NOW, { speed: 4 }) }));
    expect(title).toContain('web-07   REPLAY web.ndjson.gz 00:01:30/01:00:00 x4');
    expect(titleOf(shownUi({ report: at(NOW, { ended: true }) }))).toContain('x1 END');
    expect(titleOf(shownUi({ columns: 80, rows: 24, report: at(NOW) }))).toContain('REPLAY');
  });

  it('has a clock of its own: the one of the wall moves nothing', () => {
    const state = after(shownUi({ report: at(NOW) }), { type: 'tick', now: NOW + 1e9 });
    expect(state.now).toBe(NOW);
    expect(after(state, { type: 'report', report: at(NOW - 5000) }).now).toBe(NOW - 5000);
  });

  it('paused it stands still, but what is sought is shown, and nothing of before with it', () => {
    const paused = press(shownUi({ report: at(NOW) }), 'space');
    const waiting = after(paused, { type: 'report', report: at(NOW + 1000) });
    expect(waiting.report?.origin.time).toBe(NOW);
    const sought = after(waiting, { type: 'report', report: at(START + 5000, { sought: true }) });
    expect(sought.report?.origin.time).toBe(START + 5000);
    expect(sought.pending).toBeUndefined();
    expect(sought.rates).toHaveLength(1);
    expect(titleOf(sought)).toContain('00:00:05/01:00:00 x1 PAUSED');
  });

  it('a new speed is told at once', () => {
    expect(titleOf(after(shownUi({ report: at(NOW) }), { type: 'speed', speed: 8 }))).toContain('x8');
  });

  it('its keys move in it, and mean nothing elsewhere', () => {
    const control: ReplayControl = { speed: 1, paused: false };
    const replaying = shownUi({ report: at(NOW) });
    const jumpOf = (key: string) => {
      control.jump = undefined;
      const action = actionOf(key, true);
      if (action !== undefined) replayEffect(control, action, replaying)?.();
      return control.jump;
    };
    expect(['left', 'right', '[', ']', 'home', 'end', 'n', 'N', 'j'].map(jumpOf)).toEqual([
      { to: 'offset', ms: -10_000 },
      { to: 'offset', ms: 10_000 },
      { to: 'offset', ms: -60_000 },
      { to: 'offset', ms: 60_000 },
      { to: 'time', time: START },
      { to: 'time', time: START + 3_600_000 },
      { to: 'next-alert' },
      { to: 'previous-alert' },
      undefined,
    ]);
    jumpOf('+');
    expect(control.speed).toBe(2);
    for (let count = 0; count < 10; count++) jumpOf('-');
    expect(control.speed).toBe(0.25);
    expect(replayEffect(control, 'seek-back', shownUi())).toBeUndefined();
  });

  it('the key bar offers them only here', () => {
    const barOf = (report?: Report) =>
      pictureOf(shownUi(report === undefined ? {} : { report }))
        .trimEnd()
        .split('\n')
        .at(-1);
    expect(barOf(at(NOW))).toContain('Left/Right Seek');
    expect(barOf()).not.toContain('Seek');
  });
});
