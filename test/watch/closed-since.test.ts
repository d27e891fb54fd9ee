import { describe, expect, it } from 'vitest';
import type { ClosedGroup, ClosedReport } from '../../src/model/closed.js';
import { ClosedSince } from '../../src/watch/closed-since.js';
import { sampleClosed } from '../tui/sample-closed.js';

const [SAMPLE] = sampleClosed().groups;

/** A report with groups of what went out. */
function report(
  groups: Readonly<Record<string, readonly [closed: number, refused: number, unanswered: number]>>,
  nowhere = 0,
) {
  return {
    ...sampleClosed(),
    failedWithoutDestination: nowhere,
    groups: Object.entries(groups).map(
      ([id, [closed, refused, unanswered]]): ClosedGroup => ({
        ...(SAMPLE as ClosedGroup),
        id,
        direction: 'outbound',
        closed,
        refused,
        unanswered,
      }),
    ),
  };
}

const counts = ({ groups }: Pick<ClosedReport, 'groups'>) =>
  groups.map(({ id, closed, refused, unanswered }) => [id, closed, refused, unanswered]);

describe('what ended since a report', () => {
  it('is what was counted since, of groups in which something ended', () => {
    const since = new ClosedSince(report({ a: [5, 4, 3], b: [1, 1, 1] }, 7));
    const now = since.of(report({ a: [5, 6, 4], b: [1, 1, 1], c: [0, 0, 2] }, 9));
    expect([counts(now), now.failedWithoutDestination]).toEqual([
      [
        ['a', 0, 2, 1],
        ['c', 0, 0, 2],
      ],
      2,
    ]);
  });

  it('counts a group anew that was forgotten meanwhile', () => {
    expect(counts(new ClosedSince(report({ a: [5, 4, 3] })).of(report({ a: [1, 0, 0] })))).toEqual([
      ['a', 1, 0, 0],
    ]);
  });

  it('is all where nothing was told before', () => {
    expect(counts(new ClosedSince(undefined).of(report({ a: [0, 1, 0] }, 1)))).toEqual([['a', 0, 1, 0]]);
  });
});
