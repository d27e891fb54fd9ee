import { formatEndpoint } from '../../model/endpoint.js';
import type { SocketRow } from '../../model/socket-row.js';
import type { SocketState } from '../../model/sockets.js';
import { namespaceText } from '../../render/labels.js';
import { PLAIN_NAMES } from '../../render/names.js';
import { cleanText, formatCount, formatDuration, formatOwners } from '../../render/text.js';
import type { Glyphs } from '../glyphs.js';
import { type Line, line, type Role, span } from '../spans.js';
import type { Column } from './columns.js';
import { shortenMiddle } from './format.js';

/** As ss writes them: the words that people look for. */
const STATE_NAMES: Partial<Record<SocketState, string>> = {
  established: 'ESTAB',
  unconnected: 'UNCONN',
  close: 'CLOSED',
  unknown: '?',
};
export const stateName = (state: SocketState): string => STATE_NAMES[state] ?? state.toUpperCase();

const local = (glyphs: Glyphs): Column<SocketRow> => ({
  head: 'LOCAL',
  width: 15,
  natural: 28,
  stretch: 40,
  sort: 'local',
  cell: (row, width) => line(shortenMiddle(formatEndpoint(row.local), width, glyphs)),
});

const localPort: Column<SocketRow> = {
  head: 'LPORT',
  width: 5,
  core: true,
  right: true,
  sort: 'local',
  cell: ({ local: end }) => line(end.kind === 'ip' ? String(end.port ?? end.portName ?? '*') : '-'),
};

const remote = (glyphs: Glyphs): Column<SocketRow> => ({
  head: 'REMOTE',
  width: 21,
  natural: 28,
  stretch: 46,
  sort: 'remote',
  cell: ({ remote: end }, width) =>
    end === undefined ? line('-', 'dim') : line(shortenMiddle(formatEndpoint(end), width, glyphs)),
});

const state: Column<SocketRow> = {
  head: 'STATE',
  width: 10,
  sort: 'state',
  cell: (row) => line(stateName(row.state), roleOfState(row)),
};

const received: Column<SocketRow> = {
  head: 'RECV-Q',
  width: 8,
  core: true,
  right: true,
  sort: 'recvq',
  cell: ({ queues }) => bytesCell(queues?.kind === 'stream' ? queues.unread : undefined),
};

const sent: Column<SocketRow> = {
  head: 'SEND-Q',
  width: 8,
  core: true,
  right: true,
  sort: 'sendq',
  cell: ({ queues }) => bytesCell(queues?.kind === 'stream' ? queues.unacked : undefined),
};

const roundTrip: Column<SocketRow> = {
  head: 'RTT ms',
  width: 6,
  core: true,
  right: true,
  sort: 'rtt',
  cell: (row) => millisCell(row.number('rttMs')),
};

const owner: Column<SocketRow> = {
  head: 'PROCESS',
  width: 12,
  core: true,
  natural: 20,
  stretch: 30,
  sort: 'process',
  cell: ownerCell,
};

const lastSent: Column<SocketRow> = {
  head: 'SENT',
  width: 7,
  right: true,
  sort: 'age',
  cell: (row) => agoCell(row.number('lastSentMs')),
};

const lastReceived: Column<SocketRow> = {
  head: 'RCVD',
  width: 7,
  right: true,
  cell: (row) => agoCell(row.number('lastReceivedMs')),
};

const retransmits: Column<SocketRow> = {
  head: 'RETR',
  width: 5,
  right: true,
  cell: (row) => {
    const total = row.number('retransmitsTotal');
    return total === undefined ? line('-', 'dim') : line(formatCount(total), total > 0 ? 'warning' : 'dim');
  },
};

const NARROW = 100;

const namespace: Column<SocketRow> = {
  head: 'NETNS',
  width: 8,
  natural: 20,
  cell: (row) => line(row.namespace === undefined ? '?' : namespaceText(row.namespace, PLAIN_NAMES), 'dim'),
};

/** In order of worth: on a narrow screen the local address gives way to its port. `ofSeveral`: rows of several namespaces. */
export function connectionColumns(
  width: number,
  glyphs: Glyphs,
  ofSeveral = false,
): readonly Column<SocketRow>[] {
  const ends = width < NARROW ? [remote(glyphs), localPort] : [local(glyphs), remote(glyphs)];
  return [
    state,
    ...ends,
    ...(ofSeveral ? [namespace] : []),
    received,
    sent,
    roundTrip,
    owner,
    lastSent,
    lastReceived,
    retransmits,
  ];
}

function roleOfState(row: SocketRow): Role {
  if (row.isWaiting === true) return 'info';
  if (row.state === 'syn-recv' || row.state === 'syn-sent') return 'info';
  return row.state === 'established' || row.state === 'close-wait' ? 'text' : 'dim';
}

function bytesCell(value: number | undefined): Line {
  if (value === undefined) return line('-', 'dim');
  return line(formatCount(value), value === 0 ? 'dim' : 'text');
}

const millisCell = (value: number | undefined): Line =>
  value === undefined ? line('-', 'dim') : line(value < 10 ? value.toFixed(2) : value.toFixed(1));

const agoCell = (value: number | undefined): Line =>
  value === undefined ? line('-', 'dim') : line(formatDuration(value));

/** A connection that no process has accepted yet says so, and for how long it has waited. */
function ownerCell(row: SocketRow): Line {
  if (row.isWaiting === true) {
    const waited = row.number('lastSentMs');
    return [span(waited === undefined ? 'waiting' : `waits ${formatDuration(waited)}`, 'info')];
  }
  const { owners } = row;
  const hidden = owners === undefined || owners.length === 0;
  return line(cleanText(formatOwners(owners)), hidden ? 'dim' : 'text');
}
