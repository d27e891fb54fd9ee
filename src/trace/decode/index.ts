import { LINK, type PacketBatch } from '../../model/packets.js';
import { DECODED, type Packet } from '../packet.js';
import type { AddressBook } from './address-book.js';
import { Reassembler } from './fragments.js';
import { ETHERTYPE, linkHeader } from './links.js';
import { type PathBook, WRAP } from './path-book.js';
import { greHeader, udpTunnel } from './tunnels.js';

/** How many packets were what they cannot be analysed for. */
export interface DecodeStats {
  /** No IP, or a protocol that is not followed. */
  other: number;
  /** Headers that are cut, or lengths that cannot be. */
  undecoded: number;
  /** Fragments of datagrams that never became whole. */
  fragments: number;
}

const TCP = 6;
const UDP = 17;
const ICMP = 1;
const ICMP6 = 58;
const MOST_LAYERS = 16;
const NO_PORT = 0;

/**
 * Headers of one packet, from the link to the ports, into the one `Packet`. Nothing is read beyond what was captured, and no object is
 * made for an ordinary packet. Formats: IEEE 802.3/802.1Q, RFC 791, 8200, 9293, 768, 792, 4443; links and tunnels in their files.
 */
export class Decoder {
  readonly stats: DecodeStats = { other: 0, undecoded: 0, fragments: 0 };
  private readonly fragments = new Reassembler();
  private packet!: Packet;
  private bytes!: Uint8Array;
  private view!: DataView;
  /** End of what was captured, and of what was on the wire: offsets in `bytes`. */
  private end = 0;
  private wireEnd = 0;
  /** Where the IP header begins: before the bytes of a datagram that was put together. */
  private ipFrom = 0;
  private layers = 0;

  constructor(
    private readonly addresses: AddressBook,
    private readonly paths: PathBook,
  ) {}

  /** Datagrams that still miss fragments, and those that were given up. */
  get fragmentsMissing(): number {
    return this.fragments.incomplete + this.fragments.waiting;
  }

  /** Fills `packet` from packet `index` of the batch: a value of DECODED. */
  decode(batch: PacketBatch, index: number, packet: Packet): number {
    const { view, bytes } = batch;
    const at = batch.at[index] ?? 0;
    this.packet = packet;
    this.bytes = bytes;
    this.view = view;
    this.end = at + (batch.captured[index] ?? 0);
    this.wireEnd = at + (batch.original[index] ?? 0);
    if (this.wireEnd < this.end) this.wireEnd = this.end;
    this.layers = 0;
    packet.frame = batch.firstFrame + index;
    packet.time = batch.nanos[index] ?? 0;
    packet.bytes = bytes;
    packet.view = view;
    packet.path = 0;
    packet.fragmented = false;
    packet.cut = false;
    if (batch.link === LINK.ethernet) {
      if (this.end - at < 14) return this.undecodable();
      const type = view.getUint16(at + 12);
      return type === ETHERTYPE.ipv4 ? this.ipv4(at + 14) : this.ethertype(type, at + 14);
    }
    const header = linkHeader(batch.link, view, at, this.end);
    return header === undefined ? this.undecodable() : this.ethertype(header.type, header.at);
  }

  private undecodable(): number {
    this.stats.undecoded++;
    return DECODED.nothing;
  }

  private other(): number {
    this.stats.other++;
    return DECODED.nothing;
  }

  private ethertype(type: number, at: number): number {
    if (++this.layers > MOST_LAYERS) return this.undecodable();
    const { view, end, packet } = this;
    switch (type) {
      case ETHERTYPE.ipv4:
        return this.ipv4(at);
      case ETHERTYPE.ipv6:
        return this.ipv6(at);
      case ETHERTYPE.vlan:
      case ETHERTYPE.qinq:
      case ETHERTYPE.oldQinq: {
        if (end - at < 4) return this.undecodable();
        const id = view.getUint16(at) & 0xfff;
        // VLAN 0 is a priority tag.
        if (id !== 0) packet.path = this.paths.inside(packet.path, WRAP.vlan, id);
        return this.ethertype(view.getUint16(at + 2), at + 4);
      }
      case ETHERTYPE.mpls:
      case ETHERTYPE.mplsMulticast:
        return this.mpls(at);
      case ETHERTYPE.pppoe: {
        if (end - at < 8) return this.undecodable();
        packet.path = this.paths.inside(packet.path, WRAP.pppoe, view.getUint16(at + 2));
        return this.ppp(at + 6);
      }
      default:
        return this.ethernetLength(type, at);
    }
  }

  /** RFC 3032: labels until the bottom of the stack; the payload says by its first four bits what it is. */
  private mpls(at: number): number {
    const { view, end } = this;
    let label = at;
    while (end - label >= 4 && (view.getUint8(label + 2) & 1) === 0) label += 4;
    const inner = label + 4;
    if (end - inner < 1) return this.undecodable();
    const first = view.getUint8(inner);
    if (first >>> 4 === 4) return this.ethertype(ETHERTYPE.ipv4, inner);
    if (first >>> 4 === 6) return this.ethertype(ETHERTYPE.ipv6, inner);
    // Ethernet over MPLS (RFC 4448) begins with a control word of zeros.
    return first >>> 4 === 0 ? this.ethernet(inner + 4) : this.other();
  }

  private ethernet(at: number): number {
    if (this.end - at < 14) return this.undecodable();
    return this.ethertype(this.view.getUint16(at + 12), at + 14);
  }

  private ppp(at: number): number {
    const { view, end } = this;
    if (end - at < 2) return this.undecodable();
    const isShort = (view.getUint8(at) & 1) === 1;
    const protocol = isShort ? view.getUint8(at) : view.getUint16(at);
    const next = at + (isShort ? 1 : 2);
    if (protocol === 0x21) return this.ethertype(ETHERTYPE.ipv4, next);
    if (protocol === 0x57) return this.ethertype(ETHERTYPE.ipv6, next);
    return protocol === 0x281 ? this.mpls(next) : this.other();
  }

  /** IEEE 802.3 with LLC and SNAP, where the type is a length. */
  private ethernetLength(type: number, at: number): number {
    const { view, end } = this;
    const isSnap =
      type <= 1500 && end - at >= 8 && view.getUint16(at) === 0xaaaa && view.getUint8(at + 2) === 3;
    if (isSnap) return this.ethertype(view.getUint16(at + 6), at + 8);
    if (type === ETHERTYPE.ppp) return this.ppp(at);
    return this.other();
  }

  private ipv4(at: number): number {
    const { view, packet } = this;
    if (this.end - at < 20) return this.undecodable();
    const first = view.getUint8(at);
    const headerBytes = (first & 15) * 4;
    if (first >>> 4 !== 4 || headerBytes < 20) return this.undecodable();
    const total = view.getUint16(at + 2);
    // 0: a super-frame of segmentation offload, as long as the frame.
    if (total !== 0) {
      if (total < headerBytes) return this.undecodable();
      this.wireEnd = at + total;
      if (this.end > this.wireEnd) this.end = this.wireEnd;
    }
    this.ipFrom = at;
    packet.family = 4;
    packet.source = view.getInt32(at + 12);
    packet.target = view.getInt32(at + 16);
    packet.ttl = view.getUint8(at + 8);
    packet.ipId = view.getUint16(at + 4);
    const fragment = view.getUint16(at + 6) & 0x3fff;
    const protocol = view.getUint8(at + 9);
    if (fragment !== 0) return this.fragment4(at, at + headerBytes, fragment, protocol);
    return this.transport(protocol, at + headerBytes);
  }

  private fragment4(at: number, payload: number, fragment: number, protocol: number): number {
    const { packet, view } = this;
    const key = `4 ${packet.path} ${view.getInt32(at + 12)} ${view.getInt32(at + 16)} ${protocol} ${packet.ipId}`;
    return this.fragment(key, payload, (fragment & 0x1fff) * 8, (fragment & 0x2000) === 0, protocol);
  }

  private fragment(key: string, payload: number, offset: number, isLast: boolean, protocol: number): number {
    this.stats.fragments++;
    // What the snap length cut can never become whole.
    if (payload > this.end || this.end < this.wireEnd) return DECODED.nothing;
    const part = this.bytes.subarray(payload, this.end);
    const whole = this.fragments.add(key, part, offset, isLast, this.packet.time);
    if (whole === undefined) return DECODED.nothing;
    const { packet } = this;
    packet.bytes = this.bytes = whole;
    packet.view = this.view = new DataView(whole.buffer, whole.byteOffset, whole.length);
    packet.fragmented = true;
    this.end = this.wireEnd = whole.length;
    this.ipFrom = packet.family === 6 ? -40 : -20;
    return this.transport(protocol, 0);
  }

  private ipv6(at: number): number {
    const { view, packet } = this;
    if (this.end - at < 40 || view.getUint8(at) >>> 4 !== 6) return this.undecodable();
    const length = view.getUint16(at + 4);
    // 0: a jumbogram or a super-frame, as long as the frame.
    if (length !== 0) {
      this.wireEnd = at + 40 + length;
      if (this.end > this.wireEnd) this.end = this.wireEnd;
    }
    this.ipFrom = at;
    packet.family = 6;
    packet.source = this.addresses.idOf(view, at + 8);
    packet.target = this.addresses.idOf(view, at + 24);
    packet.ttl = view.getUint8(at + 7);
    packet.ipId = -1;
    const next = view.getUint8(at + 6);
    return next === TCP ? this.tcp(at + 40) : this.extensions(next, at + 40);
  }

  /** RFC 8200 section 4. */
  private extensions(first: number, start: number): number {
    const { view } = this;
    let next = first;
    let at = start;
    for (let count = 0; count < MOST_LAYERS; count++) {
      const isExtension =
        next === 0 || next === 43 || next === 60 || next === 51 || next === 135 || next === 44;
      if (!isExtension) return this.transport(next, at);
      if (this.end - at < 8) return this.undecodable();
      const following = view.getUint8(at);
      if (next === 44) {
        const bits = view.getUint16(at + 2);
        if ((bits & 0xfff9) !== 0) return this.fragment6(at, bits, following);
        at += 8;
      } else at += next === 51 ? (view.getUint8(at + 1) + 2) * 4 : (view.getUint8(at + 1) + 1) * 8;
      next = following;
    }
    return this.undecodable();
  }

  private fragment6(at: number, bits: number, protocol: number): number {
    const { packet, view } = this;
    const key = `6 ${packet.path} ${packet.source} ${packet.target} ${view.getUint32(at + 4)}`;
    return this.fragment(key, at + 8, bits & 0xfff8, (bits & 1) === 0, protocol);
  }

  private transport(protocol: number, at: number): number {
    switch (protocol) {
      case TCP:
        return this.tcp(at);
      case UDP:
        return this.udp(at);
      case ICMP:
      case ICMP6:
        return this.icmp(protocol, at);
      case 4:
        return this.inside(WRAP.ipip, ETHERTYPE.ipv4, at);
      case 41:
        return this.inside(WRAP['6in4'], ETHERTYPE.ipv6, at);
      case 47:
        return this.gre(at);
      default:
        return this.other();
    }
  }

  private inside(kind: number, type: number, at: number, id?: number): number {
    this.packet.path = this.paths.inside(this.packet.path, kind, id);
    return type === ETHERTYPE.ethernet ? this.nestedEthernet(at) : this.ethertype(type, at);
  }

  private nestedEthernet(at: number): number {
    return ++this.layers > MOST_LAYERS ? this.undecodable() : this.ethernet(at);
  }

  private gre(at: number): number {
    const header = greHeader(this.view, at, this.end);
    if (header === undefined) return this.other();
    return this.inside(header.kind, header.type, header.at, header.id);
  }

  private tcp(at: number): number {
    const { view, packet, end } = this;
    if (end - at < 20) return this.undecodable();
    const headerBytes = (view.getUint8(at + 12) >>> 4) * 4;
    if (headerBytes < 20) return this.undecodable();
    packet.protocol = TCP;
    packet.sourcePort = view.getUint16(at);
    packet.targetPort = view.getUint16(at + 2);
    packet.seq = view.getInt32(at + 4);
    packet.ack = view.getInt32(at + 8);
    packet.flags = view.getUint8(at + 13) & 63;
    packet.window = view.getUint16(at + 14);
    const payload = at + headerBytes;
    packet.optionsFrom = at + 20;
    packet.optionsTo = payload < end ? payload : end;
    packet.payloadFrom = payload < end ? payload : end;
    packet.payloadTo = end;
    packet.payloadLength = this.wireEnd > payload ? this.wireEnd - payload : 0;
    packet.cut = this.wireEnd > end;
    packet.ipLength = this.wireEnd - this.ipFrom;
    return DECODED.tcp;
  }

  private udp(at: number): number {
    const { view, packet, end } = this;
    if (end - at < 8) return this.undecodable();
    const length = view.getUint16(at + 4);
    packet.protocol = UDP;
    packet.ipLength = this.wireEnd - this.ipFrom;
    packet.sourcePort = view.getUint16(at);
    packet.targetPort = view.getUint16(at + 2);
    // 0: longer than 65,535 bytes (RFC 2675) or left to the offload.
    if (length >= 8 && at + length < this.wireEnd) {
      this.wireEnd = at + length;
      if (this.end > this.wireEnd) this.end = this.wireEnd;
    }
    const tunnel = udpTunnel(view, at + 8, this.end, packet.sourcePort, packet.targetPort);
    if (tunnel !== undefined && this.layers < MOST_LAYERS)
      return this.inside(tunnel.kind, tunnel.type, tunnel.at, tunnel.id);
    packet.payloadFrom = at + 8;
    packet.payloadTo = this.end;
    packet.payloadLength = this.wireEnd - at - 8;
    packet.cut = this.wireEnd > this.end;
    return DECODED.udp;
  }

  /** RFC 792 and 4443: only errors, which quote the packet that they are about. */
  private icmp(protocol: number, at: number): number {
    const { view, packet, end } = this;
    if (end - at < 8) return this.undecodable();
    const type = view.getUint8(at);
    const isError = protocol === ICMP ? type === 3 || type === 11 || type === 12 : type >= 1 && type <= 4;
    if (!isError || !this.quote(at + 8)) return this.other();
    packet.icmp = type * 256 + view.getUint8(at + 1);
    return DECODED.icmpError;
  }

  /** False where what is quoted is no TCP or UDP, or is cut before its ports. */
  private quote(at: number): boolean {
    const { view, packet, end } = this;
    if (end - at < 20) return false;
    const isSix = view.getUint8(at) >>> 4 === 6;
    if (isSix && end - at < 48) return false;
    const ports = at + (isSix ? 40 : (view.getUint8(at) & 15) * 4);
    const protocol = view.getUint8(at + (isSix ? 6 : 9));
    if ((protocol !== TCP && protocol !== UDP) || end - ports < 8) return false;
    packet.family = isSix ? 6 : 4;
    packet.source = isSix ? this.addresses.idOf(view, at + 8) : view.getInt32(at + 12);
    packet.target = isSix ? this.addresses.idOf(view, at + 24) : view.getInt32(at + 16);
    packet.protocol = protocol;
    packet.sourcePort = view.getUint16(ports);
    packet.targetPort = view.getUint16(ports + 2);
    packet.seq = protocol === TCP ? view.getInt32(ports + 4) : NO_PORT;
    return true;
  }
}
