import { TIMER_KINDS } from '../../model/sockets.js';
import { CLOSE, COMMA, DOT, OPEN } from '../bytes.js';
import { columnIndex } from '../column-writer.js';
import type { Facts } from './facts.js';
import type { Scanner } from './scanner.js';
import { TIMERS } from './words.js';

const LETTER_A = 97;
const LETTER_M = 109;
const LETTER_S = 115;

const TIMER_KIND = columnIndex('timerKind');
const TIMER_MS = columnIndex('timerMs');
const TIMER_RETRANSMITS = columnIndex('timerRetransmits');
const UNKNOWN_TIMER = TIMER_KINDS.indexOf('unknown');

/** `timer:(keepalive,1min59sec,0)`, `pos` on the parenthesis; false where it is none. */
export function readTimer(line: Scanner, facts: Facts): boolean {
  if (line.bytes[line.pos] !== OPEN) return false;
  line.pos++;
  const kind = readTimerKind(line);
  const time = readTimerTime(line);
  if (!passes(line, COMMA)) return false;
  const retransmits = line.integer();
  if (!passes(line, CLOSE) || Number.isNaN(time) || Number.isNaN(retransmits)) return false;
  facts.put(TIMER_KIND, kind);
  facts.put(TIMER_MS, time);
  facts.put(TIMER_RETRANSMITS, retransmits);
  return true;
}

function readTimerKind(line: Scanner): number {
  let hash = 0;
  while (line.pos < line.end && line.bytes[line.pos] !== COMMA)
    hash = (Math.imul(hash, 31) + (line.bytes[line.pos++] as number)) | 0;
  line.pos++;
  return TIMERS.get(hash) ?? UNKNOWN_TIMER;
}

/**
 * `728ms`, `29sec`, `1min59sec`, `118min`, nothing (due now); "8.320ms" is 8.320 seconds, for ss before iproute2 6.11
 * prints the seconds, a dot and the milliseconds with the unit of the last part (misc/ss.c, print_ms_timer).
 */
function readTimerTime(line: Scanner): number {
  let total = 0;
  while (line.pos < line.end && line.bytes[line.pos] !== COMMA) {
    const whole = line.integer();
    const hasDot = line.bytes[line.pos] === DOT;
    if (hasDot) line.pos++;
    const from = line.pos;
    const part = hasDot ? line.integer() / 10 ** (line.pos - from) : 0;
    const unit = readUnitMs(line);
    if (Number.isNaN(whole + part + unit)) return Number.NaN;
    total += (whole + part) * (hasDot && unit === 1 ? 1000 : unit);
  }
  return Math.round(total);
}

/** `ms`, `sec`, `min`, as milliseconds; NaN where it is none of them. */
function readUnitMs(line: Scanner): number {
  const { bytes, pos } = line;
  const first = bytes[pos];
  const second = bytes[pos + 1];
  while (line.pos < line.end && (bytes[line.pos] as number) >= LETTER_A) line.pos++;
  const length = line.pos - pos;
  if (first === LETTER_M && second === LETTER_S && length === 2) return 1;
  if (first === LETTER_S && length === 3) return 1000;
  return first === LETTER_M && length === 3 ? 60_000 : Number.NaN;
}

function passes(line: Scanner, byte: number): boolean {
  return line.pos < line.end && line.bytes[line.pos++] === byte;
}

/** Columns of `skmem:(r0,rb131072,...)` by their first letter: alone, and with a second one behind (`rb`, `tb`, `bl`). */
const MEMORY = new Int8Array(128).fill(-1);
const MEMORY_LIMIT = new Int8Array(128).fill(-1);
for (const [letters, column] of [
  ['r', 'memReceive'],
  ['rb', 'memReceiveLimit'],
  ['t', 'memSend'],
  ['tb', 'memSendLimit'],
  ['f', 'memForward'],
  ['w', 'memWriteQueue'],
  ['o', 'memOption'],
  ['bl', 'memBacklog'],
  ['d', 'drops'],
] as const)
  (letters.length === 1 ? MEMORY : MEMORY_LIMIT)[letters.charCodeAt(0)] = columnIndex(column);
const DROPS = columnIndex('drops');

/** `skmem:(r0,rb...)` with or without `d`, `pos` on the parenthesis; false where it is none. */
export function readMemory(line: Scanner, facts: Facts): boolean {
  const { bytes, end } = line;
  if (bytes[line.pos] !== OPEN) return false;
  while (line.pos < end && bytes[line.pos] !== CLOSE) {
    const first = bytes[++line.pos] as number;
    const isPair = (bytes[++line.pos] as number) >= LETTER_A;
    if (isPair) line.pos++;
    const value = line.integer();
    if (Number.isNaN(value)) return false;
    const column = (isPair ? MEMORY_LIMIT : MEMORY)[first] ?? -1;
    if (column >= 0) facts.put(column, column === DROPS ? value : signed(value));
    if (bytes[line.pos] !== COMMA && bytes[line.pos] !== CLOSE) return false;
  }
  return passes(line, CLOSE);
}

/** ss prints these ints of the kernel unsigned: 4294966016 is -1280. */
const signed = (value: number): number => (value > 0x7fffffff && value <= 0xffffffff ? value | 0 : value);

const RATE_UNITS: Readonly<Record<number, number>> = { 75: 1e3, 77: 1e6, 71: 1e9, 84: 1e12 };

/** `148041142857bps`, or `656.3Kbps` as before iproute2 4.20, in bits per second; NaN where it is none. */
export function readRate(line: Scanner): number {
  line.skipBlanks();
  const value = line.decimal();
  const factor = RATE_UNITS[line.bytes[line.pos] ?? 0];
  if (factor !== undefined) line.pos++;
  return value * (factor ?? 1);
}
