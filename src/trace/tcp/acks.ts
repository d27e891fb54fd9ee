import { EVENT, type Events } from '../events.js';
import { FLOW, type Flows, SIDE, SIDE_INT, SIDE_STRIDE, STATUS, STRIDE, SUM, SUMS } from '../flows.js';
import { ACK, type Packet } from '../packet.js';
import { hasDsack } from './options.js';
import { LETTER, type Streams } from './streams.js';

/** Linux delays acknowledgements by 40 ms and more; other systems by 200 ms at most (RFC 1122), 500 ms at the very most. */
const DELAYED_ACK_NS = 30e6;
const MOST_DELAYED_ACK_NS = 550e6;

/** What one side says of the other's bytes: acknowledgements, windows, probes. */
export class Acks {
  private readonly flows: Flows;
  private readonly events: Events;

  constructor(private readonly streams: Streams) {
    this.flows = streams.flows;
    this.events = streams.events;
  }

  acknowledge(slot: number, direction: number, side: number, packet: Packet): void {
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
          this.streams.closeHoles(slot, 1 - direction, other, packet);
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
    this.streams.addSum(slot, SUM.missing, peer, unseen);
    events.add(slot, EVENT.ack_of_unseen, direction, packet, unseen);
    this.streams.historyGap(slot, peer);
    const key = slot * 2 + peer;
    if (this.streams.gaps.has(key)) this.streams.closeHoles(slot, peer, other, packet);
    this.streams.skipLost(key, unseen, packet.frame, packet.time);
  }

  private zeroWindow(slot: number, direction: number, side: number, packet: Packet): void {
    const { ints } = this.flows;
    const other = slot * STRIDE + SIDE + (1 - direction) * SIDE_STRIDE;
    const isZero = packet.window === 0;
    const status = ints[side + SIDE_INT.status] ?? 0;
    // After the peer's FIN nothing has to be taken any more.
    if (isZero && ((ints[other + SIDE_INT.status] ?? 0) & STATUS.fin) !== 0) return;
    if (isZero) {
      const count = this.streams.bump(side + SIDE_INT.zeroWindows);
      this.streams.logarithmic(slot, direction, count, LETTER.W);
    }
    if (isZero === ((status & STATUS.zeroWindow) !== 0)) return;
    ints[side + SIDE_INT.status] = isZero ? status | STATUS.zeroWindow : status & ~STATUS.zeroWindow;
    this.events.add(slot, isZero ? EVENT.zero_window : EVENT.window_update, direction, packet);
  }

  pureAck(slot: number, direction: number, side: number, packet: Packet): void {
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
      this.streams.bump(sender + SIDE_INT.spurious);
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
  probe(slot: number, direction: number, side: number, other: number, packet: Packet): void {
    const isClosed = ((this.flows.ints[other + SIDE_INT.status] ?? 0) & STATUS.zeroWindow) !== 0;
    const count = this.streams.bump(side + (isClosed ? SIDE_INT.probes : SIDE_INT.keepAlives));
    if (count <= 8 || slot === this.events.followed)
      this.events.add(slot, isClosed ? EVENT.zero_window_probe : EVENT.keep_alive, direction, packet);
  }
}
