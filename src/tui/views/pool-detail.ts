import { formatEndpoint } from '../../model/endpoint.js';
import type { JudgedPool, Spread } from '../../model/pools.js';
import { namespaceText } from '../../render/labels.js';
import { PLAIN_NAMES } from '../../render/names.js';
import { cleanText, formatBytes, formatCount, formatDuration } from '../../render/text.js';
import type { PoolRow } from '../pool-rows.js';
import { type Line, line, span } from '../spans.js';
import { findingLines } from './finding-lines.js';
import { fact, formatRate, numbersLine, section } from './format.js';

/** Everything that is known of one pool. What `live` knows of its use is of the last 30 to 60 s. */
export function poolDetail(row: PoolRow, width: number): Line[] {
  const { use } = row;
  return [
    ...(use?.findings ?? []).flatMap((finding) => findingLines(finding, width)),
    ...nowLines(row),
    ...(use === undefined
      ? [
          [],
          line(
            '  How they are used is not known: that is followed of TCP, where there are no more than 20,000 sockets.',
            'dim',
          ),
        ]
      : [...pastLines(use), ...spreadLines(use), ...endLines(use), ...restLines(use)]),
  ];
}

function nowLines({ process, remote, namespace, open, other, use }: PoolRow): Line[] {
  const service =
    use?.service === undefined ? [] : [span(`  ${cleanText(use.service)}, a guess by port`, 'dim')];
  return [
    fact('process', line(cleanText(process))),
    fact('remote', [
      span(cleanText(use?.direction === 'inbound' ? `clients of ${formatEndpoint(use.end)}` : remote)),
      ...service,
    ]),
    ...(namespace === undefined
      ? []
      : [fact('namespace', line(cleanText(namespaceText(namespace, PLAIN_NAMES))))]),
    fact('open', line(formatCount(open), 'title')),
    ...(use?.busy === undefined
      ? []
      : [
          fact('in use', [
            span(partsText({ busy: use.busy, idle: use.idle ?? 0, 'not known': use.unsure ?? 0 })),
            span('  inferred from queues and times', 'dim'),
          ]),
        ]),
    fact('other states', line(use === undefined ? formatCount(other) : otherText(use))),
  ];
}

const otherText = ({ connecting, waiting, closeWait, finWait, lastAck, timeWait }: JudgedPool): string =>
  partsText({
    connecting,
    'not accepted yet': waiting,
    'CLOSE-WAIT': closeWait,
    'FIN-WAIT': finWait,
    'LAST-ACK': lastAck,
    'TIME-WAIT': timeWait,
  });

/** `4 busy, 6 idle`: those that are none are left out. */
function partsText(parts: Readonly<Record<string, number>>): string {
  const some = Object.entries(parts).filter(([, value]) => value > 0);
  return some.length === 0 ? 'none' : some.map(([name, value]) => `${formatCount(value)} ${name}`).join(', ');
}

function pastLines({ past, createdPerSecond, closedPerSecond, endsTold }: JudgedPool): Line[] {
  // What came and went between two looks is counted only where the kernel told of all ends.
  const least = endsTold === 'all' ? '' : 'at least ';
  const rate = (value: number | undefined) => (value === undefined ? 'unknown' : `${formatRate(value)}/s`);
  return [
    [],
    [
      ...section(`Last ${formatDuration(past.watchedMs)}`),
      span(`  ${past.looks === 1 ? '1 look' : `${formatCount(past.looks)} looks`}`, 'dim'),
    ],
    fact('made', line(`${least}${formatCount(past.created)}, ${rate(createdPerSecond)}`)),
    fact('closed', line(`${least}${formatCount(past.closed)}, ${rate(closedPerSecond)}`)),
    fact(
      'open at once',
      line(
        `${formatCount(past.lowest)} to ${formatCount(past.highest)}, ${formatCount(past.highestBusy)} busy at most`,
      ),
    ),
    fact('used again', line(`${formatCount(past.reused)} of ${formatCount(past.seen)}`)),
    ...(past.connectFailed === 0
      ? []
      : [fact('failed connects', line(formatCount(past.connectFailed), 'warning'))]),
  ];
}

function spreadLines({ age, agesAtLeast, quiet, rtt }: JudgedPool): Line[] {
  const spread = (label: string, of: Spread | undefined, least = '') =>
    numbersLine(
      label,
      of === undefined ? ['-', '-', '-'] : [of.p50, of.p95, of.max].map((ms) => least + formatDuration(ms)),
      of === undefined ? 'dim' : 'text',
    );
  return [
    [],
    numbersLine('', ['P50', 'P95', 'MAX'], 'head'),
    spread('age', age, agesAtLeast ? '>' : ''),
    spread('without data', quiet),
    spread('round trip', rtt),
  ];
}

function endLines({ idleCloses: { timeout, lost, resets }, probes, open }: JudgedPool): Line[] {
  const { kept, bare, unanswered } = probes;
  const by = timeout?.by === undefined ? '' : ` by ${timeout.by === 'self' ? 'this side' : 'the peer'}`;
  return [
    [],
    ...(timeout === undefined
      ? []
      : [
          fact(
            'closed when idle',
            line(`after ${formatDuration(timeout.ms)}${by}, ${formatCount(timeout.closes)} times`),
          ),
        ]),
    ...(lost === undefined || lost.count === 0
      ? []
      : [fact('lost requests', line(`${formatCount(lost.count)} met the FIN`, 'warning'))]),
    ...(resets === undefined || resets === 0 ? [] : [fact('reset', line(formatCount(resets)))]),
    fact(
      'TCP keep-alive',
      line(
        partsText({
          with: kept,
          without: bare,
          // Another timer is pending, or no peer can vanish (loopback).
          'not to be told': Math.max(0, open - kept - bare),
          'probes unanswered': unanswered,
        }),
      ),
    ),
  ];
}

function restLines({ bytesSent, bytesReceived, retransmissions, longLived }: JudgedPool): Line[] {
  const bytes = (value: number | undefined) => (value === undefined ? '?' : formatBytes(value));
  return [
    fact('bytes', line(`${bytes(bytesSent)} sent, ${bytes(bytesReceived)} received by those that are open`)),
    ...(retransmissions === undefined
      ? []
      : [fact('sent again', line(formatCount(retransmissions), retransmissions > 0 ? 'warning' : 'text'))]),
    ...(longLived.count === 0
      ? []
      : [
          fact(
            'older than 1 min',
            line(
              `${formatCount(longLived.count)}, ${formatCount(longLived.moving)} with data in the last 10 s, ${formatCount(longLived.quiet60s)} without for 60 s`,
            ),
          ),
        ]),
  ];
}
