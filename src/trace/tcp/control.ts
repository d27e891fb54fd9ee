import { EVENT, type Events } from '../events.js';
import { FLOW, type Flows, INT, SIDE, SIDE_INT, SIDE_STRIDE, STATUS, STRIDE, SUM, SUMS } from '../flows.js';
import { MARK, MARK_COUNT, type MARKS } from '../marks.js';
import { ACK, type Packet } from '../packet.js';
import type { Servers } from '../servers.js';
import { packOptions, scaleOf } from './options.js';
import { refusesBy } from './refusals.js';

const M = MARK as Readonly<Record<(typeof MARKS)[number], number>>;
const LETTER = { S: 83, H: 72, F: 70, R: 82 } as const;
const LOWER = 32;

/** Marks that belong to a side: they change places when client and server do. */
const MARK_PAIRS: readonly (readonly [number, number])[] = [
  [M.clientCcs, M.serverCcs],
  [M.clientData, M.serverData],
  [M.clientFin, M.serverFin],
  [M.clientRst, M.serverRst],
];

/** What SYN, FIN, RST and ICMP errors do to a connection. Source: PCAP.md sections 2 and 4. */
export class Control {
  constructor(
    private readonly flows: Flows,
    private readonly events: Events,
    private readonly servers: Servers,
  ) {}

  /** Whether a SYN begins another connection on the same 4-tuple. */
  isOther(slot: number, direction: number, packet: Packet): boolean {
    const { flows } = this;
    const status = flows.side(slot, direction, SIDE_INT.status);
    if ((status & STATUS.syn) !== 0) return flows.side(slot, direction, SIDE_INT.isn) !== packet.seq;
    if (flows.has(slot, FLOW.closed) || flows.has(slot, FLOW.reset)) return true;
    // A SYN-ACK that came first, of this very SYN.
    if (flows.has(slot, FLOW.roleSynAck)) {
      const isAnswered = direction === 0 && flows.side(slot, 1, SIDE_INT.acked) === ((packet.seq + 1) | 0);
      return !isAnswered;
    }
    // The other side's SYN: simultaneous open, or split handshake.
    const isOpening =
      flows.has(slot, FLOW.roleSyn) &&
      !flows.has(slot, FLOW.established) &&
      !flows.has(slot, FLOW.synAckSeen);
    return !(direction === 1 && isOpening && flows.sum(slot, 1, SUM.payload) === 0);
  }

  /** A guess turns out wrong: a SYN-ACK from whom was taken for the client, of a connection without a SYN. */
  mustSwap(slot: number, direction: number, packet: Packet): boolean {
    if ((packet.flags & ACK) === 0 || direction === 1) return false;
    const { flows } = this;
    return !flows.has(slot, FLOW.roleSyn) && !flows.has(slot, FLOW.roleSynAck);
  }

  swap(slot: number): void {
    const { flows } = this;
    const { ints, sums } = flows;
    const base = slot * STRIDE;
    ints[base + INT.clientIsHigh] = 1 - (ints[base + INT.clientIsHigh] ?? 0);
    for (let field = 0; field < SIDE_STRIDE; field++)
      exchange(ints, base + SIDE + field, base + SIDE + SIDE_STRIDE + field);
    for (let field = 0; field < SUMS; field += 2)
      exchange(sums, slot * SUMS + field, slot * SUMS + field + 1);
    for (const [one, other] of MARK_PAIRS) {
      exchange(flows.markTimes, slot * MARK_COUNT + one, slot * MARK_COUNT + other);
      exchange(flows.markFrames, slot * MARK_COUNT + one, slot * MARK_COUNT + other);
    }
    const bits = flows.int(slot, INT.historyBits);
    ints[base + INT.historyBits] = ((bits & 0x55555555) << 1) | ((bits >>> 1) & 0x55555555);
    const zeek = flows.int(slot, INT.zeek);
    ints[base + INT.zeek] = ((zeek & 7) << 3) | (zeek >>> 3);
    const clientIsHigh = ints[base + INT.clientIsHigh] === 1;
    const ports = flows.int(slot, INT.ports);
    const server = clientIsHigh ? flows.int(slot, INT.low) : flows.int(slot, INT.high);
    const port = clientIsHigh ? ports >>> 16 : ports & 0xffff;
    ints[base + INT.server] = this.servers.rowOf(server, port, flows.int(slot, INT.kind));
  }

  syn(slot: number, direction: number, side: number, packet: Packet): void {
    const hasAck = (packet.flags & ACK) !== 0;
    if (!hasAck) this.plainSyn(slot, direction, side, packet);
    else this.synAck(slot, direction, side, packet);
  }

  private begin(slot: number, direction: number, side: number, packet: Packet, letter: number): void {
    const { ints } = this.flows;
    ints[side + SIDE_INT.isn] = packet.seq;
    ints[side + SIDE_INT.nextSeq] = (packet.seq + 1) | 0;
    ints[side + SIDE_INT.status] = (ints[side + SIDE_INT.status] ?? 0) | STATUS.syn | STATUS.seen;
    const options = packOptions(packet.view, packet.optionsFrom, packet.optionsTo);
    ints[side + SIDE_INT.options] = options;
    ints[side + SIDE_INT.scale] = scaleOf(options);
    ints[side + SIDE_INT.window] = packet.window;
    this.flows.addHistory(slot, letter + direction * LOWER);
  }

  /** A packet that is sent again. Where every packet is told, it has been. */
  private tell(slot: number, kind: number, direction: number, packet: Packet): void {
    if (slot !== this.events.followed) this.events.add(slot, kind, direction, packet);
  }

  private plainSyn(slot: number, direction: number, side: number, packet: Packet): void {
    const { flows } = this;
    const { ints } = flows;
    const base = slot * STRIDE;
    const isAgain = ((ints[side + SIDE_INT.status] ?? 0) & STATUS.syn) !== 0;
    if (!isAgain) this.begin(slot, direction, side, packet, LETTER.S);
    if (direction === 1) {
      flows.set(slot, FLOW.simultaneous);
      this.tell(slot, EVENT.syn, direction, packet);
      return;
    }
    flows.set(slot, FLOW.roleSyn);
    ints[base + INT.syns] = (ints[base + INT.syns] ?? 0) + 1;
    if (!isAgain) {
      flows.mark(slot, M.syn, packet.time, packet.frame);
      flows.mark(slot, M.answeredSyn, packet.time, packet.frame);
      return;
    }
    this.tell(slot, EVENT.syn, direction, packet);
    if (flows.has(slot, FLOW.synAckSeen)) return;
    flows.mark(slot, M.answeredSyn, packet.time, packet.frame);
    this.seeOthers(slot, packet.time);
  }

  /** Notes that the server showed life elsewhere while it left this one waiting. */
  seeOthers(slot: number, until: number): void {
    const { flows, servers } = this;
    const from = flows.timeOf(slot, M.syn);
    if (servers.wasAlive(flows.int(slot, INT.server), from, until, flows.int(slot, INT.id)))
      flows.set(slot, FLOW.othersAnswered);
  }

  private alive(slot: number, packet: Packet): void {
    this.servers.alive(this.flows.int(slot, INT.server), packet.time, this.flows.int(slot, INT.id));
  }

  private synAck(slot: number, direction: number, side: number, packet: Packet): void {
    const { flows } = this;
    const { ints } = flows;
    const base = slot * STRIDE;
    const isFirst = ((ints[side + SIDE_INT.status] ?? 0) & STATUS.syn) === 0;
    this.takeAck(slot, direction, side, packet);
    if (direction === 0) {
      // The client answers a SYN of the server: both opened, or the handshake was split.
      if (isFirst) this.begin(slot, direction, side, packet, LETTER.H);
      else if (!flows.has(slot, FLOW.split)) flows.addHistory(slot, LETTER.H);
      flows.set(slot, FLOW.split);
      this.tell(slot, EVENT.syn_ack, direction, packet);
      return;
    }
    ints[base + INT.synAcks] = (ints[base + INT.synAcks] ?? 0) + 1;
    const isNewNumber = isFirst || ints[side + SIDE_INT.isn] !== packet.seq;
    if (isNewNumber && !flows.has(slot, FLOW.established))
      this.begin(slot, direction, side, packet, LETTER.H);
    // Its SYN came alone before: both opened.
    else if (!flows.has(slot, FLOW.synAckSeen)) flows.addHistory(slot, LETTER.H + LOWER);
    flows.mark(slot, M.lastSynAck, packet.time, packet.frame);
    if (!flows.has(slot, FLOW.synAckSeen)) {
      flows.set(slot, FLOW.synAckSeen);
      flows.mark(slot, M.synAck, packet.time, packet.frame);
      if (flows.int(slot, INT.syns) > 1) {
        flows.set(slot, FLOW.ambiguousRtt);
        this.seeOthers(slot, packet.time);
      }
      this.alive(slot, packet);
      return;
    }
    this.tell(slot, EVENT.syn_ack, direction, packet);
    if (flows.frameOf(slot, M.ack) !== 0)
      ints[base + INT.synAcksAfterAck] = (ints[base + INT.synAcksAfterAck] ?? 0) + 1;
  }

  private takeAck(slot: number, direction: number, side: number, packet: Packet): void {
    const { ints } = this.flows;
    ints[side + SIDE_INT.acked] = packet.ack;
    ints[side + SIDE_INT.status] = (ints[side + SIDE_INT.status] ?? 0) | STATUS.acked;
    const client = slot * STRIDE + SIDE;
    const hasSynBytes = (ints[client + SIDE_INT.synBytes] ?? 0) > 0;
    if (direction === 1 && hasSynBytes && packet.ack === ints[client + SIDE_INT.nextSeq])
      this.flows.set(slot, FLOW.fastOpen);
  }

  /** A packet without SYN, FIN and RST of a connection that is not established yet. */
  maybeEstablished(slot: number, direction: number, packet: Packet): void {
    const { flows } = this;
    const hasAck = (packet.flags & ACK) !== 0;
    if (direction === 0) {
      if (!hasAck || !this.acknowledgesSyn(slot, packet)) return;
      if (flows.frameOf(slot, M.ack) === 0) flows.mark(slot, M.ack, packet.time, packet.frame);
      flows.set(slot, FLOW.established);
      return;
    }
    const hasHandshake = flows.has(slot, FLOW.synAckSeen);
    const isClientUnseen = flows.side(slot, 0, SIDE_INT.segments) === 0;
    // Without the client's side, what the server sends after its SYN-ACK shows that it was acknowledged.
    if (hasHandshake && isClientUnseen && hasAck) flows.set(slot, FLOW.established);
    if (packet.payloadLength > 0 && flows.sum(slot, 0, SUM.payload) > 0 && flows.has(slot, FLOW.roleSyn))
      flows.set(slot, FLOW.established);
  }

  private acknowledgesSyn(slot: number, packet: Packet): boolean {
    const { flows } = this;
    const server = flows.side(slot, 1, SIDE_INT.status);
    if ((server & STATUS.syn) !== 0) return ((packet.ack - flows.side(slot, 1, SIDE_INT.isn)) | 0) >= 1;
    // The server's side was not captured: the client would not acknowledge anything else.
    return flows.has(slot, FLOW.roleSyn) && flows.side(slot, 1, SIDE_INT.segments) === 0;
  }

  fin(slot: number, direction: number, side: number, packet: Packet): void {
    const { flows } = this;
    const { ints } = flows;
    const status = ints[side + SIDE_INT.status] ?? 0;
    if (!flows.has(slot, FLOW.established)) this.maybeEstablished(slot, direction, packet);
    const end = (packet.seq + packet.payloadLength + 1) | 0;
    const isFirst = (status & STATUS.fin) === 0;
    if (isFirst) {
      flows.addHistory(slot, LETTER.F + direction * LOWER);
      flows.mark(slot, direction === 0 ? M.clientFin : M.serverFin, packet.time, packet.frame);
      this.checkSimultaneous(slot, direction, packet);
      if (direction === 0) this.abandon(slot);
    } else this.tell(slot, EVENT.fin, direction, packet);
    const hasSeen = (status & STATUS.seen) !== 0;
    if (!hasSeen || ((end - (ints[side + SIDE_INT.nextSeq] ?? 0)) | 0) > 0)
      ints[side + SIDE_INT.nextSeq] = end;
    ints[side + SIDE_INT.status] = (ints[side + SIDE_INT.status] ?? 0) | STATUS.fin | STATUS.seen;
    flows.mark(slot, M.closed, packet.time, packet.frame);
    if (direction === 1) this.alive(slot, packet);
    const both = flows.side(slot, 0, SIDE_INT.status) & flows.side(slot, 1, SIDE_INT.status) & STATUS.fin;
    if (both !== 0) flows.set(slot, FLOW.closed);
  }

  /** The client has closed: a request that waits may still be answered, and then would be forgotten. */
  private abandon(slot: number): void {
    const { flows } = this;
    if (flows.frameOf(slot, M.pending) === 0 || flows.has(slot, FLOW.serverUnread)) return;
    flows.markOnce(slot, M.abandoned, flows.timeOf(slot, M.pending), flows.frameOf(slot, M.pending));
  }

  private checkSimultaneous(slot: number, direction: number, packet: Packet): void {
    const { flows } = this;
    const peer = 1 - direction;
    if ((flows.side(slot, peer, SIDE_INT.status) & STATUS.fin) === 0) return;
    if (((packet.ack - flows.side(slot, peer, SIDE_INT.nextSeq)) | 0) < 0)
      flows.set(slot, FLOW.simultaneousClose);
  }

  rst(slot: number, direction: number, packet: Packet): void {
    const { flows } = this;
    const { ints } = flows;
    const side = slot * STRIDE + SIDE + direction * SIDE_STRIDE;
    const mark = direction === 0 ? M.clientRst : M.serverRst;
    const isFirst = flows.frameOf(slot, mark) === 0;
    if (isFirst) {
      flows.addHistory(slot, LETTER.R + direction * LOWER);
      flows.mark(slot, mark, packet.time, packet.frame);
      if (direction === 0) this.abandon(slot);
    }
    if (direction === 1 && (packet.flags & ACK) !== 0) this.hear(slot, side, packet);
    const isRefusal =
      direction === 1 &&
      flows.has(slot, FLOW.roleSyn) &&
      !flows.has(slot, FLOW.synAckSeen) &&
      !flows.has(slot, FLOW.established);
    if (isRefusal && ((packet.flags & ACK) === 0 || this.namesSyn(slot, packet)))
      flows.set(slot, FLOW.refusedByRst);
    ints[side + SIDE_INT.status] = (ints[side + SIDE_INT.status] ?? 0) | STATUS.rst;
    if (direction === 1 && !isRefusal) this.alive(slot, packet);
    flows.set(slot, FLOW.reset | FLOW.closed);
    flows.mark(slot, M.closed, packet.time, packet.frame);
  }

  /** A reset by a program acknowledges what the server has got; one for want of a place has no ACK at all (KERNEL.md 3, S4). */
  private hear(slot: number, side: number, packet: Packet): void {
    const { ints } = this.flows;
    const isKnown = ((ints[side + SIDE_INT.status] ?? 0) & STATUS.acked) !== 0;
    const isNew = ((packet.ack - (ints[side + SIDE_INT.acked] ?? 0)) | 0) > 0;
    // A forged one may acknowledge what was never sent.
    const wasSent = ((this.flows.side(slot, 0, SIDE_INT.nextSeq) - packet.ack) | 0) >= 0;
    if (isKnown && isNew && wasSent) ints[side + SIDE_INT.acked] = packet.ack;
  }

  private namesSyn(slot: number, packet: Packet): boolean {
    const isn = this.flows.side(slot, 0, SIDE_INT.isn);
    const bytes = this.flows.side(slot, 0, SIDE_INT.synBytes);
    const ahead = (packet.ack - isn - 1) | 0;
    return ahead >= 0 && ahead <= bytes;
  }

  /** An ICMP error that quotes a packet of this connection. */
  icmp(slot: number, direction: number, packet: Packet): void {
    const { flows } = this;
    const { ints } = flows;
    const type = packet.icmp >>> 8;
    const code = packet.icmp & 255;
    if (!flows.has(slot, FLOW.icmpSeen)) ints[slot * STRIDE + INT.icmp] = packet.icmp;
    flows.set(slot, FLOW.icmpSeen);
    this.events.note(slot, EVENT.icmp_unreachable, 1 - direction, packet, undefined, packet.icmp);
    const refuses = refusesBy({ family: packet.family, type, code });
    const isOpening = flows.has(slot, FLOW.roleSyn) && !flows.has(slot, FLOW.synAckSeen) && direction === 0;
    if (refuses && isOpening) flows.set(slot, FLOW.refusedByIcmp | FLOW.closed);
  }
}

function exchange(values: Int32Array | Float64Array | Uint32Array, one: number, other: number): void {
  const kept = values[one] ?? 0;
  values[one] = values[other] ?? 0;
  values[other] = kept;
}
