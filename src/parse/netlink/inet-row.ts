import { PROTOCOLS } from '../../model/sockets.js';
import { ROW_FLAGS, type SocketTable } from '../../model/table.js';
import { columnIndex } from '../column-writer.js';
import {
  AF_INET6,
  INET,
  INET_DIAG_INFO,
  INET_DIAG_SKMEMINFO,
  INET_DIAG_SKV6ONLY,
  INET_DIAG_ULP_INFO,
  INET_ULP_INFO_NAME,
} from './kernel.js';
import {
  Attributes,
  STATES,
  storeCookie,
  storeMemory,
  type Target,
  TIMERS,
  UNKNOWN_STATE,
  UNKNOWN_TIMER,
} from './target.js';
import { storeTcpInfo } from './tcp-info.js';
import { firstHalf, fromNetwork, portFrom, secondHalf, type Wire } from './words.js';

const TCP = PROTOCOLS.indexOf('tcp');
const INODE = columnIndex('inode');
const UID = columnIndex('uid');
const INTERFACE = columnIndex('interface');
const TIMER_KIND = columnIndex('timerKind');
const TIMER_MS = columnIndex('timerMs');
const TIMER_RETRANSMITS = columnIndex('timerRetransmits');
const MAPPED = 0xffff;
const LONGEST_MS = 0x7fffffff;

const attributes = new Attributes();
const nested = new Attributes();

/** Appends the socket of a struct inet_diag_msg that begins at byte `start` of its message and ends before `end`. */
export function readInetRow(target: Target, protocol: number, wire: Wire, start: number, end: number): void {
  const { table } = target;
  const { words, bytes } = wire;
  const at = start >>> 2;
  const row = table.append();
  const kind = start + INET.kind * 4;
  table.protocol[row] = protocol;
  table.state[row] = STATES[bytes[kind + 1] as number] ?? UNKNOWN_STATE;
  table.recvQueue[row] = words[at + INET.recvQueue] as number;
  table.sendQueue[row] = words[at + INET.sendQueue] as number;
  table.flags[row] = ROW_FLAGS.queues;
  storeCookie(table, row, words[at + INET.cookieLow] as number, words[at + INET.cookieHigh] as number);
  storeNumbers(target, row, words, at);
  storeTimer(target, row, wire, kind, words[at + INET.expiresMs] as number);
  const v6only = readAttributes(target, row, wire, start + INET.attributes * 4, end);
  storeEnds(target, row, words, at, bytes[kind] === AF_INET6, v6only);
}

function storeNumbers(target: Target, row: number, words: Uint32Array, at: number): void {
  const { columns, table } = target;
  const inode = words[at + INET.inode] as number;
  const uid = words[at + INET.uid] as number;
  const device = words[at + INET.device] as number;
  columns.put(INODE, row, inode);
  // A socket without an inode belongs to nobody, and its uid of 0 is none.
  if (inode > 0 || uid > 0) columns.put(UID, row, uid);
  if (device === 0) return;
  columns.put(INTERFACE, row, device);
  table.localName[row] = target.device(device);
}

/** `idiag_expires` is in milliseconds; old kernels let it wrap where it has passed. */
function storeTimer(
  { columns }: Target,
  row: number,
  { bytes }: Wire,
  kind: number,
  expiresMs: number,
): void {
  const timer = bytes[kind + 2] as number;
  if (timer === 0) return;
  columns.put(TIMER_KIND, row, TIMERS[timer] ?? UNKNOWN_TIMER);
  columns.put(TIMER_MS, row, expiresMs > LONGEST_MS ? 0 : expiresMs);
  columns.put(TIMER_RETRANSMITS, row, bytes[kind + 3] as number);
}

/** Stores what attributes say, and gives IPV6_V6ONLY: 1, 0, or -1 where the kernel does not say. */
function readAttributes(target: Target, row: number, wire: Wire, start: number, end: number): number {
  const { table } = target;
  let v6only = -1;
  attributes.open(start, end);
  while (attributes.next(wire)) {
    const { type, start: value, length } = attributes;
    if (type === INET_DIAG_SKMEMINFO) storeMemory(target, row, wire.words, value >>> 2, length >>> 2);
    else if (type === INET_DIAG_INFO) {
      // MPTCP puts a struct mptcp_info here.
      if (table.protocol[row] === TCP) storeTcpInfo(target, row, wire, value, length);
    } else if (type === INET_DIAG_SKV6ONLY && length > 0) v6only = wire.bytes[value] as number;
    else if (type === INET_DIAG_ULP_INFO && isMptcp(wire, value, length))
      table.flags[row] = (table.flags[row] as number) | ROW_FLAGS.mptcpSubflow;
  }
  if (attributes.isBroken) target.fail('an attribute that does not fit into its message');
  return v6only;
}

const NAME = [...'mptcp'].map((letter) => letter.charCodeAt(0));

/** Whether the protocol on top of TCP is called "mptcp"; it may end with a zero. */
function isMptcp(wire: Wire, start: number, length: number): boolean {
  nested.open(start, start + length);
  while (nested.next(wire)) {
    if (nested.type !== INET_ULP_INFO_NAME) continue;
    const { start: at, length: size } = nested;
    const ends = size === NAME.length || (size > NAME.length && wire.bytes[at + NAME.length] === 0);
    return ends && NAME.every((letter, index) => wire.bytes[at + index] === letter);
  }
  return false;
}

/** Ports, addresses, and what they say: known ports, no peer, any address of both families. */
export function storeEnds(
  { table }: Target,
  row: number,
  words: Uint32Array,
  at: number,
  isIpv6: boolean,
  v6only: number,
): void {
  const { localAddress, remoteAddress } = table;
  const first = row * 4;
  storeAddress(localAddress, first, words, at + INET.source, isIpv6);
  storeAddress(remoteAddress, first, words, at + INET.destination, isIpv6);
  storePorts(table, row, words[at + INET.ports] as number);
  const noPeer = table.remotePort[row] === 0 && isZero(remoteAddress, first);
  let flags = table.flags[row] as number;
  if (noPeer) flags |= ROW_FLAGS.remoteAny;
  if (v6only === 1) flags |= ROW_FLAGS.v6only;
  else if (isIpv6 && noPeer && isZero(localAddress, first)) flags |= ROW_FLAGS.localDualStack;
  table.flags[row] = flags;
  table.family[row] = isIpv6 && !unmap(localAddress, remoteAddress, first, noPeer) ? 6 : 4;
}

/** As in ss, port 0 is none. */
function storePorts(table: SocketTable, row: number, ports: number): void {
  const local = portFrom(firstHalf(ports));
  const remote = portFrom(secondHalf(ports));
  table.localPort[row] = local;
  table.remotePort[row] = remote;
  table.flags[row] =
    (table.flags[row] as number) |
    (local > 0 ? ROW_FLAGS.localPortKnown : 0) |
    (remote > 0 ? ROW_FLAGS.remotePortKnown : 0);
}

/** IPv4 stands in the first word of the kernel, and in the last of ours. */
function storeAddress(
  addresses: Uint32Array,
  to: number,
  words: Uint32Array,
  from: number,
  isIpv6: boolean,
): void {
  if (!isIpv6) addresses[to + 3] = fromNetwork(words[from] as number);
  else for (let word = 0; word < 4; word++) addresses[to + word] = fromNetwork(words[from + word] as number);
}

const isZero = (addresses: Uint32Array, at: number): boolean =>
  addresses[at + 3] === 0 && addresses[at + 2] === 0 && addresses[at + 1] === 0 && addresses[at] === 0;

const isMapped = (addresses: Uint32Array, at: number): boolean =>
  addresses[at + 2] === MAPPED && addresses[at + 1] === 0 && addresses[at] === 0;

/** v4-mapped addresses become IPv4 where both ends are (or one is, and the other is any); true where they did. */
function unmap(local: Uint32Array, remote: Uint32Array, at: number, noPeer: boolean): boolean {
  const localFits = isMapped(local, at) || isZero(local, at);
  const remoteFits = noPeer || isMapped(remote, at);
  if (!localFits || !remoteFits || (noPeer && isZero(local, at))) return false;
  local[at + 2] = remote[at + 2] = 0;
  return true;
}
