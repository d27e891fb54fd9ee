import { EVENT, type Events } from '../events.js';
import { LEAST_FLIGHTS } from '../findings/suspicion.js';
import { type Flows, SIDE, SIDE_INT, SIDE_STRIDE, STATUS, STRIDE, SUM, SUMS } from '../flows.js';
import { MARK } from '../marks.js';
import type { Packet } from '../packet.js';
import type { Acks } from './acks.js';
import { mssOf } from './options.js';
import { LETTER, type Streams } from './streams.js';

const CLIENT_DATA = MARK.clientData ?? 0;
const SERVER_DATA = MARK.serverData ?? 0;
const ACKED = MARK.ack ?? 0;
/** A sender that waited for a late acknowledgement goes on at once when it comes. */
const AT_ONCE_NS = 2e6;
const LEAST_STALL_NS = 30e6;
const FAST_AFTER = 3;
/** On shorter paths nobody notices slow start. */
const LEAST_FLIGHT_NS = 5e6;
/** Data that goes on after a round trip, and not after a pause of the application. */
const ABOUT_A_ROUND_TRIP = 1.5;
/** Enough to look at one in Wireshark. */
const MOST_FLIGHT_EVENTS = 10;

/** Segments with payload: in order, sent again, out of order, or with bytes missing before them (PCAP.md section 4). */
export class Payload {
  private readonly flows: Flows;
  private readonly events: Events;

  constructor(
    private readonly streams: Streams,
    private readonly acks: Acks,
  ) {
    this.flows = streams.flows;
    this.events = streams.events;
  }

  take(slot: number, direction: number, side: number, packet: Packet): void {
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
    const since = packet.time - (sums[slot * SUMS + SUM.lastTime + direction] ?? 0);
    if (since > LEAST_FLIGHT_NS) this.flight(slot, direction, side, packet, since);
    const end = (seq + length) | 0;
    ints[side + SIDE_INT.nextSeq] = end;
    ints[side + SIDE_INT.status] = status | (packet.cut ? STATUS.seen | STATUS.cut : STATUS.seen);
    flows.mark(slot, direction === 0 ? CLIENT_DATA : SERVER_DATA, packet.time, packet.frame);
    this.streams.feedPacket(slot * 2 + direction, packet, 0);
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
    const rtt = this.handshakeRtt(slot);
    if (since > Math.max(AT_ONCE_NS, rtt * 1.5) || packet.payloadLength >= mss || wait < rtt + LEAST_STALL_NS)
      return;
    this.events.note(slot, EVENT.stall, direction, packet, undefined, Math.min(wait, 2e9));
  }

  /** Data that waited a round trip for an acknowledgement, though the window was open. */
  private flight(slot: number, direction: number, side: number, packet: Packet, since: number): void {
    const { ints } = this.flows;
    const rtt = this.handshakeRtt(slot);
    const mss = mssOf(ints[side + SIDE_INT.options] ?? 0);
    if (
      rtt < LEAST_FLIGHT_NS ||
      since > rtt * ABOUT_A_ROUND_TRIP ||
      mss === 0 ||
      packet.payloadLength < mss - 12
    )
      return;
    const other = slot * STRIDE + SIDE + (1 - direction) * SIDE_STRIDE;
    const acknowledged = ((ints[other + SIDE_INT.acked] ?? 0) - (ints[side + SIDE_INT.isn] ?? 0)) | 0;
    if (acknowledged <= mss || ((ints[other + SIDE_INT.status] ?? 0) & STATUS.acked) === 0) return;
    const count = this.streams.bump(side + SIDE_INT.flights);
    // Fewer are no trouble, and an event costs most connections their quick way out.
    if (count >= LEAST_FLIGHTS && count < LEAST_FLIGHTS + MOST_FLIGHT_EVENTS)
      this.events.add(slot, EVENT.slow_start, direction, packet);
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
    if (this.streams.bump(side + SIDE_INT.windowFull) <= 4)
      this.events.add(slot, EVENT.window_full, direction, packet);
  }

  private isProbe(slot: number, direction: number, side: number, packet: Packet, ahead: number): boolean {
    const other = slot * STRIDE + SIDE + (1 - direction) * SIDE_STRIDE;
    const isClosed = ((this.flows.ints[other + SIDE_INT.status] ?? 0) & STATUS.zeroWindow) !== 0;
    if (ahead === 0 && !isClosed) return false;
    this.acks.probe(slot, direction, side, other, packet);
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
    if (ahead > 0) this.streams.gapBefore(slot, direction, side, packet, ahead);
    else if (ahead < 0) this.sentBefore(slot, direction, side, packet, end);
    const fresh = (end - next) | 0;
    if (fresh > 0) {
      ints[side + SIDE_INT.nextSeq] = end;
      this.flows.mark(slot, direction === 0 ? CLIENT_DATA : SERVER_DATA, packet.time, packet.frame);
    }
    if (this.streams.gaps.has(key)) {
      const { payloadFrom, payloadTo, bytes, seq, frame, time } = packet;
      if (this.streams.gaps.take(key, seq, bytes, payloadFrom, payloadTo, length, frame, time))
        this.streams.clearHoles(side);
    } else if (fresh > 0) this.streams.feedPacket(key, packet, length - fresh);
  }

  /** Bytes below the highest: new ones that fill a hole, or sent again. */
  private sentBefore(slot: number, direction: number, side: number, packet: Packet, end: number): void {
    const { ints } = this.flows;
    const other = slot * STRIDE + SIDE + (1 - direction) * SIDE_STRIDE;
    const filled = this.streams.gaps.fill(slot * 2 + direction, packet.seq, end);
    if (filled > 0) {
      this.streams.addSum(slot, SUM.missing, direction, -filled);
      this.streams.bump(side + SIDE_INT.outOfOrder);
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
    this.streams.logarithmic(slot, direction, count, LETTER.T);
    if (hasAck && ((end - acked) | 0) <= 0) {
      this.streams.bump(side + SIDE_INT.spurious);
      this.events.add(slot, EVENT.spurious_retransmission, direction, packet);
    } else if ((ints[other + SIDE_INT.dupRun] ?? 0) >= FAST_AFTER && packet.seq === acked) {
      this.streams.bump(side + SIDE_INT.fast);
      this.events.add(slot, EVENT.fast_retransmission, direction, packet);
    } else {
      this.streams.bump(side + SIDE_INT.rto);
      this.events.add(slot, EVENT.retransmission, direction, packet);
    }
  }

  fastOpen(slot: number, direction: number, side: number, packet: Packet): void {
    const { ints, sums } = this.flows;
    const first = (packet.seq + 1) | 0;
    if (((ints[side + SIDE_INT.nextSeq] ?? 0) - first) | 0) return;
    ints[side + SIDE_INT.synBytes] = packet.payloadLength;
    ints[side + SIDE_INT.nextSeq] = (first + packet.payloadLength) | 0;
    ints[side + SIDE_INT.dataSegments] = (ints[side + SIDE_INT.dataSegments] ?? 0) + 1;
    const at = slot * SUMS + SUM.payload + direction;
    sums[at] = (sums[at] ?? 0) + packet.payloadLength;
    this.streams.feedPacket(slot * 2 + direction, packet, 0);
  }

  bareFin(slot: number, direction: number, side: number, packet: Packet): void {
    const { ints } = this.flows;
    const isFirst = ((ints[side + SIDE_INT.status] ?? 0) & (STATUS.seen | STATUS.fin)) === STATUS.seen;
    const ahead = (packet.seq - (ints[side + SIDE_INT.nextSeq] ?? 0)) | 0;
    if (isFirst && ahead > 0) this.streams.gapBefore(slot, direction, side, packet, ahead);
  }
}
