import { formatEndpoint } from '../../model/endpoint.js';
import type { ListenerReport, ListenerWindow } from '../../model/listener.js';
import { listenerCells as cells } from '../../render/listener-cells.js';
import { PLAIN_NAMES } from '../../render/names.js';
import { markOf, verdictText, worstSeverity } from '../../render/style.js';
import { formatCount, formatOwners } from '../../render/text.js';
import type { Glyphs } from '../glyphs.js';
import { type Line, line, span } from '../spans.js';
import type { Column } from './columns.js';
import { countCell, durationCell, rateCell, shortenMiddle } from './format.js';
import { gauge, recentFill, roleOfSeverity } from './gauge.js';
import { sparkCell } from './series.js';

const netns: Column<ListenerReport> = {
  head: 'NETNS',
  width: 10,
  natural: 24,
  cell: (report) => line(cells.netns(report, PLAIN_NAMES), 'dim'),
};

/** Columns of the listeners in order of worth: as many as fit are shown. `ofSeveral`: they are of several namespaces. */
export function listenerColumns(glyphs: Glyphs, ofSeveral = false): readonly Column<ListenerReport>[] {
  return [
    { head: 'S', width: 2, core: true, sort: 'trouble', cell: markCell },
    {
      head: 'LOCAL',
      width: 15,
      core: true,
      natural: 30,
      stretch: 32,
      sort: 'address',
      cell: ({ listener }, width) => line(shortenMiddle(formatEndpoint(listener.local), width, glyphs)),
    },
    ...(ofSeveral ? [{ ...netns, width: 8, core: true }] : []),
    {
      head: 'PROCESS',
      width: 12,
      core: true,
      natural: 18,
      stretch: 24,
      sort: 'process',
      cell: ownerCell,
    },
    {
      head: 'ACCEPT QUEUE',
      width: 14,
      core: true,
      stretch: 34,
      sort: 'fill',
      cell: (report, width) =>
        gauge(report.listener.acceptQueue.fill, worstSeverity(report), width, glyphs, recentFill(report)),
    },
    {
      head: 'QUEUE',
      width: 9,
      core: true,
      right: true,
      sort: 'length',
      cell: queueCell,
    },
    { head: 'OLDEST', width: 6, right: true, sort: 'wait', cell: oldestCell },
    { head: '60s', width: 6, stretch: 40, cell: (report, width) => historyCell(report, width, glyphs) },
    {
      head: 'DROP/s',
      width: 6,
      right: true,
      sort: 'drops',
      cell: ({ window }) => dropsCell(window?.droppedPerSecond),
    },
    rate('NEW/s', (report) => estimateCell(report, report.window?.arrivalsPerSecond, glyphs)),
    rate('ACC/s', (report) => estimateCell(report, report.window?.acceptsPerSecond, glyphs)),
    rate('END/s', (report) => endedCell(report, glyphs)),
    { head: 'VERDICT', width: 11, natural: 16, cell: verdictCell },
    {
      head: 'PEAK',
      width: 5,
      right: true,
      cell: ({ window }) => peakCell(window, glyphs),
    },
    { head: 'SYN', width: 4, right: true, cell: synCell },
    ...(ofSeveral ? [] : [netns]),
  ];
}

const rate = (head: string, cell: (report: ListenerReport) => Line): Column<ListenerReport> => ({
  head,
  width: 6,
  right: true,
  cell,
});

function markCell(report: ListenerReport): Line {
  const severity = worstSeverity(report);
  if (severity === undefined && report.verdict === 'unknown_limit') return line('?', 'dim');
  return line(markOf(severity), roleOfSeverity(severity, severity === 'info' ? 'info' : 'dim'));
}

function ownerCell({ listener: { owners } }: ListenerReport): Line {
  return line(formatOwners(owners), owners === undefined || owners.length === 0 ? 'dim' : 'text');
}

function queueCell(report: ListenerReport): Line {
  const { length, backlog } = report.listener.acceptQueue;
  const role = roleOfSeverity(worstSeverity(report), length === 0 ? 'dim' : 'text');
  const limit = backlog === undefined ? '?' : String(backlog);
  const isLong = length > 99_999;
  return [
    span(isLong ? formatCount(length) : String(length), role === 'critical' ? 'alarm' : role),
    span(`/${limit}`, 'dim'),
  ];
}

function oldestCell({ listener }: ListenerReport): Line {
  const waiting = listener.waiting ?? listener.group?.waiting;
  if (listener.acceptQueue.length === 0) return line('-', 'dim');
  if (waiting === undefined) return line('?', 'dim');
  return waiting.oldestMs === undefined ? line('?', 'dim') : durationCell(waiting.oldestMs);
}

/** Against the capacity, so that a full queue is a full bar; where the limit is unknown, against the peak. */
function historyCell({ listener, window }: ListenerReport, width: number, glyphs: Glyphs): Line {
  return sparkCell(window?.history, listener.acceptQueue.capacity ?? window?.peak ?? 1, width, glyphs);
}

/** `≥5` where it may have been more for a moment. */
function peakCell(window: ListenerWindow | undefined, glyphs: Glyphs): Line {
  if (window === undefined) return line('-', 'dim');
  return window.isPeakLeast === true
    ? line(`${glyphs.atLeast}${formatCount(window.peak)}`)
    : countCell(window.peak);
}

function dropsCell(perSecond: number | undefined): Line {
  if (perSecond === undefined) return line('?', 'dim');
  return perSecond > 0 ? line(`+${rateCell(perSecond)[0]?.text ?? ''}`, 'alarm') : line('0', 'dim');
}

function synCell({ listener }: ListenerReport): Line {
  if (listener.protocol === 'unix') return line('-', 'dim');
  return countCell((listener.synQueue ?? listener.group?.synQueue)?.length);
}

/** An estimate where it is not counted: `≥3`. */
function estimateCell(
  { listener, window }: ListenerReport,
  perSecond: number | undefined,
  glyphs: Glyphs,
): Line {
  if (listener.protocol === 'unix' && perSecond === undefined) return line('-', 'dim');
  return rateCell(perSecond, window?.rateBasis === 'lower_bound' ? glyphs.atLeast : '');
}

/** Connections that ended; members of a SO_REUSEPORT group cannot be told apart. */
function endedCell({ listener, window }: ListenerReport, glyphs: Glyphs): Line {
  if (listener.protocol === 'unix') return line('-', 'dim');
  return rateCell(window?.closedPerSecond, window?.closedIsLeast === true ? glyphs.atLeast : '');
}

function verdictCell(report: ListenerReport): Line {
  return line(verdictText(report.verdict), roleOfSeverity(worstSeverity(report), 'dim'));
}
