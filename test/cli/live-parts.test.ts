import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../src/analyze/filter.js';
import { awaitFirstLook } from '../../src/cli/first-look.js';
import { chooseMode } from '../../src/cli/live-mode.js';
import { addGaps, EventFilter, narrowReport, type Shows, takeReports } from '../../src/cli/live-reports.js';
import { Remarks } from '../../src/cli/remarks.js';
import { UsageError } from '../../src/cli/usage.js';
import type { Change } from '../../src/model/changes.js';
import type { ClosedReport } from '../../src/model/closed.js';
import { SourceError } from '../../src/model/errors.js';
import type { AlertEvent } from '../../src/model/findings.js';
import type { Namespace } from '../../src/model/namespace.js';
import type { GapObservation, Observation, Origin } from '../../src/model/observation.js';
import type { Report } from '../../src/model/report.js';
import { millis, monotonicMillis, wallMillis } from '../../src/model/units.js';
import { PLAIN_NAMES } from '../../src/render/names.js';
import { sampleClosed } from '../tui/sample-closed.js';

const origin: Origin = { time: wallMillis(0), monotonic: monotonicMillis(0), host: 'h', source: 'ss' };
const report = (extra: Partial<Report> = {}): Report => ({
  origin,
  listeners: [],
  rates: {},
  findings: [],
  alerts: [],
  events: [],
  gaps: [],
  pace: { tookMs: millis(1), skippedTicks: 0 },
  ...extra,
});

async function* streamOf<T>(values: readonly T[], ended?: () => void): AsyncGenerator<T> {
  try {
    yield* values;
  } finally {
    ended?.();
  }
}
async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

describe('chooseMode', () => {
  const tty = { isTTY: true };
  const terminal = (TERM: string | undefined, stdin = tty, stdout = tty) => ({
    env: { TERM },
    stdin,
    stdout,
  });

  it('takes the screen in a terminal, lines elsewhere, and what was asked for', () => {
    expect(chooseMode('auto', terminal('xterm'))).toBe('screen');
    expect(chooseMode('auto', terminal('xterm', tty, { isTTY: false }))).toBe('lines');
    expect(chooseMode('auto', terminal('xterm', { isTTY: false }))).toBe('lines');
    expect(chooseMode('auto', terminal('dumb', { isTTY: false }))).toBe('lines');
    expect(chooseMode('lines', terminal('dumb'))).toBe('lines');
    expect(chooseMode('ndjson', terminal('xterm'))).toBe('ndjson');
  });

  it.each([
    ['dumb', 'TERM=dumb cannot show a full screen'],
    [undefined, 'TERM is not set'],
  ])('refuses a terminal with TERM=%s and points to what works', (term, why) => {
    expect(() => chooseMode('auto', terminal(term))).toThrow(UsageError);
    expect(() => chooseMode('auto', terminal(term))).toThrow(
      `no screen here: ${why}; use --format lines, or sockwatch snapshot`,
    );
  });

  it('refuses a screen in a pipe', () => {
    expect(() => chooseMode('screen', terminal('xterm', tty, { isTTY: false }))).toThrow(
      'stdin and stdout are not both a terminal',
    );
  });
});

describe('awaitFirstLook', () => {
  const gap = (fault: string): GapObservation => ({
    kind: 'gap',
    origin,
    gaps: [{ what: 'sockets', why: 'ss was not found' }],
    fault,
    remedy: 'install iproute2',
  });

  it('gives back every observation, the first too', async () => {
    const all: Observation[] = [gap('timeout'), gap('missing'), gap('garbage')];
    expect(await collect(await awaitFirstLook(streamOf(all)))).toEqual(all);
  });

  it('throws where there is no source at all, and ends the stream', async () => {
    let ended = false;
    const looking = awaitFirstLook(streamOf([gap('missing')], () => (ended = true)));
    await expect(looking).rejects.toThrow(SourceError);
    await expect(looking).rejects.toMatchObject({ message: 'ss was not found', remedy: 'install iproute2' });
    expect(ended).toBe(true);
  });

  it('ends the source when its reader stops', async () => {
    let ended = false;
    const observations = await awaitFirstLook(
      streamOf([gap('timeout'), gap('timeout')], () => (ended = true)),
    );
    for await (const _ of observations) break;
    expect(ended).toBe(true);
  });
});

describe('streams of reports', () => {
  it('ends after the count, without asking for one more', async () => {
    let asked = 0;
    async function* endless() {
      for (;;) {
        asked++;
        yield report();
      }
    }
    expect(await collect(takeReports(endless(), 3))).toHaveLength(3);
    expect(asked).toBe(3);
  });

  it('adds each gap to one report', async () => {
    const waiting = [[], [{ what: 'alert program', why: 'failed' }], []];
    const reports = await collect(
      addGaps(streamOf([report(), report(), report()]), () => waiting.shift() ?? []),
    );
    expect(reports.map(({ gaps }) => gaps)).toEqual([[], [{ what: 'alert program', why: 'failed' }], []]);
  });

  it('lets through the events of what matches, to their end', () => {
    const event = (phase: AlertEvent['phase'], subject: string): AlertEvent => ({
      phase,
      time: 0,
      alert: {
        id: `full ${subject}`,
        finding: { rule: 'accept_queue_full', severity: 'critical', subject, message: 'full', evidence: [] },
        subjectText: subject,
        raisedAt: 0,
        changedAt: 0,
      },
    });
    const listener = (key: string) => ({ listener: { key } }) as Report['listeners'][number];
    const filter = new EventFilter({ matchesListener: ({ listener: { key } }) => key === 'mine' });
    const raised = [event('raised', 'mine'), event('raised', 'other'), event('raised', 'host')];
    const listeners = [listener('mine'), listener('other')];
    expect(filter.select(report({ events: raised, listeners }))).toEqual([raised[0], raised[2]]);
    // Both listeners are gone by now.
    const cleared = [event('cleared', 'mine'), event('cleared', 'other')];
    expect(filter.select(report({ events: cleared }))).toEqual([cleared[0]]);
    expect(filter.select(report({ events: cleared }))).toEqual([]);
  });
});

describe('what a filter lets through of listeners that are gone', () => {
  const listener = (key: string) => ({ listener: { key, netns: 'ns' } }) as Report['listeners'][number];
  const change = (subject: string): Change => ({
    kind: 'listener',
    time: 0,
    subject,
    subjectText: subject,
    message: 'listens no more',
    evidence: [],
  });
  const raised = (subject: string): AlertEvent => ({
    phase: 'raised',
    time: 0,
    alert: {
      id: subject,
      finding: { rule: 'accept_queue_full', severity: 'critical', subject, message: 'full', evidence: [] },
      subjectText: subject,
      raisedAt: 0,
      changedAt: 0,
    },
  });

  it('is what it let through before: nothing of those that it hid', () => {
    const filter = {
      matchesListener: ({ listener: { key } }: Report['listeners'][number]) => key === 'mine',
    };
    const events = new EventFilter(filter);
    narrowReport(report({ listeners: [listener('mine'), listener('other')] }), filter, events);
    narrowReport(report(), filter, events);
    const all = ['mine', 'other', 'host'];
    const said = narrowReport(report({ changes: all.map(change), events: all.map(raised) }), filter, events);
    expect(said.changes?.map(({ subject }) => subject)).toEqual(['mine', 'host']);
    expect(said.events.map(({ alert }) => alert.id)).toEqual(['mine', 'host']);
  });

  describe('of namespaces that come and go', () => {
    const told = (verb: 'came' | 'went', namespace: Namespace): Change => ({
      ...change(namespace.id),
      kind: 'namespace',
      namespace,
      message: verb,
      ...(verb === 'went' && { isEnd: true }),
    });
    const [web, next, other] = [
      { id: '101', name: 'web' },
      { id: '101', name: 'next' },
      { id: '102', name: 'other' },
    ];
    const shown = (filter: Shows, ...looks: (readonly [Partial<Report>, ...Change[]])[]) => {
      const events = new EventFilter(filter);
      return looks.flatMap(([extra, ...changes]) =>
        (narrowReport(report({ ...extra, changes }), filter, events).changes ?? []).map(
          ({ namespace, message }) => `${namespace?.name} ${message}`,
        ),
      );
    };

    it('tells of those that the filter names, whatever listens there', () => {
      const looks = [
        [{}, told('came', web), told('came', other)],
        [{}, told('went', web), told('went', other), told('came', web), told('came', next)],
        [{}, told('went', next), told('went', web)],
      ] as const;
      expect(shown(parseFilter('netns:w*'), ...looks)).toEqual([
        'web came',
        'web went',
        'web came',
        'web went',
      ]);
    });

    it('else of those in which a listener was shown, and of none that has the number of one that went', () => {
      const listeners = [{ listener: { key: 'mine', netns: '101' } } as Report['listeners'][number]];
      const looks = [
        [{ listeners }, told('came', web), told('came', other)],
        [{}, told('went', web), told('came', next)],
        [{}, told('went', next)],
      ] as const;
      expect(shown({ matchesListener: () => true }, ...looks)).toEqual(['web came', 'web went']);
    });

    it('tells no alert of a whole namespace that the filter excludes', () => {
      const filter = parseFilter('netns:web');
      const namespaces = [web, other].map((namespace) => ({ namespace }));
      const events = ['101', '102'].map((id) => {
        const event = raised(`netns ${id}`);
        return { ...event, alert: { ...event.alert, netns: id } };
      });
      const said = narrowReport(report({ namespaces, events }), filter, new EventFilter(filter));
      expect(said.events.map(({ alert }) => alert.netns)).toEqual(['101']);
    });
  });

  it('shows of several namespaces what ended in those that were asked for', () => {
    const told = sampleClosed();
    const [first, second] = told.groups;
    if (first === undefined || second === undefined) throw new Error('no groups');
    const groups = [
      { ...first, recent: first.recent, namespace: { id: '101', name: 'web' } },
      { ...second, recent: second.recent, namespace: { id: '102', name: 'db' } },
    ];
    const filter = parseFilter('netns:web');
    const narrow = (closed: ClosedReport) =>
      narrowReport(report({ closed }), filter, new EventFilter(filter)).closed;
    expect(narrow({ ...told, groups, ofSeveral: true })).toEqual({
      ...told,
      groups: groups.slice(0, 1),
      ofSeveral: true,
    });
    // Of one there is nothing to choose.
    expect(narrow({ ...told, groups })?.groups).toEqual(groups);
  });

  it('is not remembered for ever', () => {
    const filter = { matchesListener: () => true };
    const events = new EventFilter(filter);
    narrowReport(report({ listeners: [listener('mine')] }), filter, events);
    const later = (ms: number) => report({ origin: { ...origin, monotonic: monotonicMillis(ms) } });
    for (let look = 1; look <= 10; look++) narrowReport(later(look * 20_000), filter, events);
    expect(events.selectChanges([change('mine')])).toEqual([]);
  });
});

describe('Remarks', () => {
  const said: string[] = [];
  const remarks = new Remarks((text) => said.push(text));
  const hear = (extra: Partial<Report>) => {
    said.length = 0;
    remarks.hear(report(extra), PLAIN_NAMES);
    return [...said];
  };

  it('says a gap once, with its line', () => {
    const gaps = [{ what: 'ss', why: 'expected a port', line: 12 }];
    expect(hear({ gaps })).toEqual(['ss line 12: expected a port']);
    expect(hear({ gaps })).toEqual([]);
  });

  it('says when a source fails, and when it can be read again', () => {
    const fault = { why: 'ss did not answer', remedy: 'try --source proc', sinceMs: millis(5) };
    const pace = { tookMs: millis(1), skippedTicks: 0, fault };
    expect(hear({ pace })).toEqual(['ss did not answer; try --source proc']);
    expect(hear({ pace })).toEqual([]);
    expect(hear({})).toEqual(['the source of sockets can be read again']);
    expect(hear({})).toEqual([]);
  });
});
