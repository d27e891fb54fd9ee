import { type Flows, SIDE_INT, STATUS } from '../flows.js';
import { ACK, FIN, type Packet, SYN } from '../packet.js';

const COPY_NS = 5e6;
const COPY_WITHOUT_ID_NS = 1e6;

/** Tells copies made by the capture (a mirror port, `-i any`) from what a sender sent twice. */
export class Copies {
  constructor(private readonly flows: Flows) {}

  /** The same packet twice: from a mirror port, or from `-i any`. A sender gives what it sends again another IP identification. */
  isCopy(side: number, packet: Packet, elapsed: number): boolean {
    if (this.flows.ints[side + SIDE_INT.segments] === 0 || elapsed < 0) return false;
    if (packet.ipId > 0) return elapsed < COPY_NS;
    if (elapsed === 0) return true;
    // Without an identification, acknowledgements that say the same may be real.
    return packet.payloadLength + (packet.flags & (SYN | FIN)) > 0 && elapsed < COPY_WITHOUT_ID_NS;
  }

  /** It says nothing that its side has not said before. */
  isOld(side: number, packet: Packet): boolean {
    const { ints } = this.flows;
    if (((ints[side + SIDE_INT.status] ?? 0) & STATUS.seen) === 0) return false;
    const length = packet.payloadLength + (packet.flags & SYN);
    if (length === 0) return false;
    const isBehind = ((packet.seq + packet.payloadLength - (ints[side + SIDE_INT.nextSeq] ?? 0)) | 0) <= 0;
    return isBehind && !this.acknowledgesMore(side, packet);
  }

  /** As the SYN-ACK of a split handshake, which has the number of the SYN before it. */
  private acknowledgesMore(side: number, packet: Packet): boolean {
    const { ints } = this.flows;
    if ((packet.flags & ACK) === 0) return false;
    const hasAcked = ((ints[side + SIDE_INT.status] ?? 0) & STATUS.acked) !== 0;
    return !hasAcked || ((packet.ack - (ints[side + SIDE_INT.acked] ?? 0)) | 0) > 0;
  }

  /** A copy that comes after other packets of its side: by its IP identification, within a few of them. */
  isEarlierCopy(side: number, packet: Packet, elapsed: number): boolean {
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
}
