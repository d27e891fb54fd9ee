import type { Severity } from './findings.js';

export const TRACE_RULES = [
  'accept_queue_overflow',
  'half_open',
  'connect_timeout',
  'connect_refused',
  'retry_storm',
  'retransmissions',
  'zero_window',
  'peer_not_reading',
  'reset_after_request',
  'keepalive_race',
  'request_timeout',
  'nagle_delayed_ack',
  'slow_start',
  'slow_handshake',
  'tls_alert',
  'tls_handshake_failed',
  'unsafe_retry',
  'pool_churn',
  'reset_in_handshake',
  'missing_packets',
] as const;
export type TraceRule = (typeof TRACE_RULES)[number];

/** How far a finding follows from the packets: `suspected` has other explanations that they do not rule out. */
export type Sureness = 'certain' | 'likely' | 'suspected';

export interface TraceFinding {
  readonly rule: TraceRule;
  readonly severity: Severity;
  /** `s1` to `s4` of KERNEL.md section 3, for `accept_queue_overflow`. */
  readonly signature?: 's1' | 's2' | 's3' | 's4';
  readonly sure: Sureness;
  readonly frames: readonly number[];
  /** One sentence: `SYN-ACK sent again 3 times after the client had acknowledged it`. */
  readonly message: string;
  readonly evidence: readonly string[];
  /** What else it could be: binding for `suspected`. */
  readonly alternatives?: readonly string[];
  readonly advice?: string;
}
