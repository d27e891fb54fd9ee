import { describe, expect, it } from 'vitest';
import type { CheckWish } from '../../src/analyze/check/measure.js';
import { lookTimes } from '../../src/cli/check-run.js';
import type { LookObservation } from '../../src/model/observation.js';
import { all, HOST, into, WEB } from '../support/namespaces.js';
import { listen } from '../support/table-builder.js';

const ALL: CheckWish['selection'] = { places: [] };

async function* streamOf(...looks: LookObservation[]): AsyncGenerator<LookObservation> {
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

  it('nor does what was asked for by name and is not there', async () => {
    const why = 'no network namespace or container is called "shop"';
    const missing = [{ asked: 'shop', why, fault: 'missing' as const }];
    const looks = all(0, [into(WEB, 0, [listen('0.0.0.0:443', [0, 9], { inode: 1 })])], { missing });
    const wish: CheckWish = { metrics: ['accept-queue'], selection: ALL, expect: [], by: 'total' };
    const { measures } = await lookTimes({ wish, samples: 1 }, undefined, streamOf(looks));
    expect(measures).toMatchObject([
      { subject: '0.0.0.0:443 (netns web)', value: 0 },
      { subject: 'netns "shop"', unknown: why, text: `sockets of netns "shop" cannot be read: ${why}` },
    ]);
  });
});
