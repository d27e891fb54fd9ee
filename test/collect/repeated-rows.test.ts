import { describe, expect, it } from 'vitest';
import { withoutRepeated } from '../../src/collect/repeated-rows.js';
import { buildTable, listen, waiting } from '../support/table-builder.js';

const request = (remote: string, cookie: number) =>
  ({ state: 'syn-recv', local: '10.0.0.1:80', remote, cookie, columns: { inode: 0 } }) as const;

describe('a socket that is in two lists', () => {
  it('is kept as what it has become', () => {
    const table = buildTable([
      listen('*:80', [1, 8], { inode: 7 }, { cookie: 1 }),
      request('10.0.0.9:1', 5),
      request('10.0.0.9:2', 6),
      waiting('10.0.0.1:80', '10.0.0.9:1', 12, { state: 'close-wait', cookie: 5 }),
    ]);
    table.setNote(3, 'congestion', 'cubic');
    const rest = withoutRepeated(table);
    const rows = Array.from({ length: rest.length }, (_, index) => rest.row(index));
    expect(rows.map(({ state, cookie }) => [state, cookie])).toEqual([
      ['listen', '1'],
      ['syn-recv', '6'],
      ['close-wait', '5'],
    ]);
    expect(rest.note(2, 'congestion')).toBe('cubic');
  });

  it('is rare: else the table is the same', () => {
    const table = buildTable([
      request('10.0.0.9:1', 5),
      waiting('10.0.0.1:80', '10.0.0.9:3', 1, { cookie: 6 }),
    ]);
    expect(withoutRepeated(table)).toBe(table);
  });
});
