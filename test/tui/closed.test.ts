import { describe, expect, it } from 'vitest';
import type { Closer } from '../../src/model/closed.js';
import type { Report } from '../../src/model/report.js';
import { sampleClosed } from './sample-closed.js';
import { sampleReport } from './sample-reports.js';
import { pictureOf, press, shownUi } from './ui.js';

/** A report in which the first group was closed by these. */
function closedBy(closers: Partial<Record<Closer, number>>): Report {
  const closed = sampleClosed();
  const [first, ...others] = closed.groups;
  if (first === undefined) throw new Error('no group');
  const groups = [{ ...first, recent: { ...first.recent, closers } }, ...others];
  return { ...sampleReport(), closed: { ...closed, groups } };
}

describe('connections that ended', () => {
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
