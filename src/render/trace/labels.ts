import type { EventKind, Outcome, SynSchedule, TraceConnection } from '../../model/trace.js';
import type { PhaseName } from '../../model/trace-summary.js';

/** What people read for the names of the model. */
export const OUTCOME_LABELS: Readonly<Record<Outcome, string>> = {
  established: 'established',
  refused: 'refused',
  timed_out: 'timed out',
  unresolved: 'unresolved at the end of the capture',
  half_open: 'half open',
  reset_in_handshake: 'reset in the handshake',
  midstream: 'begun before the capture',
};

export const OUTCOME_CELLS: Readonly<Record<Outcome, string>> = {
  established: 'established',
  refused: 'refused',
  timed_out: 'timed out',
  unresolved: 'unresolved',
  half_open: 'half open',
  reset_in_handshake: 'reset early',
  midstream: 'midstream',
};

export const PHASE_LABELS: Readonly<Record<PhaseName, string>> = {
  synToSynAck: 'SYN to SYN-ACK',
  synAckToAck: 'SYN-ACK to ACK',
  connect: 'connect (first SYN to ACK)',
  tls: 'TLS handshake',
  firstResponse: 'request to first response byte',
  close: 'close',
  duration: 'whole connection',
};

export const SHAPE_LABELS: Readonly<Record<SynSchedule['shape'], string>> = {
  exponential_1s: '1 s and twice as long each time',
  linear5_exponential: '1 s five times, then twice as long each time',
  exponential_3s: '3 s and twice as long each time',
  fixed: 'always the same pause',
  custom: 'no regular schedule',
};

/** Other protocols have other beginnings. */
const OTHER_PHASE_LABELS: Readonly<
  Record<TraceConnection['protocol'], Readonly<Partial<Record<PhaseName, string>>>>
> = {
  tcp: {},
  quic: { connect: 'connect (Initial to 1-RTT)' },
  udp: { firstResponse: 'first datagram to first answer' },
};

export const phaseLabels = (protocol: TraceConnection['protocol']): Readonly<Record<PhaseName, string>> => ({
  ...PHASE_LABELS,
  ...OTHER_PHASE_LABELS[protocol],
});

export const EVENT_LABELS: Readonly<Record<EventKind, string>> = {
  syn: 'SYN',
  syn_ack: 'SYN-ACK',
  ack: 'ACK',
  data: 'data',
  fin: 'FIN',
  rst: 'RST',
  retransmission: 'retransmission (timeout)',
  fast_retransmission: 'fast retransmission',
  spurious_retransmission: 'retransmission of what had arrived',
  out_of_order: 'out of order',
  duplicate: 'copy made by the capture',
  dup_ack: 'duplicate ACK',
  dsack: 'says that bytes came twice (DSACK)',
  keep_alive: 'keep-alive',
  keep_alive_ack: 'answer to keep-alive',
  zero_window: 'window closed',
  zero_window_probe: 'probe of the closed window',
  window_update: 'window opened',
  window_full: 'window full',
  gap: 'bytes missing in the capture',
  ack_of_unseen: 'ACK of bytes missing in the capture',
  icmp_unreachable: 'ICMP unreachable',
  clock_back: 'clock went back',
  client_hello: 'ClientHello',
  server_hello: 'ServerHello',
  hello_retry: 'HelloRetryRequest',
  change_cipher_spec: 'ChangeCipherSpec',
  finished: 'TLS handshake done',
  tls_alert: 'TLS alert',
  request: 'request',
  response: 'response',
  upgrade: 'upgrade',
  stall: 'stall',
  slow_start: 'waited a round trip',
  datagram: 'UDP',
  quic: 'QUIC',
};
