import { formatEndpoint } from '../../model/endpoint.js';
import type { SocketRow } from '../../model/socket-row.js';
import { OPTIONAL_COLUMNS, type OptionalColumn } from '../../model/table.js';
import { namespaceText } from '../../render/labels.js';
import { PLAIN_NAMES } from '../../render/names.js';
import { cleanText, formatBytes, formatCount, formatDuration } from '../../render/text.js';
import { type Line, line } from '../spans.js';
import { stateName } from './connections.js';
import { fact, section } from './format.js';

type Format = (value: number) => string;

const millis: Format = (value) => (value < 10 ? `${value} ms` : formatDuration(value));
const ago: Format = (value) => `${formatDuration(value)} ago`;
const size: Format = (value) => formatBytes(value);
const bits: Format = (value) => `${formatCount(value / 1e3)} kbit/s`;

/** Columns of the table by theme, with the words and units that people use for them. */
const THEMES: readonly (readonly [string, readonly (readonly [OptionalColumn, string, Format])[]])[] = [
  [
    'Time',
    [
      ['rttMs', 'rtt', millis],
      ['rttVarMs', 'rtt variance', millis],
      ['minRttMs', 'least rtt', millis],
      ['rtoMs', 'rto', millis],
      ['lastSentMs', 'last sent', ago],
      ['lastReceivedMs', 'last received', ago],
      ['lastAckMs', 'last ack', ago],
      ['busyMs', 'busy', millis],
      ['receiverLimitedMs', 'peer window full', millis],
      ['bufferLimitedMs', 'own buffer full', millis],
    ],
  ],
  [
    'Sent and received',
    [
      ['bytesSent', 'sent', size],
      ['bytesAcked', 'acknowledged', size],
      ['bytesReceived', 'received', size],
      ['bytesRetransmitted', 'sent again', size],
      ['segmentsOut', 'segments out', formatCount],
      ['segmentsIn', 'segments in', formatCount],
      ['dataSegmentsOut', 'with data out', formatCount],
      ['dataSegmentsIn', 'with data in', formatCount],
      ['notSent', 'not sent yet', size],
      ['unacked', 'unacked segments', formatCount],
      ['lost', 'lost', formatCount],
      ['retransmitsNow', 'retransmits now', formatCount],
      ['retransmitsTotal', 'retransmits', formatCount],
      ['backoff', 'backoff', formatCount],
    ],
  ],
  [
    'Path',
    [
      ['mss', 'mss', size],
      ['pathMtu', 'path mtu', size],
      ['congestionWindow', 'cwnd', formatCount],
      ['slowStartThreshold', 'ssthresh', formatCount],
      ['receiveSpace', 'receive space', size],
      ['sendWindow', 'window of the peer', size],
      ['sendRateBps', 'send rate', bits],
      ['pacingRateBps', 'pacing rate', bits],
      ['deliveryRateBps', 'delivery rate', bits],
    ],
  ],
  [
    'Memory (skmem)',
    [
      ['memReceive', 'receive', size],
      ['memReceiveLimit', 'receive limit', size],
      ['memSend', 'send', size],
      ['memSendLimit', 'send limit', size],
      ['memForward', 'forward', size],
      ['memWriteQueue', 'write queue', size],
      ['memOption', 'options', size],
      ['memBacklog', 'backlog', size],
      ['drops', 'dropped segments', formatCount],
    ],
  ],
  [
    'Socket',
    [
      ['inode', 'inode', String],
      ['peerInode', 'inode of the peer', String],
      ['uid', 'uid', String],
      ['interface', 'interface', String],
      ['mark', 'mark', (value) => `0x${value.toString(16)}`],
      ['cgroupId', 'cgroup id', String],
    ],
  ],
];

/** Columns that a theme shows; the timer has its own line, and the last two are of connections that have ended. */
export const DETAILED_COLUMNS: ReadonlySet<OptionalColumn> = new Set([
  ...THEMES.flatMap(([, columns]) => columns.map(([column]) => column)),
  'timerKind',
  'timerMs',
  'timerRetransmits',
  'closeKind',
  'weight',
]);
export const MISSING_COLUMNS = OPTIONAL_COLUMNS.filter((column) => !DETAILED_COLUMNS.has(column));

/** Everything that is known of one connection; what is not known is left out. */
export function connectionDetail(row: SocketRow, width: number): Line[] {
  return [
    ...headLines(row),
    ...THEMES.flatMap(([theme, columns]) => {
      const facts = columns.flatMap(([column, label, format]) => {
        const value = row.number(column);
        return value === undefined ? [] : [fact(label, line(format(value)))];
      });
      return facts.length === 0 ? [] : [[], section(theme), ...inColumns(facts, width)];
    }),
  ];
}

function headLines(row: SocketRow): Line[] {
  const { queues, timer, owners, cookie, remote } = row;
  const namespace = row.table.sections.length > 1 ? row.namespace : undefined;
  const congestion = row.table.note(row.index, 'congestion');
  const ulp = row.table.note(row.index, 'ulp');
  return [
    fact('state', line(`${stateName(row.state)}  ${row.protocol}`, 'title')),
    fact('local', line(cleanText(formatEndpoint(row.local)))),
    fact('remote', line(remote === undefined ? '-' : cleanText(formatEndpoint(remote)))),
    ...(row.isWaiting === true
      ? [fact('accept()', line('not accepted yet: waits in the accept queue', 'info'))]
      : []),
    ...(queues?.kind === 'stream'
      ? [
          fact('Recv-Q', line(`${formatCount(queues.unread)} bytes not read by the process`)),
          fact('Send-Q', line(`${formatCount(queues.unacked)} bytes not acknowledged by the peer`)),
        ]
      : []),
    ...(timer === undefined
      ? []
      : [
          fact(
            'timer',
            line(`${timer.kind}, in ${formatDuration(timer.inMs)}, ${timer.retransmits} retransmits`),
          ),
        ]),
    ...(congestion === undefined ? [] : [fact('congestion', line(cleanText(congestion)))]),
    ...(ulp === undefined ? [] : [fact('on top of TCP', line(cleanText(ulp)))]),
    ...(cookie === undefined ? [] : [fact('cookie', line(cookie))]),
    ...ownerFacts(owners),
    ...(namespace === undefined ? [] : [fact('netns', line(namespaceText(namespace, PLAIN_NAMES)))]),
  ];
}

function ownerFacts(owners: SocketRow['owners']): Line[] {
  if (owners === undefined) return [fact('process', line('? unknown', 'dim'))];
  if (owners.length === 0) return [fact('process', line('none', 'dim'))];
  return owners
    .slice(0, 10)
    .map(({ name, pid, fd }, index) =>
      fact(index === 0 ? 'process' : '', line(`${cleanText(name)}/${pid} fd ${fd}`)),
    );
}

const COLUMN_WIDTH = 38;

/** Facts side by side where there is room, read downwards. */
function inColumns(facts: readonly Line[], width: number): Line[] {
  const columns = Math.max(1, Math.floor(width / COLUMN_WIDTH));
  const rows = Math.ceil(facts.length / columns);
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => facts[column * rows + row] ?? []).flatMap((cell) =>
      padTo(cell, COLUMN_WIDTH),
    ),
  );
}

function padTo(cell: Line, width: number): Line {
  const used = cell.reduce((sum, { text }) => sum + text.length, 0);
  return [...cell, ...line(' '.repeat(Math.max(0, width - used)))];
}
