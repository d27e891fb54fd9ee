import type { Endpoint } from './endpoint.js';
import type { Severity } from './findings.js';

/** Nanoseconds since `epochSeconds` of the capture. */
export type Nanos = number & { readonly unit: 'ns' };
export const nanos = (value: number) => value as Nanos;

/** One packet: its number as in Wireshark, and its time. */
export interface Moment {
  readonly frame: number;
  readonly time: Nanos;
}

export const ROLES = ['syn', 'syn_ack', 'initial', 'guessed'] as const;
/** How it is known who is the client: by its SYN, by the SYN-ACK to it, by its QUIC Initial, or guessed. */
export type Role = (typeof ROLES)[number];

export const OUTCOMES = [
  'established',
  'refused',
  'timed_out',
  'unresolved',
  'half_open',
  'reset_in_handshake',
  'midstream',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

export type Peer = 'client' | 'server';

/** What a packet was, where that is worth telling: the kinds of PCAP.md section 4. */
export const EVENT_KINDS = [
  'syn',
  'syn_ack',
  'ack',
  'data',
  'fin',
  'rst',
  'retransmission',
  'fast_retransmission',
  'spurious_retransmission',
  'out_of_order',
  'duplicate',
  'dup_ack',
  'dsack',
  'keep_alive',
  'keep_alive_ack',
  'zero_window',
  'zero_window_probe',
  'window_update',
  'window_full',
  'gap',
  'ack_of_unseen',
  'icmp_unreachable',
  'clock_back',
  'client_hello',
  'server_hello',
  'hello_retry',
  'change_cipher_spec',
  'finished',
  'tls_alert',
  'request',
  'response',
  'upgrade',
  'stall',
  'slow_start',
  'datagram',
  'quic',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export interface TraceEvent extends Moment {
  readonly kind: EventKind;
  readonly from: Peer;
  /** Sequence and acknowledgement number relative to the first of each direction; absent where unknown. */
  readonly seq?: number;
  readonly ack?: number;
  /** Payload bytes on the wire. */
  readonly length: number;
  /** TCP flags (bits of the header) for events that are packets. */
  readonly flags?: number;
  /** Receive window in bytes, scaled where the scale is known. */
  readonly window?: number;
  /** A number that belongs to the kind: ICMP type * 256 + code, missing bytes of a gap, nanoseconds of a stall, status of a response. */
  readonly detail?: number;
  /** Request line without its query, status line, name of a TLS message: hostile text, to be cleaned where shown. */
  readonly text?: string;
}

/** A time in which one side said that it cannot take more. */
export interface ZeroWindow {
  readonly start: Moment;
  /** Absent: never opened again in the capture. */
  readonly end?: Moment;
  readonly probes: number;
}

export interface DirectionFacts {
  /** All TCP packets or UDP datagrams of this side. */
  readonly segments: number;
  /** Payload as sent, retransmissions included. */
  readonly bytes: number;
  /** Its packets with their IP headers, on the wire. */
  readonly ipBytes: number;
  readonly retransmissions: { readonly rto: number; readonly fast: number; readonly spurious: number };
  readonly outOfOrder: number;
  /** Copies made by the capture (SPAN port, `-i any`), not by the sender. */
  readonly duplicates: number;
  readonly dupAcks: number;
  readonly keepAlives: number;
  readonly zeroWindowProbes: number;
  readonly windowFull: number;
  /** Round trips that its data waited for acknowledgements with the window open: slow start. */
  readonly flights: number;
  /** Payload bytes that the capture does not have, though the peer acknowledged them or later ones came. */
  readonly missingBytes: number;
  readonly zeroWindows: readonly ZeroWindow[];
  readonly fin?: Moment | undefined;
  readonly rst?: Moment | undefined;
  /** From the SYN of this side. */
  readonly options?: TcpOptions | undefined;
}

export interface TcpOptions {
  readonly mss?: number;
  readonly windowScale?: number;
  readonly sackPermitted: boolean;
  readonly timestamps: boolean;
  /** TCP Fast Open: a cookie was asked for, or used with this many bytes in the SYN. */
  readonly fastOpen?: { readonly kind: 'request' | 'cookie'; readonly synBytes: number };
}

/** Durations in ns, absent where one of their ends was not seen. */
export interface Phases {
  /** From the SYN that was answered; `ambiguous` where several SYNs could be (Karn). */
  readonly synToSynAck?: Nanos | undefined;
  readonly synToSynAckAmbiguous?: boolean;
  /** From the last SYN-ACK before the ACK; `ambiguous` where several could be the one that was acknowledged. */
  readonly synAckToAck?: Nanos | undefined;
  readonly synAckToAckAmbiguous?: boolean;
  /** First SYN to the handshake's ACK: what connect() took. */
  readonly connect?: Nanos | undefined;
  /** ClientHello to the end of the handshake. */
  readonly tls?: Nanos | undefined;
  /** First request byte (after TLS: first application data of the client) to first response byte. */
  readonly firstResponse?: Nanos | undefined;
  /** First FIN to the last of the close; absent where the close was not complete, or was a RST alone. */
  readonly close?: Nanos | undefined;
  /** First packet to last. */
  readonly duration: Nanos;
}

export interface TlsFacts {
  readonly clientHello?: Moment;
  readonly serverHello?: Moment;
  readonly changeCipherSpec?: { readonly client?: Moment; readonly server?: Moment };
  /** End of the handshake; in 1.3 the client's first encrypted record after the server's flight. */
  readonly finished?: Moment;
  /** `1.3`, `1.2`, ..., as negotiated; of the ClientHello alone where no ServerHello was seen. */
  readonly version?: string;
  readonly sni?: string;
  /** Chosen by the server where that is readable (not in 1.3), else offered first; `alpnOffered` has all. */
  readonly alpn?: string;
  readonly alpnOffered?: readonly string[];
  readonly cipher?: number;
  readonly resumed?: boolean;
  readonly helloRetry?: boolean;
  readonly earlyData?: boolean;
  /** All that either side sent was read, and the handshake had not ended by then. */
  readonly unfinished?: boolean;
  /** First alert in clear text. */
  readonly alert?: {
    readonly from: Peer;
    readonly level: number;
    readonly description: number;
    readonly at: Moment;
  };
}

export interface HttpExchange {
  readonly method?: string;
  /** Without query unless asked for. */
  readonly path?: string;
  readonly host?: string | undefined;
  readonly status?: number | undefined;
  readonly request?: Moment;
  readonly requestEnd?: Moment;
  readonly response?: Moment | undefined;
  readonly responseEnd?: Moment;
  readonly hasIdempotencyKey?: boolean;
}

export interface HttpFacts {
  /** `1.0`, `1.1`, `2`, `websocket` once upgraded. */
  readonly version: string;
  readonly requests: number;
  readonly responses: number;
  /** Most requests sent before their responses began. */
  readonly pipelined: number;
  /** The first 100 (more: not kept). */
  readonly exchanges: readonly HttpExchange[];
  /** `Keep-Alive: timeout=, max=` of a response: seconds and requests. */
  readonly keepAlive?: { readonly timeoutSeconds?: number; readonly max?: number };
  readonly connectionClose?: Peer | undefined;
  readonly upgrade?: { readonly to: string; readonly at: Moment };
  readonly http2?: {
    readonly streams: number;
    readonly goAway?: { readonly from: Peer; readonly code: number; readonly at: Moment };
  };
  /** Longest times without a byte between a response and the next request. */
  readonly idleGaps: readonly { readonly start: Moment; readonly idle: Nanos }[];
}

/** How the connection was used at its end: PCAP.md section 4, "keep-alive reuse". */
export interface CloseFacts {
  readonly firstFin?: Peer | undefined;
  readonly simultaneous?: boolean;
  /** Who closed while nothing was going on, and after how long without a byte. */
  readonly idleClose?: { readonly by: Peer; readonly idle: Nanos };
  /** A request crossed the close: sent at most one RTT before or any time after the server's FIN or RST, without a response. */
  readonly race?: { readonly request: Moment; readonly close: Moment };
  /** RST while a request had no response. */
  readonly resetAfterRequest?: { readonly request: Moment; readonly rst: Moment; readonly by: Peer };
  /** The client gave up waiting for a response: its timeout. */
  readonly gaveUp?: { readonly waited: Nanos; readonly request: Moment; readonly close: Moment };
  /** Side that keeps TIME_WAIT: the one whose FIN came first, where the close was complete. */
  readonly timeWait?: Peer | undefined;
}

export interface QuicFacts {
  readonly version?: string;
  readonly dcid?: string;
  readonly scid?: string;
  readonly initial?: Moment;
  readonly serverInitial?: Moment;
  readonly handshakeDone?: Moment;
  readonly retry?: Moment;
  readonly versionNegotiation?: Moment;
  readonly zeroRtt?: Moment;
  readonly close?: { readonly from: Peer; readonly at: Moment };
  readonly sni?: string;
  readonly alpn?: string;
  /** Letters as in Zeek's quic.log. */
  readonly history: string;
}

/** The DNS lookup that gave the client this server address. */
export interface DnsFacts {
  readonly name: string;
  readonly query?: Moment;
  readonly answer: Moment;
}

export interface SynSchedule {
  readonly shape: 'exponential_1s' | 'linear5_exponential' | 'exponential_3s' | 'fixed' | 'custom';
  /** Between copies of the SYN, ms. */
  readonly stepsMs: readonly number[];
  /** Systems known to retry like this. */
  readonly fits: readonly string[];
}

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

/** One connection, told whole. Made only for what is shown or troubled: the flow table holds the rest as columns. */
export interface TraceConnection {
  /** From 1, in the order of first packets. */
  readonly id: number;
  readonly protocol: 'tcp' | 'quic' | 'udp';
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly role: Role;
  /** VLANs and tunnels from the outside in: `vlan 10`, `vxlan 42`, `gre`. Empty: none. */
  readonly path: readonly string[];
  readonly outcome: Outcome;
  readonly first: Moment;
  readonly last: Moment;
  /** Every copy, duplicates of the capture left out. */
  readonly syn: readonly Moment[];
  readonly synAck: readonly Moment[];
  readonly ack?: Moment | undefined;
  readonly request?: Moment | undefined;
  readonly response?: Moment | undefined;
  readonly phases: Phases;
  readonly clientFacts: DirectionFacts;
  readonly serverFacts: DirectionFacts;
  /** ICMP error that quoted a packet of the client. */
  readonly icmp?: Moment & { readonly type: number; readonly code: number; readonly family: 4 | 6 };
  readonly simultaneousOpen?: boolean;
  readonly splitHandshake?: boolean;
  readonly reused?: boolean;
  readonly oneSided?: Peer;
  readonly tls?: TlsFacts | undefined;
  readonly http?: HttpFacts | undefined;
  readonly quic?: QuicFacts;
  readonly dns?: DnsFacts | undefined;
  readonly close?: CloseFacts | undefined;
  readonly synSchedule?: SynSchedule;
  readonly zeek: { readonly connState: string; readonly history: string };
  /** Troubles and turning points in order, up to a limit; every packet where one connection is followed. */
  readonly events: readonly TraceEvent[];
  /** Not all events were kept. */
  readonly eventsCut?: boolean;
  /** Comment on one of its packets (pcapng), as ptcpdump's process name. */
  readonly comment?: string;
  readonly findings: readonly TraceFinding[];
}

/** Shares of a distribution, ns. */
export interface Percentiles {
  readonly count: number;
  readonly p50: Nanos;
  readonly p90: Nanos;
  readonly p99: Nanos;
  readonly max: Nanos;
}
export const PHASE_NAMES = [
  'synToSynAck',
  'synAckToAck',
  'connect',
  'tls',
  'firstResponse',
  'close',
  'duration',
] as const;
export type PhaseName = (typeof PHASE_NAMES)[number];

/** One rule over all connections. */
export interface RuleTotal {
  readonly rule: TraceRule;
  readonly severity: Severity;
  readonly sure: Sureness;
  readonly connections: number;
  /** The first few: ids, and frames to look at. */
  readonly examples: readonly {
    readonly id: number;
    readonly frames: readonly number[];
    readonly message: string;
  }[];
}

/** Connections of one client address to one server, seen on the wire. */
export interface WirePool {
  readonly client: string;
  readonly server: string;
  readonly connections: number;
  /** Most at the same time. */
  readonly highest: number;
  /** Begun per second, between the first and the last beginning; of less than a second it is not made more. */
  readonly perSecond: number;
  readonly requests: number;
  /** Of those that were seen from their beginning to their close. */
  readonly lifetime?: Percentiles;
  readonly idle?: Percentiles;
  /** Who keeps TIME_WAIT, connections each. */
  readonly timeWait: { readonly client: number; readonly server: number };
  readonly refused: number;
  readonly unanswered: number;
}

/** Attempts of one client to reach one server that failed. */
export interface WireRetries {
  readonly client: string;
  readonly server: string;
  /** Connections whose beginning is in the capture. */
  readonly attempts: number;
  readonly failed: number;
  /** `back_off`: the pauses grow; `hammering`: they do not; `paused`: a pause far longer than those before (circuit breaker). */
  readonly pattern: 'back_off' | 'hammering' | 'paused' | 'unclear';
  /** Between the beginnings of the first 64 attempts. */
  readonly gapsMs: readonly number[];
  readonly highestParallel: number;
}

export interface TrustNote {
  readonly what:
    | 'one_sided'
    | 'snap_length'
    | 'dropped'
    | 'duplicates'
    | 'clock_back'
    | 'collisions'
    | 'missing'
    | 'evicted'
    | 'midstream'
    | 'fragments'
    | 'undecoded';
  readonly count: number;
  readonly frames: readonly number[];
  /** What was seen, and which conclusions cannot be drawn from this capture: one sentence each. */
  readonly message: string;
  readonly limits: string;
}

export interface TraceSummary {
  readonly packets: number;
  readonly tcpPackets: number;
  readonly udpPackets: number;
  readonly otherPackets: number;
  readonly connections: number;
  readonly quicConnections: number;
  readonly start?: Moment;
  readonly end?: Moment;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly phases: Readonly<Partial<Record<PhaseName, Percentiles>>>;
  readonly bytes: { readonly client: number; readonly server: number };
  readonly retransmissions: { readonly client: number; readonly server: number };
  /** Segments with payload, the base of a retransmission rate. */
  readonly dataSegments: number;
  readonly http: { readonly requests: number; readonly responses: number };
  readonly rules: readonly RuleTotal[];
  readonly pools: readonly WirePool[];
  readonly retries: readonly WireRetries[];
  readonly trust: readonly TrustNote[];
}
