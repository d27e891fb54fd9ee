import type { CloseFacts } from '../model/trace.js';
import type { Moment, Nanos, Peer } from '../model/trace-moment.js';
import { FLOW, type Flows, SIDE_INT } from './flows.js';
import { MARK, type MARKS } from './marks.js';
import type { Mutable } from './phases.js';

const M = MARK as Readonly<Record<(typeof MARKS)[number], number>>;
/** Shorter pauses before a close are not idleness. */
const IDLE_NS = 1e9;
const NO_RTT_NS = 1e6;

/** How the connection was used at its end (PCAP.md section 4, "keep-alive reuse"); absent where it has no end. */
export function closeFacts(flows: Flows, slot: number): CloseFacts | undefined {
  const request = unansweredRequest(flows, slot);
  const end = firstEnd(flows, slot, request?.time ?? flows.timeOf(slot, M.ack));
  if (end === undefined) return undefined;
  const firstFin = firstFinOf(flows, slot);
  const idle = idleClose(flows, slot, end);
  const facts: Mutable<CloseFacts> = { firstFin, timeWait: timeWaitOf(flows, slot, firstFin) };
  if (flows.has(slot, FLOW.simultaneousClose)) facts.simultaneous = true;
  if (idle !== undefined && request === undefined) facts.idleClose = idle;
  if (request !== undefined) Object.assign(facts, unanswered(flows, slot, request, end));
  return facts;
}

/**
 * The request that nobody answered before the client closed. None where the answer may be in what the capture lacks. An answer that comes
 * after the client's FIN and meets a RST was not waited for; one that is read belongs to a client that had only said all it had to say.
 */
function unansweredRequest(flows: Flows, slot: number): Moment | undefined {
  if (flows.side(slot, 1, SIDE_INT.segments) === 0) return undefined;
  const pending = flows.has(slot, FLOW.serverUnread) ? undefined : moment(flows, slot, M.pending);
  const isReset = flows.frameOf(slot, M.clientRst) !== 0;
  return pending ?? (isReset ? moment(flows, slot, M.abandoned) : undefined);
}

interface End extends Moment {
  readonly by: Peer;
}

function moment(flows: Flows, slot: number, mark: number): Moment | undefined {
  const frame = flows.frameOf(slot, mark);
  return frame === 0 ? undefined : { frame, time: flows.timeOf(slot, mark) as Nanos };
}

/** A forged RST before that, which the connection survived, is no end; a FIN is one even where the request crossed it. */
function firstEnd(flows: Flows, slot: number, notBefore: number): End | undefined {
  let first: (typeof ENDS)[number] | undefined;
  let firstFrame = 0;
  let firstTime = 0;
  for (const end of ENDS) {
    const frame = flows.frameOf(slot, end.mark);
    const time = flows.timeOf(slot, end.mark);
    if (frame === 0 || (end.isReset && time < notBefore)) continue;
    if (first === undefined || time < firstTime || (time === firstTime && frame < firstFrame)) {
      first = end;
      firstFrame = frame;
      firstTime = time;
    }
  }
  if (first === undefined) return undefined;
  return { frame: firstFrame, time: firstTime as Nanos, by: first.by };
}

const ENDS: readonly { readonly mark: number; readonly by: Peer; readonly isReset: boolean }[] = [
  { mark: M.clientFin, by: 'client', isReset: false },
  { mark: M.serverFin, by: 'server', isReset: false },
  { mark: M.clientRst, by: 'client', isReset: true },
  { mark: M.serverRst, by: 'server', isReset: true },
];

function firstFinOf(flows: Flows, slot: number): Peer | undefined {
  const client = flows.frameOf(slot, M.clientFin);
  const server = flows.frameOf(slot, M.serverFin);
  if (client === 0) return server === 0 ? undefined : 'server';
  return server === 0 || client < server ? 'client' : 'server';
}

/** Nothing was going on, and had not been for a while. */
function idleClose(flows: Flows, slot: number, end: End): CloseFacts['idleClose'] {
  const last = Math.max(
    lastDataBefore(flows, slot, M.clientData, end),
    lastDataBefore(flows, slot, M.serverData, end),
  );
  if (last === 0) return undefined;
  const idle = end.time - last;
  return idle >= IDLE_NS ? { by: end.by, idle: idle as Nanos } : undefined;
}

function lastDataBefore(flows: Flows, slot: number, mark: number, end: End): number {
  const time = flows.timeOf(slot, mark);
  return flows.frameOf(slot, mark) !== 0 && time <= end.time ? time : 0;
}

/** A request that the connection ended without answering. */
function unanswered(flows: Flows, slot: number, request: Moment, end: End): Partial<CloseFacts> {
  const rtt = flows.between(slot, M.answeredSyn, M.ack) ?? NO_RTT_NS;
  const serverEnd = [moment(flows, slot, M.serverFin), moment(flows, slot, M.serverRst)]
    .filter((at): at is Moment => at !== undefined)
    .sort((a, b) => a.frame - b.frame)[0];
  const isReused = (flows.responses[slot] ?? 0) > 0;
  const hasCrossed = serverEnd !== undefined && request.time >= serverEnd.time - rtt - NO_RTT_NS;
  if (isReused && hasCrossed) return { race: { request, close: serverEnd } };
  if (end.by === 'client') {
    const waited = (end.time - request.time) as Nanos;
    const quiet = end.time - lastQuestion(flows, slot, request, end);
    // Within a round trip no answer could have come: the client had said all, and did not wait for one.
    return quiet > Math.max(rtt, NO_RTT_NS) ? { gaveUp: { waited, request, close: end } } : {};
  }
  const rst = moment(flows, slot, M.serverRst);
  return rst === undefined || rst.time < request.time
    ? {}
    : { resetAfterRequest: { request, rst, by: 'server' } };
}

/**
 * When the client last said something that may want an answer. In a protocol that is not known each byte may be part of it; TLS and HTTP
 * also say goodbye (close_notify, GOAWAY).
 */
function lastQuestion(flows: Flows, slot: number, request: Moment, end: End): number {
  const isKnown = (flows.requests[slot] ?? 0) > 0 || flows.frameOf(slot, M.clientHello) !== 0;
  return isKnown ? request.time : Math.max(request.time, lastDataBefore(flows, slot, M.clientData, end));
}

function timeWaitOf(flows: Flows, slot: number, firstFin: Peer | undefined): Peer | undefined {
  const isComplete = flows.frameOf(slot, M.clientFin) !== 0 && flows.frameOf(slot, M.serverFin) !== 0;
  return isComplete && !flows.has(slot, FLOW.reset) ? firstFin : undefined;
}
