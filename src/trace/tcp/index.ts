import type { AppLayer } from '../app-layer.js';
import { isWaiting } from '../attempts.js';
import { EVENT, type Events } from '../events.js';
import { FlowTable } from '../flow-table.js';
import { FLOW, type Flows, INT, SIDE, SIDE_INT, SIDE_STRIDE, STATUS, STRIDE, SUM, SUMS } from '../flows.js';
import { Gone } from '../gone.js';
import { MARK, MARK_COUNT } from '../marks.js';
import { ACK, FIN, type Packet, RST, SYN } from '../packet.js';
import type { Servers } from '../servers.js';
import { Acks } from './acks.js';
import { Control } from './control.js';
import { Copies } from './copies.js';
import { Payload } from './payload.js';
import { senderIsServer } from './ports.js';
import { HISTORY, LETTER, LOWER, Streams } from './streams.js';
import { BOTH_ESTABLISHED, zeekPacket } from './zeek-states.js';

const LAST = MARK.last ?? 0;
const CLOSED = MARK.closed ?? 0;
const SYN_ACK = MARK.synAck ?? 0;
const SUCCESSOR = MARK.successor ?? 0;
/** Places in a queue come free together: those who wait are answered within this time of each other. */
const ANSWERED_TOGETHER_NS = 1e9;
/** Zeek's sign for an originator that was turned round: ^ */
const FLIPPED = 94;

export interface TcpParts {
  readonly flows: Flows;
  readonly events: Events;
  readonly servers: Servers;
  readonly app: AppLayer;
  /** A connection with this slot is over: report it, then `release` is called. */
  readonly finished: (slot: number) => void;
  /** Both sides have closed, or one has reset: said once. */
  readonly closing: (slot: number) => void;
  /** Both sides have closed, and each has acknowledged the other's end: nothing more is to come. */
  readonly settled: (slot: number) => void;
  /** An attempt that the client seemed to have given up goes on. */
  readonly resumed: (slot: number) => void;
  /** A connection has got its slot and its roles. */
  readonly opened: (slot: number) => void;
}

/**
 * TCP of a capture, packet by packet (PCAP.md sections 2 to 4). The methods for an ordinary packet touch only typed arrays; what is rare
 * (SYN, FIN, RST, gaps) has files of its own.
 */
export class Tcp {
  readonly table: FlowTable;
  private readonly flows: Flows;
  private readonly events: Events;
  private readonly app: AppLayer;
  private readonly gone = new Gone();
  private readonly doubles: Copies;
  private readonly streams: Streams;
  private readonly acks: Acks;
  private readonly segments: Payload;
  private readonly control: Control;
  private lastSlot = -1;
  private nextId = 1;
  /** Packets that were copies made by the capture. */
  copies = 0;
  firstCopy = 0;
  /** Packets with a time before that of an earlier one of their connection. */
  clockBack = 0;
  firstBack = 0;

  constructor(private readonly parts: TcpParts) {
    this.flows = parts.flows;
    this.events = parts.events;
    this.app = parts.app;
    this.table = new FlowTable(parts.flows);
    this.doubles = new Copies(parts.flows);
    this.streams = new Streams(parts.flows, parts.events, parts.app);
    this.acks = new Acks(this.streams);
    this.segments = new Payload(this.streams, this.acks);
    this.control = new Control(parts.flows, parts.events, parts.servers);
  }

  /** The number of the next connection, shared with UDP. */
  takeId(): number {
    return this.nextId++;
  }

  packet(packet: Packet): void {
    const { source, target, sourcePort, targetPort } = packet;
    const isLow = source < target || (source === target && sourcePort <= targetPort);
    const low = isLow ? source : target;
    const high = isLow ? target : source;
    const ports = isLow ? (sourcePort << 16) | targetPort : (targetPort << 16) | sourcePort;
    const kind = (packet.path << 2) | (packet.family === 6 ? 2 : 0);
    const { ints } = this.flows;
    let slot = this.lastSlot;
    const at = slot * STRIDE;
    const isSame =
      slot >= 0 &&
      ints[at + INT.ports] === ports &&
      ints[at + INT.low] === low &&
      ints[at + INT.high] === high &&
      ints[at + INT.kind] === kind;
    if (!isSame) {
      const hash = FlowTable.hash(low, high, ports, kind);
      slot = this.table.find(hash, low, high, ports, kind);
      if (slot < 0) {
        const isLate = (packet.flags & SYN) === 0 && this.gone.has(hash, low, high, ports, kind, packet.time);
        if (isLate) return;
        slot = this.open(packet, low, high, ports, kind, hash, isLow, false);
      } else if ((packet.flags & SYN) !== 0) slot = this.openAgain(slot, packet, isLow);
    } else if ((packet.flags & SYN) !== 0) slot = this.openAgain(slot, packet, isLow);
    const direction = (isLow ? 0 : 1) ^ (this.flows.ints[slot * STRIDE + INT.clientIsHigh] ?? 0);
    this.lastSlot = slot;
    this.advance(slot, direction, packet);
  }

  /** A SYN on a 4-tuple that is known: of the same connection, or of the next one. */
  private openAgain(slot: number, packet: Packet, isLow: boolean): number {
    const { flows } = this;
    const direction = (isLow ? 0 : 1) ^ flows.int(slot, INT.clientIsHigh);
    if ((packet.flags & ACK) === 0 && this.control.isOther(slot, direction, packet)) {
      const key = [INT.low, INT.high, INT.ports, INT.kind, INT.hash].map((field) => flows.int(slot, field));
      const [low = 0, high = 0, ports = 0, kind = 0, hash = 0] = key;
      if (direction === 0 && isWaiting(flows, slot)) flows.mark(slot, SUCCESSOR, packet.time, packet.frame);
      this.finish(slot);
      return this.open(packet, low, high, ports, kind, hash, isLow, true);
    }
    if (this.control.mustSwap(slot, direction, packet)) this.swap(slot);
    return slot;
  }

  /** The slot of the packet that an ICMP error quotes, -1 where it is not known; and the direction of that packet. */
  quoted(packet: Packet): { slot: number; direction: number } | undefined {
    const { source, target, sourcePort, targetPort } = packet;
    const isLow = source < target || (source === target && sourcePort <= targetPort);
    const ports = isLow ? (sourcePort << 16) | targetPort : (targetPort << 16) | sourcePort;
    const low = isLow ? source : target;
    const high = isLow ? target : source;
    const kind = (packet.path << 2) | (packet.family === 6 ? 2 : 0);
    const slot = this.table.find(FlowTable.hash(low, high, ports, kind), low, high, ports, kind);
    if (slot < 0) return undefined;
    return { slot, direction: (isLow ? 0 : 1) ^ this.flows.int(slot, INT.clientIsHigh) };
  }

  /** Once more at the end: whether the server showed life elsewhere while it left this one waiting. */
  seeOthers(slot: number, now: number): void {
    const answered = this.flows.frameOf(slot, SYN_ACK) !== 0;
    this.control.seeOthers(slot, answered ? this.flows.timeOf(slot, SYN_ACK) + ANSWERED_TOGETHER_NS : now);
  }

  icmpError(packet: Packet): void {
    const quoted = this.quoted(packet);
    if (quoted === undefined) return;
    this.control.icmp(quoted.slot, quoted.direction, packet);
    this.sayClosed(quoted.slot);
  }

  private open(
    packet: Packet,
    low: number,
    high: number,
    ports: number,
    kind: number,
    hash: number,
    isLow: boolean,
    reused: boolean,
  ): number {
    const { flows } = this;
    const slot = flows.take();
    const { ints } = flows;
    const at = slot * STRIDE;
    const hasSyn = (packet.flags & SYN) !== 0;
    const hasAck = (packet.flags & ACK) !== 0;
    const fromServer = hasSyn ? hasAck : senderIsServer(packet.sourcePort, packet.targetPort);
    ints[at + INT.low] = low;
    ints[at + INT.high] = high;
    ints[at + INT.ports] = ports;
    ints[at + INT.kind] = kind;
    ints[at + INT.hash] = hash;
    ints[at + INT.clientIsHigh] = isLow === fromServer ? 1 : 0;
    ints[at + INT.id] = this.nextId++;
    ints[at + INT.flags] =
      (hasSyn ? (hasAck ? FLOW.roleSynAck : FLOW.roleSyn) : 0) | (reused ? FLOW.reused : 0);
    const server = fromServer ? packet.source : packet.target;
    const port = fromServer ? packet.sourcePort : packet.targetPort;
    ints[at + INT.server] = this.parts.servers.rowOf(server, port, kind);
    flows.mark(slot, MARK.first ?? 0, packet.time, packet.frame);
    if (fromServer) flows.addHistory(slot, FLIPPED);
    this.table.add(slot);
    this.app.open(slot);
    this.parts.opened(slot);
    return slot;
  }

  /** Reports a connection and forgets it. */
  finish(slot: number): void {
    this.parts.finished(slot);
    if (this.isSettled(slot)) this.gone.add(this.flows, slot, this.flows.timeOf(slot, LAST));
    this.table.remove(slot);
    if (
      (this.flows.side(slot, 0, SIDE_INT.status) | this.flows.side(slot, 1, SIDE_INT.status)) &
      STATUS.holes
    ) {
      this.streams.gaps.free(slot * 2);
      this.streams.gaps.free(slot * 2 + 1);
    }
    this.app.free(slot);
    this.events.release(slot);
    this.flows.release(slot);
    if (this.lastSlot === slot) this.lastSlot = -1;
  }

  /** Client and server were taken for each other. */
  private swap(slot: number): void {
    this.control.swap(slot);
    this.streams.gaps.swap(slot);
    this.app.swap(slot);
    this.events.swap(slot);
  }

  private advance(slot: number, direction: number, packet: Packet): void {
    const { flows } = this;
    const { ints, sums } = flows;
    const side = slot * STRIDE + SIDE + direction * SIDE_STRIDE;
    const { time, frame, flags } = packet;
    const shape = (flags << 16) | (packet.payloadLength & 0xffff);
    const lastTime = slot * SUMS + SUM.lastTime + direction;
    if (
      ints[side + SIDE_INT.lastSeq] === packet.seq &&
      ints[side + SIDE_INT.lastShape] === shape &&
      ints[side + SIDE_INT.lastAck] === packet.ack &&
      ints[side + SIDE_INT.lastIpId] === packet.ipId &&
      this.doubles.isCopy(side, packet, time - (sums[lastTime] ?? 0))
    ) {
      this.copy(slot, direction, side, packet);
      return;
    }
    if (
      this.doubles.isOld(side, packet) &&
      this.doubles.isEarlierCopy(side, packet, time - (sums[lastTime] ?? 0))
    ) {
      this.copy(slot, direction, side, packet);
      return;
    }
    const recent = ints[side + SIDE_INT.recentIds] ?? 0;
    ints[side + SIDE_INT.olderIds] = ((ints[side + SIDE_INT.olderIds] ?? 0) << 16) | (recent >>> 16);
    ints[side + SIDE_INT.recentIds] = (recent << 16) | (packet.ipId & 0xffff);
    const last = slot * MARK_COUNT + LAST;
    if (time < (flows.markTimes[last] ?? 0)) this.back(slot, direction, packet);
    ints[side + SIDE_INT.lastSeq] = packet.seq;
    ints[side + SIDE_INT.lastShape] = shape;
    ints[side + SIDE_INT.lastAck] = packet.ack;
    ints[side + SIDE_INT.lastIpId] = packet.ipId;
    ints[side + SIDE_INT.segments] = (ints[side + SIDE_INT.segments] ?? 0) + 1;
    ints[side + SIDE_INT.ipBytes] = ((ints[side + SIDE_INT.ipBytes] ?? 0) + packet.ipLength) | 0;
    flows.markTimes[last] = time;
    flows.markFrames[last] = frame;
    if (slot === this.events.followed) this.events.add(slot, this.kindOf(packet), direction, packet);
    if (ints[slot * STRIDE + INT.zeek] !== BOTH_ESTABLISHED || (flags & (SYN | FIN | RST)) !== 0)
      zeekPacket(flows, slot, direction, flags);
    if ((flags & (SYN | FIN | RST)) !== 0) this.special(slot, direction, side, packet);
    else this.ordinary(slot, direction, side, packet);
    sums[lastTime] = time;
  }

  private kindOf(packet: Packet): number {
    const { flags } = packet;
    if ((flags & SYN) !== 0) return (flags & ACK) !== 0 ? EVENT.syn_ack : EVENT.syn;
    if ((flags & RST) !== 0) return EVENT.rst;
    if ((flags & FIN) !== 0) return EVENT.fin;
    return packet.payloadLength > 0 ? EVENT.data : EVENT.ack;
  }

  private copy(slot: number, direction: number, side: number, packet: Packet): void {
    const { ints } = this.flows;
    ints[side + SIDE_INT.duplicates] = (ints[side + SIDE_INT.duplicates] ?? 0) + 1;
    if (this.copies++ === 0) this.firstCopy = packet.frame;
    if (slot === this.events.followed) this.events.add(slot, EVENT.duplicate, direction, packet);
  }

  private back(slot: number, direction: number, packet: Packet): void {
    if (this.flows.frameOf(slot, LAST) === 0) return;
    if (this.clockBack++ === 0) this.firstBack = packet.frame;
    if (!this.flows.has(slot, FLOW.clockBack)) this.events.add(slot, EVENT.clock_back, direction, packet);
    this.flows.set(slot, FLOW.clockBack);
  }

  /** A packet with SYN, FIN or RST. */
  private special(slot: number, direction: number, side: number, packet: Packet): void {
    const { flags } = packet;
    if ((flags & SYN) !== 0) {
      if (this.flows.has(slot, FLOW.superseded)) this.parts.resumed(slot);
      this.control.syn(slot, direction, side, packet);
      if (packet.payloadLength > 0) this.segments.fastOpen(slot, direction, side, packet);
      return;
    }
    if ((flags & RST) !== 0) {
      this.control.rst(slot, direction, packet);
      this.sayClosed(slot);
      return;
    }
    this.acks.acknowledge(slot, direction, side, packet);
    if (packet.payloadLength > 0) this.segments.take(slot, direction, side, packet);
    else this.segments.bareFin(slot, direction, side, packet);
    this.control.fin(slot, direction, side, packet);
    this.sayClosed(slot);
  }

  private sayClosed(slot: number): void {
    const flags = this.flows.int(slot, INT.flags);
    if ((flags & (FLOW.closed | FLOW.leaving)) === FLOW.closed) this.parts.closing(slot);
  }

  private ordinary(slot: number, direction: number, side: number, packet: Packet): void {
    const { flows } = this;
    const { ints } = flows;
    const base = slot * STRIDE;
    const length = packet.payloadLength;
    const bits = ints[base + INT.historyBits] ?? 0;
    const bit = (length > 0 ? HISTORY.data : HISTORY.ack) << direction;
    if ((bits & bit) === 0) {
      ints[base + INT.historyBits] = bits | bit;
      flows.addHistory(slot, (length > 0 ? LETTER.D : LETTER.A) + direction * LOWER);
    }
    const state = ints[base + INT.flags] ?? 0;
    let isLast = false;
    if ((state & FLOW.established) === 0) this.control.maybeEstablished(slot, direction, packet);
    else if ((state & (FLOW.closed | FLOW.reset)) === FLOW.closed) isLast = true;
    if (length > 0) {
      this.acks.acknowledge(slot, direction, side, packet);
      this.segments.take(slot, direction, side, packet);
    } else this.acks.pureAck(slot, direction, side, packet);
    if (!isLast) return;
    flows.mark(slot, CLOSED, packet.time, packet.frame);
    if (this.isSettled(slot)) this.parts.settled(slot);
  }

  /** Both FINs have been acknowledged. */
  private isSettled(slot: number): boolean {
    const { flows } = this;
    if ((flows.int(slot, INT.flags) & (FLOW.closed | FLOW.reset)) !== FLOW.closed) return false;
    return (
      flows.side(slot, 0, SIDE_INT.acked) === flows.side(slot, 1, SIDE_INT.nextSeq) &&
      flows.side(slot, 1, SIDE_INT.acked) === flows.side(slot, 0, SIDE_INT.nextSeq)
    );
  }
}
