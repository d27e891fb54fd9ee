import type { HostFacts } from './host-facts.js';

/** Settings by the names of sysctl (`net.ipv4.tcp_tw_reuse`), as the kernel prints them. Absent: could not be read. */
export type Settings = Readonly<Record<string, string>>;

/** Numbers and settings of the network stack at one moment, of this network namespace unless said otherwise. Absent: could not be read. */
export interface StackFacts extends HostFacts {
  readonly settings: Settings;
  /** Entries of connection tracking and their limit; absent too where nothing is tracked. */
  readonly conntrack?: { readonly count: number; readonly max: number };
  /** Since boot, of all processors of the host: packets that found their backlog full (netdev_max_backlog). */
  readonly softnetDropped?: number;
}
