import { describe, expect, it } from 'vitest';
import type { ClosedReport } from '../../src/model/closed.js';
import { formatEndpoint } from '../../src/model/endpoint.js';
import type { Namespace } from '../../src/model/namespace.js';
import { mergeClosed } from '../../src/watch/closed-of-all.js';
import { all, DB, endedIn, HOST, into, WEB } from '../support/namespaces.js';
import { samplesAt } from '../support/samples.js';
import { listen } from '../support/table-builder.js';
import { Timeline } from './timeline.js';

const ROWS = [listen('0.0.0.0:443', [0, 9], { inode: 7, drops: 0 })];
const round = (at: number, namespaces: readonly Namespace[] = [HOST, WEB, DB]) =>
  all(
    at,
    namespaces.map((namespace) => into(namespace, at, ROWS)),
  );

const groups = (closed: ClosedReport | undefined) =>
  (closed?.groups ?? []).map(
    ({ namespace, direction, end, closed: count }) =>
      `${namespace?.id} ${direction} ${formatEndpoint(end)} ${count}`,
  );

describe('what happens between two looks into several namespaces', () => {
  it('samples are of the listener of their namespace, not of those of the same address and inode', () => {
    const line = new Timeline();
    line.take(round(0));
    const full = { key: `${DB.id}:7`, lengths: [0, 10, 10, 10, 0], drops: [0] };
    for (const { id } of [HOST, WEB]) line.take(samplesAt(990, [], { looks: 100, netns: id }));
    line.take(samplesAt(990, full, { looks: 5, netns: DB.id }));
    const { listeners } = line.take(round(1000));
    const seen = listeners.map(({ listener: { netns }, window, findings }) => [
      netns,
      window?.samples?.peak,
      findings.map(({ rule }) => rule),
    ]);
    expect(new Map(seen.map(([netns, ...rest]) => [netns, rest]))).toEqual(
      new Map([
        [HOST.id, [0, []]],
        [WEB.id, [0, []]],
        [DB.id, [10, ['accept_queue_full']]],
      ]),
    );
  });

  it('of a namespace that no look has told of nothing is kept', () => {
    const line = new Timeline();
    line.take(round(0, [HOST]));
    line.take(samplesAt(990, { key: `${DB.id}:7`, lengths: [10] }, { netns: DB.id }));
    line.take(endedIn(DB, 990, 3));
    expect(line.state.closed).toBeUndefined();
    const first = line.take(round(1000, [HOST, DB]));
    expect(first.closed).toBeUndefined();
    expect(first.listeners.every(({ findings }) => findings.length === 0)).toBe(true);
  });

  it('connections that ended are one report, whose groups say where', () => {
    const line = new Timeline();
    line.take(round(0));
    line.take(endedIn(WEB, 990, 2));
    line.take(endedIn(DB, 990, 3, { incomplete: true, lost: 4, failedConnects: 1 }));
    const { closed, listeners } = line.take(round(1000));
    expect(groups(closed)).toEqual(['101 inbound 0.0.0.0:443 2', '102 inbound 0.0.0.0:443 3']);
    expect(new Set(closed?.groups.map(({ id }) => id)).size).toBe(2);
    expect(closed).toMatchObject({
      from: 'netlink',
      sinceMs: 1010,
      ofSeveral: true,
      closed: 5,
      closedPerSecond: 5,
      inbound: 5,
      failedConnects: 1,
      lost: 4,
      incomplete: true,
    });
    const rates = listeners.map(({ listener: { netns }, window }) => [netns, window?.closedPerSecond]);
    expect(new Map(rates as [string, number][])).toEqual(
      new Map([
        [HOST.id, undefined],
        [WEB.id, 2],
        [DB.id, 3],
      ]),
    );
    // A namespace that goes takes its groups with it.
    expect(groups(line.take(round(2000, [HOST, DB])).closed)).toEqual(['102 inbound 0.0.0.0:443 3']);
  });

  it('of one namespace that was asked for they say where too', () => {
    const line = new Timeline();
    line.take(into(DB, 0, ROWS));
    line.take(endedIn(DB, 990, 3));
    const { closed } = line.take(into(DB, 1000, ROWS));
    expect(groups(closed)).toEqual(['102 inbound 0.0.0.0:443 3']);
    expect(closed).not.toHaveProperty('ofSeveral');
  });

  it('what nobody counts in one of them nobody counts in all', () => {
    const line = new Timeline();
    line.take(round(0));
    line.take(endedIn(WEB, 990, 2));
    const { lost: _, ...uncounted } = endedIn(DB, 990, 3, { incomplete: true });
    line.take(uncounted);
    const { closed, gaps } = line.take(round(1000));
    expect(closed).not.toHaveProperty('lost');
    expect(gaps).toContainEqual({
      what: 'netns db: connections that ended',
      why: 'an unknown number of events was lost: the numbers are lower bounds',
      of: [DB],
    });
    expect(mergeClosed([])).toBeUndefined();
  });
});
