import type { Endpoint } from '../model/endpoint.js';
import type { DirectionFacts, Outcome, TraceConnection, TraceEvent, ZeroWindow } from '../model/trace.js';
import type { DnsFacts, HttpFacts, TlsFacts } from '../model/trace-app.js';
import type { Moment, Nanos } from '../model/trace-moment.js';
import { closeFacts } from './close.js';
import type { AddressBook } from './decode/address-book.js';
import type { PathBook } from './decode/path-book.js';
import type { Events } from './events.js';
import { FLOW, type Flows, INT, SIDE, SIDE_INT, SIDE_STRIDE, STATUS, STRIDE, SUM } from './flows.js';
import { MARK, type MARKS } from './marks.js';
import { type Mutable, phasesOf } from './phases.js';
import { readSynSchedule } from './schedule.js';
import { unpackOptions } from './tcp/options.js';
import { connState } from './zeek.js';

const M = MARK as Readonly<Record<(typeof MARKS)[number], number>>;

export interface ConnectionParts {
  readonly flows: Flows;
  readonly events: Events;
  readonly addresses: AddressBook;
  readonly paths: PathBook;
}

export interface AboveTcp {
  readonly tls?: TlsFacts | undefined;
  readonly http?: HttpFacts | undefined;
  readonly dns?: DnsFacts | undefined;
  readonly comment?: string | undefined;
}

/** Everything that is known of a connection, as one object. Its findings are added by who finds them. */
export function buildConnection(
  parts: ConnectionParts,
  slot: number,
  outcome: Outcome,
  { tls, http, dns, comment }: AboveTcp,
): TraceConnection {
  const { flows } = parts;
  const events = eventsOf(parts, slot);
  const history = flows.historyText(slot);
  const syn = moments(flows, slot, M.syn, events, 'syn');
  const schedule = readSynSchedule(syn);
  const icmp = icmpOf(flows, slot, events);
  const oneSided = oneSidedOf(flows, slot);
  const { client, server } = endpointsOf(parts, slot);
  const connection: Mutable<TraceConnection> = {
    id: flows.int(slot, INT.id),
    protocol: 'tcp',
    client,
    server,
    role: flows.has(slot, FLOW.roleSyn) ? 'syn' : flows.has(slot, FLOW.roleSynAck) ? 'syn_ack' : 'guessed',
    path: parts.paths.describe(flows.int(slot, INT.kind) >>> 2),
    outcome,
    first: { frame: flows.frameOf(slot, M.first), time: flows.timeOf(slot, M.first) as Nanos },
    last: { frame: flows.frameOf(slot, M.last), time: flows.timeOf(slot, M.last) as Nanos },
    syn,
    synAck: moments(flows, slot, M.synAck, events, 'syn_ack'),
    ack: at(flows, slot, M.ack),
    request: at(flows, slot, M.request),
    response: at(flows, slot, M.response),
    phases: phasesOf(flows, slot),
    clientFacts: directionOf(flows, slot, 0, events),
    serverFacts: directionOf(flows, slot, 1, events),
    tls,
    http,
    dns,
    close: closeFacts(flows, slot),
    zeek: { connState: connState(flows, slot, history), history },
    events,
    findings: [],
  };
  if (icmp) connection.icmp = icmp;
  if (flows.has(slot, FLOW.simultaneous)) Object.assign(connection, openingOf(flows, slot));
  if (flows.has(slot, FLOW.reused)) connection.reused = true;
  if (oneSided) connection.oneSided = oneSided;
  if (schedule) connection.synSchedule = schedule;
  if (flows.has(slot, FLOW.eventsCut) && slot !== parts.events.followed) connection.eventsCut = true;
  if (comment !== undefined) connection.comment = comment;
  return connection;
}

/** Both sent a SYN: simultaneous where both also sent a SYN-ACK, else split. */
const openingOf = (flows: Flows, slot: number) =>
  flows.has(slot, FLOW.split) && !flows.has(slot, FLOW.synAckSeen)
    ? { splitHandshake: true }
    : { simultaneousOpen: true };

export function endpointsOf(
  { flows, addresses }: Pick<ConnectionParts, 'flows' | 'addresses'>,
  slot: number,
): { client: Endpoint; server: Endpoint } {
  const family = (flows.int(slot, INT.kind) & 2) === 0 ? 4 : 6;
  const ports = flows.int(slot, INT.ports);
  const low: Endpoint = {
    kind: 'ip',
    address: addresses.address(family, flows.int(slot, INT.low)),
    port: ports >>> 16,
  };
  const high: Endpoint = {
    kind: 'ip',
    address: addresses.address(family, flows.int(slot, INT.high)),
    port: ports & 0xffff,
  };
  return flows.int(slot, INT.clientIsHigh) === 1
    ? { client: high, server: low }
    : { client: low, server: high };
}

function at(flows: Flows, slot: number, mark: number): Moment | undefined {
  const frame = flows.frameOf(slot, mark);
  return frame === 0 ? undefined : { frame, time: flows.timeOf(slot, mark) as Nanos };
}

const NO_EVENTS: readonly TraceEvent[] = [];

function eventsOf({ flows, events }: ConnectionParts, slot: number): readonly TraceEvent[] {
  if (flows.int(slot, INT.eventCount) === 0) return NO_EVENTS;
  const base = (direction: number) =>
    (flows.side(slot, direction, SIDE_INT.status) & STATUS.syn) === 0
      ? undefined
      : flows.side(slot, direction, SIDE_INT.isn);
  const hasScales = flows.side(slot, 0, SIDE_INT.scale) >= 0 && flows.side(slot, 1, SIDE_INT.scale) >= 0;
  const scale = (direction: number) => (hasScales ? flows.side(slot, direction, SIDE_INT.scale) : 0);
  return events.list(slot, [base(0), base(1)], [scale(0), scale(1)]);
}

/** The first from its mark, copies from the events; where every packet is an event, the first is one of them. */
function moments(
  flows: Flows,
  slot: number,
  mark: number,
  events: readonly TraceEvent[],
  kind: 'syn' | 'syn_ack',
): Moment[] {
  const first = at(flows, slot, mark);
  if (first === undefined) return [];
  if (events.length === 0) return [first];
  const from = kind === 'syn' ? 'client' : 'server';
  const seen = new Set([first.frame]);
  const later: Moment[] = [];
  for (const event of events) {
    if (event.kind !== kind || event.from !== from || seen.has(event.frame)) continue;
    seen.add(event.frame);
    later.push({ frame: event.frame, time: event.time });
  }
  return [first, ...later];
}

function directionOf(
  flows: Flows,
  slot: number,
  direction: 0 | 1,
  events: readonly TraceEvent[],
): DirectionFacts {
  const { ints } = flows;
  const side = slot * STRIDE + SIDE + direction * SIDE_STRIDE;
  const isClient = direction === 0;
  const hasSyn = ((ints[side + SIDE_INT.status] ?? 0) & STATUS.syn) !== 0;
  return {
    segments: ints[side + SIDE_INT.segments] ?? 0,
    bytes: flows.sum(slot, direction, SUM.payload),
    ipBytes: flows.ipBytesOf(slot, direction),
    retransmissions: {
      rto: ints[side + SIDE_INT.rto] ?? 0,
      fast: ints[side + SIDE_INT.fast] ?? 0,
      spurious: ints[side + SIDE_INT.spurious] ?? 0,
    },
    outOfOrder: ints[side + SIDE_INT.outOfOrder] ?? 0,
    duplicates: ints[side + SIDE_INT.duplicates] ?? 0,
    dupAcks: ints[side + SIDE_INT.dupAcks] ?? 0,
    keepAlives: ints[side + SIDE_INT.keepAlives] ?? 0,
    zeroWindowProbes: ints[side + SIDE_INT.probes] ?? 0,
    windowFull: ints[side + SIDE_INT.windowFull] ?? 0,
    flights: ints[side + SIDE_INT.flights] ?? 0,
    missingBytes: Math.max(0, flows.sum(slot, direction, SUM.missing)),
    zeroWindows: events.length === 0 ? NO_WINDOWS : zeroWindowsOf(events, isClient ? 'client' : 'server'),
    fin: at(flows, slot, isClient ? M.clientFin : M.serverFin),
    rst: at(flows, slot, isClient ? M.clientRst : M.serverRst),
    options: hasSyn
      ? unpackOptions(ints[side + SIDE_INT.options] ?? 0, ints[side + SIDE_INT.synBytes] ?? 0)
      : undefined,
  };
}

const NO_WINDOWS: readonly ZeroWindow[] = [];

function zeroWindowsOf(events: readonly TraceEvent[], of: 'client' | 'server'): ZeroWindow[] {
  const episodes: { start: Moment; end?: Moment; probes: number }[] = [];
  for (const { kind, from, frame, time } of events) {
    const open = episodes.at(-1);
    const isOpen = open !== undefined && open.end === undefined;
    if (kind === 'zero_window' && from === of && !isOpen)
      episodes.push({ start: { frame, time }, probes: 0 });
    else if (kind === 'window_update' && from === of && isOpen) open.end = { frame, time };
    else if (kind === 'zero_window_probe' && from !== of && isOpen) open.probes++;
  }
  return episodes;
}

function icmpOf(flows: Flows, slot: number, events: readonly TraceEvent[]): TraceConnection['icmp'] {
  if (!flows.has(slot, FLOW.icmpSeen)) return undefined;
  const number = flows.int(slot, INT.icmp);
  const first = events.find(({ kind }) => kind === 'icmp_unreachable');
  if (first === undefined) return undefined;
  const family = (flows.int(slot, INT.kind) & 2) === 0 ? 4 : 6;
  return { frame: first.frame, time: first.time, type: number >>> 8, code: number & 255, family };
}

function oneSidedOf(flows: Flows, slot: number): TraceConnection['oneSided'] {
  const client = flows.side(slot, 0, SIDE_INT.segments);
  const server = flows.side(slot, 1, SIDE_INT.segments);
  if (client === 0 && server > 1) return 'server';
  // A client that got no answer at all is not one-sided: unless it goes on as if it had one.
  return server === 0 && client > 1 && !flows.has(slot, FLOW.icmpSeen) && flows.has(slot, FLOW.established)
    ? 'client'
    : undefined;
}
