import type { IpAddress } from './ip.js';

/** `blackhole`: dropped without a word. `rejected`: unreachable or prohibited; of IPv6, /proc does not tell these from a blackhole. */
export type RouteKind = 'via' | 'rejected' | 'blackhole';

/** A line of a routing table. */
export interface Route {
  readonly kind: RouteKind;
  readonly to: IpAddress;
  /** Bits of `to` that count. */
  readonly bits: number;
  readonly device: string;
  /** Absent: the destination is on the link. */
  readonly gateway?: IpAddress;
  readonly metric: number;
}

/** How this namespace reaches others, at one moment. The main table for IPv4: policy rules may choose another. */
export interface RouteFacts {
  readonly routes: readonly Route[];
  /** Devices that are up and running (with a carrier) and have an address. */
  readonly running: ReadonlySet<string>;
  /** Own addresses, as text. */
  readonly own: ReadonlySet<string>;
  /** Neighbours by text of their IPv4 address that were asked for and have not answered (ARP). */
  readonly unanswered: ReadonlySet<string>;
}
