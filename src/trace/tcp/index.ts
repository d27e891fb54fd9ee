import type { AppLayer } from '../app-layer.js';
import { EVENT, type Events } from '../events.js';
import { FlowTable } from '../flow-table.js';
import { FLOW, type Flows, INT, SIDE, SIDE_INT, SIDE_STRIDE, STATUS, STRIDE, SUM, SUMS } from '../flows.js';
import { MARK, MARK_COUNT } from '../marks.js';
import { ACK, FIN, type Packet, RST, SYN } from '../packet.js';
import type { Servers } from '../servers.js';
import { Control } from './control.js';
import { Gaps } from './gaps.js';
import { hasDsack, mssOf } from './options.js';
import { senderIsServer } from './ports.js';
import { BOTH_ESTABLISHED, zeekPacket } from './zeek-states.js';

const LAST = MARK.last ?? 0;
const CLIENT_DATA = MARK.clientData ?? 0;
const SERVER_DATA = MARK.serverData ?? 0;
const CLOSED = MARK.closed ?? 0;
const ACKED = MARK.ack ?? 0;

const COPY_NS = 5e6;
const COPY_WITHOUT_ID_NS = 1e6;
/** Linux delays acknowledgements by 40 ms and more; other systems by 200 ms at most (RFC 1122). */
const DELAYED_ACK_NS = 30e6;
const MOST_DELAYED_ACK_NS = 550e6;
const FAST_AFTER = 3;
/** Places in a queue come free together: those who wait are answered within this time of each other. */
const ANSWERED_TOGETHER_NS = 1e9;

const LETTER = { A: 65, D: 68, T: 84, W: 87, G: 71, C: 99 } as const;
const LOWER = 32;
const FLIPPED = 94;
/** Bits of INT.historyBits, client's; the server's are one further. */
const HISTORY = { ack: 1, data: 4, gap: 16 } as const;

export interface TcpParts {
  readonly flows: Flows;
  readonly events: Events;
  readonly servers: Servers;
  readonly app: AppLayer;
  /** A connection with this slot is over: report it, then `release` is called. */
  readonly finished: (slot: number) => void;
  /** Both sides have closed, or one has reset: said once. */
  readonly closing: (slot: number) => void;
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
  private readonly gaps: Gaps;
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
    this.gaps = new Gaps({
      deliver: (key, bytes, from, to, length, frame, time) =>
        this.feed(key, bytes, from, to, length, frame, time),
      lost: (key, count, frame, time) => {
        this.historyGap(key >> 1, key & 1);
        this.skipLost(key, count, frame, time);
      },
    });
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
      if (slot < 0) slot = this.open(packet, low, high, ports, kind, hash, isLow, false);
      else if ((packet.flags & SYN) !== 0) slot = this.openAgain(slot, packet, isLow);
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
    const answered = this.flows.frameOf(slot, MARK.synAck ?? 0) !== 0;
    this.control.seeOthers(
      slot,
      answered ? this.flows.timeOf(slot, MARK.synAck ?? 0) + ANSWERED_TOGETHER_NS : now,
    );
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
    // Zeek's sign for an originator that was turned round.
    if (fromServer) flows.addHistory(slot, FLIPPED);
    this.table.add(slot);
    this.app.open(slot);
    this.parts.opened(slot);
    return slot;
  }

  /** Reports a connection and forgets it. */
  finish(slot: number): void {
    this.parts.finished(slot);
    this.table.remove(slot);
    if (
      (this.flows.side(slot, 0, SIDE_INT.status) | this.flows.side(slot, 1, SIDE_INT.status)) &
      STATUS.holes
    ) {
      this.gaps.free(slot * 2);
      this.gaps.free(slot * 2 + 1);
    }
    this.app.free(slot);
    this.events.release(slot);
    this.flows.release(slot);
    if (this.lastSlot === slot) this.lastSlot = -1;
  }

  /** Client and server were taken for each other. */
  private swap(slot: number): void {
    this.control.swap(slot);
    this.gaps.swap(slot);
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
      this.isCopy(side, packet, time - (sums[lastTime] ?? 0))
    ) {
      this.copy(slot, direction, side, packet);
      return;
    }
    if (this.isOld(side, packet) && this.isEarlierCopy(side, packet, time - (sums[lastTime] ?? 0))) {
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

  /** The same packet twice: from a mirror port, or from `-i any`. A sender gives what it sends again another IP identification. */
  private isCopy(side: number, packet: Packet, elapsed: number): boolean {
    if (this.flows.ints[side + SIDE_INT.segments] === 0 || elapsed < 0) return false;
    if (packet.ipId > 0) return elapsed < COPY_NS;
    if (elapsed === 0) return true;
    // Without an identification, acknowledgements that say the same may be real.
    return packet.payloadLength + (packet.flags & (SYN | FIN)) > 0 && elapsed < COPY_WITHOUT_ID_NS;
  }

  /** It says nothing that its side has not said before. */
  private isOld(side: number, packet: Packet): boolean {
    const { ints } = this.flows;
    if (((ints[side + SIDE_INT.status] ?? 0) & STATUS.seen) === 0) return false;
    const length = packet.payloadLength + (packet.flags & SYN);
    if (length === 0) return false;
    return ((packet.seq + packet.payloadLength - (ints[side + SIDE_INT.nextSeq] ?? 0)) | 0) <= 0;
  }

  /** A copy that comes after other packets of its side: by its IP identification, within a few of them. */
  private isEarlierCopy(side: number, packet: Packet, elapsed: number): boolean {
    const { ipId } = packet;
    if (ipId <= 0 || elapsed < 0 || elapsed >= COPY_NS) return false;
    const { ints } = this.flows;
    const recent = ints[side + SIDE_INT.recentIds] ?? 0;
    const older = ints[side + SIDE_INT.olderIds] ?? 0;
    return (
      (recent & 0xffff) === ipId ||
      recent >>> 16 === ipId ||
      (older & 0xffff) === ipId ||
      older >>> 16 === ipId
    );
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
      this.control.syn(slot, direction, side, packet);
      if (packet.payloadLength > 0) this.fastOpen(slot, direction, side, packet);
      return;
    }
    if ((flags & RST) !== 0) {
      this.control.rst(slot, direction, packet);
      this.sayClosed(slot);
      return;
    }
    this.acknowledge(slot, direction, side, packet);
    if (packet.payloadLength > 0) this.payload(slot, direction, side, packet);
    else this.bareFin(slot, direction, side, packet);
    this.control.fin(slot, direction, side, packet);
    this.sayClosed(slot);
  }

  private bareFin(slot: number, direction: number, side: number, packet: Packet): void {
    const { ints } = this.flows;
    const isFirst = ((ints[side + SIDE_INT.status] ?? 0) & (STATUS.seen | STATUS.fin)) === STATUS.seen;
    const ahead = (packet.seq - (ints[side + SIDE_INT.nextSeq] ?? 0)) | 0;
    if (isFirst && ahead > 0) this.gapBefore(slot, direction, side, packet, ahead);
  }

  private sayClosed(slot: number): void {
    const flags = this.flows.int(slot, INT.flags);
    if ((flags & (FLOW.closed | FLOW.leaving)) === FLOW.closed) this.parts.closing(slot);
  }

  private fastOpen(slot: number, direction: number, side: number, packet: Packet): void {
    const { ints, sums } = this.flows;
    const first = (packet.seq + 1) | 0;
    if (((ints[side + SIDE_INT.nextSeq] ?? 0) - first) | 0) return;
    ints[side + SIDE_INT.synBytes] = packet.payloadLength;
    ints[side + SIDE_INT.nextSeq] = (first + packet.payloadLength) | 0;
    ints[side + SIDE_INT.dataSegments] = (ints[side + SIDE_INT.dataSegments] ?? 0) + 1;
    const at = slot * SUMS + SUM.payload + direction;
    sums[at] = (sums[at] ?? 0) + packet.payloadLength;
    this.feedPacket(slot * 2 + direction, packet, 0);
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
    if ((state & FLOW.established) === 0) this.control.maybeEstablished(slot, direction, packet);
    else if ((state & (FLOW.closed | FLOW.reset)) === FLOW.closed)
      flows.mark(slot, CLOSED, packet.time, packet.frame);
    if (length > 0) {
      this.acknowledge(slot, direction, side, packet);
      this.payload(slot, direction, side, packet);
    } else this.pureAck(slot, direction, side, packet);
  }

  private acknowledge(slot: number, direction: number, side: number, packet: Packet): void {
    if ((packet.flags & ACK) === 0) return;
    const { ints } = this.flows;
    const status = ints[side + SIDE_INT.status] ?? 0;
    const ahead = (packet.ack - (ints[side + SIDE_INT.acked] ?? 0)) | 0;
    if ((status & STATUS.acked) === 0 || ahead > 0) {
      ints[side + SIDE_INT.acked] = packet.ack;
      ints[side + SIDE_INT.status] = status | STATUS.acked;
      ints[side + SIDE_INT.dupRun] = 0;
      const other = slot * STRIDE + SIDE + (1 - direction) * SIDE_STRIDE;
      const otherStatus = ints[other + SIDE_INT.status] ?? 0;
      if ((otherStatus & STATUS.seen) !== 0) {
        const unseen = (packet.ack - (ints[other + SIDE_INT.nextSeq] ?? 0)) | 0;
        if (unseen > 0) this.ackOfUnseen(slot, direction, other, packet, unseen);
        else if ((otherStatus & (STATUS.holes | STATUS.cut)) !== 0)
          this.closeHoles(slot, 1 - direction, other, packet);
      }
    }
    const window = packet.window;
    if (window === 0 || (status & STATUS.zeroWindow) !== 0) this.zeroWindow(slot, direction, side, packet);
    ints[side + SIDE_INT.window] = window;
  }

  /** The peer has bytes that the capture does not. */
  private ackOfUnseen(slot: number, direction: number, other: number, packet: Packet, unseen: number): void {
    const { flows, events } = this;
    const { ints } = flows;
    const peer = 1 - direction;
    // Of a side of which nothing but its SYN was captured nothing is missing that could be counted.
    if ((ints[other + SIDE_INT.segments] ?? 0) === 0) return;
    const isFin = unseen === 1 && flows.has(slot, FLOW.closed);
    ints[other + SIDE_INT.nextSeq] = packet.ack;
    if (isFin) return;
    this.addSum(slot, SUM.missing, peer, unseen);
    events.add(slot, EVENT.ack_of_unseen, direction, packet, unseen);
    this.historyGap(slot, peer);
    const key = slot * 2 + peer;
    if (this.gaps.has(key)) this.closeHoles(slot, peer, other, packet);
    this.skipLost(key, unseen, packet.frame, packet.time);
  }

  private closeHoles(slot: number, direction: number, side: number, packet: Packet): void {
    const status = this.flows.ints[side + SIDE_INT.status] ?? 0;
    if ((status & STATUS.cut) !== 0) this.historyGap(slot, direction);
    if ((status & STATUS.holes) === 0) return;
    const isWhole = this.gaps.acknowledged(slot * 2 + direction, packet.ack, packet.frame, packet.time);
    if (isWhole) this.clearHoles(side);
  }

  private clearHoles(side: number): void {
    const { ints } = this.flows;
    ints[side + SIDE_INT.status] = (ints[side + SIDE_INT.status] ?? 0) & ~STATUS.holes;
  }

  private historyGap(slot: number, direction: number): void {
    const at = slot * STRIDE + INT.historyBits;
    const bits = this.flows.ints[at] ?? 0;
    if ((bits & (HISTORY.gap << direction)) !== 0) return;
    this.flows.ints[at] = bits | (HISTORY.gap << direction);
    this.flows.addHistory(slot, LETTER.G + direction * LOWER);
  }

  private addSum(slot: number, field: number, direction: number, count: number): void {
    const at = slot * SUMS + field + direction;
    this.flows.sums[at] = (this.flows.sums[at] ?? 0) + count;
  }

  private bump(at: number): number {
    const value = (this.flows.ints[at] ?? 0) + 1;
    this.flows.ints[at] = value;
    return value;
  }

  private zeroWindow(slot: number, direction: number, side: number, packet: Packet): void {
    const { ints } = this.flows;
    const other = slot * STRIDE + SIDE + (1 - direction) * SIDE_STRIDE;
    const isZero = packet.window === 0;
    const status = ints[side + SIDE_INT.status] ?? 0;
    // After the peer's FIN nothing has to be taken any more.
    if (isZero && ((ints[other + SIDE_INT.status] ?? 0) & STATUS.fin) !== 0) return;
    if (isZero) {
      const count = this.bump(side + SIDE_INT.zeroWindows);
      this.logarithmic(slot, direction, count, LETTER.W);
    }
    if (isZero === ((status & STATUS.zeroWindow) !== 0)) return;
    ints[side + SIDE_INT.status] = isZero ? status | STATUS.zeroWindow : status & ~STATUS.zeroWindow;
    this.events.add(slot, isZero ? EVENT.zero_window : EVENT.window_update, direction, packet);
  }

  /** Zeek writes these letters at the 1st, 10th, 100th, ... */
  private logarithmic(slot: number, direction: number, count: number, letter: number): void {
    let power = 1;
    while (power < count) power *= 10;
    if (power === count) this.flows.addHistory(slot, letter + direction * LOWER);
  }

  private pureAck(slot: number, direction: number, side: number, packet: Packet): void {
    const { ints, sums } = this.flows;
    const status = ints[side + SIDE_INT.status] ?? 0;
    const next = ints[side + SIDE_INT.nextSeq] ?? 0;
    const other = slot * STRIDE + SIDE + (1 - direction) * SIDE_STRIDE;
    const hasSeen = (status & STATUS.seen) !== 0;
    if (hasSeen && packet.seq === ((next - 1) | 0) && (status & STATUS.fin) === 0) {
      this.probe(slot, direction, side, other, packet);
    } else if (
      packet.ack === ints[side + SIDE_INT.acked] &&
      (status & STATUS.acked) !== 0 &&
      packet.window === ints[side + SIDE_INT.window] &&
      packet.window !== 0 &&
      packet.seq === next &&
      ((ints[other + SIDE_INT.nextSeq] ?? 0) - packet.ack) | 0
    ) {
      ints[side + SIDE_INT.dupAcks] = (ints[side + SIDE_INT.dupAcks] ?? 0) + 1;
      ints[side + SIDE_INT.dupRun] = (ints[side + SIDE_INT.dupRun] ?? 0) + 1;
    } else this.noteDelay(slot, direction, packet, sums);
    if (packet.optionsTo - packet.optionsFrom >= 12) this.dsack(slot, direction, packet);
    this.acknowledge(slot, direction, side, packet);
    if (!hasSeen) {
      ints[side + SIDE_INT.nextSeq] = packet.seq;
      ints[side + SIDE_INT.status] = (ints[side + SIDE_INT.status] ?? 0) | STATUS.seen;
    }
  }

  /** A retransmission that was not needed, by the receiver's own word. */
  private dsack(slot: number, direction: number, packet: Packet): void {
    if (packet.optionsTo - packet.optionsFrom < 20) return;
    if (!hasDsack(packet.view, packet.optionsFrom, packet.optionsTo, packet.ack)) return;
    const sender = slot * STRIDE + SIDE + (1 - direction) * SIDE_STRIDE;
    const { ints } = this.flows;
    // One that was taken for a loss was none.
    for (const field of [SIDE_INT.rto, SIDE_INT.fast]) {
      const count = ints[sender + field] ?? 0;
      if (count === 0) continue;
      ints[sender + field] = count - 1;
      this.bump(sender + SIDE_INT.spurious);
      break;
    }
    this.events.add(slot, EVENT.dsack, direction, packet);
  }

  /** An acknowledgement that came late while its sender may have waited for it (Nagle). */
  private noteDelay(slot: number, direction: number, packet: Packet, sums: Float64Array): void {
    const peer = 1 - direction;
    const waited = packet.time - (sums[slot * SUMS + SUM.lastTime + peer] ?? 0);
    const isLate = waited >= DELAYED_ACK_NS && waited <= MOST_DELAYED_ACK_NS;
    sums[slot * SUMS + SUM.delayedAck + peer] = isLate ? packet.time : 0;
  }

  /** Keep-alive, or a probe of a closed window: Linux sends both without payload, one byte before what it has sent. */
  private probe(slot: number, direction: number, side: number, other: number, packet: Packet): void {
    const isClosed = ((this.flows.ints[other + SIDE_INT.status] ?? 0) & STATUS.zeroWindow) !== 0;
    const count = this.bump(side + (isClosed ? SIDE_INT.probes : SIDE_INT.keepAlives));
    if (count <= 8 || slot === this.events.followed)
      this.events.add(slot, isClosed ? EVENT.zero_window_probe : EVENT.keep_alive, direction, packet);
  }

  private payload(slot: number, direction: number, side: number, packet: Packet): void {
    const { flows } = this;
    const { ints, sums } = flows;
    const length = packet.payloadLength;
    const { seq } = packet;
    const status = ints[side + SIDE_INT.status] ?? 0;
    const ahead = (status & STATUS.seen) === 0 ? 0 : (seq - (ints[side + SIDE_INT.nextSeq] ?? 0)) | 0;
    if (length === 1 && ahead < 1 && ahead > -2 && this.isProbe(slot, direction, side, packet, ahead)) return;
    ints[side + SIDE_INT.dataSegments] = (ints[side + SIDE_INT.dataSegments] ?? 0) + 1;
    const sum = slot * SUMS + SUM.payload + direction;
    sums[sum] = (sums[sum] ?? 0) + length;
    const delayed = slot * SUMS + SUM.delayedAck + direction;
    if (sums[delayed] !== 0) this.endDelay(slot, direction, side, packet, delayed);
    if (ahead !== 0 || (status & STATUS.holes) !== 0) {
      this.irregular(slot, direction, side, packet, ahead);
      return;
    }
    const end = (seq + length) | 0;
    ints[side + SIDE_INT.nextSeq] = end;
    ints[side + SIDE_INT.status] = status | (packet.cut ? STATUS.seen | STATUS.cut : STATUS.seen);
    flows.mark(slot, direction === 0 ? CLIENT_DATA : SERVER_DATA, packet.time, packet.frame);
    this.feedPacket(slot * 2 + direction, packet, 0);
    this.windowFull(slot, direction, side, packet, end);
  }

  /** The data went as soon as the late acknowledgement came: both waited for each other. */
  private endDelay(slot: number, direction: number, side: number, packet: Packet, delayed: number): void {
    const { sums, ints } = this.flows;
    const since = packet.time - (sums[delayed] ?? 0);
    const before = sums[slot * SUMS + SUM.lastTime + direction] ?? 0;
    const wait = (sums[delayed] ?? 0) - before;
    sums[delayed] = 0;
    const mss = mssOf(ints[side + SIDE_INT.options] ?? 0) || 1460;
    const sentSmall = ((ints[side + SIDE_INT.lastShape] ?? 0) & 0xffff) < mss;
    const rtt = this.handshakeRtt(slot);
    if (
      since > Math.max(2e6, rtt * 1.5) ||
      !sentSmall ||
      packet.payloadLength >= mss ||
      wait < rtt + DELAYED_ACK_NS
    )
      return;
    this.bump(side + SIDE_INT.stalls);
    this.addSum(slot, SUM.stalled, direction, wait);
    this.events.note(slot, EVENT.stall, direction, packet, undefined, Math.min(wait, 2e9));
  }

  /** ns; 0 where it was not seen. */
  private handshakeRtt(slot: number): number {
    const whole = this.flows.between(slot, MARK.answeredSyn ?? 0, ACKED);
    return whole ?? 0;
  }

  private windowFull(slot: number, direction: number, side: number, packet: Packet, end: number): void {
    const { ints } = this.flows;
    const other = slot * STRIDE + SIDE + (1 - direction) * SIDE_STRIDE;
    const window = ints[other + SIDE_INT.window] ?? 0;
    const scale = ints[other + SIDE_INT.scale] ?? -1;
    if (scale < 0 || (ints[side + SIDE_INT.scale] ?? -1) < 0 || window === 0) return;
    const left = ((ints[other + SIDE_INT.acked] ?? 0) + (window << scale) - end) | 0;
    if (left !== 0) return;
    if (this.bump(side + SIDE_INT.windowFull) <= 4)
      this.events.add(slot, EVENT.window_full, direction, packet);
  }

  private isProbe(slot: number, direction: number, side: number, packet: Packet, ahead: number): boolean {
    const other = slot * STRIDE + SIDE + (1 - direction) * SIDE_STRIDE;
    const isClosed = ((this.flows.ints[other + SIDE_INT.status] ?? 0) & STATUS.zeroWindow) !== 0;
    if (ahead === 0 && !isClosed) return false;
    this.probe(slot, direction, side, other, packet);
    // Byte 1 of a probe is taken where the window has opened: it is the next byte, and new.
    if (ahead === 0) return false;
    return true;
  }

  /** Payload that does not follow what came before. */
  private irregular(slot: number, direction: number, side: number, packet: Packet, ahead: number): void {
    const { ints } = this.flows;
    const key = slot * 2 + direction;
    const length = packet.payloadLength;
    const next = ints[side + SIDE_INT.nextSeq] ?? 0;
    const end = (packet.seq + length) | 0;
    if (ahead > 0) this.gapBefore(slot, direction, side, packet, ahead);
    else if (ahead < 0) this.sentBefore(slot, direction, side, packet, end);
    const fresh = (end - next) | 0;
    if (fresh > 0) {
      ints[side + SIDE_INT.nextSeq] = end;
      this.flows.mark(slot, direction === 0 ? CLIENT_DATA : SERVER_DATA, packet.time, packet.frame);
    }
    if (this.gaps.has(key)) {
      const { payloadFrom, payloadTo, bytes, seq, frame, time } = packet;
      if (this.gaps.take(key, seq, bytes, payloadFrom, payloadTo, length, frame, time)) this.clearHoles(side);
    } else if (fresh > 0) this.feedPacket(key, packet, length - fresh);
  }

  private gapBefore(slot: number, direction: number, side: number, packet: Packet, ahead: number): void {
    const { ints } = this.flows;
    this.addSum(slot, SUM.missing, direction, ahead);
    this.events.add(slot, EVENT.gap, direction, packet, ahead);
    this.gaps.add(slot * 2 + direction, (packet.seq - ahead) | 0, packet.seq);
    ints[side + SIDE_INT.status] = (ints[side + SIDE_INT.status] ?? 0) | STATUS.holes;
  }

  /** Bytes below the highest: new ones that fill a hole, or sent again. */
  private sentBefore(slot: number, direction: number, side: number, packet: Packet, end: number): void {
    const { ints } = this.flows;
    const other = slot * STRIDE + SIDE + (1 - direction) * SIDE_STRIDE;
    const filled = this.gaps.fill(slot * 2 + direction, packet.seq, end);
    if (filled > 0) {
      this.addSum(slot, SUM.missing, direction, -filled);
      this.bump(side + SIDE_INT.outOfOrder);
      this.events.add(slot, EVENT.out_of_order, direction, packet);
      return;
    }
    const acked = ints[other + SIDE_INT.acked] ?? 0;
    const hasAck = ((ints[other + SIDE_INT.status] ?? 0) & STATUS.acked) !== 0;
    const count =
      (ints[side + SIDE_INT.rto] ?? 0) +
      (ints[side + SIDE_INT.fast] ?? 0) +
      (ints[side + SIDE_INT.spurious] ?? 0) +
      1;
    this.logarithmic(slot, direction, count, LETTER.T);
    if (hasAck && ((end - acked) | 0) <= 0) {
      this.bump(side + SIDE_INT.spurious);
      this.events.add(slot, EVENT.spurious_retransmission, direction, packet);
    } else if ((ints[other + SIDE_INT.dupRun] ?? 0) >= FAST_AFTER && packet.seq === acked) {
      this.bump(side + SIDE_INT.fast);
      this.events.add(slot, EVENT.fast_retransmission, direction, packet);
    } else {
      this.bump(side + SIDE_INT.rto);
      this.events.add(slot, EVENT.retransmission, direction, packet);
    }
  }

  private feedPacket(key: number, packet: Packet, already: number): void {
    const { payloadFrom, payloadTo } = packet;
    const length = packet.payloadLength - already;
    const skip = this.app.skip[key] ?? 0;
    if (skip >= length) {
      this.app.skip[key] = skip - length;
      return;
    }
    const from = payloadFrom + already;
    this.feed(
      key,
      packet.bytes,
      from < payloadTo ? from : payloadTo,
      payloadTo,
      length,
      packet.frame,
      packet.time,
    );
  }

  /** `length` bytes in order, of which those in `bytes` were captured. */
  private feed(
    key: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    length: number,
    frame: number,
    time: number,
  ): void {
    const { app } = this;
    const skip = app.skip[key] ?? 0;
    if (skip >= length) {
      app.skip[key] = skip - length;
      return;
    }
    app.skip[key] = 0;
    const captured = to - from;
    const start = skip < captured ? from + skip : to;
    if (start < to) app.data(key >> 1, key & 1, bytes, start, to, frame, time);
    const rest = length - Math.max(captured, skip);
    if (rest > 0) this.skipLost(key, rest, frame, time);
  }

  private skipLost(key: number, count: number, frame: number, time: number): void {
    const { app } = this;
    const skip = app.skip[key] ?? 0;
    if (skip >= count) app.skip[key] = skip - count;
    else {
      app.skip[key] = 0;
      app.gap(key >> 1, key & 1, count - skip, frame, time);
    }
  }
}
