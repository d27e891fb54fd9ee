import { LINK } from '../../model/packets.js';

/** EtherTypes that are followed (IANA), and two of our own above 16 bits. */
export const ETHERTYPE = {
  ipv4: 0x0800,
  ipv6: 0x86dd,
  vlan: 0x8100,
  qinq: 0x88a8,
  oldQinq: 0x9100,
  mpls: 0x8847,
  mplsMulticast: 0x8848,
  pppoe: 0x8864,
  /** A PPP protocol number follows. */
  ppp: 0x1_0000,
  /** A whole Ethernet frame follows. */
  ethernet: 0x1_0001,
} as const;

export interface Layer {
  readonly type: number;
  readonly at: number;
}

/** What follows the header of a link that is not Ethernet; `undefined`: unknown link, or too short. Source: tcpdump.org/linktypes. */
export function linkHeader(link: number, view: DataView, at: number, end: number): Layer | undefined {
  const left = end - at;
  switch (link) {
    case LINK.rawBsd:
    case LINK.rawOpenBsd:
    case LINK.raw:
    case LINK.ipv4:
    case LINK.ipv6:
      return left < 1 ? undefined : byVersion(view, at);
    case LINK.linuxSll:
      return left < 16 ? undefined : { type: view.getUint16(at + 14), at: at + 16 };
    case LINK.linuxSll2:
      return left < 20 ? undefined : { type: view.getUint16(at), at: at + 20 };
    case LINK.null:
    case LINK.loop:
      return left < 4 ? undefined : byFamily(view, at);
    case LINK.ppp:
      return left < 2 ? undefined : { type: ETHERTYPE.ppp, at: view.getUint16(at) === 0xff03 ? at + 2 : at };
    case LINK.pppHdlc:
      return left < 4 ? undefined : hdlc(view, at);
    case LINK.pppEther:
      return { type: ETHERTYPE.pppoe, at };
    case LINK.nflog:
      return nflog(view, at, end);
    default:
      return undefined;
  }
}

const byVersion = (view: DataView, at: number): Layer => ({
  type: view.getUint8(at) >>> 4 === 6 ? ETHERTYPE.ipv6 : ETHERTYPE.ipv4,
  at,
});

/** AF_INET is 2 everywhere; AF_INET6 is 10, 24, 28 or 30. In the byte order of the host that captured. */
function byFamily(view: DataView, at: number): Layer {
  const big = view.getUint32(at);
  const family = big > 0xffff ? view.getUint32(at, true) : big;
  const isSix = family === 10 || family === 24 || family === 28 || family === 30;
  return { type: isSix ? ETHERTYPE.ipv6 : family === 2 ? ETHERTYPE.ipv4 : 0, at: at + 4 };
}

/** RFC 1547 and 1662: ff 03 before PPP, 0f 00 or 8f 00 before an EtherType (Cisco). */
function hdlc(view: DataView, at: number): Layer {
  const first = view.getUint16(at);
  if (first === 0x0f00 || first === 0x8f00) return { type: view.getUint16(at + 2), at: at + 4 };
  return { type: ETHERTYPE.ppp, at: first === 0xff03 ? at + 2 : at };
}

const NFULA_PAYLOAD = 9;

/** A list of attributes, one of which is the packet; lengths are in the byte order of the host that captured. */
function nflog(view: DataView, start: number, end: number): Layer | undefined {
  if (end - start < 4) return undefined;
  for (const little of [true, false]) {
    let at = start + 4;
    while (end - at >= 4) {
      const length = view.getUint16(at, little);
      const type = view.getUint16(at + 2, little) & 0x7fff;
      if (length < 4) break;
      if (type === NFULA_PAYLOAD && end - at > 4) return byVersion(view, at + 4);
      at += (length + 3) & ~3;
    }
  }
  return undefined;
}
