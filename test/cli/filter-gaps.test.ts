import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../src/analyze/filter.js';
import { filterGaps, NamespaceLog } from '../../src/cli/filter-gaps.js';
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
