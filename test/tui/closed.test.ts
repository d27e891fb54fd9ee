import { describe, expect, it } from 'vitest';
import type { ClosedRecent, Closer, Spread } from '../../src/model/closed.js';
import type { Report } from '../../src/model/report.js';
import { bytes } from '../../src/model/units.js';
import type { GlyphSet } from '../../src/tui/glyphs.js';
import { sampleClosed } from './sample-closed.js';
import { sampleReport } from './sample-reports.js';
import { after, pictureOf, press, shownUi } from './ui.js';

/** A report of which the first group is another one in this. */
function reportWith(rest: Partial<ClosedRecent>): Report {
  const closed = sampleClosed();
  const [first, ...others] = closed.groups;
  if (first === undefined) throw new Error('no group');
  const groups = [{ ...first, recent: { ...first.recent, ...rest } }, ...others];
  return { ...sampleReport(), closed: { ...closed, groups } };
}

const rowOf = (rest: Partial<ClosedRecent>, glyphs: GlyphSet = 'unicode'): string => {
  const shown = press(shownUi({ report: reportWith(rest), columns: 160, glyphs }), 'z', 'e');
  return (
    pictureOf(shown)
      .split('\n')
      .find((line) => line.includes('24,120')) ?? ''
  );
};
const detailOf = (rest: Partial<ClosedRecent>): string =>
  pictureOf(press(shownUi({ report: reportWith(rest) }), 'e', 'enter'));
const spread = (count: number, p50 = 1000): Spread => ({ count, p50, p95: p50, max: p50 });

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
    ['self ≥50%', { self: 7, unknown: 7 }],
    ['self ≥50%', { self: 50, peer: 25, unknown: 25 }],
    ['peer ≥49%', { self: 25, peer: 49, unknown: 26 }],
    ['peer', { peer: 7 }],
    ['?', { self: 3, peer: 3, unknown: 7 }],
    ['?', { unknown: 7 }],
  ])('were closed by %s', (said, closers) => {
    const row = rowOf({ closers });
    expect(row.split(' 15 ms ')[1]?.trim()).toMatch(new RegExp(`^${said.replace('?', '\\?')} +20 ms`));
  });

  it('of which some left no numbers, have sums that are lower bounds, and say so', () => {
    const some: Partial<ClosedRecent> = {
      sentInAll: bytes(30_000),
      receivedInAll: bytes(720),
      bytesAreLeast: true,
      bytesSent: spread(30),
      bytesReceived: spread(30, 24),
      retransmissions: 0,
    };
    expect(rowOf(some)).toMatch(/ ≥0 +≥30 KiB│$/);
    expect(rowOf(some, 'ascii')).toMatch(/ >0 +>30 KiB\|$/);
    const said = detailOf(some);
    expect(said).toContain('≥29 KiB sent, ≥720 B received  of 30 of 24,120: the others left no numbers');
    expect(said).toContain('≥0 segments, by ≥0 connections');
  });

  it('of which none left its numbers, have unknown sums, never 0', () => {
    const report = reportWith({ endings: { unknown: 24_120 }, closers: { unknown: 24_120 } });
    const [first] = report.closed?.groups ?? [];
    if (first === undefined) throw new Error('no group');
    const { sentInAll, receivedInAll, retransmissions, retransmitting, busyMs, ...others } = first.recent;
    const { receiverLimitedMs, bufferLimitedMs, ...recent } = others;
    const closed = { ...sampleClosed(), groups: [{ ...first, recent }] };
    const shown = press(shownUi({ report: { ...report, closed }, columns: 160 }), 'z', 'e');
    // RESET, CLOSED BY, RETR and BYTES.
    expect(pictureOf(shown)).toMatch(/24,120 +0 +\? .* \? +20 ms +\? +\?│/);
    const said = pictureOf(press(shown, 'enter'));
    expect(said).toMatch(/sent again +\?/);
    expect(said).toContain('? sent, ? received');
    expect(said).toContain('busy ?, held up by the receiver ?, by the own buffer ?');
  });

  it('of which some ended nobody knows how, may have been reset more often', () => {
    expect(rowOf({ endings: { finished: 24_000, reset: 100, unknown: 20 } })).toContain('≥100');
    expect(rowOf({ endings: { finished: 24_020, reset: 100 } })).not.toContain('≥100');
  });

  it('show bounds that are never nearer than the truth', () => {
    const bounds = (low: number, high: number) =>
      detailOf({ lastedAtLeast: spread(24_120, low), lastedAtMost: spread(24_120, high) });
    const long = bounds(1790, 7_199_000);
    expect(long).toMatch(/lasted at least +24,120 +1\.7 s/);
    expect(long).toMatch(/lasted at most +24,120 +2h00m/);
    expect(rowOf({ lastedAtMost: spread(24_120, 1710) })).toContain('≤1.8 s');
    expect(rowOf({ lastedAtLeast: spread(24_120, 1790), lastedAtMost: spread(1, 1790) })).toContain('≥1.7 s');
  });
});
