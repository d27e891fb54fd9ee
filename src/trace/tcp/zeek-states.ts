import { type Flows, INT, STRIDE } from '../flows.js';
import { ACK, FIN, RST, SYN } from '../packet.js';

/** Zeek's states of an endpoint, as PCAP.md section 2 gives them. */
export const ZEEK = {
  inactive: 0,
  synSent: 1,
  synAckSent: 2,
  partial: 3,
  established: 4,
  closed: 5,
  reset: 6,
} as const;

const BITS = 3;
const MASK = 7;
export const BOTH_ESTABLISHED = ZEEK.established | (ZEEK.established << BITS);

/** State of the originator (direction 0) or responder. */
export const zeekState = (flows: Flows, slot: number, direction: number): number =>
  (flows.int(slot, INT.zeek) >>> (direction * BITS)) & MASK;

/** Lets Zeek's two state machines see a packet that is no copy. */
export function zeekPacket(flows: Flows, slot: number, direction: number, flags: number): void {
  const at = slot * STRIDE + INT.zeek;
  const both = flows.ints[at] ?? 0;
  const own = (both >>> (direction * BITS)) & MASK;
  const peer = (both >>> ((1 - direction) * BITS)) & MASK;
  const [nextOwn, nextPeer] = step(own, peer, direction, flags);
  flows.ints[at] = (nextOwn << (direction * BITS)) | (nextPeer << ((1 - direction) * BITS));
}

type States = readonly [own: number, peer: number];

function step(own: number, peer: number, direction: number, flags: number): States {
  const z = ZEEK;
  if ((flags & RST) !== 0) return [own === z.closed && peer === z.closed ? z.closed : z.reset, peer];
  if ((flags & SYN) !== 0) return onSyn(own, peer, direction, (flags & ACK) !== 0);
  if ((flags & FIN) !== 0) return onFin(own, peer);
  if (own !== z.inactive) return [own, peer];
  // A bare ACK of the responder to a SYN leaves it inactive.
  if (peer === z.synSent) return [own, peer];
  return [peer === z.established ? z.established : z.partial, peer];
}

function onSyn(own: number, peer: number, direction: number, hasAck: boolean): States {
  const z = ZEEK;
  if (own !== z.inactive && own !== z.partial) return [own, peer];
  if (direction === 0) {
    if (peer === z.established || peer === z.synAckSent) return [z.established, z.established];
    return [hasAck ? z.synAckSent : z.synSent, peer];
  }
  // The responder's SYN establishes both, with an ACK or without (simultaneous open).
  return [z.established, peer === z.synSent ? z.established : peer];
}

/** After a FIN and RST of the peer, a FIN of this side makes it a normal end. */
const onFin = (own: number, peer: number): States => [own === ZEEK.reset ? own : ZEEK.closed, peer];
