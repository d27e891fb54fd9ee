import { CLOSE_WAIT, ESTABLISHED, LISTEN, MPTCP, SYN_RECV, stateCode, TCP } from '../../analyze/codes.js';
import { ROW_FLAGS, type SocketTable } from '../../model/table.js';

export const SYN_SENT = stateCode('syn-sent');

/** Closed by its process: FIN-WAIT, CLOSING, LAST-ACK and TIME-WAIT, whether or not the peer has heard. */
export const hasEnded = (state: number | undefined): boolean =>
  state !== ESTABLISHED && state !== SYN_SENT && state !== SYN_RECV && state !== CLOSE_WAIT;

export const isConnecting = (state: number | undefined): boolean => state === SYN_SENT || state === SYN_RECV;

/** TCP and MPTCP; an MPTCP connection is counted once, not its subflows. */
export function isConnection({ protocol, state, flags }: SocketTable, row: number): boolean {
  if (protocol[row] !== TCP && protocol[row] !== MPTCP) return false;
  if (state[row] === LISTEN) return false;
  const not = ROW_FLAGS.mptcpSubflow | ROW_FLAGS.remoteAny;
  return ((flags[row] ?? 0) & not) === 0;
}
