/** The closed sets of a socket: each is one list, from which type and guard come. */

export const PROTOCOLS = ['tcp', 'mptcp', 'udp', 'unix', 'raw'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** States as the filter language and the JSON spell them; `unconnected` is what ss calls UNCONN. */
export const SOCKET_STATES = [
  'established',
  'syn-sent',
  'syn-recv',
  'fin-wait-1',
  'fin-wait-2',
  'time-wait',
  'close',
  'close-wait',
  'last-ack',
  'listen',
  'closing',
  'unconnected',
  'unknown',
] as const;
export type SocketState = (typeof SOCKET_STATES)[number];

/** `keepalive` on FIN-WAIT-2 is the kernel's linger timer, not SO_KEEPALIVE (KERNEL.md 8). */
export const TIMER_KINDS = ['on', 'keepalive', 'timewait', 'persist', 'delack', 'unknown'] as const;
export type TimerKind = (typeof TIMER_KINDS)[number];

/** Kinds of Unix socket; only stream and seqpacket listen. */
export const UNIX_KINDS = ['stream', 'seqpacket', 'dgram'] as const;
export type UnixKind = (typeof UNIX_KINDS)[number];

export const SOURCES = ['netlink', 'ss', 'proc', 'file', 'recording'] as const;
export type Source = (typeof SOURCES)[number];

/** One descriptor of one process that holds a socket. `name` is the kernel's comm: at most 15 bytes, hostile. */
export interface Owner {
  readonly pid: number;
  readonly fd: number;
  readonly name: string;
}
