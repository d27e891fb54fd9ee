import { type OptionalColumn, ROW_FLAGS } from '../../model/table.js';
import { columnIndex } from '../column-writer.js';
import { hasPeerWindow } from '../peer-window.js';
import { LISTEN, type Target } from './target.js';
import { LITTLE_ENDIAN, type Wire, wideAt } from './words.js';

/** Numbers of 32 bits in struct tcp_info (include/uapi/linux/tcp.h): offset in bytes, column, and what to divide by (µs to ms). */
const NARROW: readonly (readonly [number, OptionalColumn, number])[] = [
  [8, 'rtoMs', 1000],
  [16, 'mss', 1],
  [24, 'unacked', 1],
  [32, 'lost', 1],
  [60, 'pathMtu', 1],
  [76, 'slowStartThreshold', 1],
  [80, 'congestionWindow', 1],
  [96, 'receiveSpace', 1],
  [136, 'segmentsOut', 1],
  [140, 'segmentsIn', 1],
  [144, 'notSent', 1],
  [148, 'minRttMs', 1000],
  [152, 'dataSegmentsIn', 1],
  [156, 'dataSegmentsOut', 1],
];
/** Numbers of 64 bits, and what to multiply by (bytes per second to bits). */
const WIDE: readonly (readonly [number, OptionalColumn, number])[] = [
  [104, 'pacingRateBps', 8],
  [120, 'bytesAcked', 1],
  [128, 'bytesReceived', 1],
  [160, 'deliveryRateBps', 8],
  [200, 'bytesSent', 1],
  [208, 'bytesRetransmitted', 1],
];
/** Milliseconds; 0 is an age like any other. */
const AGES: readonly (readonly [number, OptionalColumn])[] = [
  [44, 'lastSentMs'],
  [52, 'lastReceivedMs'],
  [56, 'lastAckMs'],
];

const narrowWords = Uint8Array.from(NARROW, ([offset]) => offset / 4);
const narrowColumns = Uint8Array.from(NARROW, ([, column]) => columnIndex(column));
const narrowDivisors = Float64Array.from(NARROW, ([, , divisor]) => divisor);
const wideWords = Uint8Array.from(WIDE, ([offset]) => offset / 4);
const wideColumns = Uint8Array.from(WIDE, ([, column]) => columnIndex(column));
const wideFactors = Float64Array.from(WIDE, ([, , factor]) => factor);
const ageWords = Uint8Array.from(AGES, ([offset]) => offset / 4);
const ageColumns = Uint8Array.from(AGES, ([, column]) => columnIndex(column));

const UNACKED = columnIndex('unacked');
const RTT = columnIndex('rttMs');
const RTT_VARIANCE = columnIndex('rttVarMs');
const RETRANSMITS = columnIndex('retransmitsNow');
const TOTAL_RETRANSMITS = columnIndex('retransmitsTotal');
const BACKOFF = columnIndex('backoff');
const SEND_RATE = columnIndex('sendRateBps');
const TIMES = Uint8Array.from((['busyMs', 'receiverLimitedMs', 'bufferLimitedMs'] as const).map(columnIndex));
const BACKOFF_BYTE = 4;
const FLAGS_BYTE = 7;
/** `tcpi_delivery_rate_app_limited:1`, the first bit field of its byte: compilers begin at the other end on big-endian machines. */
export const appLimitedBit = (littleEndian: boolean): number => (littleEndian ? 1 : 0x80);
const APP_LIMITED = appLimitedBit(LITTLE_ENDIAN);
const MSS_WORD = 4;
const RETRANSMITS_WORD = 9;
const RTT_WORD = 17;
const WINDOW_WORD = 20;
const SEND_WINDOW = columnIndex('sendWindow');
/** tcpi_snd_wnd of Linux 5.4 and later. */
const SEND_WINDOW_WORD = 57;
const TOTAL_RETRANSMITS_WORD = 25;
/** Times in µs, 64 bits each: with data under way, and of that limited by the peer's window, and by the own buffer. */
const BUSY_WORD = 42;
/** "Not set" of ssthresh (TCP_INFINITE_SSTHRESH) and of min_rtt and pacing_rate (all ones). */
const INFINITE = 0x7fffffff;
const INFINITE_RATE = 2 ** 63;

/**
 * Stores what a struct tcp_info of `length` bytes has; kernels have lengthened it again and again, and what is not there stays
 * unknown. As in ss, counters of 0 are left out too: most are 0 in most rows, and a column costs 8 bytes per socket. Not so the window of
 * the peer: 0 is what matters most of it.
 */
export function storeTcpInfo(target: Target, row: number, wire: Wire, start: number, length: number): void {
  const { table } = target;
  const { words, bytes } = wire;
  const first = start >>> 2;
  const count = length >>> 2;
  const isListener = table.state[row] === LISTEN;
  storeNarrow(target, row, words, first, count, isListener);
  storeWide(target, row, words, first, count);
  if (!isListener) storeAges(target, row, words, first, count);
  if (count > SEND_WINDOW_WORD && hasPeerWindow[table.state[row] as number] === 1)
    target.columns.put(SEND_WINDOW, row, words[first + SEND_WINDOW_WORD] as number);
  if (length > BACKOFF_BYTE && bytes[start + BACKOFF_BYTE] !== 0)
    target.columns.put(BACKOFF, row, bytes[start + BACKOFF_BYTE] as number);
  if (length > FLAGS_BYTE && ((bytes[start + FLAGS_BYTE] as number) & APP_LIMITED) !== 0)
    table.flags[row] = (table.flags[row] as number) | ROW_FLAGS.appLimited;
  storePairs(target, row, words, first, count);
  storeDerived(target, row, words, first, count);
}

function storeNarrow(
  { columns }: Target,
  row: number,
  words: Uint32Array,
  first: number,
  count: number,
  isListener: boolean,
): void {
  for (let index = 0; index < narrowWords.length; index++) {
    const word = narrowWords[index] as number;
    if (word >= count) return;
    const value = words[first + word] as number;
    if (value === 0 || value >= INFINITE) continue;
    const column = narrowColumns[index] as number;
    // On a listener the kernel puts the length of the accept queue here (tcp_get_info).
    if (column === UNACKED && isListener) continue;
    columns.put(column, row, value / (narrowDivisors[index] as number));
  }
}

function storeWide({ columns }: Target, row: number, words: Uint32Array, first: number, count: number): void {
  for (let index = 0; index < wideWords.length; index++) {
    const word = wideWords[index] as number;
    if (word + 1 >= count) return;
    const value = wideAt(words, first + word);
    if (value === 0 || value >= INFINITE_RATE) continue;
    columns.put(wideColumns[index] as number, row, value * (wideFactors[index] as number));
  }
}

function storeAges({ columns }: Target, row: number, words: Uint32Array, first: number, count: number): void {
  for (let index = 0; index < ageWords.length; index++) {
    const word = ageWords[index] as number;
    if (word < count) columns.put(ageColumns[index] as number, row, words[first + word] as number);
  }
}

/** What means something only beside another number: retransmissions now and in all, the round trip and how it varies. */
function storePairs(
  { columns }: Target,
  row: number,
  words: Uint32Array,
  first: number,
  count: number,
): void {
  const rtt = count > RTT_WORD + 1 ? (words[first + RTT_WORD] as number) : 0;
  if (rtt > 0) {
    columns.put(RTT, row, rtt / 1000);
    columns.put(RTT_VARIANCE, row, (words[first + RTT_WORD + 1] as number) / 1000);
  }
  const total = count > TOTAL_RETRANSMITS_WORD ? (words[first + TOTAL_RETRANSMITS_WORD] as number) : 0;
  const now = count > RETRANSMITS_WORD ? (words[first + RETRANSMITS_WORD] as number) : 0;
  if (now === 0 && total === 0) return;
  columns.put(RETRANSMITS, row, now);
  columns.put(TOTAL_RETRANSMITS, row, total);
}

/** What ss computes: `send` from window, segment size and round trip, and `busy`, `rwnd_limited` and `sndbuf_limited` in whole milliseconds. */
function storeDerived(
  { columns }: Target,
  row: number,
  words: Uint32Array,
  first: number,
  count: number,
): void {
  if (count > WINDOW_WORD) {
    const mss = words[first + MSS_WORD] as number;
    const rtt = words[first + RTT_WORD] as number;
    const window = words[first + WINDOW_WORD] as number;
    if (rtt > 0 && mss > 0 && window > 0)
      columns.put(SEND_RATE, row, Math.round((window * mss * 8_000_000) / rtt));
  }
  for (let index = 0; index < TIMES.length; index++) {
    const word = BUSY_WORD + 2 * index;
    if (word + 1 >= count) return;
    const micros = wideAt(words, first + word);
    if (micros > 0) columns.put(TIMES[index] as number, row, Math.floor(micros / 1000));
  }
}
