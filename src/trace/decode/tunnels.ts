import { ETHERTYPE, type Layer } from './links.js';
import { WRAP } from './path-book.js';

export interface Tunnel extends Layer {
  readonly kind: number;
  readonly id?: number;
}

const ERSPAN_2 = 0x88be;
const ERSPAN_3 = 0x22eb;

/** RFC 2784 and 2890 (GRE with key and sequence), RFC 2637 (version 1, as PPTP uses it), ERSPAN as its draft has it. */
export function greHeader(view: DataView, at: number, end: number): Tunnel | undefined {
  if (end - at < 4) return undefined;
  const bits = view.getUint16(at);
  const type = view.getUint16(at + 2);
  const version = bits & 7;
  const hasKey = (bits & 0x2000) !== 0;
  let next = at + 4 + ((bits & 0xc000) !== 0 && version === 0 ? 4 : 0);
  const keyAt = next;
  if (hasKey) next += 4;
  if ((bits & 0x1000) !== 0) next += 4;
  if (version === 1 && (bits & 0x80) !== 0) next += 4;
  if (next >= end) return undefined;
  // In version 1 the key holds a length and a call id that differs by direction.
  const id = hasKey && version === 0 ? { id: view.getUint32(keyAt) } : {};
  if (type === 0x880b) return { kind: WRAP.gre, type: ETHERTYPE.ppp, at: skipPppAddress(view, next, end) };
  if (type === 0x6558) return { kind: WRAP.gre, type: ETHERTYPE.ethernet, at: next, ...id };
  if (type === ERSPAN_2 || type === ERSPAN_3) return erspan(view, next, end, type, (bits & 0x1000) !== 0);
  return { kind: WRAP.gre, type, at: next, ...id };
}

const skipPppAddress = (view: DataView, at: number, end: number): number =>
  end - at >= 2 && view.getUint16(at) === 0xff03 ? at + 2 : at;

function erspan(
  view: DataView,
  at: number,
  end: number,
  type: number,
  hasSequence: boolean,
): Tunnel | undefined {
  // Type I has neither a sequence number nor a header of its own.
  if (type === ERSPAN_2 && !hasSequence) return { kind: WRAP.erspan, type: ETHERTYPE.ethernet, at };
  const bytes = type === ERSPAN_2 ? 8 : 12;
  if (end - at < bytes) return undefined;
  return { kind: WRAP.erspan, type: ETHERTYPE.ethernet, at: at + bytes, id: view.getUint16(at + 2) & 0x3ff };
}

/** What a UDP datagram to a tunnel's port carries; `undefined` for every other, and for what only looks like a tunnel. */
export function udpTunnel(
  view: DataView,
  at: number,
  end: number,
  source: number,
  target: number,
): Tunnel | undefined {
  switch (target) {
    case 4789:
    case 8472:
      return vxlan(view, at, end);
    case 6081:
      return geneve(view, at, end);
    case 2152:
      return gtp(view, at, end);
    case 3544:
      return teredo(view, at, end);
    default:
      // Answers of these two come from the port.
      if (source === 2152) return gtp(view, at, end);
      return source === 3544 ? teredo(view, at, end) : undefined;
  }
}

/** RFC 7348. */
function vxlan(view: DataView, at: number, end: number): Tunnel | undefined {
  if (end - at < 8 + 14 || (view.getUint8(at) & 8) === 0) return undefined;
  return { kind: WRAP.vxlan, type: ETHERTYPE.ethernet, at: at + 8, id: view.getUint32(at + 4) >>> 8 };
}

/** RFC 8926. */
function geneve(view: DataView, at: number, end: number): Tunnel | undefined {
  if (end - at < 8 || view.getUint8(at) >>> 6 !== 0) return undefined;
  const inner = at + 8 + (view.getUint8(at) & 63) * 4;
  if (inner >= end) return undefined;
  const protocol = view.getUint16(at + 2);
  const type = protocol === 0x6558 ? ETHERTYPE.ethernet : protocol;
  return { kind: WRAP.geneve, type, at: inner, id: view.getUint32(at + 4) >>> 8 };
}

/** 3GPP TS 29.281: version 1, G-PDU; the optional fields come together, then extension headers. The TEID differs by direction. */
function gtp(view: DataView, at: number, end: number): Tunnel | undefined {
  if (end - at < 8) return undefined;
  const first = view.getUint8(at);
  if (first >>> 5 !== 1 || (first & 16) === 0 || view.getUint8(at + 1) !== 255) return undefined;
  let inner = at + 8;
  if ((first & 7) !== 0) {
    inner += 4;
    let next = (first & 4) !== 0 && end - inner > 0 ? view.getUint8(inner - 1) : 0;
    while (next !== 0 && end - inner > 4) {
      const bytes = view.getUint8(inner) * 4;
      if (bytes === 0 || inner + bytes > end) return undefined;
      inner += bytes;
      next = view.getUint8(inner - 1);
    }
  }
  return inside(WRAP['gtp-u'], view, inner, end);
}

/** RFC 4380: optional authentication and origin indications before an IPv6 packet. */
function teredo(view: DataView, at: number, end: number): Tunnel | undefined {
  let inner = at;
  if (end - inner >= 4 && view.getUint16(inner) === 1)
    inner += 13 + view.getUint8(inner + 2) + view.getUint8(inner + 3);
  if (end - inner >= 8 && view.getUint16(inner) === 0) inner += 8;
  return end - inner >= 40 && view.getUint8(inner) >>> 4 === 6
    ? inside(WRAP.teredo, view, inner, end)
    : undefined;
}

function inside(kind: number, view: DataView, at: number, end: number): Tunnel | undefined {
  if (at >= end) return undefined;
  const version = view.getUint8(at) >>> 4;
  if (version !== 4 && version !== 6) return undefined;
  return { kind, type: version === 4 ? ETHERTYPE.ipv4 : ETHERTYPE.ipv6, at };
}
