import type { ClosedGroup, ClosedRecent, ClosedReport } from '../../src/model/closed.js';
import type { Endpoint } from '../../src/model/endpoint.js';
import { parseIp } from '../../src/model/ip.js';
import { bytes, millis, perSecond } from '../../src/model/units.js';

const end = (host: string, port: number): Endpoint => {
  const address = parseIp(host);
  if (address === undefined) throw new Error(`no address: ${host}`);
  return { kind: 'ip', address, port };
};
const spread = (p50: number, count: number) => ({ count, p50, p95: p50 * 2, max: p50 * 3 });

const recent = (closed: number, rest: Partial<ClosedRecent> = {}): ClosedRecent => ({
  overMs: millis(45_000),
  closed,
  endings: { finished: closed },
  closers: { unknown: closed },
  lastedAtLeast: spread(3, closed),
  idleBy: {},
  sentInAll: bytes(closed * 2000),
  receivedInAll: bytes(closed * 300),
  retransmissions: 0,
  retransmitting: 0,
  busyMs: millis(0),
  receiverLimitedMs: millis(0),
  bufferLimitedMs: millis(0),
  ...rest,
});

const group = (
  id: string,
  rest: Partial<ClosedGroup> & Pick<ClosedGroup, 'closed' | 'end' | 'direction'>,
): ClosedGroup => ({
  id,
  ownersOf: 'socket',
  closedPerSecond: perSecond(rest.closed / 60),
  refused: 0,
  unanswered: 0,
  recent: recent(rest.closed),
  ...rest,
});

/** A web server with many short connections, its database, a service that refuses, and a process with a hostile name. */
export const sampleClosed = (): ClosedReport => ({
  from: 'netlink',
  sinceMs: millis(125_000),
  groups: [
    group('web', {
      direction: 'inbound',
      end: end('0.0.0.0', 443),
      owners: [{ pid: 812, fd: 6, name: 'nginx' }],
      ownersOf: 'listener',
      closed: 24_120,
      recent: recent(24_120, {
        endings: { finished: 24_000, reset: 100, timed_out: 20 },
        closers: { self: 12_060, peer: 12_060 },
        lastedAtMost: spread(900, 24_120),
        idle: spread(15, 24_000),
        rttMs: spread(20, 24_120),
        retransmissions: 31,
      }),
    }),
    group('db', {
      direction: 'outbound',
      end: end('10.0.0.9', 3306),
      owners: [{ pid: 900, fd: 9, name: 'ap\x1b[2Jp' }],
      closed: 60,
      recent: recent(60, {
        closers: { peer: 60 },
        lastedAtLeast: spread(60_000, 60),
        idle: spread(60_000, 60),
        idleBy: { peer: spread(60_000, 60) },
        rttMs: spread(0.4, 60),
      }),
    }),
    group('refused', {
      direction: 'outbound',
      end: end('fd00::5', 6379),
      closed: 0,
      refused: 12,
      recent: recent(0),
    }),
  ],
  closed: 24_180,
  closedPerSecond: perSecond(403),
  inbound: 24_120,
  outbound: 60,
  failedConnects: 14,
  failedConnectsPerSecond: perSecond(0),
  failedWithoutDestination: 2,
  unconnected: 3,
  lost: 1200,
  lostInWindow: 0,
  incomplete: true,
  notShown: 0,
});
