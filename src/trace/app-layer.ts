import type { HttpFacts, TlsFacts } from '../model/trace-app.js';
import type { Flows } from './flows.js';

/**
 * What reads the bytes of TCP connections: TLS, HTTP. The TCP layer gives it each new byte once and in order, direction 0 from the
 * client. `skip[slot * 2 + direction]` is how many bytes to come need no reading (a body, or Infinity: encrypted or unknown): the TCP
 * layer counts them down itself and calls only when a segment reaches beyond.
 */
export interface AppLayer {
  skip: Float64Array;
  /** `bytes[from..to)` are new, in order; the first byte not covered by `skip`. */
  data(
    slot: number,
    direction: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    frame: number,
    time: number,
  ): void;
  /** So many bytes in order that the capture does not have (lost, or beyond the snap length), beyond `skip`. */
  gap(slot: number, direction: number, count: number, frame: number, time: number): void;
  /** A new connection takes this slot. */
  open(slot: number): void;
  /** Sides were taken for each other: everything kept for direction 0 belongs to 1 and the other way round. */
  swap(slot: number): void;
  /** Facts for the report; undefined: no such protocol. */
  tls(slot: number): TlsFacts | undefined;
  http(slot: number): HttpFacts | undefined;
  /** Forgets the slot. */
  free(slot: number): void;
}

export type MakeAppLayer = (flows: Flows, options: AppOptions) => AppLayer;

export interface AppOptions {
  /** Query strings stay in paths. */
  readonly keepQueries: boolean;
  /** Whether every event of the connection is wanted. */
  readonly isFollowed: (slot: number) => boolean;
  /** Something worth an event: a number of EVENT, and what goes with it. */
  readonly note: (
    slot: number,
    kind: number,
    direction: number,
    at: { readonly frame: number; readonly time: number },
    text?: string,
    detail?: number,
  ) => void;
}
