/** Numbers of the network stack that no list of sockets has. Absent: could not be read. */
export interface HostFacts {
  /** TIME-WAIT of this network namespace. */
  readonly timeWait?: number;
  readonly maxTimeWait?: number;
  /** Of the whole host, also inside a namespace (KERNEL.md 4). */
  readonly orphans?: number;
  readonly maxOrphans?: number;
  /** Pages of TCP buffers of the whole host, and tcp_mem: [low, pressure, high] in pages. */
  readonly memoryPages?: number;
  readonly memoryLimits?: readonly [low: number, pressure: number, high: number];
  /** Ports for outgoing connections: both ends belong to it. */
  readonly portRange?: readonly [first: number, last: number];
  /** Of that range, those that ip_local_reserved_ports keeps back. */
  readonly reservedPorts?: number;
}
