import { SOCKET_STATES, type SocketState } from '../model/sockets.js';

const WITH_WINDOW: readonly SocketState[] = [
  'established',
  'close-wait',
  'fin-wait-1',
  'fin-wait-2',
  'closing',
  'last-ack',
];

/** By state: 1 where a peer has announced a window, so that a window of 0 is one that is shut. */
export const hasPeerWindow = Uint8Array.from(SOCKET_STATES, (state) => Number(WITH_WINDOW.includes(state)));
