import { cleanText, formatCount, formatDuration } from '../../render/text.js';
import type { Glyphs } from '../glyphs.js';
import type { PoolRow } from '../pool-rows.js';
import { type Line, line } from '../spans.js';
import type { Column } from './columns.js';
import { durationCell, rateCell, shortenMiddle } from './format.js';

/** `isFollowed`: the use of connections is known, of some of them at least. */
export function poolColumns(glyphs: Glyphs, isFollowed: boolean): readonly Column<PoolRow>[] {
  return [
    { head: 'PROCESS', width: 14, natural: 24, stretch: 30, cell: ({ process }) => line(cleanText(process)) },
    {
      head: 'REMOTE',
      width: 21,
      natural: 40,
      stretch: 48,
      cell: ({ remote }, width) => line(shortenMiddle(remote, width, glyphs)),
    },
    count('OPEN', ({ open }) => open),
    count('ESTAB', ({ established }) => established),
    ...(isFollowed ? USE : [count('OTHER', ({ open, established }) => open - established)]),
  ];
}

const UNKNOWN: Line = line('-', 'dim');

function count(head: string, of: (row: PoolRow) => number | undefined, width = 6): Column<PoolRow> {
  return {
    head,
    width,
    right: true,
    cell: (row) => {
      const value = of(row);
      return value === undefined ? UNKNOWN : line(formatCount(value), value === 0 ? 'dim' : 'text');
    },
  };
}

/** In order of worth. Busy and idle are inferred, as `sockwatch pools` explains; rates are lower bounds of 30 to 60 s. */
const USE: readonly Column<PoolRow>[] = [
  count('BUSY', ({ use }) => use?.busy),
  count('IDLE', ({ use }) => use?.idle),
  { head: 'NEW/s', width: 6, right: true, cell: ({ use }) => rateCell(use?.createdPerSecond) },
  { head: 'END/s', width: 6, right: true, cell: ({ use }) => rateCell(use?.closedPerSecond) },
  { head: 'QUIET', width: 7, right: true, cell: ({ use }) => durationCell(use?.quiet?.p50) },
  count('C-WAIT', ({ use }) => use?.closeWait),
  { head: 'AGE', width: 8, right: true, cell: ({ use }) => ageCell(use) },
  { head: 'RTT ms', width: 6, right: true, cell: ({ use }) => rttCell(use?.rtt?.p50) },
  count('MOST', ({ use }) => use?.past.highest),
];

/** The middle one; a lower bound where some were there before the watch. */
function ageCell(use: PoolRow['use']): Line {
  if (use?.age === undefined) return UNKNOWN;
  return line(`${use.agesAtLeast ? '>' : ''}${formatDuration(use.age.p50)}`);
}

const rttCell = (ms: number | undefined): Line =>
  ms === undefined ? UNKNOWN : line(ms < 10 ? ms.toFixed(2) : ms.toFixed(1));
