import type { Outcome } from '../model/trace.js';
import { FLOW, type Flows, INT } from './flows.js';
import { MARK } from './marks.js';

/** One SYN alone may be sent again after 3 s, on old systems. */
const FIRST_WAIT_NS = 3e9;

/**
 * What came of a connection (PCAP.md section 4).
 * @param now time of the latest packet: a timeout is only claimed where the capture went on beyond the next SYN that was due
 * @param lastSteps the last two pauses between copies of the SYN, ns, the latest first
 */
export function outcomeOf(flows: Flows, slot: number, now: number, lastSteps: readonly number[]): Outcome {
  if (flows.has(slot, FLOW.refusedByIcmp) || flows.has(slot, FLOW.refusedByRst)) return 'refused';
  if (flows.has(slot, FLOW.established)) return 'established';
  if (flows.has(slot, FLOW.synAckSeen))
    return flows.has(slot, FLOW.reset) ? 'reset_in_handshake' : 'half_open';
  if (!flows.has(slot, FLOW.roleSyn)) return 'midstream';
  if (flows.has(slot, FLOW.reset)) return 'reset_in_handshake';
  const waited = now - flows.timeOf(slot, MARK.answeredSyn ?? 0);
  return waited >= withTolerance(nextWait(lastSteps, flows.int(slot, INT.syns))) ? 'timed_out' : 'unresolved';
}

/** ns from the last SYN until the next one is due. */
export function nextWait([last, before]: readonly number[], syns: number): number {
  if (last === undefined) return FIRST_WAIT_NS;
  // Equal steps go on as long as Linux's first five do; afterwards they double.
  const isLinear = before !== undefined && Math.abs(last - before) < withTolerance(last) - last && syns < 6;
  return isLinear ? last : last * 2;
}

/** 10 % and 50 ms (PCAP.md section 4). */
export const withTolerance = (nanos: number): number => nanos * 1.1 + 50e6;
