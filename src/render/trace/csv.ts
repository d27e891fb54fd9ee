import type { TraceConnectionJson } from '../../model/trace-json.js';
import { type CsvValue, csvRecord } from '../csv.js';

type Field = readonly [name: string, read: (from: TraceConnectionJson) => CsvValue];

/** Columns by the names of the JSON fields, dots replaced. */
const FIELDS: readonly Field[] = [
  ['id', (from) => from.id],
  ['protocol', (from) => from.protocol],
  ['client', (from) => from.client],
  ['server', (from) => from.server],
  ['role', (from) => from.role],
  ['path', (from) => from.path?.join(' ')],
  ['outcome', (from) => from.outcome],
  ['start_time', (from) => from.start.time],
  ['start_frame', (from) => from.start.frame],
  ['end_frame', (from) => from.end.frame],
  ['syns', (from) => from.syn.length],
  ['syn_acks', (from) => from.syn_ack.length],
  ['syn_to_syn_ack_ms', (from) => from.phases.syn_to_syn_ack_ms],
  ['syn_ack_to_ack_ms', (from) => from.phases.syn_ack_to_ack_ms],
  ['connect_ms', (from) => from.phases.connect_ms],
  ['tls_ms', (from) => from.phases.tls_ms],
  ['first_response_ms', (from) => from.phases.first_response_ms],
  ['close_ms', (from) => from.phases.close_ms],
  ['duration_ms', (from) => from.phases.duration_ms],
  ['client_bytes', (from) => from.bytes.client],
  ['server_bytes', (from) => from.bytes.server],
  ['client_segments', (from) => from.segments.client],
  ['server_segments', (from) => from.segments.server],
  ['client_retransmissions', (from) => from.retransmissions.client],
  ['server_retransmissions', (from) => from.retransmissions.server],
  ['http_requests', (from) => from.http?.requests],
  ['http_responses', (from) => from.http?.responses],
  ['tls_version', (from) => from.tls?.version],
  ['sni', (from) => from.tls?.sni ?? from.quic?.sni],
  ['alpn', (from) => from.tls?.alpn ?? from.quic?.alpn],
  ['first_fin', (from) => from.close?.first_fin],
  ['conn_state', (from) => from.zeek.conn_state],
  ['history', (from) => from.zeek.history],
  ['findings', (from) => [...new Set(from.findings.map(({ rule }) => rule))].join(' ')],
];

export const traceCsvHead = (): string => csvRecord(FIELDS.map(([name]) => name));

export const traceCsvRecord = (connection: TraceConnectionJson): string =>
  csvRecord(FIELDS.map(([, read]) => read(connection)));
