import type { CaptureFile, CaptureInfo } from '../../model/packets.js';
import type {
  CaptureFileJson,
  MomentJson,
  PercentilesJson,
  TraceSummaryJson,
} from '../../model/trace-json.js';
import type { Moment } from '../../model/trace-moment.js';
import { type Percentiles, PHASE_NAMES, type TraceSummary } from '../../model/trace-summary.js';
import { type Names, PLAIN_NAMES } from '../names.js';
import { momentJson, toMs } from './time.js';

/** The whole analysis in one object, `sockwatch.summary/1`. */
export function summaryJson(
  summary: TraceSummary,
  info: CaptureInfo,
  names: Names = PLAIN_NAMES,
): TraceSummaryJson {
  const at = (moment: Moment): MomentJson => momentJson(info.epochSeconds, moment);
  return {
    schema: 'sockwatch.summary/1',
    files: info.files.map((file) => fileJson(file)),
    ...(summary.start && { start: at(summary.start) }),
    ...(summary.end && { end: at(summary.end) }),
    packets: summary.packets,
    tcp_packets: summary.tcpPackets,
    udp_packets: summary.udpPackets,
    other_packets: summary.otherPackets,
    connections: summary.connections,
    quic_connections: summary.quicConnections,
    outcomes: { ...summary.outcomes },
    phases: phasesJson(summary.phases),
    bytes: { ...summary.bytes },
    retransmissions: { ...summary.retransmissions },
    data_segments: summary.dataSegments,
    http: { ...summary.http },
    findings: summary.rules.map(({ rule, severity, sure, connections, examples }) => ({
      rule,
      severity,
      sure,
      connections,
      examples: examples.map(({ id, frames, message }) => ({
        id,
        frames: [...frames],
        message: names.sentence(message),
      })),
    })),
    pools: summary.pools.map((pool) => poolJson(pool, names)),
    retries: summary.retries.map((retry) => retryJson(retry, names)),
    trust: summary.trust.map((note) => ({
      ...note,
      frames: [...note.frames],
      message: names.sentence(note.message),
    })),
  };
}

const fileJson = ({ name, format, compression, packets, dropped, fault }: CaptureFile): CaptureFileJson => ({
  name,
  format,
  ...(compression && { compression }),
  packets,
  ...(dropped !== undefined && { dropped }),
  ...(fault && { fault: { ...fault } }),
});

export const percentilesJson = ({ count, p50, p90, p99, max }: Percentiles): PercentilesJson => ({
  count,
  p50_ms: toMs(p50),
  p90_ms: toMs(p90),
  p99_ms: toMs(p99),
  max_ms: toMs(max),
});

/** `syn_to_syn_ack`, as the fields of a connection without their unit. */
export const phaseKey = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const phasesJson = (phases: TraceSummary['phases']): Record<string, PercentilesJson> =>
  Object.fromEntries(
    PHASE_NAMES.flatMap((name) => {
      const shares = phases[name];
      return shares === undefined ? [] : [[phaseKey(name), percentilesJson(shares)]];
    }),
  );

const poolJson = (pool: TraceSummary['pools'][number], names: Names) => ({
  client: names.sentence(pool.client),
  server: names.sentence(pool.server),
  connections: pool.connections,
  highest: pool.highest,
  connections_per_second: Math.round(pool.perSecond * 1000) / 1000,
  requests: pool.requests,
  ...(pool.lifetime && { lifetime: percentilesJson(pool.lifetime) }),
  ...(pool.idle && { idle: percentilesJson(pool.idle) }),
  time_wait: { ...pool.timeWait },
  refused: pool.refused,
  unanswered: pool.unanswered,
});

const retryJson = (retry: TraceSummary['retries'][number], names: Names) => ({
  client: names.sentence(retry.client),
  server: names.sentence(retry.server),
  attempts: retry.attempts,
  failed: retry.failed,
  pattern: retry.pattern,
  gaps_ms: [...retry.gapsMs],
  highest_parallel: retry.highestParallel,
});
