import {
  type ClosedGroup,
  type ClosedRecent,
  type ClosedReport,
  isWindowLeast,
  type Spread,
} from '../../model/closed.js';
import { formatEndpoint } from '../../model/endpoint.js';
import { namespaceText } from '../../render/labels.js';
import { PLAIN_NAMES } from '../../render/names.js';
import {
  cleanText,
  formatBound,
  formatBytes,
  formatCount,
  formatDuration,
  formatOwners,
  formatPercent,
} from '../../render/text.js';
import { brokenOf, type ClosedSort, volumeOf } from '../closed-rows.js';
import type { Glyphs } from '../glyphs.js';
import { type Line, line, type Span, span } from '../spans.js';
import type { UiState } from '../state.js';
import type { Column } from './columns.js';
import { countCell, durationCell, formatRate, rateCell, shortenMiddle } from './format.js';

/** Columns of connections that ended in order of worth; without a report of loss all numbers are exact. */
export function closedColumns(
  glyphs: Glyphs,
  told: ClosedReport | undefined,
): readonly Column<ClosedGroup>[] {
  const least = told?.incomplete === true ? glyphs.atLeast : '';
  const rateLeast = told !== undefined && isWindowLeast(told) ? glyphs.atLeast : '';
  return [
    { head: 'DIR', width: 3, cell: ({ direction }) => line(direction === 'inbound' ? 'in' : 'out', 'dim') },
    {
      head: 'LISTENER/REMOTE',
      width: 21,
      natural: 28,
      stretch: 44,
      sort: 'address',
      cell: ({ end }, width) => line(shortenMiddle(formatEndpoint(end), width, glyphs)),
    },
    ...(told?.ofSeveral ? [NETNS] : []),
    { head: 'PROCESS', width: 12, natural: 18, stretch: 28, sort: 'process', cell: ownerCell },
    number('ENDED/s', 8, 'rate', ({ closedPerSecond }) => rateCell(closedPerSecond, rateLeast)),
    number('ENDED', 8, 'closed', ({ closed }) => counted(closed, least)),
    number('FAILED', 6, 'failed', ({ refused, unanswered }) => bad(refused + unanswered)),
    number('RESET', 6, 'resets', resetCell(glyphs)),
    number('LASTED', 8, 'lasted', lastedCell(glyphs)),
    number('IDLE', 7, 'idle', ({ recent }) => spreadCell(recent.idle)),
    { head: 'CLOSED BY', width: 10, cell: closerCell(glyphs) },
    number('RTT', 7, 'rtt', ({ recent }) => spreadCell(recent.rttMs)),
    number('RETR', 5, 'retransmissions', ({ recent }) =>
      bad(recent.retransmissions, leastOf(recent, glyphs)),
    ),
    number('BYTES', 9, 'bytes', bytesCell(glyphs)),
  ];
}

const NETNS: Column<ClosedGroup> = {
  head: 'NETNS',
  width: 8,
  natural: 20,
  cell: ({ namespace }) => line(namespace === undefined ? '?' : namespaceText(namespace, PLAIN_NAMES), 'dim'),
};

const number = (
  head: string,
  width: number,
  sort: ClosedSort,
  cell: (group: ClosedGroup) => Line,
): Column<ClosedGroup> => ({ head, width, right: true, sort, cell });

function ownerCell({ owners }: ClosedGroup): Line {
  return line(cleanText(formatOwners(owners)), owners === undefined || owners.length === 0 ? 'dim' : 'text');
}

const counted = (count: number, prefix: string): Line =>
  count === 0 ? countCell(0) : line(prefix + formatCount(count));

/** `least`: there may be more; of none at all that is not said, as in `counted`. */
function bad(count: number | undefined, least = ''): Line {
  if (count === undefined || (count === 0 && least === '')) return countCell(count);
  return line(least + formatCount(count), count === 0 ? 'dim' : 'warning');
}

/** Of some it is not known how they ended. */
const resetCell =
  ({ atLeast }: Glyphs) =>
  (group: ClosedGroup): Line =>
    bad(brokenOf(group), group.recent.endings.unknown === undefined ? '' : atLeast);

const leastOf = ({ bytesAreLeast, sentInAll, receivedInAll }: ClosedRecent, { atLeast }: Glyphs): string =>
  bytesAreLeast === true || (sentInAll === undefined) !== (receivedInAll === undefined) ? atLeast : '';

const bytesCell =
  (glyphs: Glyphs) =>
  (group: ClosedGroup): Line => {
    const volume = volumeOf(group);
    return volume === undefined
      ? line('?', 'dim')
      : line(leastOf(group.recent, glyphs) + formatBytes(volume));
  };

const spreadCell = (spread: Spread | undefined): Line =>
  spread === undefined ? line('-', 'dim') : durationCell(spread.p50);

/** The median: exact, or a bound from below or above, whichever is known. */
const lastedCell =
  ({ atLeast, atMost }: Glyphs) =>
  ({ recent: { closed, lastedAtLeast: low, lastedAtMost: high } }: ClosedGroup): Line => {
    if (high === undefined || high.count < closed)
      return low === undefined ? line('-', 'dim') : line(atLeast + formatBound(low.p50, 'down'));
    return low?.p50 === high.p50
      ? line(formatDuration(high.p50))
      : line(atMost + formatBound(high.p50, 'up'));
  };

/** Who closed most of those of which it is known, and how many of all that is, at least; `?` where fewer than half are known. */
const closerCell =
  ({ atLeast }: Glyphs) =>
  ({ recent: { closers } }: ClosedGroup): Line => {
    const { self = 0, peer = 0, unknown = 0 } = closers;
    const known = self + peer;
    if (known === 0 || known < unknown) return line('?', 'dim');
    const [who, most] = self >= peer ? ['self', self] : ['peer', peer];
    if (most === known + unknown) return line(who);
    return line(`${who} ${unknown > 0 ? atLeast : ''}${formatPercent(most / (known + unknown))}`);
  };

/** `1,204  +412/s  at least: 12 lost`. */
export function closedSummary({ report, closed }: UiState): Span[] {
  const told = report?.closed;
  if (told === undefined) return [];
  const rate = told.closedPerSecond;
  return [
    span(` ${formatCount(closed.items.length)}`),
    span(`  ${formatCount(told.closed)} in ${formatDuration(told.sinceMs)}`, 'dim'),
    ...(rate === undefined ? [] : [span(`  +${formatRate(rate)}/s`)]),
    ...(told.failedConnects === 0
      ? []
      : [span(`  ${formatCount(told.failedConnects)} connects failed`, 'warning')]),
    ...lossSpans(told),
  ];
}

function lossSpans({ incomplete, lost }: ClosedReport): Span[] {
  if (!incomplete) return [];
  const many = lost === undefined ? 'an unknown number is missing' : `${formatCount(lost)} missing`;
  return [span(`  at least: ${many}`, 'warning')];
}

/** Why there is nothing to show. */
export function noClosed({ report, filter }: UiState): string {
  const told = report?.closed;
  if (told === undefined) return 'Nobody tells of connections that end (see the gaps), or not yet.';
  if (filter.active !== undefined && told.groups.length > 0)
    return `0 of ${formatCount(told.groups.length)} match "${cleanText(filter.active.text)}" - Esc clears`;
  return `No connection has ended for ${formatDuration(told.sinceMs)}.`;
}
