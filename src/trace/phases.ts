import type { Phases } from '../model/trace.js';
import type { Nanos } from '../model/trace-moment.js';
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
  if (synAckToAck !== undefined && hasSynAckAgain(flows, slot)) phases.synAckToAckAmbiguous = true;
  return phases;
}

/** Several SYN-ACKs were sent before the ACK, and any of them may be the one that it answers. */
function hasSynAckAgain(flows: Flows, slot: number): boolean {
  return (
    flows.frameOf(slot, M.lastSynAck) !== flows.frameOf(slot, M.synAck) &&
    flows.timeOf(slot, M.lastSynAck) <= flows.timeOf(slot, M.ack)
  );
}

/**
 * For adding to an object field by field: conditional spreads cost ten times as much, and there are many connections. Fields that most
 * of them have stand in the object from the start, undefined or not: then all are alike for the processor.
 */
export type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const positive = (nanos: Nanos | undefined): Nanos | undefined =>
  nanos !== undefined && nanos >= 0 ? nanos : undefined;

/**
 * First FIN to the last packet of the close. Undefined where the close is not complete: a RST alone takes no time, and neither does a FIN
 * to which nothing came back; a RST before any FIN may be forged.
 */
export function closeOf(flows: Flows, slot: number): Nanos | undefined {
  const start = firstOf(flows, slot, FINS);
  if (start === undefined) return undefined;
  const hasBoth = FINS.every((mark) => flows.frameOf(slot, mark) !== 0);
  const isReset = RSTS.some((mark) => flows.frameOf(slot, mark) !== 0 && flows.timeOf(slot, mark) >= start);
  return hasBoth || isReset ? positive((flows.timeOf(slot, M.closed) - start) as Nanos) : undefined;
}

const FINS = [M.clientFin, M.serverFin];
const RSTS = [M.clientRst, M.serverRst];

/** Time of the earliest of these marks. */
function firstOf(flows: Flows, slot: number, marks: readonly number[]): number | undefined {
  let first: number | undefined;
  for (const mark of marks) {
    if (flows.frameOf(slot, mark) === 0) continue;
    const time = flows.timeOf(slot, mark);
    if (first === undefined || time < first) first = time;
  }
  return first;
}
