import type { Endpoint } from './endpoint.js';
import type { DnsFacts, HttpFacts, QuicFacts, TlsFacts } from './trace-app.js';
import type { TraceFinding } from './trace-findings.js';
import type { Moment, Nanos, Peer } from './trace-moment.js';

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

export interface SynSchedule {
  readonly shape: 'exponential_1s' | 'linear5_exponential' | 'exponential_3s' | 'fixed' | 'custom';
  /** Between copies of the SYN, ms. */
  readonly stepsMs: readonly number[];
  /** Systems known to retry like this. */
  readonly fits: readonly string[];
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
