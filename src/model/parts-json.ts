import type { Source } from './sockets.js';

/** One descriptor of one process that holds the socket. */
export interface OwnerJson {
  pid: number;
  name: string;
  fd: number;
}

/** One measured fact behind a verdict. */
export interface EvidenceJson {
  metric: string;
  value: number;
  unit: string;
  text: string;
}

/** What could not be read or understood. */
export interface GapJson {
  what: string;
  why: string;
  line?: number;
}

/** Counters by the kernel's names (`ListenOverflows`, `PassiveOpens`). */
export type CountersJson = Record<string, number>;

/** Where and when. */
export interface OriginJson {
  /** ISO 8601, UTC. */
  time: string;
  host: string;
  netns?: string;
  source: Source;
  boot_id?: string;
  monotonic_ms?: number;
  /** Time since the look before; absent where there is only one. */
  window_ms?: number;
}
