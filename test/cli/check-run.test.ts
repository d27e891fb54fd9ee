import { describe, expect, it } from 'vitest';
import type { CheckWish } from '../../src/analyze/check/measure.js';
import { parseFilter } from '../../src/analyze/filter.js';
import { lookTimes } from '../../src/cli/check-run.js';
import type { GapObservation, LookObservation, NamespacesObservation } from '../../src/model/observation.js';
import { all, DB, HOST, into, WEB } from '../support/namespaces.js';
import { listen } from '../support/table-builder.js';

const ALL: CheckWish['selection'] = { places: [] };

async function* streamOf(
  ...looks: (LookObservation | GapObservation)[]
): AsyncGenerator<LookObservation | GapObservation> {
  yield* looks;
}

describe('a check of several namespaces', () => {
  it('one that cannot be read is unknown: the others do not make it well', async () => {
    const { origin } = into(WEB, 0, []);
    const gaps = [{ what: 'sockets', why: 'no answer in time' }];
    const looks = all(0, [
      into(HOST, 0, [listen('0.0.0.0:443', [0, 9], { inode: 1 })]),
      { kind: 'gap', origin, namespace: WEB, gaps, fault: 'timeout' },
    ]);
    const wish: CheckWish = { metrics: ['accept-queue'], selection: ALL, expect: [], by: 'total' };
    const { measures } = await lookTimes({ wish, samples: 1 }, undefined, streamOf(looks));
    expect(measures).toMatchObject([
      { subject: '0.0.0.0:443', value: 0 },
      {
        subject: 'netns web',
        unknown: 'no answer in time',
        text: 'sockets of netns web cannot be read: no answer in time',
      },
    ]);
  });

  const wish: CheckWish = { metrics: ['accept-queue'], selection: ALL, expect: [], by: 'total' };
  const own = into(HOST, 0, [listen('0.0.0.0:443', [0, 9], { inode: 1 })]);
  const unseen = async (rest: Partial<NamespacesObservation>, filter?: string) => {
    const options = { wish, samples: 1, filter: filter === undefined ? undefined : parseFilter(filter) };
    const { measures } = await lookTimes(options, undefined, streamOf(all(0, [own], rest)));
    return measures.filter(({ unknown }) => unknown !== undefined).map(({ text }) => text);
  };
  const OTHERS = 'could not be looked into: what follows is of the others';

  it('those that may not be looked into are unknown, unless the filter asks for others', async () => {
    expect(await unseen({ closed: [], hiddenProcesses: 0 })).toEqual([]);
    const closed = [WEB, DB];
    expect(await unseen({ closed, hiddenProcesses: 5 })).toEqual([
      `2 namespaces and those of 5 processes ${OTHERS}`,
    ]);
    expect(await unseen({ closed: [], hiddenProcesses: 1 })).toEqual([`namespaces of 1 process ${OTHERS}`]);
    expect(await unseen({ closed, hiddenProcesses: 5 }, 'port:443')).toHaveLength(1);
    expect(await unseen({ closed, hiddenProcesses: 5 }, 'netns:web')).toEqual([`1 namespace ${OTHERS}`]);
    expect(await unseen({ closed, hiddenProcesses: 5 }, 'netns:host')).toEqual([]);
  });

  const look = (at: number, length: number) =>
    into(WEB, at, [listen('0.0.0.0:443', [length, 9], { inode: 1 })]);
  const gone = (at: number): GapObservation => ({
    kind: 'gap',
    origin: look(at, 0).origin,
    gaps: [{ what: 'sockets', why: 'the network namespace "web" went while it was watched' }],
    fault: 'gone',
  });

  it('one that goes is unknown, and what was seen of it is judged all the same', async () => {
    const options = { wish, samples: 4 };
    const { measures, looks } = await lookTimes(
      options,
      undefined,
      streamOf(look(0, 0), look(100, 10), gone(200), gone(300)),
    );
    expect(looks).toBe(2);
    expect(measures).toMatchObject([
      { subject: '0.0.0.0:443', value: 10 },
      { text: 'the network namespace "web" went while it was watched, after 2 looks' },
    ]);
    expect(measures[1]?.unknown).toBeDefined();
  });

  it('one that comes back is judged, with a note', async () => {
    const { measures, report } = await lookTimes(
      { wish, samples: 3 },
      undefined,
      streamOf(look(0, 0), gone(100), look(200, 3)),
    );
    expect(measures).toMatchObject([{ subject: '0.0.0.0:443', value: 3 }]);
    expect(report.gaps).toContainEqual({
      what: 'looks',
      why: 'the network namespace "web" went while it was watched, and came back',
    });
  });

  it('one that was never seen is no look', async () => {
    await expect(lookTimes({ wish, samples: 2 }, undefined, streamOf(gone(0)))).rejects.toThrow(
      'there was nothing to look at',
    );
  });

  it('nor does what was asked for by name and is not there', async () => {
    const why = 'no network namespace or container is called "shop"';
    const missing = [{ asked: 'shop', why, fault: 'missing' as const }];
    const looks = all(0, [into(WEB, 0, [listen('0.0.0.0:443', [0, 9], { inode: 1 })])], { missing });
    const { measures } = await lookTimes({ wish, samples: 1 }, undefined, streamOf(looks));
    expect(measures).toMatchObject([
      { subject: '0.0.0.0:443 (netns web)', value: 0 },
      { subject: 'netns "shop"', unknown: why, text: `sockets of netns "shop" cannot be read: ${why}` },
    ]);
  });
});
