import { describe, expect, it } from 'vitest';
import { stateOf } from '../../src/cli/check-baseline.js';
import { lookTimes } from '../../src/cli/check-run.js';
import type { CheckState } from '../../src/model/check-state.js';
import type { TableObservation } from '../../src/model/observation.js';
import { listen, look } from '../support/table-builder.js';

/** A look at one listener: what the counter of its namespace says, and how many segments it has dropped. */
const seen = (atMs: number, overflows: number, drops: number, boot = 'b1'): TableObservation => {
  const table = look(atMs, [listen('0.0.0.0:443', [0, 8], { inode: 1, drops })], {
    counters: { ListenOverflows: overflows },
  });
  return { ...table, origin: { ...table.origin, bootId: boot } };
};

async function* each(looks: readonly TableObservation[]) {
  yield* looks;
}

async function measured(looks: readonly TableObservation[], before?: CheckState | 'first look') {
  const wish = {
    metrics: ['overflows', 'dropped-segments'] as const,
    selection: { places: [] },
    expect: [],
    by: 'total' as const,
  };
  const { measures, since, note } = await lookTimes({ wish, samples: looks.length }, before, each(looks));
  return { texts: measures.map(({ subject, text }) => `${subject} ${text}`.trim()), since, note };
}

async function stateAt(atMs: number, overflows: number, drops: number, boot?: string): Promise<CheckState> {
  const observation = seen(atMs, overflows, drops, boot);
  const { report } = await lookTimes(
    { wish: { metrics: [], selection: { places: [] }, expect: [], by: 'total' }, samples: 1 },
    undefined,
    each([observation]),
  );
  return stateOf(report, observation, 'x');
}

const LOOKS = [seen(1000, 10, 5), seen(2500, 23, 31), seen(4000, 23, 31)];

describe('what several looks of a check are compared with', () => {
  it('without a run before: the first of them', async () => {
    const { texts, since, note } = await measured(LOOKS);
    expect(texts).toEqual([
      '13 accept-queue overflows in 3.0 s, while it looked, at 0.0.0.0:443',
      '0.0.0.0:443 26 segments dropped in 3.0 s, while it looked',
    ]);
    expect(since).toMatchObject({ windowMs: 3000, whileLooking: true });
    expect(note).toBeUndefined();
  });

  it('one look alone: with nothing, and that is no 0', async () => {
    const { texts, since } = await measured(LOOKS.slice(0, 1));
    expect(texts).toEqual(['no run to compare with', 'no run to compare with']);
    expect(since).toBeUndefined();
  });

  it('with a run before: that one', async () => {
    const { texts, since } = await measured(LOOKS, await stateAt(500, 8, 5));
    expect(texts[0]).toBe('15 accept-queue overflows in 3.5 s at 0.0.0.0:443');
    expect(since).toMatchObject({ windowMs: 3500 });
    expect(since?.whileLooking).toBeUndefined();
  });

  it('with a run of another boot: the first look, and why', async () => {
    const { texts, note } = await measured(LOOKS, await stateAt(500, 8, 5, 'b2'));
    expect(texts[0]).toContain('13 accept-queue overflows in 3.0 s, while it looked');
    expect(note).toContain('another boot');
  });

  it('a recording: its beginning, and nobody looked', async () => {
    const { texts } = await measured(LOOKS, 'first look');
    expect(texts[0]).toBe('13 accept-queue overflows in 3.0 s at 0.0.0.0:443');
  });
});
