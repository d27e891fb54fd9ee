import { formatEndpoint } from '../../model/endpoint.js';
import type { ListenerReport, ListenerWindow, SynQueue, Waiting } from '../../model/listener.js';
import { homeText, namespaceText } from '../../render/labels.js';
import { PLAIN_NAMES } from '../../render/names.js';
import { markOf, verdictText, worstSeverity } from '../../render/style.js';
import { cleanText, formatBytes, formatCount, formatDuration } from '../../render/text.js';
import type { Glyphs } from '../glyphs.js';
import { type Line, line, type Span, span } from '../spans.js';
import { findingLines } from './finding-lines.js';
import { fact, formatClock, formatRate, section } from './format.js';
import { gauge, recentFill, roleOfSeverity } from './gauge.js';
import { sampleLines } from './listener-samples.js';
import { resample, sparkline } from './series.js';

/** Everything that is known of one listener: what is wrong, what to do, who waits, what was dropped. */
export function listenerDetail(report: ListenerReport, width: number, glyphs: Glyphs): Line[] {
  const { listener, window } = report;
  return [
    ...verdictLines(report, width, glyphs),
    ...historyLines(report, width, glyphs),
    ...(window === undefined ? [] : windowLines(window, glyphs)),
    ...synLines(listener.synQueue ?? listener.group?.synQueue, listener.synQueue === undefined),
    ...waitingLines(report, width),
    ...ownerLines(report),
    ...identityLines(report),
  ];
}

function verdictLines(report: ListenerReport, width: number, glyphs: Glyphs): Line[] {
  const severity = worstSeverity(report);
  const { length, backlog, capacity, fill } = report.listener.acceptQueue;
  const limit =
    backlog === undefined ? 'limit unknown' : `backlog ${formatCount(backlog)}, holds ${capacity ?? '?'}`;
  return [
    [
      span(` ${markOf(severity)} `, roleOfSeverity(severity, 'title')),
      span(` ${verdictText(report.verdict)} `, roleOfSeverity(severity, 'title')),
      span('  '),
      ...gauge(fill, severity, 34, glyphs, recentFill(report)),
      span(`   ${formatCount(length)} waiting`, 'title'),
      span(`, ${limit}`, 'dim'),
    ],
    [],
    ...report.findings.flatMap((finding) => findingLines(finding, width)),
  ];
}

function historyLines({ listener, window }: ListenerReport, width: number, glyphs: Glyphs): Line[] {
  const cells = Math.max(10, Math.min(60, width - 30));
  const most = listener.acceptQueue.capacity ?? Math.max(1, window?.peak ?? 1);
  const values = resample(window?.history ?? [], cells);
  const atLeast = window?.isPeakLeast === true ? glyphs.atLeast : '';
  const peak: Span[] =
    window === undefined
      ? []
      : [span(`  peak ${atLeast}${formatCount(window.peak)} at ${formatClock(window.peakAt)}`, 'dim')];
  return [fact('last 60 s', [span(sparkline(values, Math.max(1, most), glyphs), 'fill'), ...peak])];
}

function windowLines(window: ListenerWindow, glyphs: Glyphs): Line[] {
  const { arrivalsPerSecond, acceptsPerSecond, rateBasis, droppedDelta, droppedPerSecond } = window;
  const estimate = rateBasis === 'lower_bound' ? glyphs.atLeast : '';
  const rate = (value: number | undefined) =>
    value === undefined ? 'unknown' : `${estimate}${formatRate(value)}/s`;
  const drops =
    droppedDelta === undefined
      ? 'unknown'
      : `${formatCount(droppedDelta)} in the last ${formatDuration(window.windowMs)}${droppedPerSecond === undefined ? '' : ` (${formatRate(droppedPerSecond)}/s)`}`;
  return [
    ...sampleLines(window, glyphs),
    fact('arrive / accepted', [
      span(`${rate(arrivalsPerSecond)} / ${rate(acceptsPerSecond)}`),
      ...(rateBasis === undefined ? [] : [span('  estimated', 'dim')]),
    ]),
    ...optional('ended', window.closedPerSecond, (value) => {
      const least = window.closedIsLeast === true ? glyphs.atLeast : '';
      return `${least}${formatRate(value)}/s`;
    }),
    fact('dropped segments', line(drops, (droppedDelta ?? 0) > 0 ? 'alarm' : 'text')),
    ...optional(
      'overflows',
      window.overflowsDelta,
      (value) => `${formatCount(value)} of this listener, ${formatDuration(window.windowMs)}`,
    ),
    ...optional(
      'time to full',
      window.timeToFullMs,
      (value) => `${formatDuration(value)} at the present rate`,
    ),
    ...optional('nothing accepted', window.stalledMs, (value) => `for ${formatDuration(value)}`),
    ...optional('full', window.fullMs, (value) => `for ${formatDuration(value)}`),
    fact('watched for', line(formatDuration(window.ageMs), 'dim')),
  ];
}

function optional(label: string, value: number | undefined, text: (value: number) => string): Line[] {
  return value === undefined ? [] : [fact(label, line(text(value)))];
}

function synLines(queue: SynQueue | undefined, ofGroup: boolean): Line[] {
  if (queue === undefined) return [];
  const limit = queue.limit === undefined ? '?' : formatCount(queue.limit);
  const again = queue.retransmitted > 0 ? `, ${formatCount(queue.retransmitted)} answered again` : '';
  const whose = ofGroup ? '  of the whole group' : '';
  return [fact('SYN queue', [span(`${formatCount(queue.length)} of ${limit}${again}`), span(whose, 'dim')])];
}

function waitingLines({ listener }: ListenerReport, width: number): Line[] {
  const { group } = listener;
  const waiting = listener.waiting ?? group?.waiting;
  const whose =
    listener.waiting === undefined && group !== undefined
      ? ` (all ${group.members} listeners of the SO_REUSEPORT group: the kernel does not say whose)`
      : '';
  if (waiting === undefined) return listener.acceptQueue.length === 0 ? [] : unknownWaiting();
  return [
    [],
    [...section(`Waiting for accept()${whose}`), span(`  ${waitingSummary(waiting)}`, 'dim')],
    ...waiting.clients.map((client) => clientLine(client, width)),
  ];
}

const unknownWaiting = (): Line[] => [
  [],
  section('Waiting for accept()'),
  line('  not known: the connections were not read', 'dim'),
];

function waitingSummary({ count, oldestMs, reset, abandoned, unread }: Waiting): string {
  return [
    `${formatCount(count)} visible`,
    ...(oldestMs === undefined ? [] : [`oldest ${formatDuration(oldestMs)}`]),
    ...(abandoned > 0 ? [`${formatCount(abandoned)} gave up (FIN)`] : []),
    ...(reset !== undefined && reset > 0 ? [`${formatCount(reset)} reset`] : []),
    ...(unread > 0 ? [`${formatBytes(unread)} of requests unread`] : []),
  ].join(', ');
}

function clientLine(client: Waiting['clients'][number], width: number): Line {
  const remote = client.remote === undefined ? '?' : cleanText(formatEndpoint(client.remote));
  const waited = client.waitedMs === undefined ? '?' : formatDuration(client.waitedMs);
  const unread = client.unread === undefined || client.unread === 0 ? '' : formatBytes(client.unread);
  const room = Math.min(46, Math.max(22, width - 40));
  return [
    span(`  ${waited.padStart(8)}  `, 'warning'),
    span(remote.padEnd(room)),
    span(client.state === 'close-wait' ? ' gave up  ' : '          ', 'dim'),
    span(unread, 'dim'),
  ];
}

function ownerLines({ listener: { owners } }: ListenerReport): Line[] {
  const shown = owners?.slice(0, 20).map(({ name, pid, fd }) => line(`  ${cleanText(name)}/${pid} fd ${fd}`));
  const none = owners === undefined ? '  ? unknown: run as root or with CAP_SYS_PTRACE to see it' : '  none';
  return [
    [],
    section('Processes'),
    ...(shown === undefined || shown.length === 0 ? [line(none, 'dim')] : shown),
  ];
}

function identityLines({ listener }: ListenerReport): Line[] {
  const { protocol, unixKind, inode, cookie, netns, droppedSegments, group, namespace, home } = listener;
  const name = namespace === undefined ? '' : namespaceText(namespace, PLAIN_NAMES);
  const parts = [
    unixKind === undefined ? protocol : `${protocol} ${unixKind}`,
    ...(inode === undefined ? [] : [`inode ${inode}`]),
    ...(cookie === undefined ? [] : [`cookie ${cookie}`]),
    ...(netns === undefined
      ? []
      : [`netns ${cleanText(netns)}${name === '' || name === netns ? '' : ` (${name})`}`]),
    ...(droppedSegments === undefined
      ? []
      : [`${formatCount(droppedSegments)} segments dropped since it was made`]),
    ...(group === undefined ? [] : [`one of ${group.members} with SO_REUSEPORT`]),
  ];
  const lives = home === undefined ? '' : homeText(home, PLAIN_NAMES);
  return [
    ...(lives === '' ? [] : [[], section('Lives in'), line(`  ${lives}`)]),
    [],
    section('Socket'),
    line(`  ${parts.join(', ')}`, 'dim'),
  ];
}
