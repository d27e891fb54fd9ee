import type { CaptureInfo } from '../../model/packets.js';
import type { DirectionFacts, Moment, Peer, TraceConnection, ZeroWindow } from '../../model/trace.js';
import type { MomentJson, SidesJson, TraceConnectionJson, ZeroWindowJson } from '../../model/trace-json.js';
import { type Names, PLAIN_NAMES } from '../names.js';
import { closeJson, httpJson, quicJson, tlsJson } from './facts-json.js';
import { findingJson } from './finding-json.js';
import { momentJson, toMs } from './time.js';

export interface TraceJsonOptions {
  readonly epochSeconds: CaptureInfo['epochSeconds'];
  readonly names?: Names;
}

/** One connection as `sockwatch.connection/1` (DESIGN.md, "JSON"). Absent: unknown, or did not happen. */
export function connectionJson(connection: TraceConnection, options: TraceJsonOptions): TraceConnectionJson {
  const { epochSeconds, names = PLAIN_NAMES } = options;
  const at = (moment: Moment): MomentJson => momentJson(epochSeconds, moment);
  const { clientFacts, serverFacts, icmp, dns, synSchedule: schedule } = connection;
  const sides = (read: (facts: DirectionFacts) => number): SidesJson => ({
    client: read(clientFacts),
    server: read(serverFacts),
  });
  return {
    schema: 'sockwatch.connection/1',
    id: connection.id,
    protocol: connection.protocol,
    client: names.endpoint(connection.client),
    server: names.endpoint(connection.server),
    role: connection.role,
    ...(connection.path.length > 0 && { path: [...connection.path] }),
    outcome: connection.outcome,
    start: at(connection.first),
    end: at(connection.last),
    syn: connection.syn.map(at),
    syn_ack: connection.synAck.map(at),
    ...moments(connection, at),
    ...(dns && {
      dns: {
        name: names.machine(dns.name),
        ...(dns.query && { query: at(dns.query) }),
        answer: at(dns.answer),
      },
    }),
    ...(connection.tls && { tls: tlsJson(connection.tls, at, names) }),
    ...(connection.quic && { quic: quicJson(connection.quic, at, names) }),
    ...(connection.http && { http: httpJson(connection.http, at, names) }),
    phases: phasesJson(connection.phases),
    ...counts(sides),
    ...zeroWindows(connection, at),
    ...ends('fin', clientFacts.fin, serverFacts.fin, at),
    ...ends('rst', clientFacts.rst, serverFacts.rst, at),
    ...(icmp && { icmp: { ...at(icmp), type: icmp.type, code: icmp.code } }),
    ...(connection.close && { close: closeJson(connection.close, at) }),
    ...(schedule && {
      syn_schedule: {
        shape: schedule.shape,
        steps_ms: schedule.stepsMs.map(round),
        fits: [...schedule.fits],
      },
    }),
    ...oddities(connection),
    ...(connection.comment !== undefined && { comment: names.sentence(connection.comment) }),
    zeek: { conn_state: connection.zeek.connState, history: connection.zeek.history },
    findings: connection.findings.map((finding) => findingJson(finding, names)),
  };
}

const round = (ms: number) => Math.round(ms * 1e6) / 1e6;

function moments({ ack, request, response }: TraceConnection, at: (moment: Moment) => MomentJson) {
  return {
    ...(ack && { ack: at(ack) }),
    ...(request && { request: at(request) }),
    ...(response && { response: at(response) }),
  };
}

function counts(sides: (read: (facts: DirectionFacts) => number) => SidesJson) {
  return {
    bytes: sides((facts) => facts.bytes),
    segments: sides((facts) => facts.segments),
    retransmissions: sides(({ retransmissions: { rto, fast, spurious } }) => rto + fast + spurious),
    retransmission_kinds: {
      rto: sides((facts) => facts.retransmissions.rto),
      fast: sides((facts) => facts.retransmissions.fast),
      spurious: sides((facts) => facts.retransmissions.spurious),
    },
    out_of_order: sides((facts) => facts.outOfOrder),
    duplicates: sides((facts) => facts.duplicates),
    dup_acks: sides((facts) => facts.dupAcks),
    keep_alives: sides((facts) => facts.keepAlives),
    zero_window_probes: sides((facts) => facts.zeroWindowProbes),
    window_full: sides((facts) => facts.windowFull),
    missing_bytes: sides((facts) => facts.missingBytes),
  };
}

function phasesJson(phases: TraceConnection['phases']): TraceConnectionJson['phases'] {
  const { synToSynAck, synAckToAck, connect, tls, firstResponse, close } = phases;
  return {
    ...(synToSynAck !== undefined && { syn_to_syn_ack_ms: toMs(synToSynAck) }),
    ...(phases.synToSynAckAmbiguous && { syn_to_syn_ack_ambiguous: true }),
    ...(synAckToAck !== undefined && { syn_ack_to_ack_ms: toMs(synAckToAck) }),
    ...(connect !== undefined && { connect_ms: toMs(connect) }),
    ...(tls !== undefined && { tls_ms: toMs(tls) }),
    ...(firstResponse !== undefined && { first_response_ms: toMs(firstResponse) }),
    ...(close !== undefined && { close_ms: toMs(close) }),
    duration_ms: toMs(phases.duration),
  };
}

function zeroWindows({ clientFacts, serverFacts }: TraceConnection, at: (moment: Moment) => MomentJson) {
  const told = (from: Peer, { start, end, probes }: ZeroWindow): ZeroWindowJson => ({
    from,
    start: at(start),
    ...(end && { end: at(end) }),
    probes,
  });
  const all = [
    ...clientFacts.zeroWindows.map((episode) => told('client', episode)),
    ...serverFacts.zeroWindows.map((episode) => told('server', episode)),
  ];
  return all.length > 0 ? { zero_windows: all } : {};
}

function ends(
  name: 'fin' | 'rst',
  client: Moment | undefined,
  server: Moment | undefined,
  at: (moment: Moment) => MomentJson,
) {
  if (client === undefined && server === undefined) return {};
  return { [name]: { ...(client && { client: at(client) }), ...(server && { server: at(server) }) } };
}

const oddities = (connection: TraceConnection) => ({
  ...(connection.simultaneousOpen && { simultaneous_open: true as const }),
  ...(connection.splitHandshake && { split_handshake: true as const }),
  ...(connection.reused && { reused_port: true as const }),
  ...(connection.oneSided && { one_sided: connection.oneSided }),
});
