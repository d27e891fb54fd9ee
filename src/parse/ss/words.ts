import type { Protocol, SocketState, TimerKind, UnixKind } from '../../model/sockets.js';
import { PROTOCOLS, SOCKET_STATES, TIMER_KINDS, UNIX_KINDS } from '../../model/sockets.js';
import { hashText } from '../bytes.js';

/** Words of ss, found by the hash of their bytes; values are indexes of the model's lists. */
const byHash = <T>(entries: readonly (readonly [string, T])[]): ReadonlyMap<number, T> =>
  new Map(entries.map(([word, value]) => [hashText(word), value]));

export const stateIndex = (state: SocketState): number => SOCKET_STATES.indexOf(state);
export const protocolIndex = (protocol: Protocol): number => PROTOCOLS.indexOf(protocol);
const unixIndex = (kind: UnixKind): number => UNIX_KINDS.indexOf(kind);

/** What ss prints in the State column (misc/ss.c, sstate_name). */
export const STATES = byHash<number>(
  (
    [
      ['ESTAB', 'established'],
      ['SYN-SENT', 'syn-sent'],
      ['SYN-RECV', 'syn-recv'],
      ['FIN-WAIT-1', 'fin-wait-1'],
      ['FIN-WAIT-2', 'fin-wait-2'],
      ['TIME-WAIT', 'time-wait'],
      ['UNCONN', 'unconnected'],
      ['CLOSE-WAIT', 'close-wait'],
      ['LAST-ACK', 'last-ack'],
      ['LISTEN', 'listen'],
      ['CLOSING', 'closing'],
      ['NEW-SYN-RECV', 'syn-recv'],
      ['BOUND-INACTIVE', 'unconnected'],
      ['UNKNOWN', 'unknown'],
    ] as const
  ).map(([word, state]) => [word, stateIndex(state)]),
);

export interface Netid {
  readonly protocol: number;
  readonly unixKind: number;
}

export const NETIDS = byHash<Netid>(
  (
    [
      ['tcp', 'tcp'],
      ['udp', 'udp'],
      ['mptcp', 'mptcp'],
      ['raw', 'raw'],
      ['u_str', 'unix', 'stream'],
      ['u_seq', 'unix', 'seqpacket'],
      ['u_dgr', 'unix', 'dgram'],
    ] as const
  ).map(([word, protocol, kind]) => [
    word,
    { protocol: protocolIndex(protocol), unixKind: unixIndex(kind ?? 'stream') },
  ]),
);

/** Kinds of socket that have no queues to look at; a row of any other lower-case kind is taken for one too. */
export const OTHER_NETIDS: ReadonlyMap<number, string> = byHash(
  [
    'nl',
    'p_raw',
    'p_dgr',
    'sctp',
    'dccp',
    'v_str',
    'v_dgr',
    'v_seq',
    'xdp',
    'tipc',
    'icmp6',
    'icmp',
    'smc',
  ].map((word) => [word, word] as const),
);

export const TIMERS = byHash<number>(
  TIMER_KINDS.map((kind: TimerKind) => [kind, TIMER_KINDS.indexOf(kind)] as const),
);
