import { SOCKET_STATES, type SocketState, TIMER_KINDS, type TimerKind } from '../../model/sockets.js';
import { ROW_FLAGS, type SocketTable } from '../../model/table.js';
import { textOf } from '../bytes.js';
import { ColumnWriter, columnIndex } from '../column-writer.js';
import { ATTRIBUTE_TYPE } from './kernel.js';
import { firstHalf, secondHalf, type Wire } from './words.js';

/** Where rows go, and what was wrong with the messages of the present dump. */
export class Target {
  readonly columns: ColumnWriter;
  private readonly devices = new Map<number, number>();
  private readonly texts = new Map<number, number>();
  /** Messages and attributes that could not be read, and what was the matter with the first. */
  broken = 0;
  fault = '';

  /** @param deviceName the name of a network device by its number (if_indextoname) */
  constructor(
    readonly table: SocketTable,
    private readonly deviceName: (index: number) => string,
  ) {
    this.columns = new ColumnWriter(table);
  }

  /** Index into the table's strings. */
  device(index: number): number {
    let name = this.devices.get(index);
    if (name === undefined) {
      name = this.table.intern(this.deviceName(index));
      this.devices.set(index, name);
    }
    return name;
  }

  /** Index into the table's strings of a short name, which may end with a zero: few different ones come, again and again. */
  text(bytes: Uint8Array, start: number, length: number): number {
    let size = 0;
    let hash = 0;
    for (; size < Math.min(length, LONGEST_NAME); size++) {
      const byte = bytes[start + size] as number;
      if (byte === 0) break;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    const known = this.texts.get(hash);
    if (known !== undefined && isText(this.table.strings[known] as string, bytes, start, size)) return known;
    const index = this.table.intern(textOf(bytes, start, start + size));
    if (this.texts.size < MOST_TEXTS) this.texts.set(hash, index);
    return index;
  }

  fail(fault: string): void {
    if (this.broken++ === 0) this.fault = fault;
  }
}

/** TCP_CA_NAME_MAX and TCP_ULP_NAME_MAX. */
const LONGEST_NAME = 16;
const MOST_TEXTS = 64;

function isText(text: string, bytes: Uint8Array, start: number, size: number): boolean {
  if (text.length !== size) return false;
  for (let at = 0; at < size; at++) if (text.charCodeAt(at) !== bytes[start + at]) return false;
  return true;
}

const stateIndex = (state: SocketState): number => SOCKET_STATES.indexOf(state);

/** Index of the model's state by TCP_xxx (include/net/tcp_states.h); CLOSE is what ss calls UNCONN, and so is BOUND_INACTIVE. */
export const STATES = Uint8Array.from(
  (
    [
      'unknown',
      'established',
      'syn-sent',
      'syn-recv',
      'fin-wait-1',
      'fin-wait-2',
      'time-wait',
      'unconnected',
      'close-wait',
      'last-ack',
      'listen',
      'closing',
      'syn-recv',
      'unconnected',
    ] as const
  ).map(stateIndex),
);
export const UNKNOWN_STATE = stateIndex('unknown');
export const LISTEN = stateIndex('listen');

/** Index of the model's timer by `idiag_timer` (net/ipv4/inet_diag.c), from 1. */
export const TIMERS = Uint8Array.from(
  (['unknown', 'on', 'keepalive', 'timewait', 'persist', 'delack'] as const).map((kind: TimerKind) =>
    TIMER_KINDS.indexOf(kind),
  ),
);
export const UNKNOWN_TIMER = TIMER_KINDS.indexOf('unknown');

/** Cookies of all ones or all zeros are none (INET_DIAG_NOCOOKIE). */
export function storeCookie(table: SocketTable, row: number, low: number, high: number): void {
  if ((low | high) === 0 || (low & high) === -1) return;
  table.cookieLow[row] = low;
  table.cookieHigh[row] = high;
  table.flags[row] = (table.flags[row] as number) | ROW_FLAGS.cookie;
}

/** SK_MEMINFO_xxx, in the order of the kernel (include/uapi/linux/sock_diag.h). */
const MEMORY = [
  'memReceive',
  'memReceiveLimit',
  'memSend',
  'memSendLimit',
  'memForward',
  'memWriteQueue',
  'memOption',
  'memBacklog',
] as const;
const MEMORY_COLUMNS = Uint8Array.from(MEMORY.map(columnIndex));
const DROPS = columnIndex('drops');

/** An array of numbers, signed but for the drops; older kernels send a shorter one. */
export function storeMemory(
  { columns }: Target,
  row: number,
  words: Uint32Array,
  at: number,
  count: number,
): void {
  const known = Math.min(count, MEMORY_COLUMNS.length);
  for (let index = 0; index < known; index++)
    columns.put(MEMORY_COLUMNS[index] as number, row, (words[at + index] as number) | 0);
  if (count > MEMORY_COLUMNS.length) columns.put(DROPS, row, words[at + MEMORY_COLUMNS.length] as number);
}

/** A place in the attributes of one message; `next` goes on, until the end or an attribute that does not fit. */
export class Attributes {
  type = 0;
  /** First byte and number of bytes of the value. */
  start = 0;
  length = 0;
  private at = 0;
  private end = 0;

  /** Bytes from a multiple of four. */
  open(start: number, end: number): void {
    this.at = start;
    this.end = end;
  }

  /** False at the end; `isBroken` then says whether it came too early. */
  next({ words }: Wire): boolean {
    if (this.end - this.at < 4) return false;
    const head = words[this.at >>> 2] as number;
    const length = firstHalf(head);
    if (length < 4 || length > this.end - this.at) return false;
    this.type = secondHalf(head) & ATTRIBUTE_TYPE;
    this.start = this.at + 4;
    this.length = length - 4;
    this.at += (length + 3) & ~3;
    return true;
  }

  get isBroken(): boolean {
    return this.at < this.end;
  }
}
