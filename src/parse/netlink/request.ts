import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  HEADER_BYTES,
  INET_DIAG_CONG,
  INET_DIAG_INFO,
  INET_DIAG_REQ_BYTECODE,
  INET_DIAG_REQ_PROTOCOL,
  INET_DIAG_SKMEMINFO,
  IPPROTO_MPTCP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  SOCK_DIAG_BY_FAMILY,
  UDIAG_SHOW_MEMINFO,
  UDIAG_SHOW_NAME,
  UDIAG_SHOW_PEER,
  UDIAG_SHOW_RQLEN,
} from './kernel.js';
import { encodePortFilter } from './port-filter.js';
import { LITTLE_ENDIAN } from './words.js';

/** The tables that the kernel lists, each with one request. */
export const DUMPS = ['tcp4', 'tcp6', 'mptcp4', 'mptcp6', 'udp4', 'udp6', 'unix'] as const;
export type DumpName = (typeof DUMPS)[number];

/** One list of sockets to ask the kernel for. */
export interface Dump {
  readonly name: DumpName;
  /** Bits of STATE_BITS. */
  readonly states: number;
  /** With tcp_info: most of the bytes and of the time. Default true. */
  readonly details?: boolean;
  /** Only sockets of these local ports, and those without a peer. Not for Unix. */
  readonly ports?: readonly number[];
}

const NUMBERS: Readonly<Record<Exclude<DumpName, 'unix'>, readonly [family: number, protocol: number]>> = {
  tcp4: [AF_INET, IPPROTO_TCP],
  tcp6: [AF_INET6, IPPROTO_TCP],
  mptcp4: [AF_INET, IPPROTO_MPTCP],
  mptcp6: [AF_INET6, IPPROTO_MPTCP],
  udp4: [AF_INET, IPPROTO_UDP],
  udp6: [AF_INET6, IPPROTO_UDP],
};

const INET_REQUEST_BYTES = 56;
const UNIX_REQUEST_BYTES = 24;
const ATTRIBUTE_BYTES = 4;

/** The request for a dump; `sequence` comes back in every message of the answer. */
export function encodeRequest(dump: Dump, sequence: number): Uint8Array {
  return dump.name === 'unix' ? encodeUnix(dump, sequence) : encodeInet(dump, NUMBERS[dump.name], sequence);
}

/** struct inet_diag_req_v2, and attributes for a protocol above 255 and for the filter. */
function encodeInet(
  { states, details = true, ports = [] }: Dump,
  [family, protocol]: readonly [number, number],
  sequence: number,
): Uint8Array {
  const filter = ports.length > 0 ? encodePortFilter(ports) : undefined;
  const isWide = protocol > 0xff;
  const length =
    INET_REQUEST_BYTES +
    (isWide ? ATTRIBUTE_BYTES + 4 : 0) +
    (filter === undefined ? 0 : ATTRIBUTE_BYTES + filter.length);
  const view = startMessage(length, sequence);
  view.setUint8(HEADER_BYTES, family);
  // A kernel that does not know the attribute must refuse, not list plain TCP.
  view.setUint8(HEADER_BYTES + 1, isWide ? 0 : protocol);
  view.setUint8(HEADER_BYTES + 2, extensionBits(details));
  view.setUint32(HEADER_BYTES + 4, states, LITTLE_ENDIAN);
  let at = HEADER_BYTES + INET_REQUEST_BYTES;
  if (isWide) {
    startAttribute(view, at, INET_DIAG_REQ_PROTOCOL, 4);
    view.setUint32(at + ATTRIBUTE_BYTES, protocol, LITTLE_ENDIAN);
    at += ATTRIBUTE_BYTES + 4;
  }
  const bytes = new Uint8Array(view.buffer);
  if (filter !== undefined) {
    startAttribute(view, at, INET_DIAG_REQ_BYTECODE, filter.length);
    bytes.set(filter, at + ATTRIBUTE_BYTES);
  }
  return bytes;
}

const extensionBits = (details: boolean): number =>
  (1 << (INET_DIAG_SKMEMINFO - 1)) |
  (details ? (1 << (INET_DIAG_INFO - 1)) | (1 << (INET_DIAG_CONG - 1)) : 0);

/** struct unix_diag_req. */
function encodeUnix({ states }: Dump, sequence: number): Uint8Array {
  const view = startMessage(UNIX_REQUEST_BYTES, sequence);
  view.setUint8(HEADER_BYTES, AF_UNIX);
  view.setUint32(HEADER_BYTES + 4, states, LITTLE_ENDIAN);
  const show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN | UDIAG_SHOW_MEMINFO;
  view.setUint32(HEADER_BYTES + 12, show, LITTLE_ENDIAN);
  return new Uint8Array(view.buffer);
}

function startMessage(payload: number, sequence: number): DataView {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES + payload));
  view.setUint32(0, HEADER_BYTES + payload, LITTLE_ENDIAN);
  view.setUint16(4, SOCK_DIAG_BY_FAMILY, LITTLE_ENDIAN);
  view.setUint16(6, NLM_F_REQUEST | NLM_F_DUMP, LITTLE_ENDIAN);
  view.setUint32(8, sequence, LITTLE_ENDIAN);
  return view;
}

function startAttribute(view: DataView, at: number, type: number, payload: number): void {
  view.setUint16(at, ATTRIBUTE_BYTES + payload, LITTLE_ENDIAN);
  view.setUint16(at + 2, type, LITTLE_ENDIAN);
}
