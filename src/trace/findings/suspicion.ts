import type { Outcome } from '../../model/trace.js';
import { FLOW, type Flows, INT, SIDE_INT, SUM } from '../flows.js';
import { MARK, type MARKS } from '../marks.js';

const M = MARK as Readonly<Record<(typeof MARKS)[number], number>>;

/** Fewer round trips of waiting are what every transfer begins with. */
export const LEAST_FLIGHTS = 3;

/** The first SYN is sent again after 1 s at the soonest. */
export const SLOW_CONNECT_NS = 900e6;

/** False only where `findTrace` would surely find nothing: from the columns alone, for most connections are well. */
export function isSuspect(flows: Flows, slot: number, outcome: Outcome): boolean {
  if (outcome !== 'established' && outcome !== 'midstream') return true;
  if (flows.int(slot, INT.eventCount) > 0) return true;
  // A reset by the server before it has sent a byte (KERNEL.md 3, S4).
  if (flows.frameOf(slot, M.serverRst) !== 0 && flows.sum(slot, 1, SUM.payload) === 0) return true;
  if (flows.frameOf(slot, M.pending) !== 0 || flows.frameOf(slot, M.abandoned) !== 0) return true;
  if ((flows.between(slot, M.syn, M.ack) ?? 0) >= SLOW_CONNECT_NS) return true;
  if (flows.frameOf(slot, M.clientHello) !== 0 && flows.frameOf(slot, M.finished) === 0) return true;
  if (
    flows.side(slot, 0, SIDE_INT.flights) >= LEAST_FLIGHTS ||
    flows.side(slot, 1, SIDE_INT.flights) >= LEAST_FLIGHTS
  )
    return true;
  return isUnheard(flows, slot);
}

/** The server has acknowledged a byte of the client after the SYN: a connection that it had taken, not one that waited for a place. */
export function isHeard(flows: Flows, slot: number): boolean {
  const isn = flows.side(slot, 0, SIDE_INT.isn);
  const acked = flows.side(slot, 1, SIDE_INT.acked);
  return flows.has(slot, FLOW.synAckSeen) && ((acked - isn - 1) | 0) > flows.side(slot, 0, SIDE_INT.synBytes);
}

/** The server has acknowledged the SYN and nothing of what came after it (KERNEL.md 3, S3). */
export function isUnheard(flows: Flows, slot: number): boolean {
  const isn = flows.side(slot, 0, SIDE_INT.isn);
  const acked = flows.side(slot, 1, SIDE_INT.acked);
  return (
    flows.has(slot, FLOW.synAckSeen) &&
    flows.side(slot, 0, SIDE_INT.dataSegments) >= 2 &&
    acked === ((isn + 1) | 0)
  );
}
