import {
  CLOSERS,
  type ClosedGroup,
  type ClosedRecent,
  type ClosedReport,
  type Closer,
  ENDINGS,
  type Ending,
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
  formatPercent,
} from '../../render/text.js';
import type { Glyphs } from '../glyphs.js';
import { type Line, line, type Span, span } from '../spans.js';
import { fact, formatRate, numbersLine, section } from './format.js';

const ENDING_WORDS: Readonly<Record<Ending, string>> = {
  finished: 'finished',
  reset: 'reset',
  timed_out: 'timed out',
  refused: 'refused',
  unanswered: 'given up',
  unknown: 'unknown',
};
const CLOSER_WORDS: Readonly<Record<Closer, string>> = {
  self: 'this side',
  peer: 'the peer',
  unknown: 'unknown',
};

/** Everything that is known of one group of connections that ended. `told`: what the numbers are part of. */
export function closedDetail(group: ClosedGroup, told: ClosedReport | undefined, glyphs: Glyphs): Line[] {
  const { recent } = group;
  return [
    ...countLines(group, told, glyphs),
    [],
    [
      ...section(`Last ${formatDuration(recent.overMs)}`),
      span(`  ${formatCount(recent.closed)} ended`, 'dim'),
    ],
    ...(recent.closed === 0 ? [] : recentLines(recent, glyphs)),
    ...ownerLines(group),
  ];
}

function countLines(group: ClosedGroup, told: ClosedReport | undefined, glyphs: Glyphs): Line[] {
  const least = told?.incomplete === true ? glyphs.atLeast : '';
  const rateLeast = told !== undefined && isWindowLeast(told) ? glyphs.atLeast : '';
  const { closed, closedPerSecond, refused, unanswered, direction, end, namespace } = group;
  const rate = closedPerSecond === undefined ? 'unknown' : `${rateLeast}${formatRate(closedPerSecond)}`;
  const since = told === undefined ? '' : `  in ${formatDuration(told.sinceMs)}`;
  const failed = `${formatCount(refused)} refused, ${formatCount(unanswered)} given up`;
  return [
    fact(direction === 'inbound' ? 'came in at' : 'went out to', line(cleanText(formatEndpoint(end)))),
    ...(namespace === undefined ? [] : [fact('netns', line(namespaceText(namespace, PLAIN_NAMES)))]),
    fact('ended', [span(`${closed === 0 ? '' : least}${formatCount(closed)}`), span(since, 'dim')]),
    fact('ended per second', line(rate)),
    ...(direction === 'outbound'
      ? [fact('failed connects', line(failed, refused + unanswered > 0 ? 'warning' : 'text'))]
      : []),
  ];
}

function recentLines(recent: ClosedRecent, glyphs: Glyphs): Line[] {
  const durations: readonly (readonly [string, Spread | undefined])[] = [
    ['idle before the end', recent.idle],
    ['  closed by this side', recent.idleBy.self],
    ['  closed by the peer', recent.idleBy.peer],
    ['round trip', recent.rttMs],
  ];
  return [
    fact('how', shares(ENDINGS, recent.endings, ENDING_WORDS)),
    fact('closed first by', shares(CLOSERS, recent.closers, CLOSER_WORDS)),
    ...sumLines(recent, recent.bytesAreLeast === true ? glyphs.atLeast : ''),
    [],
    numbersLine('', ['COUNT', 'P50', 'P95', 'MAX'], 'head'),
    spreadLine('lasted at least', recent.lastedAtLeast, (ms) => formatBound(ms, 'down')),
    spreadLine('lasted at most', recent.lastedAtMost, (ms) => formatBound(ms, 'up')),
    ...durations.map(([label, spread]) => spreadLine(label, spread, formatDuration)),
    spreadLine('bytes sent', recent.bytesSent, formatBytes),
    spreadLine('bytes received', recent.bytesReceived, formatBytes),
  ];
}

/** `least`: before sums that some are missing from. */
function sumLines(recent: ClosedRecent, least: string): Line[] {
  const { closed, sentInAll, receivedInAll, retransmissions, retransmitting = 0 } = recent;
  const text = (value: number | undefined, format: (value: number) => string) =>
    value === undefined ? '?' : least + format(value);
  const known = Math.min(recent.bytesSent?.count ?? 0, recent.bytesReceived?.count ?? 0);
  const missing = `  of ${formatCount(known)} of ${formatCount(closed)}: the others left no numbers`;
  const again = `${text(retransmissions, formatCount)} segments, by ${text(retransmitting, formatCount)} connections`;
  const limited = [
    `busy ${text(recent.busyMs, formatDuration)}`,
    `held up by the receiver ${text(recent.receiverLimitedMs, formatDuration)}`,
    `by the own buffer ${text(recent.bufferLimitedMs, formatDuration)}`,
  ];
  return [
    retransmissions === undefined
      ? fact('sent again', line('?', 'dim'))
      : fact('sent again', line(again, retransmissions > 0 ? 'warning' : 'text')),
    fact('bytes', [
      span(`${text(sentInAll, formatBytes)} sent, ${text(receivedInAll, formatBytes)} received`),
      ...(least === '' ? [] : [span(missing, 'dim')]),
    ]),
    fact('sending', line(limited.join(', '))),
  ];
}

/** `finished 24,000 (99%)  reset 100 (<1%)`. */
function shares<Name extends string>(
  names: readonly Name[],
  counts: Readonly<Partial<Record<Name, number>>>,
  words: Readonly<Record<Name, string>>,
): Line {
  const found = names.flatMap((name) => {
    const count = counts[name] ?? 0;
    return count === 0 ? [] : [[words[name], count] as const];
  });
  const all = found.reduce((sum, [, count]) => sum + count, 0);
  return found.flatMap(([word, count]): Span[] => [
    span(`${word} ${formatCount(count)}`),
    span(` (${formatPercent(count / all)})  `, 'dim'),
  ]);
}

/** `-`: measured of none. */
function spreadLine(label: string, spread: Spread | undefined, text: (value: number) => string): Line {
  if (spread === undefined) return numbersLine(label, ['-', '-', '-', '-'], 'dim');
  const { count, p50, p95, max } = spread;
  return numbersLine(label, [formatCount(count), text(p50), text(p95), text(max)], 'text');
}

function ownerLines({ owners, ownersOf }: ClosedGroup): Line[] {
  const shown = owners?.slice(0, 20).map(({ name, pid, fd }) => line(`  ${cleanText(name)}/${pid} fd ${fd}`));
  const whose = ownersOf === 'listener' ? '  of the listener' : '';
  const none = '  ? not known: nobody saw whose they were';
  return [
    [],
    [...section('Processes'), span(whose, 'dim')],
    ...(shown === undefined || shown.length === 0 ? [line(none, 'dim')] : shown),
  ];
}
