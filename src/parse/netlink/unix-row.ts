import { PROTOCOLS, UNIX_KINDS, type UnixKind } from '../../model/sockets.js';
import { ROW_FLAGS } from '../../model/table.js';
import { AT, hexOf, isUtf8, textOf } from '../bytes.js';
import { columnIndex } from '../column-writer.js';
import { UNIX, UNIX_DIAG_MEMINFO, UNIX_DIAG_NAME, UNIX_DIAG_PEER, UNIX_DIAG_RQLEN } from './kernel.js';
import { Attributes, STATES, storeCookie, storeMemory, type Target, UNKNOWN_STATE } from './target.js';
import type { Wire } from './words.js';

const PROTOCOL = PROTOCOLS.indexOf('unix');
const kindIndex = (kind: UnixKind): number => UNIX_KINDS.indexOf(kind);
const SOCK_DGRAM = 2;
const SOCK_SEQPACKET = 5;
const STREAM = kindIndex('stream');
const INODE = columnIndex('inode');
const PEER_INODE = columnIndex('peerInode');

const attributes = new Attributes();
/** sun_path holds 108 bytes, and the kernel adds a zero. */
const NAME_LIMIT = 109;
const name = new Uint8Array(NAME_LIMIT);

/** Appends the socket of a struct unix_diag_msg that begins at byte `start` of its message and ends before `end`. */
export function readUnixRow(target: Target, wire: Wire, start: number, end: number): void {
  const { table, columns } = target;
  const { words, bytes } = wire;
  const at = start >>> 2;
  const row = table.append();
  const kind = start + UNIX.kind * 4;
  table.protocol[row] = PROTOCOL;
  table.unixKind[row] = kindOf(bytes[kind + 1] as number);
  table.state[row] = STATES[bytes[kind + 2] as number] ?? UNKNOWN_STATE;
  columns.put(INODE, row, words[at + UNIX.inode] as number);
  storeCookie(table, row, words[at + UNIX.cookieLow] as number, words[at + UNIX.cookieHigh] as number);
  if (!readAttributes(target, row, wire, start + UNIX.attributes * 4, end)) table.setFlag(row, 'remoteAny');
}

const kindOf = (type: number): number =>
  type === SOCK_SEQPACKET ? kindIndex('seqpacket') : type === SOCK_DGRAM ? kindIndex('dgram') : STREAM;

/** Stores what attributes say; true where there is a peer. */
function readAttributes(target: Target, row: number, wire: Wire, start: number, end: number): boolean {
  const { table, columns } = target;
  const { words } = wire;
  let hasPeer = false;
  attributes.open(start, end);
  while (attributes.next(wire)) {
    const { type, start: value, length } = attributes;
    const word = value >>> 2;
    if (type === UNIX_DIAG_NAME) storeName(target, row, wire.bytes, value, length);
    else if (type === UNIX_DIAG_MEMINFO) storeMemory(target, row, words, word, length >>> 2);
    else if (type === UNIX_DIAG_RQLEN && length >= 8) {
      // For LISTEN: connections that wait, and the backlog (net/unix/diag.c, sk_diag_show_rqlen).
      table.recvQueue[row] = words[word] as number;
      table.sendQueue[row] = words[word + 1] as number;
      table.flags[row] = (table.flags[row] as number) | ROW_FLAGS.queues;
    } else if (type === UNIX_DIAG_PEER && length >= 4 && words[word] !== 0) {
      columns.put(PEER_INODE, row, words[word] as number);
      hasPeer = true;
    }
  }
  if (attributes.isBroken) target.fail('an attribute that does not fit into its message');
  return hasPeer;
}

/** A path ends at its first zero; in an abstract name, which begins with one, each is shown as `@`. */
function storeName({ table }: Target, row: number, bytes: Uint8Array, start: number, length: number): void {
  const isAbstract = bytes[start] === 0;
  let size = 0;
  for (; size < Math.min(length, NAME_LIMIT); size++) {
    const byte = bytes[start + size] as number;
    if (byte === 0 && !isAbstract) break;
    name[size] = byte === 0 ? AT : byte;
  }
  if (size === 0) return;
  table.localName[row] = table.intern(textOf(name, 0, size));
  if (!isUtf8(name, 0, size)) table.setNote(row, 'localHex', hexOf(name, 0, size));
}
