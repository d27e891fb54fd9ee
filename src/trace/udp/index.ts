import type { Endpoint } from '../../model/endpoint.js';
import type { DirectionFacts, Outcome, TraceConnection, TraceEvent } from '../../model/trace.js';
import type { DnsFacts } from '../../model/trace-app.js';
import type { Moment, Nanos } from '../../model/trace-moment.js';
import type { AddressBook } from '../decode/address-book.js';
import type { PathBook } from '../decode/path-book.js';
import { findDatagrams } from '../findings/udp.js';
import type { Packet } from '../packet.js';
import { type QuicHeader, readHeader } from '../quic/header.js';
import { hex, momentOf, QuicSession } from '../quic/session.js';
import { senderIsServer } from '../tcp/ports.js';
import { refusesBy } from '../tcp/refusals.js';
import { DnsBook } from './dns.js';
import { Story } from './story.js';

const DNS = 53;
const IDLE_NS = 60e9;
const MOST_FLOWS = 200_000;

export interface UdpParts {
  readonly addresses: AddressBook;
  readonly paths: PathBook;
  readonly nextId: () => number;
  /** Every datagram of this one is kept. */
  readonly isFollowed: (id: number) => boolean;
  readonly report: (connection: TraceConnection) => void;
}

interface UdpFlow {
  readonly id: number;
  readonly family: 4 | 6;
  readonly path: number;
  client: { address: number; port: number };
  server: { address: number; port: number };
  readonly first: Moment;
  last: Moment;
  readonly packets: [number, number];
  readonly bytes: [number, number];
  readonly ipBytes: [number, number];
  request: Moment | undefined;
  response: Moment | undefined;
  quic: QuicSession | undefined;
  icmp: (Moment & { type: number; code: number; family: 4 | 6 }) | undefined;
  readonly story: Story | undefined;
  readonly cids: string[];
  readonly tuples: string[];
}

/** Exchanges over UDP: by addresses and ports; QUIC also by its connection ids, so that one that changes its address stays one. */
export class UdpLayer {
  private readonly flows = new Map<string, UdpFlow>();
  private readonly byCid = new Map<string, UdpFlow>();
  /** Lengths of the connection ids in use: a short header does not say its own. */
  private readonly cidLengths = new Set<number>();
  private readonly dns: DnsBook;

  constructor(private readonly parts: UdpParts) {
    this.dns = new DnsBook(parts.addresses);
  }

  packet(packet: Packet): void {
    const at = momentOf(packet.frame, packet.time);
    const key = keyOf(packet);
    const flow = this.flows.get(key) ?? this.migrated(packet, key) ?? this.open(packet, key, at);
    const isClient = this.isFromClient(flow, packet);
    const direction = isClient ? 0 : 1;
    flow.last = at;
    flow.packets[direction]++;
    flow.bytes[direction] += packet.payloadLength;
    flow.ipBytes[direction] += packet.ipLength;
    if (direction === 0) flow.request ??= at;
    else if (flow.request !== undefined) flow.response ??= at;
    const { payloadFrom: from, payloadTo: to } = packet;
    if (packet.targetPort === DNS) this.dns.message(packet.view, from, to, packet.family, packet.source, at);
    else if (packet.sourcePort === DNS)
      this.dns.message(packet.view, from, to, packet.family, packet.target, at);
    else if (flow.quic !== undefined) {
      this.quic(flow, packet, direction, at);
      return;
    }
    flow.story?.datagram(packet, direction, at);
  }

  private isFromClient(flow: UdpFlow, packet: Packet): boolean {
    const { server } = flow;
    const toServer = packet.target === server.address && packet.targetPort === server.port;
    const fromServer = packet.source === server.address && packet.sourcePort === server.port;
    return toServer && !fromServer ? true : !fromServer;
  }

  private open(packet: Packet, key: string, at: Moment): UdpFlow {
    const quic = looksLikeQuic(packet);
    const source = { address: packet.source, port: packet.sourcePort };
    const target = { address: packet.target, port: packet.targetPort };
    const isServer = quic === undefined ? senderIsServer(source.port, target.port) : quic === 'server';
    const id = this.parts.nextId();
    const flow: UdpFlow = {
      id,
      family: packet.family,
      path: packet.path,
      client: isServer ? target : source,
      server: isServer ? source : target,
      first: at,
      last: at,
      packets: [0, 0],
      bytes: [0, 0],
      ipBytes: [0, 0],
      request: undefined,
      response: undefined,
      quic: quic === undefined ? undefined : new QuicSession(),
      icmp: undefined,
      story: this.parts.isFollowed(id) ? new Story() : undefined,
      cids: [],
      tuples: [key],
    };
    this.flows.set(key, flow);
    if (this.flows.size > MOST_FLOWS)
      for (const oldest of this.flows.values()) {
        this.finish(oldest);
        break;
      }
    return flow;
  }

  /** A packet from a new address with a connection id that is known (RFC 9000 section 9). */
  private migrated(packet: Packet, key: string): UdpFlow | undefined {
    if (this.byCid.size === 0) return undefined;
    const { bytes, payloadFrom: from, payloadTo: to } = packet;
    const isShort = ((bytes[from] ?? 0) & 0xc0) === 0x40;
    if (!isShort) return undefined;
    for (const length of this.cidLengths) {
      if (to - from - 1 < length) continue;
      const flow = this.byCid.get(hex(bytes.subarray(from + 1, from + 1 + length)));
      if (flow === undefined) continue;
      this.flows.set(key, flow);
      flow.tuples.push(key);
      return flow;
    }
    return undefined;
  }

  private quic(flow: UdpFlow, packet: Packet, direction: 0 | 1, at: Moment): void {
    const { quic } = flow;
    if (quic === undefined) return;
    const before = quic.scid;
    const { story } = flow;
    const kinds: QuicHeader['kind'][] | undefined = story && [];
    quic.datagram(packet.bytes, packet.payloadFrom, packet.payloadTo, direction, at, kinds);
    if (kinds !== undefined) story?.quic(packet, direction, at, kinds, quic.marks);
    // Only ids that are long enough to be no accident tell a connection.
    if (quic.scid === before || quic.scid.length < 4) return;
    const id = hex(quic.scid);
    this.byCid.set(id, flow);
    this.cidLengths.add(quic.scid.length);
    flow.cids.push(id);
  }

  /** An ICMP error that quotes a datagram. */
  icmpError(packet: Packet): void {
    const flow = this.flows.get(keyOf(packet));
    if (flow === undefined) return;
    const at = momentOf(packet.frame, packet.time);
    flow.story?.icmp(at, this.isFromClient(flow, packet) ? 1 : 0, packet.icmp);
    flow.icmp ??= {
      ...at,
      type: packet.icmp >>> 8,
      code: packet.icmp & 255,
      family: packet.family,
    };
  }

  /** Reports what has been idle. */
  expire(now: number): void {
    for (const flow of this.flows.values()) if (flow.last.time + IDLE_NS <= now) this.finish(flow);
  }

  end(): void {
    for (const flow of new Set(this.flows.values())) this.finish(flow);
  }

  dnsFor(family: 4 | 6, client: number, server: number, time: number): DnsFacts | undefined {
    return this.dns.find(family, client, server, time);
  }

  private finish(flow: UdpFlow): void {
    for (const key of flow.tuples) this.flows.delete(key);
    for (const id of flow.cids) this.byCid.delete(id);
    this.parts.report(this.connectionOf(flow));
  }

  private connectionOf(flow: UdpFlow): TraceConnection {
    const { family, quic } = flow;
    const endpoint = ({ address, port }: UdpFlow['client']): Endpoint => ({
      kind: 'ip',
      address: this.parts.addresses.address(family, address),
      port,
    });
    const facts = quic?.facts();
    const dns = this.dnsFor(family, flow.client.address, flow.server.address, flow.first.time);
    const handshake = span(facts?.initial, facts?.handshakeDone);
    // What QUIC asks and answers is encrypted: its first datagrams are the handshake's.
    const exchange = quic === undefined ? flow : { request: undefined, response: undefined };
    const response = span(exchange.request, exchange.response);
    const connection: TraceConnection = {
      id: flow.id,
      protocol: quic === undefined ? 'udp' : 'quic',
      client: endpoint(flow.client),
      server: endpoint(flow.server),
      role: quic?.knowsClient ? 'initial' : 'guessed',
      path: this.parts.paths.describe(flow.path),
      outcome: outcomeOf(flow),
      first: flow.first,
      last: flow.last,
      syn: [],
      synAck: [],
      ...(exchange.request && { request: exchange.request }),
      ...(exchange.response && { response: exchange.response }),
      phases: {
        ...(handshake !== undefined && { connect: handshake, tls: handshake }),
        ...(response !== undefined && { firstResponse: response }),
        duration: Math.max(0, flow.last.time - flow.first.time) as Nanos,
      },
      clientFacts: directionOf(flow, 0),
      serverFacts: directionOf(flow, 1),
      ...(flow.icmp && { icmp: flow.icmp }),
      ...(facts && { quic: facts }),
      ...(dns && { dns }),
      zeek: { connState: stateOf(flow), history: historyOf(flow) },
      events: flow.story?.events ?? NO_EVENTS,
      ...(flow.story?.isCut && { eventsCut: true }),
      findings: [],
    };
    return { ...connection, findings: findDatagrams(connection) };
  }
}

const NO_EVENTS: readonly TraceEvent[] = [];

const span = (from: Moment | undefined, to: Moment | undefined): Nanos | undefined =>
  from === undefined || to === undefined || to.time < from.time
    ? undefined
    : ((to.time - from.time) as Nanos);

function outcomeOf({ quic, packets, icmp }: UdpFlow): Outcome {
  if (icmp !== undefined && packets[1] === 0 && refusesBy(icmp)) return 'refused';
  if (quic !== undefined)
    return quic.established ? 'established' : packets[1] > 0 ? 'half_open' : 'unresolved';
  return packets[0] > 0 && packets[1] > 0 ? 'established' : 'unresolved';
}

const directionOf = ({ packets, bytes, ipBytes }: UdpFlow, direction: 0 | 1): DirectionFacts => ({
  segments: packets[direction],
  bytes: bytes[direction],
  ipBytes: ipBytes[direction],
  retransmissions: { rto: 0, fast: 0, spurious: 0 },
  outOfOrder: 0,
  duplicates: 0,
  dupAcks: 0,
  keepAlives: 0,
  zeroWindowProbes: 0,
  windowFull: 0,
  flights: 0,
  missingBytes: 0,
  zeroWindows: [],
});

/** PCAP.md section 2, UDP. */
const stateOf = ({ packets }: UdpFlow): string =>
  packets[0] > 0 && packets[1] > 0 ? 'SF' : packets[0] > 0 ? 'S0' : packets[1] > 0 ? 'SHR' : 'OTH';

const historyOf = ({ packets }: UdpFlow): string =>
  `${packets[0] > 0 ? 'D' : ''}${packets[1] > 0 ? 'd' : ''}`;

/** The same for both directions. */
function keyOf({ family, path, source, target, sourcePort, targetPort }: Packet): string {
  const isLow = source < target || (source === target && sourcePort <= targetPort);
  return isLow
    ? `${family} ${path} ${source} ${sourcePort} ${target} ${targetPort}`
    : `${family} ${path} ${target} ${targetPort} ${source} ${sourcePort}`;
}

/** Who speaks first in a long header: an Initial is the client's, unless it comes from the port of a server. */
function looksLikeQuic({
  bytes,
  payloadFrom,
  payloadTo,
  sourcePort,
  targetPort,
}: Packet): 'client' | 'server' | undefined {
  if (((bytes[payloadFrom] ?? 0) & 0x80) === 0) return undefined;
  const header = readHeader(bytes, payloadFrom, payloadTo);
  if (header === undefined) return undefined;
  // Any datagram may begin like a version that nobody knows; a client's first one is padded (RFC 9000 section 14.1).
  const isPadded = payloadTo - payloadFrom >= 1200 && header.dcid.length >= 8;
  if (header.kind === 'unfamiliar' && !isPadded) return undefined;
  if (header.kind === 'negotiation' || header.kind === 'retry') return 'server';
  return senderIsServer(sourcePort, targetPort) ? 'server' : 'client';
}
