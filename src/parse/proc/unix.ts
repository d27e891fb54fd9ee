import type { SocketState } from '../../model/sockets.js';
import { PROTOCOLS, SOCKET_STATES, UNIX_KINDS } from '../../model/sockets.js';
import type { SocketTable } from '../../model/table.js';
import { hexOf, isUtf8, textOf } from '../bytes.js';
import type { ProcLine } from './line.js';

/** `Num RefCount Protocol Flags Type St Inode Path`; a path may hold anything. */
const ROW = /^[0-9a-f]+: [0-9A-F]+ [0-9A-F]+ ([0-9A-F]+) ([0-9A-F]+) ([0-9A-F]+) +(\d+)(?: ([\s\S]*))?$/;
const ACCEPTS = 0x10000;
const KINDS: Readonly<Record<number, (typeof UNIX_KINDS)[number]>> = {
  1: 'stream',
  2: 'dgram',
  5: 'seqpacket',
};
/** `St` of the kernel (include/uapi/linux/net.h). */
const STATES: readonly SocketState[] = ['unknown', 'unconnected', 'syn-sent', 'established', 'closing'];
/** sun_path holds 108 bytes. */
const PATH_LIMIT = 108;
const LINE_LIMIT = 512;

/** False where the line is none. Unix listeners have no queue here at all: length and limit stay unknown. */
export function readUnixRow(table: SocketTable, { bytes, start, end }: ProcLine): boolean {
  if (end - start > LINE_LIMIT) return false;
  // Latin-1 keeps one character per byte, so that the path can be cut out of the bytes by its length.
  const match = ROW.exec(latin1(bytes, start, end));
  const kind = match === null ? undefined : KINDS[Number.parseInt(match[2] ?? '', 16)];
  if (match === null || kind === undefined) return false;
  const row = table.append();
  const listens = (Number.parseInt(match[1] ?? '', 16) & ACCEPTS) !== 0;
  const state = listens ? 'listen' : (STATES[Number.parseInt(match[3] ?? '', 16)] ?? 'unknown');
  table.protocol[row] = PROTOCOLS.indexOf('unix');
  table.unixKind[row] = UNIX_KINDS.indexOf(kind);
  table.state[row] = SOCKET_STATES.indexOf(state);
  table.set('inode', row, Number(match[4]));
  if (listens) table.setFlag(row, 'limitUnknown');
  if (state === 'listen' || state === 'unconnected') table.setFlag(row, 'remoteAny');
  const path = match[5] ?? '';
  setPath(table, row, bytes.subarray(end - path.length, end));
  return true;
}

/** A line that is no row belongs to the path before it: the kernel prints newlines in a path as they are. */
export function appendToPath(table: SocketTable, { bytes, start, end }: ProcLine): boolean {
  const row = table.length - 1;
  if (row < 0 || table.protocol[row] !== PROTOCOLS.indexOf('unix')) return false;
  const path = table.strings[table.localName[row] ?? 0] ?? '';
  if (path === '' || path.length + end - start >= PATH_LIMIT) return false;
  const before = table.note(row, 'localHex');
  const whole = [...(before === undefined ? new TextEncoder().encode(path) : fromHex(before)), 10];
  setPath(table, row, Uint8Array.from([...whole, ...bytes.subarray(start, end)]));
  return true;
}

function setPath(table: SocketTable, row: number, path: Uint8Array): void {
  table.localName[row] = table.intern(textOf(path, 0, path.length));
  if (!isUtf8(path, 0, path.length)) table.setNote(row, 'localHex', hexOf(path, 0, path.length));
}

const fromHex = (hex: string): number[] =>
  Array.from({ length: hex.length / 2 }, (_, index) =>
    Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16),
  );

function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] ?? 0);
  return text;
}
