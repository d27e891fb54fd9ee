import type { Moment, Nanos, Peer } from './trace-moment.js';

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
