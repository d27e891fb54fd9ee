import { namespaceText } from '../../render/labels.js';
import { PLAIN_NAMES } from '../../render/names.js';
import { cleanText, formatCount, formatDuration } from '../../render/text.js';
import type { Glyphs } from '../glyphs.js';
import type { PoolRow, PoolSort } from '../pool-rows.js';
import { type Line, line } from '../spans.js';
import type { Column } from './columns.js';
import { durationCell, rateCell, shortenMiddle } from './format.js';

/** `isFollowed`: the use of connections is known, of some of them at least. */
export function poolColumns(
  glyphs: Glyphs,
  isFollowed: boolean,
  isOneOfMany: boolean,
): readonly Column<PoolRow>[] {
  return [
    {
      head: 'PROCESS',
      width: 14,
      natural: 24,
      stretch: 30,
      sort: 'process',
      cell: ({ process }) => line(cleanText(process)),
    },
    {
      head: 'REMOTE',
      width: 21,
      natural: 40,
      stretch: 48,
      sort: 'remote',
      cell: ({ remote }, width) => line(shortenMiddle(remote, width, glyphs)),
    },
    count('OPEN', 'open', ({ open }) => open),
    ...(isFollowed ? USE : []),
    count('OTHER', 'other', ({ other }) => other),
    ...(isOneOfMany ? [namespaceColumn] : []),
    ...(isFollowed ? LESS_USE : []),
  ];
}

/** There is none, or it is not known. */
const UNKNOWN: Line = line('-', 'dim');

const namespaceColumn: Column<PoolRow> = {
  head: 'NETNS',
  width: 10,
  natural: 20,
  cell: ({ namespace }) =>
    namespace === undefined ? UNKNOWN : line(cleanText(namespaceText(namespace, PLAIN_NAMES))),
};

type Cell = Column<PoolRow>['cell'];
const number = (head: string, sort: PoolSort, cell: Cell, width = 6): Column<PoolRow> => ({
  head,
  width,
  right: true,
  sort,
  cell,
});

const count = (head: string, sort: PoolSort, of: (row: PoolRow) => number | undefined): Column<PoolRow> =>
  number(head, sort, (row) => {
    const value = of(row);
    return value === undefined ? UNKNOWN : line(formatCount(value), value === 0 ? 'dim' : 'text');
  });

/** In order of worth. Busy and idle are inferred, as `sockwatch pools` explains; rates are of 30 to 60 s, lower bounds where the kernel does not tell of each end. */
const USE: readonly Column<PoolRow>[] = [
  count('BUSY', 'busy', ({ use }) => use?.busy),
  count('IDLE', 'idle', ({ use }) => use?.idle),
  number('NEW/s', 'new', ({ use }) => rateCell(use?.createdPerSecond)),
  number('END/s', 'ended', ({ use }) => rateCell(use?.closedPerSecond)),
];
const LESS_USE: readonly Column<PoolRow>[] = [
  number('QUIET', 'quiet', ({ use }) => (use?.open === 0 ? UNKNOWN : durationCell(use?.quiet?.p50)), 7),
  count('C-WAIT', 'close_wait', ({ use }) => use?.closeWait),
  number('AGE', 'age', ({ use }) => ageCell(use), 8),
  number('RTT ms', 'rtt', ({ use }) => rttCell(use?.rtt?.p50)),
  {
    head: 'MOST',
    width: 6,
    right: true,
    cell: ({ use }) => (use === undefined ? UNKNOWN : line(formatCount(use.past.highest))),
  },
];

/** The middle one; a lower bound where some were there before the watch. */
function ageCell(use: PoolRow['use']): Line {
  if (use?.age === undefined) return UNKNOWN;
  return line(`${use.agesAtLeast ? '>' : ''}${formatDuration(use.age.p50)}`);
}

const rttCell = (ms: number | undefined): Line =>
  ms === undefined ? UNKNOWN : line(ms < 10 ? ms.toFixed(2) : ms.toFixed(1));
