import type { TraceConnection } from '../../model/trace.js';
import type { TraceFinding } from '../../model/trace-findings.js';
import type { Peer } from '../../model/trace-moment.js';
import { eventsOf, type FindingRule, framesOf, plural, resentBy, seconds } from './facts.js';
import { LEAST_FLIGHTS } from './suspicion.js';

const SIDES: readonly Peer[] = ['client', 'server'];
const LONG_ZERO_NS = 200e6;
const LOSSY = 0.01;
const RESENT_KINDS = ['retransmission', 'fast_retransmission', 'spurious_retransmission'] as const;

const factsOf = (connection: TraceConnection, side: Peer) =>
  side === 'client' ? connection.clientFacts : connection.serverFacts;

export const resent: FindingRule = (connection) => {
  const counts = SIDES.map((side) => resentBy(factsOf(connection, side)));
  const total = (counts[0] ?? 0) + (counts[1] ?? 0);
  if (total === 0) return undefined;
  const segments = connection.clientFacts.segments + connection.serverFacts.segments;
  const frames = eventsOf(connection, RESENT_KINDS).map(({ frame }) => frame);
  const isLossy = total >= 3 && total / segments > LOSSY;
  return {
    rule: 'retransmissions',
    severity: isLossy ? 'warning' : 'info',
    sure: 'certain',
    frames: frames.slice(0, 20),
    message: `${plural(total, 'segment')} sent again (client ${counts[0]}, server ${counts[1]})`,
    evidence: SIDES.flatMap((side) => {
      const { rto, fast, spurious } = factsOf(connection, side).retransmissions;
      const kinds = [
        rto > 0 && `${rto} after a timeout`,
        fast > 0 && `${fast} fast`,
        spurious > 0 && `${spurious} needless`,
      ];
      const text = kinds.filter(Boolean).join(', ');
      return text === '' ? [] : [`${side}: ${text}`];
    }),
  };
};

export const zeroWindow: FindingRule = (connection) => {
  for (const side of SIDES) {
    const { zeroWindows } = factsOf(connection, side);
    const [first] = zeroWindows;
    if (first === undefined) continue;
    const last = connection.last.time;
    const total = zeroWindows.reduce((sum, { start, end }) => sum + (end?.time ?? last) - start.time, 0);
    const isDead = zeroWindows.at(-1)?.end === undefined;
    return {
      rule: isDead && total >= LONG_ZERO_NS ? 'peer_not_reading' : 'zero_window',
      severity: isDead || total >= LONG_ZERO_NS ? 'warning' : 'info',
      sure: 'certain',
      frames: framesOf(zeroWindows.slice(0, 8).flatMap(({ start, end }) => [start, end])),
      message: `the ${side} closed its window ${plural(zeroWindows.length, 'time')}, for ${seconds(total)} in all${isDead ? ', and did not open it again' : ''}`,
      evidence: [
        `${plural(
          zeroWindows.reduce((sum, { probes }) => sum + probes, 0),
          'probe',
        )} of the peer`,
      ],
      advice: `the application of the ${side} reads too slowly: look at what keeps it busy`,
    };
  }
  return undefined;
};

export const stalls: FindingRule = (connection) => {
  const found = eventsOf(connection, ['stall']);
  if (found.length === 0) return undefined;
  const waited = found.reduce((sum, { detail = 0 }) => sum + detail, 0);
  const side = found[0]?.from ?? 'client';
  return {
    rule: 'nagle_delayed_ack',
    severity: found.length >= 3 ? 'warning' : 'info',
    sure: 'likely',
    frames: found.slice(0, 10).map(({ frame }) => frame),
    message: `the ${side} waited ${plural(found.length, 'time')} for a delayed ACK, ${seconds(waited)} in all (Nagle's algorithm)`,
    evidence: [
      `its next segment left as soon as the ACK came, ${seconds(found[0]?.detail ?? 0)} after the one before`,
    ],
    advice: 'write each message in one piece, or set TCP_NODELAY',
  };
};

/** RFC 6928: ten segments at first, and twice as many with each round trip. */
export const slowStart: FindingRule = (connection) => {
  const side = connection.serverFacts.flights >= connection.clientFacts.flights ? 'server' : 'client';
  const { flights } = factsOf(connection, side);
  const rtt = (connection.phases.synToSynAck ?? 0) + (connection.phases.synAckToAck ?? 0);
  if (flights < LEAST_FLIGHTS || rtt === 0) return undefined;
  return {
    rule: 'slow_start',
    severity: 'info',
    sure: 'likely',
    frames: framesOf(eventsOf(connection, ['slow_start'], side)),
    message: `the ${side} waited ${flights} round trips of ${seconds(rtt)} for acknowledgements with the window open: slow start`,
    evidence: [`full segments went on only when all before them had been acknowledged, ${flights} times`],
    advice:
      'keep connections open instead of new ones, or raise the initial window (ip route ... initcwnd) where paths are long',
  };
};

export const missing: FindingRule = (connection): TraceFinding | undefined => {
  const bytes = connection.clientFacts.missingBytes + connection.serverFacts.missingBytes;
  if (bytes === 0) return undefined;
  return {
    rule: 'missing_packets',
    severity: 'info',
    sure: 'certain',
    frames: eventsOf(connection, ['gap', 'ack_of_unseen'])
      .slice(0, 10)
      .map(({ frame }) => frame),
    message: `${plural(bytes, 'byte')} are missing in the capture`,
    evidence: ['later bytes or acknowledgements show that they were sent'],
  };
};
