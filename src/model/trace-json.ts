import type { Severity } from './findings.js';
import type { Outcome, Role, SynSchedule } from './trace.js';
import type { Sureness, TraceRule } from './trace-findings.js';
import type { Peer } from './trace-moment.js';
import type { TrustNote, WireRetries } from './trace-summary.js';

/*
 * What other programs read of `sockwatch pcap` and `capture`: names stay, more fields may come, absent means unknown. Field
 * names end in their unit. The files in schema/ are made from these types (`npm run schema`).
 */

/** One packet of the capture. */
export interface MomentJson {
  /** ISO 8601 in UTC with nanoseconds. */
  time: string;
  /** Number of the packet, from 1, as in Wireshark. */
  frame: number;
}

/** A number for each direction: what the client sent, what the server sent. */
export interface SidesJson {
  client: number;
  server: number;
}

export interface TraceFindingJson {
  rule: TraceRule;
  severity: Severity;
  signature?: 's1' | 's2' | 's3' | 's4';
  sure: Sureness;
  frames: number[];
  message: string;
  evidence: string[];
  /** What else it could be. */
  alternatives?: string[];
  advice?: string;
  /** Wireshark display filter that shows the frames. */
  display_filter: string;
}

export interface ExchangeJson {
  method?: string;
  path?: string;
  host?: string;
  status?: number;
  request?: MomentJson;
  response?: MomentJson;
  /** From the last byte of the request to the first of the response. */
  wait_ms?: number;
}

export interface TlsJson {
  client_hello?: MomentJson;
  server_hello?: MomentJson;
  change_cipher_spec?: MomentJson;
  finished?: MomentJson;
  version?: string;
  sni?: string;
  alpn?: string;
  alpn_offered?: string[];
  cipher?: number;
  resumed?: boolean;
  hello_retry?: boolean;
  early_data?: boolean;
  alert?: { from: Peer; level: number; description: number; at: MomentJson };
}

export interface HttpJson {
  version: string;
  requests: number;
  responses: number;
  pipelined: number;
  keep_alive?: { timeout_seconds?: number; max?: number };
  connection_close?: Peer;
  upgrade?: { to: string; at: MomentJson };
  http2?: { streams: number; goaway?: { from: Peer; code: number; at: MomentJson } };
  idle_gaps?: { start: MomentJson; idle_ms: number }[];
  /** At most 100. */
  exchanges?: ExchangeJson[];
}

export interface QuicJson {
  version?: string;
  dcid?: string;
  scid?: string;
  sni?: string;
  alpn?: string;
  initial?: MomentJson;
  server_initial?: MomentJson;
  handshake_done?: MomentJson;
  retry?: MomentJson;
  version_negotiation?: MomentJson;
  zero_rtt?: MomentJson;
  close?: { from: Peer; at: MomentJson };
  /** Letters as in Zeek's quic.log. */
  history: string;
}

export interface CloseJson {
  first_fin?: Peer;
  simultaneous?: boolean;
  idle_close?: { by: Peer; idle_ms: number };
  race?: { request: MomentJson; close: MomentJson };
  reset_after_request?: { request: MomentJson; rst: MomentJson; by: Peer };
  gave_up?: { waited_ms: number; request: MomentJson; close: MomentJson };
  time_wait?: Peer;
}

export interface ZeroWindowJson {
  from: Peer;
  start: MomentJson;
  /** Absent: the window stayed closed to the end of the capture. */
  end?: MomentJson;
  probes: number;
}

/** All durations in ms; absent where one of their ends was not seen. */
export interface PhasesJson {
  syn_to_syn_ack_ms?: number;
  /** Several SYNs could be the one that was answered (Karn). */
  syn_to_syn_ack_ambiguous?: boolean;
  syn_ack_to_ack_ms?: number;
  /** Several SYN-ACKs could be the one that was acknowledged; measured from the last. */
  syn_ack_to_ack_ambiguous?: boolean;
  connect_ms?: number;
  tls_ms?: number;
  first_response_ms?: number;
  close_ms?: number;
  duration_ms: number;
}

/** One connection of a capture. */
export interface TraceConnectionJson {
  schema: 'sockwatch.connection/1';
  /** From 1, in the order of first packets. */
  id: number;
  protocol: 'tcp' | 'quic' | 'udp';
  client: string;
  server: string;
  /** How the client is known: by its SYN, by the SYN-ACK to it, by its QUIC Initial, or guessed. */
  role: Role;
  /** VLANs and tunnels from the outside in. */
  path?: string[];
  outcome: Outcome;
  start: MomentJson;
  end: MomentJson;
  syn: MomentJson[];
  syn_ack: MomentJson[];
  ack?: MomentJson;
  request?: MomentJson;
  response?: MomentJson;
  dns?: { name: string; query?: MomentJson; answer: MomentJson };
  tls?: TlsJson;
  quic?: QuicJson;
  http?: HttpJson;
  phases: PhasesJson;
  /** TCP payload as sent, retransmissions included. */
  bytes: SidesJson;
  segments: SidesJson;
  retransmissions: SidesJson;
  /** Of these counts, those that are not zero on both sides: absent means that it did not happen. */
  retransmission_kinds?: { rto: SidesJson; fast: SidesJson; spurious: SidesJson };
  out_of_order?: SidesJson;
  /** Copies that the capture made, not the sender. */
  duplicates?: SidesJson;
  dup_acks?: SidesJson;
  keep_alives?: SidesJson;
  zero_window_probes?: SidesJson;
  window_full?: SidesJson;
  missing_bytes?: SidesJson;
  zero_windows?: ZeroWindowJson[];
  fin?: { client?: MomentJson; server?: MomentJson };
  rst?: { client?: MomentJson; server?: MomentJson };
  icmp?: { time: string; frame: number; type: number; code: number };
  close?: CloseJson;
  syn_schedule?: { shape: SynSchedule['shape']; steps_ms: number[]; fits: string[] };
  simultaneous_open?: true;
  split_handshake?: true;
  reused_port?: true;
  /** Only what this side sent is in the capture. */
  one_sided?: Peer;
  comment?: string;
  zeek: { conn_state: string; history: string };
  findings: TraceFindingJson[];
}

export interface PercentilesJson {
  count: number;
  p50_ms: number;
  p90_ms: number;
  p99_ms: number;
  max_ms: number;
}

export interface CaptureFileJson {
  name: string;
  format: 'pcap' | 'pcapng' | 'unknown';
  compression?: 'gzip' | 'zstd';
  packets: number;
  dropped?: number;
  fault?: { offset: number; frame: number; message: string };
}

export interface WirePoolJson {
  client: string;
  server: string;
  connections: number;
  highest: number;
  connections_per_second: number;
  requests: number;
  lifetime?: PercentilesJson;
  idle?: PercentilesJson;
  time_wait: SidesJson;
  refused: number;
  unanswered: number;
}

export interface WireRetriesJson {
  client: string;
  server: string;
  attempts: number;
  failed: number;
  pattern: WireRetries['pattern'];
  gaps_ms: number[];
  highest_parallel: number;
}

/** The last line of `--format ndjson`; in `--format json` beside the connections. */
export interface TraceSummaryJson {
  schema: 'sockwatch.summary/1';
  files: CaptureFileJson[];
  start?: MomentJson;
  end?: MomentJson;
  packets: number;
  tcp_packets: number;
  udp_packets: number;
  other_packets: number;
  connections: number;
  quic_connections: number;
  outcomes: Record<Outcome, number>;
  phases: Record<string, PercentilesJson>;
  bytes: SidesJson;
  retransmissions: SidesJson;
  data_segments: number;
  http: { requests: number; responses: number };
  findings: {
    rule: TraceRule;
    severity: Severity;
    sure: Sureness;
    connections: number;
    examples: { id: number; frames: number[]; message: string }[];
  }[];
  pools: WirePoolJson[];
  retries: WireRetriesJson[];
  trust: { what: TrustNote['what']; count: number; frames: number[]; message: string; limits: string }[];
}

/** `--format json`. */
export interface TraceJson {
  schema: 'sockwatch.pcap/1';
  connections: TraceConnectionJson[];
  summary: TraceSummaryJson;
}
