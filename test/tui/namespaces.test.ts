import { describe, expect, it } from 'vitest';
import { DEFAULT_THRESHOLDS } from '../../src/analyze/thresholds.js';
import { formatEndpoint } from '../../src/model/endpoint.js';
import type { Namespace } from '../../src/model/namespace.js';
import type { Report } from '../../src/model/report.js';
import { startWatch, step } from '../../src/watch/step.js';
import { all, DB, HOST, into } from '../support/namespaces.js';
import { listen, row } from '../support/table-builder.js';
import { sampleReport } from './sample-reports.js';
import { after, pictureOf, press, shownUi } from './ui.js';

process.env.TZ = 'UTC';

const OWNERS = (pid: number) => ({ owners: [{ pid, fd: 6, name: 'nginx' }] });
const listener = (inode: number, pid: number) => listen('10.0.0.5:8080', [0, 9], { inode }, OWNERS(pid));
const client = row({
  local: '10.0.0.5:8080',
  remote: '10.0.0.9:4000',
  columns: { inode: 9 },
  ...OWNERS(812),
});

/** Two looks, between which the listener of the container changed hands. */
function reports(): [Report, Report] {
  const round = (at: number, inode: number, pid: number) =>
    all(at, [into(HOST, at, [listener(1, 5)]), into(DB, at, [listener(inode, pid), client])]);
  const first = step(startWatch({ thresholds: DEFAULT_THRESHOLDS }), round(0, 2, 640));
  return [first.report, step(first.state, round(1000, 3, 812)).report];
}

describe('a screen of several namespaces', () => {
  const [first, second] = reports();
  const shown = (columns = 120) =>
    after(shownUi({ columns, report: first }), { type: 'report', report: second });

  it('says of each listener and connection where it is, and how many there are', () => {
    const picture = pictureOf(shown());
    expect(picture).toMatch(/LOCAL +NETNS +PROCESS/);
    expect(picture).toMatch(/10\.0\.0\.5:8080 +db +nginx\/812/);
    expect(picture).toMatch(/10\.0\.0\.5:8080 +host +nginx\/5/);
    expect(picture).toMatch(/ESTAB .* db /);
    expect(picture.split('\n')[0]).toContain('all 2');
  });

  it('says of connections that ended in which namespace that was, and the filter knows it', () => {
    const [group] = sampleReport().closed?.groups ?? [];
    if (group === undefined) throw new Error('no group');
    const placed = (namespace: Namespace) => ({
      ...group,
      id: `${namespace.id} ${group.id}`,
      namespace,
      recent: group.recent,
    });
    const closed = {
      ...sampleReport().closed,
      ofSeveral: true,
      groups: [placed(HOST), placed(DB)],
    } as NonNullable<Report['closed']>;
    const ended = press(shownUi({ columns: 160, report: { ...second, closed } }), 'e');
    const lines = (ui: typeof ended) =>
      pictureOf(ui)
        .split('\n')
        .filter((text) => text.includes(formatEndpoint(group.end)));
    expect(pictureOf(ended)).toMatch(/LISTENER\/REMOTE +NETNS +PROCESS/);
    expect(lines(ended).map((text) => /(host|db)/.exec(text)?.[0])).toEqual(['db', 'host']);
    expect(lines(press(ended, '/', '"netns:db"', 'enter'))).toHaveLength(1);
    expect(pictureOf(press(ended, '4', 'enter'))).toMatch(/netns +db/);
  });

  it('a takeover is news among the alerts, and no alert', () => {
    const picture = pictureOf(shown(200));
    expect(picture).toContain('0 active');
    expect(picture).toContain('news 10.0.0.5:8080 (netns db) taken over by nginx/812, was nginx/640');
  });

  it('details say container, pod and namespace', () => {
    const details = ['enter', 'down enter'].map((keys) => pictureOf(press(shown(), ...keys.split(' '))));
    const [ofDb] = details.filter((picture) => picture.includes('container db (docker), pod p1'));
    expect(ofDb).toContain('netns 102 (db)');
  });

  it('the filter hides what is elsewhere', () => {
    const picture = pictureOf(press(shown(), '/', '"netns:db"', 'enter'));
    expect(picture).toContain('1 of 2');
    expect(picture).not.toMatch(/8080 +host/);
  });

  it('fills every size', () => {
    for (const columns of [60, 80, 100, 120, 200]) expect(() => pictureOf(shown(columns))).not.toThrow();
  });
});
