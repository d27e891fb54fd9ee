import type { Protocol, SocketState, TimerKind } from '../../model/sockets.js';
import { PROTOCOLS, SOCKET_STATES, TIMER_KINDS } from '../../model/sockets.js';
import type { SocketTable } from '../../model/table.js';
import { COLON, hexValue, isDigit, SPACE, ZERO } from '../bytes.js';
import type { ProcLine } from './line.js';

/** `st` of the kernel (include/net/tcp_states.h). */
const STATES: readonly SocketState[] = [
  'unknown',
  'established',
  'syn-sent',
  'syn-recv',
  'fin-wait-1',
  'fin-wait-2',
  'time-wait',
  'close',
  'close-wait',
  'last-ack',
  'listen',
  'closing',
  'syn-recv',
];
/** `tr` of the kernel (net/ipv4/tcp_ipv4.c, get_tcp4_sock). */
const TIMERS: readonly (TimerKind | undefined)[] = [undefined, 'on', 'keepalive', 'timewait', 'persist'];
/** `tm->when` is in units of USER_HZ, 100 a second on every architecture in use. */
const TICK_MS = 10;
const CLOSE = 7;
const LISTEN = 10;

/** A place in a line; each reader moves it and says false where the text is not what it reads. */
class Columns {
  at: number;
  value = 0;
  constructor(readonly line: ProcLine) {
    this.at = line.start;
  }

  /** A hexadecimal number of at most `digits` digits. */
  hex(digits: number): boolean {
    const { bytes, end } = this.line;
    const from = this.at;
    let value = 0;
    for (; this.at < end && this.at - from < digits; this.at++) {
      const digit = hexValue(bytes[this.at]);
      if (digit < 0) break;
      value = value * 16 + digit;
    }
    this.value = value;
    return this.at > from;
  }

  decimal(): boolean {
    const { bytes, end } = this.line;
    this.blanks();
    const from = this.at;
    let value = 0;
    for (; this.at < end && isDigit(bytes[this.at]); this.at++)
      value = value * 10 + ((bytes[this.at] as number) - ZERO);
    this.value = value;
    return this.at > from;
  }

  blanks(): void {
    while (this.at < this.line.end && this.line.bytes[this.at] === SPACE) this.at++;
  }

  colon(): boolean {
    return this.at < this.line.end && this.line.bytes[this.at++] === COLON;
  }

  /** Goes over a word. */
  skip(): boolean {
    this.blanks();
    const from = this.at;
    while (this.at < this.line.end && this.line.bytes[this.at] !== SPACE) this.at++;
    return this.at > from;
  }
}

/** What one line says, before it becomes a row. */
const row = {
  local: new Uint32Array(4),
  remote: new Uint32Array(4),
  localPort: 0,
  remotePort: 0,
  state: 0,
  send: 0,
  receive: 0,
  timer: 0,
  timerMs: 0,
  retransmits: 0,
  uid: 0,
  inode: 0,
};

/** `  12: 0100007F:2521 00000000:0000 0A 00000000:00000003 ...`; false where the line is none. */
export function readInetRow(table: SocketTable, line: ProcLine): boolean {
  const columns = new Columns(line);
  const isIpv6 = line.file.endsWith('6');
  if (!columns.decimal() || !columns.colon()) return false;
  if (!readAddress(columns, isIpv6, row.local)) return false;
  row.localPort = columns.value;
  if (!readAddress(columns, isIpv6, row.remote)) return false;
  row.remotePort = columns.value;
  if (!readState(columns) || !readOwner(columns)) return false;
  store(table, line.file.startsWith('tcp') ? 'tcp' : 'udp', isIpv6);
  if (line.file.startsWith('udp')) readDrops(table, columns);
  return true;
}

/** The words of an address as the kernel holds them in memory, printed as numbers of this machine; then the port. */
function readAddress(columns: Columns, isIpv6: boolean, words: Uint32Array): boolean {
  columns.blanks();
  words.fill(0);
  for (let word = isIpv6 ? 0 : 3; word < 4; word++) {
    const from = columns.at;
    if (!columns.hex(8) || columns.at - from !== 8) return false;
    words[word] = columns.line.bigEndian ? columns.value : swap(columns.value);
  }
  return columns.colon() && columns.hex(4);
}

const swap = (word: number): number =>
  ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;

/** `st tx_queue:rx_queue tr:tm->when retrnsmt`. */
function readState(columns: Columns): boolean {
  columns.blanks();
  if (!columns.hex(2)) return false;
  row.state = columns.value;
  const queues = readPair(columns);
  if (!queues) return false;
  row.send = first;
  row.receive = columns.value;
  if (!readPair(columns)) return false;
  row.timer = first;
  row.timerMs = columns.value * TICK_MS;
  columns.blanks();
  const counted = columns.hex(8);
  row.retransmits = columns.value;
  return counted;
}

let first = 0;
function readPair(columns: Columns): boolean {
  columns.blanks();
  if (!columns.hex(8) || !columns.colon()) return false;
  first = columns.value;
  return columns.hex(8);
}

/** `uid timeout inode`. */
function readOwner(columns: Columns): boolean {
  if (!columns.decimal()) return false;
  row.uid = columns.value;
  if (!columns.decimal() || !columns.decimal()) return false;
  row.inode = columns.value;
  return true;
}

function store(table: SocketTable, protocol: Protocol, isIpv6: boolean): void {
  const index = table.append();
  table.protocol[index] = PROTOCOLS.indexOf(protocol);
  table.state[index] = SOCKET_STATES.indexOf(stateOf(protocol));
  storeAddresses(table, index, isIpv6);
  table.recvQueue[index] = row.receive;
  table.sendQueue[index] = row.send;
  table.setFlag(index, 'queues');
  if (protocol === 'tcp' && row.state === LISTEN) table.setFlag(index, 'limitUnknown');
  table.set('inode', index, row.inode);
  if (row.inode > 0) table.set('uid', index, row.uid);
  const timer = protocol === 'tcp' ? TIMERS[row.timer] : undefined;
  if (timer === undefined) return;
  table.set('timerKind', index, TIMER_KINDS.indexOf(timer));
  table.set('timerMs', index, row.timerMs);
  table.set('timerRetransmits', index, row.retransmits);
}

const stateOf = (protocol: Protocol): SocketState =>
  protocol === 'udp' && row.state === CLOSE ? 'unconnected' : (STATES[row.state] ?? 'unknown');

/** v4-mapped addresses become IPv4, where both ends are. */
function storeAddresses(table: SocketTable, index: number, isIpv6: boolean): void {
  const { local, remote } = row;
  const noPeer = row.remotePort === 0 && remote.every((word) => word === 0);
  const mapped = isIpv6 && isMapped(local) && (noPeer || isMapped(remote));
  if (mapped) local[2] = remote[2] = 0;
  table.family[index] = isIpv6 && !mapped ? 6 : 4;
  table.localAddress.set(local, index * 4);
  table.localPort[index] = row.localPort;
  table.setFlag(index, 'localPortKnown');
  if (noPeer) {
    table.setFlag(index, 'remoteAny');
    return;
  }
  table.remoteAddress.set(remote, index * 4);
  table.remotePort[index] = row.remotePort;
  table.setFlag(index, 'remotePortKnown');
}

const isMapped = (words: Uint32Array): boolean => words[0] === 0 && words[1] === 0 && words[2] === 0xffff;

/** `ref pointer drops`, since Linux 2.6.27. */
function readDrops(table: SocketTable, columns: Columns): void {
  if (columns.skip() && columns.skip() && columns.decimal())
    table.set('drops', table.length - 1, columns.value);
}
