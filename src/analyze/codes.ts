import { PROTOCOLS, type Protocol, SOCKET_STATES, type SocketState } from '../model/sockets.js';

/** Numbers of the table's columns, for loops over all rows. */
export const stateCode = (state: SocketState): number => SOCKET_STATES.indexOf(state);
export const protocolCode = (protocol: Protocol): number => PROTOCOLS.indexOf(protocol);

export const LISTEN = stateCode('listen');
export const SYN_RECV = stateCode('syn-recv');
export const ESTABLISHED = stateCode('established');
export const TIME_WAIT = stateCode('time-wait');
export const FIN_WAIT_2 = stateCode('fin-wait-2');
export const CLOSE_WAIT = stateCode('close-wait');
export const TCP = protocolCode('tcp');
export const MPTCP = protocolCode('mptcp');
export const UDP = protocolCode('udp');
export const UNIX = protocolCode('unix');
