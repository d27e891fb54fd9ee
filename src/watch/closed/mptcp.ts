import type { Listener } from '../../model/listener.js';
import type { Counters } from '../../model/observation.js';
import { ROW_FLAGS, type SocketTable } from '../../model/table.js';

/** Whether a network namespace may have had connections of MPTCP, those that fell back to TCP included. */
export interface MptcpUse {
  /** Somebody asked for it at a listener here. */
  readonly accepted: boolean;
  /** Somebody here asked for it. */
  readonly opened: boolean;
}

/** What is thought where nobody has read the counters. */
export const MPTCP_MAY_BE: MptcpUse = { accepted: true, opened: true };

/** By the counters of the namespace (net/mptcp/mib.c, since 5.7): a kernel without MPTCP has none of them. */
export function mptcpUse(counters: Counters | undefined): MptcpUse {
  if (counters === undefined) return MPTCP_MAY_BE;
  const { MPTcpExtMPCapableSYNRX: asked, MPTcpExtMPCapableSYNTX: asking } = counters;
  // Kernels that count only what came in may have opened some.
  return { accepted: asked !== 0, opened: asking === undefined ? asked !== undefined : asking > 0 };
}

/**
 * Whether a TCP socket whose far port the kernel has forgotten may have been a subflow of MPTCP: the kernel disconnects the first subflow
 * of the side that closes last (__mptcp_close_ssk), and of a client that fell back to TCP [measured on 6.18]. `listener`: that it came in through.
 * @param row the same socket in `before`, -1: it was not there
 */
export function mayBeSubflow(
  before: SocketTable | undefined,
  row: number,
  listener: Listener | undefined,
  use: MptcpUse,
): boolean {
  if (before !== undefined && row >= 0) {
    if (((before.flags[row] as number) & ROW_FLAGS.mptcpSubflow) !== 0) return true;
    // Without privilege older kernels do not tell what is on top of TCP; those that tell it of one socket tell it of all.
    if (before.column('ulp') !== undefined) return false;
  }
  if (listener === undefined) return use.opened;
  return listener.protocol === 'mptcp' && use.accepted;
}
