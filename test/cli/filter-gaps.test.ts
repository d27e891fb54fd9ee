import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../src/analyze/filter.js';
import { DEFAULT_THRESHOLDS } from '../../src/analyze/thresholds.js';
import { askedGaps, filterGaps, NamespaceLog, narrowNamespaces } from '../../src/cli/filter-gaps.js';
import { startWatch, step } from '../../src/watch/step.js';
import { all, DB, HOST, into, WEB } from '../support/namespaces.js';
import { look } from '../support/table-builder.js';

const gapsOf = (text: string, isOwnOnly = false) =>
  filterGaps(parseFilter(text), { namespaces: [HOST, WEB, DB], isOwnOnly });

describe('a filter for a namespace that nobody looks into', () => {
  it.each([
    'port:443',
    'netns:web',
    'netns:WEB,db',
    'namespace:101',
    'netns:w*',
    // A process, not a namespace.
    '"netns:nobody"',
    '-netns:nobody',
  ])('%s: all that it wants is there', (text) => {
    expect(gapsOf(text)).toEqual([]);
  });

  it('names what fits none, each of a list by itself', () => {
    const why = 'fits no namespace that was looked into: see them with sockwatch snapshot --netns all';
    expect(gapsOf('netns:web,wbe netns:x-*')).toEqual([
      { what: 'filter netns:"wbe"', why },
      { what: 'filter netns:"x-*"', why },
    ]);
    expect(gapsOf('netns:nobody', true)[0]?.why).toBe(
      "fits no namespace: only sockwatch's own is looked into, without --netns all",
    );
  });

  it('over several looks: one that any of them met is there', () => {
    const log = new NamespaceLog();
    log.take(all(0, [into(HOST, 0, []), into(WEB, 0, [])]));
    log.take(all(100, [into(HOST, 100, []), into(DB, 100, [])]));
    expect(log.gaps(parseFilter('netns:web,db'))).toEqual([]);
    expect(log.gaps(parseFilter('netns:cache'))[0]?.why).toContain('fits no namespace that was looked into');
    const own = new NamespaceLog();
    own.take(look(0, []));
    expect(own.gaps(parseFilter('netns:ns'))).toEqual([]);
    expect(own.gaps(parseFilter('netns:web'))[0]?.why).toContain("only sockwatch's own");
  });
});

describe('a filter that means some namespaces', () => {
  const { container: db } = DB;
  const containers = [{ id: 'b'.repeat(64), name: 'proxy' }, ...(db === undefined ? [] : [db])];
  const pod = { id: '103', pod: 'p2', containers };

  it.each([
    ['port:443', [undefined, undefined, undefined, undefined]],
    ['netns:web port:443', [false, true, false, false]],
    ['-netns:host,web', [false, false, true, true]],
    ['netns:w*,db -netns:web', [false, false, true, false]],
    ['container:db', [false, false, true, true]],
    ['container:proxy,nobody', [false, false, false, true]],
    // Others are in the pod too.
    ['-container:db', [true, true, false, true]],
    ['netns:103 container:proxy', [false, false, false, true]],
    ['"netns:web"', [undefined, undefined, undefined, undefined]],
  ])('%s', (text, means) => {
    const filter = parseFilter(text);
    expect([HOST, WEB, DB, pod].map((one) => filter.meansNamespace(one))).toEqual(means);
  });

  it('leaves out what is missing in others only', () => {
    const gaps = [
      { what: 'netns web: ends', why: 'gone', of: [WEB] },
      { what: 'peaks', why: 'slow (in 2 namespaces)', of: [HOST, DB] },
      { what: 'owners', why: 'hidden' },
    ];
    const whats = (text: string) => askedGaps(gaps, parseFilter(text)).map(({ what }) => what);
    expect(whats('netns:db')).toEqual(['peaks', 'owners']);
    expect(whats('netns:web')).toEqual(['netns web: ends', 'owners']);
    expect(whats('port:443')).toHaveLength(3);
  });

  it('leaves out faults of others, in the looks of all', () => {
    const broken = {
      kind: 'gap' as const,
      origin: { ...all(0, []).origin, netns: WEB.id },
      gaps: [{ what: 'sockets', why: 'no answer' }],
      namespace: WEB,
    };
    const { report } = step(
      startWatch({ thresholds: DEFAULT_THRESHOLDS }),
      all(0, [into(HOST, 0, []), broken]),
    );
    const rules = (text: string) =>
      narrowNamespaces(report, parseFilter(text)).findings.map(({ rule, subject }) => `${rule} ${subject}`);
    expect(rules('netns:db')).toEqual([]);
    expect(rules('netns:web')).toEqual([`source_error netns ${WEB.id}`]);
    expect(narrowNamespaces(report, parseFilter('netns:db')).gaps).toEqual([]);
  });
});
