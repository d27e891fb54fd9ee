import type { ReplayPosition } from '../../model/replay.js';
import type { Report } from '../../model/report.js';
import { namespaceText } from '../../render/labels.js';
import { PLAIN_NAMES } from '../../render/names.js';
import { cleanText, formatCount, formatDuration, truncate } from '../../render/text.js';
import { openAlerts } from '../alert-rows.js';
import { fit, type Line, lineWidth, onGround, type Span, span } from '../spans.js';
import { isReplay, type UiState } from '../state.js';
import { formatClock, formatRate } from './format.js';

const GAP = span('  ');

/** The first line: what is watched, how fresh it is, and the few numbers that matter, as many as fit. */
export function titleBar(state: UiState): Line {
  const { columns } = state.size;
  const wide = columns >= 110;
  const left = [span(' '), ...identity(state, wide), GAP, ...freshness(state)];
  const right = figures(state, wide);
  const line: Span[] = [...left];
  for (const figure of right) {
    if (lineWidth(line) + 2 + lineWidth(figure) <= columns - 1) line.push(GAP, ...figure);
  }
  return onGround(fit(line, columns, state.glyphs.ellipsis), 'bar');
}

function identity(state: UiState, wide: boolean): Span[] {
  const demo: Span[] = state.demo ? [GAP, { text: ' DEMO ', role: 'title', ground: 'selected' }] : [];
  const name = span(wide ? 'sockwatch live' : 'sockwatch', 'title');
  const host = isReplay(state) ? (state.report?.origin.host ?? '') : state.host;
  return wide ? [name, ...demo, GAP, span(cleanText(host))] : [name, ...demo];
}

/** The state of the source, in the order of what a person must know first. */
function freshness(state: UiState): Span[] {
  const { report, pausedAt } = state;
  const fault = report?.pace.fault;
  const clock = report === undefined ? '' : ` ${formatClock(report.origin.time)}`;
  const replay = report?.pace.replay;
  if (replay !== undefined) return replaySpans(replay, state);
  if (pausedAt !== undefined) return [...pausedSpans(state, pausedAt)];
  if (report === undefined) return [span('STARTING', 'focus')];
  if (fault !== undefined) {
    return [
      span(' SOURCE ERROR ', 'critical'),
      span(` data ${formatDuration(fault.sinceMs)} old`, 'warning'),
    ];
  }
  const seconds = `${(state.intervalMs / 1000).toFixed(state.intervalMs < 1000 ? 2 : 1)}s`;
  return [span(`LIVE ${seconds}`, 'focus'), ...slowSpans(state), span(clock)];
}

/** `REPLAY web.ndjson 00:12:31/01:00:00 x4`, then the clock of the recording. */
function replaySpans({ name, start, end, speed, ended }: ReplayPosition, state: UiState): Span[] {
  const time = state.report?.origin.time ?? start;
  const rate = speed === Number.POSITIVE_INFINITY ? 'max' : `x${speed}`;
  const place = `${clockOf(time - start)}/${clockOf(end - start)}`;
  const stands = state.pausedAt !== undefined ? ' PAUSED' : ended ? ' END' : '';
  const short = truncate(cleanText(name), state.size.columns >= 110 ? 32 : 16, state.glyphs.ellipsis);
  return [
    { text: ` REPLAY ${short} ${place} ${rate}${stands} `, role: 'title', ground: 'selected' },
    span(` ${formatClock(time)}`),
  ];
}

/** `01:02:03` */
function clockOf(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return [seconds / 3600, (seconds / 60) % 60, seconds % 60]
    .map((part) => String(Math.floor(part)).padStart(2, '0'))
    .join(':');
}

function pausedSpans(state: UiState, pausedAt: number): Span[] {
  const seconds = Math.max(0, Math.round((state.now - pausedAt) / 1000));
  const raised = state.pendingAlerts;
  const news: Span[] =
    raised === 0 ? [] : [span(` ${raised} new alert${raised === 1 ? '' : 's'}`, 'warning')];
  const text = ` PAUSED ${formatClock(pausedAt)} (+${seconds}s) `;
  return [{ text, role: 'title', ground: 'selected' }, ...news];
}

function slowSpans({ report, intervalMs }: UiState): Span[] {
  if (report === undefined) return [];
  const { tookMs, skippedTicks } = report.pace;
  if (tookMs <= intervalMs && skippedTicks === 0) return [];
  const skipped = skippedTicks > 0 ? `, skipped ${skippedTicks}` : '';
  return [span(` (took ${formatDuration(tookMs)}${skipped})`, 'warning')];
}

/** In order of worth: alerts come first, for they must never be the ones without room. */
function figures(state: UiState, wide: boolean): Span[][] {
  const { report, listeners, connections } = state;
  if (report === undefined) return [];
  const { newPerSecond, openedPerSecond, overflowsPerSecond } = report.rates;
  const rate = (value: number | undefined) => span(value === undefined ? '?' : `+${formatRate(value)}/s`);
  const name = (long: string, short: string) => span(`${wide ? long : short} `, 'dim');
  return [
    alertFigure(state, wide),
    overflowFigure(overflowsPerSecond, wide),
    [name('LISTEN', 'LSN'), span(formatCount(listeners.total))],
    ...(report.sockets === undefined
      ? []
      : [[name('ESTAB', 'EST'), span(formatCount(connections.established))]]),
    [name('IN', 'IN'), rate(newPerSecond)],
    [name('OUT', 'OUT'), rate(openedPerSecond)],
    ...(report.origin.netns === undefined
      ? []
      : [[name('netns', 'ns'), span(namespacesText(report, report.origin.netns), 'dim')]]),
  ];
}

/** The name of the one, or how many. */
function namespacesText({ namespaces }: Report, id: string): string {
  const [only, another] = namespaces ?? [];
  if (another !== undefined) return `all ${namespaces?.length}`;
  return only === undefined ? cleanText(id) : namespaceText(only.namespace, PLAIN_NAMES);
}

function overflowFigure(perSecond: number | undefined, wide: boolean): Span[] {
  const name = span(wide ? 'OVERFLOW ' : 'OVF ', 'dim');
  if (perSecond === undefined) return [name, span('?', 'dim')];
  return [name, span(`+${formatRate(perSecond)}/s`, perSecond > 0 ? 'warning' : 'text')];
}

function alertFigure(state: UiState, wide: boolean): Span[] {
  const { critical, warning } = openAlerts(state);
  const name: Span[] = wide ? [span('ALERTS ', 'dim')] : [];
  if (critical + warning === 0) return wide ? [...name, span('none', 'dim')] : [];
  return [
    ...name,
    ...(critical > 0 ? [span(` !!${critical} `, 'critical')] : []),
    ...(critical > 0 && warning > 0 ? [span(' ')] : []),
    ...(warning > 0 ? [span(`!${warning}`, 'warning')] : []),
  ];
}
