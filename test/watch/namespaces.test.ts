import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../src/analyze/filter.js';
import { directionFinder } from '../../src/model/direction.js';
import type { Namespace } from '../../src/model/namespace.js';
import type { GapObservation } from '../../src/model/observation.js';
import type { Report } from '../../src/model/report.js';
import { all, DB, HOST, into, WEB } from '../support/namespaces.js';
import { listen, row, waiting } from '../support/table-builder.js';
import { alertTexts, eventTexts, OWNER, Timeline } from './timeline.js';

const broken = (namespace: Namespace, atMs: number): GapObservation => ({
  kind: 'gap',
  origin: into(namespace, atMs, []).origin,
  gaps: [{ what: 'sockets', why: 'no answer in time' }],
  fault: 'timeout',
  namespace,
});

const listener = (length: number, inode: number) =>
  listen('0.0.0.0:443', [length, 9], { inode, drops: 0 }, { owners: [OWNER] });
const full = (inode: number) => [
  listener(10, inode),
  ...Array.from({ length: 10 }, (_, n) => waiting('10.0.0.1:443', `10.0.0.9:${4000 + n}`, 5000)),
];

const places = ({ listeners }: Report) =>
  listeners.map(({ listener: { local, namespace }, verdict }) =>
    local.kind === 'ip' ? `${namespace?.name ?? namespace?.container?.name}:${local.port} ${verdict}` : '',
  );

describe('looks into several namespaces', () => {
  it('are one report: listeners of all, the worst first, counters and settings of each', () => {
    const timeline = new Timeline();
    const report = timeline.take(
      all(0, [
        into(HOST, 0, [listener(0, 1)], { counters: { PassiveOpens: 7 }, sysctls: { somaxconn: 4096 } }),
        into(WEB, 0, [listener(0, 2)], { counters: { PassiveOpens: 9 }, sysctls: { somaxconn: 128 } }),
        into(DB, 0, full(3)),
      ]),
    );
    expect(places(report)).toEqual(['db:443 full', 'web:443 ok', 'host:443 ok']);
    expect(report.counters).toEqual({ PassiveOpens: 7 });
    expect(report.namespaces).toMatchObject([
      { namespace: HOST, counters: { PassiveOpens: 7 }, sysctls: { somaxconn: 4096 } },
      { namespace: WEB, counters: { PassiveOpens: 9 }, sysctls: { somaxconn: 128 } },
      { namespace: DB },
    ]);
    expect(report.namespaces?.[2]).not.toHaveProperty('counters');
    expect(new Set(report.listeners.map(({ listener: { key } }) => key)).size).toBe(3);
  });

  it('have one table of all rows, in which each row and each listener knows its namespace', () => {
    const connection = row({
      local: '10.0.0.1:443',
      remote: '10.0.0.9:4000',
      columns: { inode: 9 },
      owners: [OWNER],
    });
    const report = new Timeline().take(
      all(0, [into(HOST, 0, [connection]), into(WEB, 0, []), into(DB, 0, [connection, listener(0, 3)])]),
    );
    const table = report.sockets?.table;
    if (table === undefined) throw new Error('no table');
    expect(Array.from({ length: table.length }, (_, at) => table.row(at).namespace?.id)).toEqual([
      'ns',
      '102',
      '102',
    ]);
    expect(table.ownersAt(1)).toEqual([OWNER]);
    expect(table.row(report.listeners[0]?.listener.row ?? -1).isListener).toBe(true);
    // A listener of another namespace says nothing of who opened a connection.
    const directionOf = directionFinder(table);
    expect([directionOf(0), directionOf(1)]).toEqual(['outbound', 'inbound']);
    const matching = (text: string) => [0, 1, 2].filter((at) => parseFilter(text).matchesRow(table.row(at)));
    expect(matching('netns:host')).toEqual([0]);
    expect(matching('netns:102,nobody')).toEqual([1, 2]);
    expect(matching('netns:db')).toEqual([1, 2]);
    expect(matching('netns:d*')).toEqual([1, 2]);
    expect(matching('netns:*o*t')).toEqual([0]);
    expect(matching('netns:h*ho*t,1*2')).toEqual([1, 2]);
    expect(matching('netns:*')).toEqual([0, 1, 2]);
    expect(matching('-netns:db')).toEqual([0]);
    expect(matching('container:DB')).toEqual([1, 2]);
    expect(matching('container:aaaa')).toEqual([1, 2]);
    expect(matching('-container:db')).toEqual([0]);
  });

  it('the table is made anew only when a part of it is another', () => {
    const timeline = new Timeline();
    const parts = (at: number) => [into(HOST, at, [listener(0, 1)]), into(WEB, at, [listener(0, 2)])];
    const first = timeline.take(all(0, parts(0))).sockets?.table;
    const listenersOnly = parts(1000).map((part) => ({ ...part, scope: 'listeners' as const }));
    expect(timeline.take(all(1000, listenersOnly)).sockets?.table).toBe(first);
    expect(timeline.take(all(2000, parts(2000))).sockets?.table).not.toBe(first);
  });

  it('an overflow is attributed within its namespace, by its own counters', () => {
    const timeline = new Timeline();
    const round = (at: number, dropped: number) =>
      all(
        at,
        [HOST, WEB].map((namespace, n) =>
          into(
            namespace,
            at,
            [listen('0.0.0.0:443', [10, 9], { inode: n + 1, drops: n * dropped }, { owners: [OWNER] })],
            { counters: { ListenOverflows: 40 + n * dropped } },
          ),
        ),
      );
    timeline.take(round(0, 0));
    const { listeners, alerts } = timeline.take(round(1000, 5));
    expect(listeners.map(({ listener: { netns }, window }) => [netns, window?.overflowsDelta])).toEqual([
      ['101', 5],
      ['ns', 0],
    ]);
    expect(alerts.map(({ subjectText, netns }) => [subjectText, netns])).toContainEqual([
      '0.0.0.0:443 (netns web)',
      '101',
    ]);
  });

  it('one that went takes its listeners with it, which is said, and its alerts are cleared', () => {
    const timeline = new Timeline();
    const both = (at: number) => [into(HOST, at, [listener(0, 1)]), into(DB, at, full(3))];
    timeline.take(all(0, both(0)));
    expect(alertTexts(timeline.take(all(1000, both(1000))))).toContain('critical accept_queue_full');
    const report = timeline.take(all(2000, [into(HOST, 2000, [listener(0, 1)])]));
    expect(places(report)).toEqual(['host:443 ok']);
    expect(report.alerts).toEqual([]);
    expect(eventTexts(report)).toContain('cleared accept_queue_full critical');
    expect(
      report.changes?.map(({ kind, subjectText, message }) => `${kind} ${subjectText} ${message}`),
    ).toEqual(['namespace netns db went, with 1 listener']);
  });

  it('the kernel gives an inode again: another name is another namespace', () => {
    const timeline = new Timeline();
    timeline.take(
      all(0, [into(HOST, 0, []), into(WEB, 0, [listener(0, 2)], { counters: { ListenOverflows: 9 } })]),
    );
    const other = { id: WEB.id, name: 'shop' };
    const report = timeline.take(
      all(1000, [
        into(HOST, 1000, []),
        into(other, 1000, [listener(0, 2)], { counters: { ListenOverflows: 12 } }),
      ]),
    );
    expect(report.changes?.map(({ subjectText, message }) => `${subjectText} ${message}`)).toEqual([
      'netns web went, with 1 listener',
      'netns shop came, with 1 listener',
    ]);
    expect(report.namespaces?.[1]).not.toHaveProperty('countersDelta');
  });

  it('one that cannot be read keeps its last listeners, with an alert of its own; the others go on', () => {
    const timeline = new Timeline();
    timeline.take(all(0, [into(HOST, 0, [listener(0, 1)]), into(WEB, 0, [listener(0, 2)])]));
    const report = timeline.take(all(1000, [into(HOST, 1000, [listener(4, 1)]), broken(WEB, 1000)]));
    expect(
      report.listeners.map(({ listener: { netns, acceptQueue } }) => [netns, acceptQueue.length]),
    ).toEqual([
      ['ns', 4],
      ['101', 0],
    ]);
    expect(report.gaps).toEqual([{ what: 'netns web: sockets', why: 'no answer in time', of: [WEB] }]);
    expect(report.alerts.map(({ id, subjectText }) => [id, subjectText])).toEqual([
      ['source_error netns 101', 'netns web'],
    ]);
    expect(report.pace.fault).toBeUndefined();
  });

  it('what is missing in many is said once', () => {
    const gaps = [{ what: 'limits', why: 'unknown here' }];
    const report = new Timeline().take(
      all(0, [into(HOST, 0, [], { gaps }), into(WEB, 0, [], { gaps }), into(DB, 0, [])], {
        gaps: [{ what: 'namespaces', why: '3 namespaces of other users could not be entered' }],
      }),
    );
    expect(report.gaps).toEqual([
      { what: 'namespaces', why: '3 namespaces of other users could not be entered' },
      { what: 'limits', why: 'unknown here (in 2 namespaces)', of: [HOST, WEB] },
    ]);
  });

  it('a look at all that failed keeps everything, with its fault and the alerts that are open', () => {
    const timeline = new Timeline();
    const round = (at: number) => all(at, [into(HOST, at, []), into(DB, at, full(3))]);
    timeline.take(round(0));
    timeline.take(round(1000));
    const gap = { ...broken(HOST, 2000), origin: round(2000).origin };
    const report = timeline.take(gap);
    expect(report.pace.fault?.why).toBe('no answer in time');
    expect(places(report)).toHaveLength(1);
    expect(alertTexts(report)).toEqual(expect.arrayContaining(['critical accept_queue_full']));
    expect(report.alerts.map(({ finding: { rule } }) => rule)).toContain('source_error');
    const well = timeline.take(round(3000));
    expect(well.pace.fault).toBeUndefined();
    expect(places(well)).toHaveLength(1);
  });
});

describe('one that was asked for by name', () => {
  it('goes with an event, and an alert that names it; its own alerts end', () => {
    const timeline = new Timeline();
    timeline.take(into(WEB, 0, full(3)));
    timeline.take(into(WEB, 1000, full(3)));
    const why = 'the network namespace "web" went while it was watched';
    const gone = (at: number): GapObservation => {
      const { namespace: _, ...gap } = broken(WEB, at);
      return { ...gap, fault: 'gone', gaps: [{ what: 'sockets', why }] };
    };
    const first = timeline.take(gone(2000));
    expect(first.changes).toMatchObject([
      { kind: 'namespace', subjectText: 'netns web', message: 'went, with 1 listener', isEnd: true },
    ]);
    expect(eventTexts(first)).toEqual(
      expect.arrayContaining(['cleared accept_queue_full critical', 'raised source_error warning']),
    );
    const told = () => first.alerts.map(({ subjectText, finding }) => [subjectText, finding.message]);
    expect(told()).toEqual([['netns web', why]]);
    const second = timeline.take(gone(3000));
    expect([second.changes, second.events, second.alerts.length]).toEqual([undefined, [], 1]);
    // One of that name again, made anew.
    const next = into(WEB, 4000, []);
    const after = timeline.take({ ...next, origin: { ...next.origin, netns: '999' } });
    expect(eventTexts(after)).toEqual(['cleared source_error warning']);
    expect(after.alerts).toEqual([]);
    expect(after.changes).toMatchObject([{ message: expect.stringContaining('made anew') }]);
  });
});

describe('where a listener lives', () => {
  const sidecar = { container: { id: 'b'.repeat(64), name: 'proxy' }, pod: 'p1' };
  const homes = new Map([[OWNER.pid, sidecar]]);
  const elsewhere = listen('0.0.0.0:444', [0, 9], { inode: 5 }, { owners: [{ pid: 5, fd: 3, name: 'db' }] });
  const unknown = listen('0.0.0.0:445', [0, 9], { inode: 6 });
  const look = (namespace: Namespace) => {
    const { listeners } = new Timeline().take(
      into(namespace, 0, [listener(0, 3), elsewhere, unknown], { homes }),
    );
    const homeOf = (port: number) =>
      listeners.find(({ listener: { local } }) => local.kind === 'ip' && local.port === port)?.listener.home;
    const fitting = (filter: string) =>
      listeners
        .filter((one) => parseFilter(filter).matchesListener(one))
        .map(({ listener: { inode } }) => inode);
    return { homeOf, fitting };
  };

  it('its process tells; of one whose process is not known the namespace, where all of its processes live there', () => {
    const { homeOf, fitting } = look(DB);
    expect([443, 444, 445].map(homeOf)).toEqual([sidecar, undefined, { container: DB.container, pod: 'p1' }]);
    expect([fitting('container:proxy'), fitting('container:db'), fitting('-container:db')]).toEqual([
      [3],
      [6],
      [3, 5],
    ]);
  });

  it('in a namespace that several share, nothing is said of one whose process is not known', () => {
    const { container, ...db } = DB;
    const containers = [sidecar.container, ...(container ? [container] : [])];
    for (const shared of [
      { ...db, containers },
      { ...DB, containers: [sidecar.container] },
    ]) {
      const { homeOf, fitting } = look(shared);
      expect([443, 444, 445].map(homeOf)).toEqual([sidecar, undefined, { pod: 'p1' }]);
      expect([fitting('container:proxy'), fitting('container:none')]).toEqual([[3], []]);
    }
  });
});
