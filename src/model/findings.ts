/** Names of rules: the same in every command and in the documentation. */
export const RULES = [
  'accept_queue_filling',
  'accept_queue_full',
  'accept_queue_overflow',
  'stopped_acceptor',
  'slow_acceptor',
  'threads_blocked',
  'threads_busy',
  'connection_limit',
  'burst',
  'small_backlog',
  'syn_queue_full',
  'syn_cookies',
  'unix_queue_full',
  'udp_drops',
  'fd_limit',
  'dropped_segments',
  'oldest_wait',
  'unknown_limit',
  'owners_hidden',
  'source_error',
  'pool_exhausted',
  'pool_waiting',
  'pool_churn',
  'request_limit',
  'pool_leak',
  'pool_oversized',
  'pool_uneven',
  'unseen_connections',
  'reconnect_wave',
  'close_wait_leak',
  'takeover',
  'keepalive_race',
  'no_keepalive',
  'keepalive_unanswered',
  'fin_wait_2',
  'last_ack',
  'orphans',
  'ephemeral_ports',
  'time_wait_overflow',
  'app_not_reading',
  'peer_not_reading',
  'zero_window',
  'receive_window_limited',
  'send_buffer_limited',
  'memory_pressure',
  'connect_timeout',
  'connect_refused',
  'retry_storm',
] as const;
export type Rule = (typeof RULES)[number];

export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];
export const severityRank = (severity: Severity): number => SEVERITIES.indexOf(severity);

/** What a script waits for: these rules, and whatever is that bad. */
export interface RuleLimits {
  readonly rules: ReadonlySet<Rule>;
  readonly severity?: Severity;
}

/** From harmless to worst: the verdict of a listener is the worst of its findings. */
export const VERDICTS = [
  'ok',
  'unknown_limit',
  'burst',
  'filling',
  'small_backlog',
  'syn_queue_full',
  'slow_acceptor',
  'full',
  'stopped_acceptor',
  'fd_limit',
  'overflowing',
] as const;
export type Verdict = (typeof VERDICTS)[number];

/** One measured fact behind a verdict. `text` is a whole phrase for people. */
export interface Evidence {
  /** Dotted name of the JSON field or counter, as `accept_queue.length` or `ListenOverflows`. */
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly text: string;
}

export interface Finding {
  readonly rule: Rule;
  readonly severity: Severity;
  /** Key of the listener, or a word for the host (`host`). */
  readonly subject: string;
  /** One sentence without advice: `accept queue full: 129 of 128`. */
  readonly message: string;
  readonly evidence: readonly Evidence[];
  /** What to do: names the owner and the real knob. */
  readonly advice?: string;
  /** Another finding explains this one. */
  readonly causedBy?: Rule;
}

/** What to do about it; of what another finding explains, that one says it. */
export const ownAdvice = ({ causedBy, advice }: Pick<Finding, 'causedBy' | 'advice'>): string | undefined =>
  causedBy === undefined ? advice : undefined;

export const ALERT_PHASES = ['raised', 'changed', 'cleared'] as const;

/** A finding that has lasted: raised once, changed when its severity does, cleared once. */
export interface Alert {
  /** rule + subject: the same trouble is the same alert. */
  readonly id: string;
  readonly finding: Finding;
  /** `0.0.0.0:443`, the path of a Unix socket, or the host. */
  readonly subjectText: string;
  /** Where looks go into several namespaces: its own. */
  readonly netns?: string;
  readonly raisedAt: number;
  readonly changedAt: number;
}

export interface AlertEvent {
  readonly phase: (typeof ALERT_PHASES)[number];
  /** Wall clock, ms. */
  readonly time: number;
  readonly alert: Alert;
  /** How long the alert had lasted, for `cleared`. */
  readonly lastedMs?: number;
}
