import { describe, expect, it } from 'vitest';
import type { Closer } from '../../src/model/closed.js';
import type { Report } from '../../src/model/report.js';
import { sampleClosed } from './sample-closed.js';
import { sampleReport } from './sample-reports.js';
import { after, pictureOf, press, shownUi } from './ui.js';

/** A report in which the first group was closed by these. */
function closedBy(closers: Partial<Record<Closer, number>>): Report {
  const closed = sampleClosed();
  const [first, ...others] = closed.groups;
  if (first === undefined) throw new Error('no group');
  const groups = [{ ...first, recent: { ...first.recent, closers } }, ...others];
  return { ...sampleReport(), closed: { ...closed, groups } };
}

describe('connections that ended', () => {
  it('get the focus and the zoom when they are asked for, and Enter opens the selected group', () => {
    const shown = press(shownUi(), 'e');
    expect(shown.focus).toBe('connections');
    expect(pictureOf(press(shownUi(), 'z', 'e')).split('\n')[1]).toContain('4 Ended');
    const opened = press(shown, 'j', 'enter');
    expect(opened.overlay).toMatchObject({ kind: 'closed', id: 'db', gone: false });
    expect(pictureOf(opened)).toMatch(/closed by the peer +60 +1m00s +2m00s +3m00s/);
    expect(pictureOf(opened)).toContain('ap\\e[2Jp/900 fd 9');
    expect(press(opened, 'enter').overlay).toBeUndefined();
  });

  it('keep their details when the group is forgotten, and say so', () => {
    const opened = press(shownUi(), 'e', 'enter');
    const report = { ...sampleReport(), closed: { ...sampleClosed(), groups: [] } };
    const picture = pictureOf(after(opened, { type: 'report', report }));
    expect(picture).toContain('Ended 0.0.0.0:443  forgotten: what was seen last');
    expect(picture).toContain('finished 24,000 (99%)  reset 100 (<1%)');
  });

  it.each<[string, Partial<Record<Closer, number>>]>([
    ['peer 99%', { self: 1, peer: 199 }],
    ['self 66%', { self: 2, peer: 1 }],
    ['self 50%', { self: 7, peer: 7 }],
    ['self', { self: 7, unknown: 7 }],
    ['peer', { peer: 7 }],
    ['?', { self: 3, peer: 3, unknown: 7 }],
    ['?', { unknown: 7 }],
  ])('were closed by %s', (said, closers) => {
    const picture = pictureOf(press(shownUi({ report: closedBy(closers) }), 'e'));
    const row = picture.split('\n').find((line) => line.includes('24,120')) ?? '';
    expect(row.split(' 15 ms ')[1]?.trim()).toMatch(new RegExp(`^${said.replace('?', '\\?')} +20 ms`));
  });
});
