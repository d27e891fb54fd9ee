import type { CaptureInfo } from '../../model/packets.js';
import type { DirectionFacts, TraceConnection } from '../../model/trace.js';
import type { MomentJson, TraceConnectionJson, ZeroWindowJson } from '../../model/trace-json.js';
import type { Moment, Peer } from '../../model/trace-moment.js';
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
  const { clientFacts, serverFacts } = connection;
  // One object that is filled, and no spreads: there may be a million of them.
  const json: Partial<TraceConnectionJson> = {
    schema: 'sockwatch.connection/1',
    id: connection.id,
    protocol: connection.protocol,
    client: names.endpoint(connection.client),
    server: names.endpoint(connection.server),
    role: connection.role,
    outcome: connection.outcome,
    start: at(connection.first),
    end: at(connection.last),
    syn: connection.syn.map(at),
    syn_ack: connection.synAck.map(at),
  };
  if (connection.path.length > 0) json.path = [...connection.path];
  if (connection.ack) json.ack = at(connection.ack);
  if (connection.request) json.request = at(connection.request);
  if (connection.response) json.response = at(connection.response);
  addLayers(json, connection, at, names);
  if (connection.http) json.http = httpJson(connection.http, at, names);
  json.phases = phasesJson(connection.phases);
  addCounts(json, clientFacts, serverFacts);
  addRareCounts(json, clientFacts, serverFacts, at);
  addEnds(json, clientFacts, serverFacts, at);
  addRare(json, connection, at, names);
  json.zeek = { conn_state: connection.zeek.connState, history: connection.zeek.history };
  json.findings = connection.findings.map((finding) => findingJson(finding, names));
  return json as TraceConnectionJson;
}

/** The layers beside HTTP that were understood. */
export function addLayers(
  json: Partial<TraceConnectionJson>,
  { dns, tls, quic }: TraceConnection,
  at: (moment: Moment) => MomentJson,
  names: Names,
): void {
  if (dns) json.dns = dnsJson(dns, at, names);
  if (tls) json.tls = tlsJson(tls, at, names);
  if (quic) json.quic = quicJson(quic, at, names);
}

const dnsJson = (
  dns: NonNullable<TraceConnection['dns']>,
  at: (moment: Moment) => MomentJson,
  names: Names,
): NonNullable<TraceConnectionJson['dns']> => ({
  name: names.machine(dns.name),
  ...(dns.query && { query: at(dns.query) }),
  answer: at(dns.answer),
});

/** What most connections do not have, and how they were closed. */
export function addRare(
  json: Partial<TraceConnectionJson>,
  connection: TraceConnection,
  at: (moment: Moment) => MomentJson,
  names: Names,
): void {
  const { icmp, synSchedule: schedule } = connection;
  if (icmp) json.icmp = { ...at(icmp), type: icmp.type, code: icmp.code };
  if (connection.close) json.close = closeJson(connection.close, at);
  if (schedule)
    json.syn_schedule = {
      shape: schedule.shape,
      steps_ms: schedule.stepsMs.map(round),
      fits: [...schedule.fits],
    };
  if (connection.simultaneousOpen) json.simultaneous_open = true;
  if (connection.splitHandshake) json.split_handshake = true;
  if (connection.reused) json.reused_port = true;
  if (connection.oneSided) json.one_sided = connection.oneSided;
  if (connection.comment !== undefined) json.comment = names.sentence(connection.comment);
}

const round = (ms: number) => Math.round(ms * 1e6) / 1e6;

function addCounts(json: Partial<TraceConnectionJson>, client: DirectionFacts, server: DirectionFacts): void {
  json.bytes = { client: client.bytes, server: server.bytes };
  json.segments = { client: client.segments, server: server.segments };
  json.retransmissions = { client: resentBy(client), server: resentBy(server) };
}

/** Retransmissions of all kinds. */
export const resentBy = ({ retransmissions: { rto, fast, spurious } }: DirectionFacts): number =>
  rto + fast + spurious;

/** Counts that are zero in most connections, which are told only where they are not. */
export function addRareCounts(
  json: Partial<TraceConnectionJson>,
  client: DirectionFacts,
  server: DirectionFacts,
  at: (moment: Moment) => MomentJson,
): void {
  const { retransmissions: ours } = client;
  const { retransmissions: theirs } = server;
  if (resentBy(client) + resentBy(server) > 0)
    json.retransmission_kinds = {
      rto: { client: ours.rto, server: theirs.rto },
      fast: { client: ours.fast, server: theirs.fast },
      spurious: { client: ours.spurious, server: theirs.spurious },
    };
  for (const [name, field] of RARE_COUNTS) {
    if (client[field] + server[field] > 0) json[name] = { client: client[field], server: server[field] };
  }
  const windows = [...zeroWindows('client', client, at), ...zeroWindows('server', server, at)];
  if (windows.length > 0) json.zero_windows = windows;
}

/** Whether `addRareCounts` would add anything for what this side sent. */
export const hasRareCounts = (side: DirectionFacts): boolean =>
  resentBy(side) > 0 ||
  side.outOfOrder > 0 ||
  side.duplicates > 0 ||
  side.dupAcks > 0 ||
  side.keepAlives > 0 ||
  side.zeroWindowProbes > 0 ||
  side.windowFull > 0 ||
  side.missingBytes > 0 ||
  side.zeroWindows.length > 0;

const RARE_COUNTS = [
  ['out_of_order', 'outOfOrder'],
  ['duplicates', 'duplicates'],
  ['dup_acks', 'dupAcks'],
  ['keep_alives', 'keepAlives'],
  ['zero_window_probes', 'zeroWindowProbes'],
  ['window_full', 'windowFull'],
  ['missing_bytes', 'missingBytes'],
] as const;

function phasesJson(phases: TraceConnection['phases']): TraceConnectionJson['phases'] {
  const { synToSynAck, synAckToAck, connect, tls, firstResponse, close } = phases;
  const json: Partial<TraceConnectionJson['phases']> = {};
  if (synToSynAck !== undefined) json.syn_to_syn_ack_ms = toMs(synToSynAck);
  if (phases.synToSynAckAmbiguous) json.syn_to_syn_ack_ambiguous = true;
  if (synAckToAck !== undefined) json.syn_ack_to_ack_ms = toMs(synAckToAck);
  if (phases.synAckToAckAmbiguous) json.syn_ack_to_ack_ambiguous = true;
  if (connect !== undefined) json.connect_ms = toMs(connect);
  if (tls !== undefined) json.tls_ms = toMs(tls);
  if (firstResponse !== undefined) json.first_response_ms = toMs(firstResponse);
  if (close !== undefined) json.close_ms = toMs(close);
  json.duration_ms = toMs(phases.duration);
  return json as TraceConnectionJson['phases'];
}

function addEnds(
  json: Partial<TraceConnectionJson>,
  client: DirectionFacts,
  server: DirectionFacts,
  at: (moment: Moment) => MomentJson,
): void {
  for (const name of ['fin', 'rst'] as const) {
    const ours = client[name];
    const theirs = server[name];
    if (ours === undefined && theirs === undefined) continue;
    const ends: { client?: MomentJson; server?: MomentJson } = {};
    if (ours) ends.client = at(ours);
    if (theirs) ends.server = at(theirs);
    json[name] = ends;
  }
}

const zeroWindows = (
  from: Peer,
  { zeroWindows: episodes }: DirectionFacts,
  at: (moment: Moment) => MomentJson,
): ZeroWindowJson[] =>
  episodes.map(({ start, end, probes }) => ({
    from,
    start: at(start),
    ...(end && { end: at(end) }),
    probes,
  }));
