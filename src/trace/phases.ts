import type { Nanos, Phases } from '../model/trace.js';
import { FLOW, type Flows } from './flows.js';
import { MARK, type MARKS } from './marks.js';

const M = MARK as Readonly<Record<(typeof MARKS)[number], number>>;

/** Durations of a connection, from its marks. What ends before it begins is not known. */
export function phasesOf(flows: Flows, slot: number): Phases {
  const synToSynAck = positive(flows.between(slot, M.answeredSyn, M.synAck));
  const synAckToAck =
    positive(flows.between(slot, M.lastSynAck, M.ack)) ?? positive(flows.between(slot, M.synAck, M.ack));
  const connect = positive(flows.between(slot, M.syn, M.ack));
  const tls = positive(flows.between(slot, M.clientHello, M.finished));
  const firstResponse = positive(flows.between(slot, M.request, M.response));
  const close = closeOf(flows, slot);
  const duration = Math.max(0, flows.timeOf(slot, M.last) - flows.timeOf(slot, M.first)) as Nanos;
  const phases: Mutable<Phases> = {
    synToSynAck,
    synAckToAck,
    connect,
    tls,
    firstResponse,
    close,
    duration,
  };
  if (flows.has(slot, FLOW.ambiguousRtt)) phases.synToSynAckAmbiguous = true;
  return phases;
}

/**
 * For adding to an object field by field: conditional spreads cost ten times as much, and there are many connections. Fields that most
 * of them have stand in the object from the start, undefined or not: then all are alike for the processor.
 */
export type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const positive = (nanos: Nanos | undefined): Nanos | undefined =>
  nanos !== undefined && nanos >= 0 ? nanos : undefined;

const ENDS = [M.clientFin, M.serverFin, M.clientRst, M.serverRst];

/** First FIN or RST to the last packet of the close. */
function closeOf(flows: Flows, slot: number): Nanos | undefined {
  const start = firstOf(flows, slot, ENDS);
  if (start === undefined || flows.frameOf(slot, M.closed) === 0) return undefined;
  return positive((flows.timeOf(slot, M.closed) - start) as Nanos);
}

/** Time of the earliest of these marks. */
export function firstOf(flows: Flows, slot: number, marks: readonly number[]): number | undefined {
  let first: number | undefined;
  for (const mark of marks) {
    if (flows.frameOf(slot, mark) === 0) continue;
    const time = flows.timeOf(slot, mark);
    if (first === undefined || time < first) first = time;
  }
  return first;
}
