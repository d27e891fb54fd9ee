import { ESTABLISHED } from '../../analyze/codes.js';
import { ROW_FLAGS, type SocketTable } from '../../model/table.js';
import { TrafficColumns } from './traffic.js';

/** Addresses of both ends, four words each, and both ports in one word. */
const KEY_WORDS = 9;
const FIRST_CAPACITY = 256;
const EMPTY = -1;

/** What is known of a connection beside its numbers. */
export const MARKS = {
  /** There when the watch began, so that its age is a lower bound. */
  older: 1,
  /** Came during the watch. */
  created: 2,
  /** Data moved between two looks after the first that showed it. */
  moved: 4,
  /** Was in CLOSE-WAIT, held by its process. */
  closeWait: 8,
  /** At this look, surely. */
  busy: 16,
  idle: 32,
  /** A request met the FIN of the peer. */
  crossed: 64,
  /** Closed from here after it had been idle. */
  closedIdle: 128,
  /** Data were sent after the FIN of the peer: it only ended its own side. */
  halfClosed: 256,
  /** Bytes came between two looks after the first that showed it. */
  answered: 512,
  /** The kernel has told of its end. */
  told: 1024,
  /** It has carried many requests and answers, by its segments. */
  carried: 2048,
} as const;

/** The 4-tuple of one row, loaded once for every list that is asked about it. */
export class TupleKey {
  readonly words = new Uint32Array(KEY_WORDS);
  hash = 0;

  /** `seed`: whoever chooses ports and addresses cannot choose what collides. */
  constructor(private readonly seed: number) {}

  load({ localAddress, remoteAddress, localPort, remotePort }: SocketTable, row: number): void {
    const { words } = this;
    const at = row * 4;
    for (let word = 0; word < 4; word++) {
      words[word] = localAddress[at + word] as number;
      words[word + 4] = remoteAddress[at + word] as number;
    }
    words[8] = (localPort[row] as number) * 65_536 + (remotePort[row] as number);
    this.hash = this.hashOf(words);
  }

  /** Of the words of any tuple. */
  hashOf(words: Uint32Array): number {
    return hashOf(words, this.seed);
  }
}

/**
 * The connections of one look as columns, found by their 4-tuple. Whether the same tuple is the same connection, cookies
 * say. Two of these take turns, so that a look allocates nothing once they are large enough.
 */
export class ConnectionList {
  length = 0;
  pool = new Int32Array(FIRST_CAPACITY);
  marks = new Uint16Array(FIRST_CAPACITY);
  state = new Uint8Array(FIRST_CAPACITY);
  /** Monotonic ms. */
  bornAt = new Float64Array(FIRST_CAPACITY);
  /** Bytes sent and received together, to see whether data moved. */
  moved = new Float64Array(FIRST_CAPACITY);
  sentBytes = new Float64Array(FIRST_CAPACITY);
  /** Bytes acknowledged less those sent while none were under way: our SYN counts as one. NaN: no look has shown that yet. */
  begun = new Float64Array(FIRST_CAPACITY);
  /** Bytes acknowledged and received; a FIN counts as one. */
  ackedBytes = new Float64Array(FIRST_CAPACITY);
  receivedBytes = new Float64Array(FIRST_CAPACITY);
  /** Segments with data that came, and all that went less all that came; NaN: unknown, or this side probes. */
  dataIn = new Float64Array(FIRST_CAPACITY);
  surplus = new Float64Array(FIRST_CAPACITY);
  /** Segments of requests less those of answers. */
  balance = new Float64Array(FIRST_CAPACITY);
  /** Segments with data that were received, and segments without any that were sent. */
  received = new Float64Array(FIRST_CAPACITY);
  plainAcks = new Float64Array(FIRST_CAPACITY);
  /** NaN: unknown or not open. */
  quietMs = new Float64Array(FIRST_CAPACITY);
  /** How much later the last data were sent than received, ms; negative: received last. */
  answerMs = new Float64Array(FIRST_CAPACITY);
  rttMs = new Float64Array(FIRST_CAPACITY);
  /** What is left of TIME-WAIT; NaN: another state, or not known. */
  timeWaitMs = new Float64Array(FIRST_CAPACITY);
  /** Where `closedIdle` is marked: how long it had been idle, bounds, ms. */
  closedLow = new Float64Array(FIRST_CAPACITY);
  closedHigh = new Float64Array(FIRST_CAPACITY);
  traffic = new TrafficColumns(FIRST_CAPACITY);
  private keys = new Uint32Array(FIRST_CAPACITY * KEY_WORDS);
  private cookieHigh = new Uint32Array(FIRST_CAPACITY);
  private cookieLow = new Uint32Array(FIRST_CAPACITY);
  /** Entries by the hash of their key. */
  private slots = new Int32Array(FIRST_CAPACITY * 2).fill(EMPTY);
  private expected = 0;

  /** Empties it and makes room for so many. */
  restart(rows: number): void {
    this.length = 0;
    this.expected = 0;
    if (rows > this.pool.length) this.growTo(2 ** Math.ceil(Math.log2(rows)));
    this.slots.fill(EMPTY);
  }

  /** The entry of a 4-tuple, or -1. Dumps come in nearly the same order: the one behind the last that was found is tried first. */
  find(key: TupleKey): number {
    const { expected } = this;
    const entry = expected < this.length && this.isKey(expected, key) ? expected : this.lookUp(key);
    if (entry !== EMPTY) this.expected = entry + 1;
    return entry;
  }

  /** A new entry for a row; -1 where its tuple is there already (a dump may show a socket twice, KERNEL.md 8). */
  add(key: TupleKey, table: SocketTable, row: number): number {
    const slot = this.slotOf(key);
    if (this.slots[slot] !== EMPTY) return EMPTY;
    const entry = this.length++;
    this.slots[slot] = entry;
    this.traffic.forget(entry);
    const { keys } = this;
    const at = entry * KEY_WORDS;
    for (let word = 0; word < KEY_WORDS; word++) keys[at + word] = key.words[word] as number;
    this.cookieHigh[entry] = table.cookieHigh[row] ?? 0;
    this.cookieLow[entry] = table.cookieLow[row] ?? 0;
    return entry;
  }

  /** False where both cookies are known and differ. */
  hasCookieOf(entry: number, table: SocketTable, row: number): boolean {
    const high = this.cookieHigh[entry] ?? 0;
    const low = this.cookieLow[entry] ?? 0;
    const isKnown = ((table.flags[row] ?? 0) & ROW_FLAGS.cookie) !== 0 && (high !== 0 || low !== 0);
    const nowHigh = table.cookieHigh[row] ?? 0;
    const nowLow = table.cookieLow[row] ?? 0;
    if (!isKnown || (nowHigh === 0 && nowLow === 0)) return true;
    return nowHigh === high && nowLow === low;
  }

  isOpen(entry: number): boolean {
    return this.state[entry] === ESTABLISHED;
  }

  private lookUp(key: TupleKey): number {
    return this.slots[this.slotOf(key)] ?? EMPTY;
  }

  /** Where a key is, or the empty slot where it belongs. */
  private slotOf(key: TupleKey): number {
    const { slots } = this;
    const mask = slots.length - 1;
    let slot = key.hash & mask;
    for (let entry = slots[slot] as number; entry !== EMPTY && !this.isKey(entry, key); ) {
      slot = (slot + 1) & mask;
      entry = slots[slot] as number;
    }
    return slot;
  }

  private isKey(entry: number, { words }: TupleKey): boolean {
    const { keys } = this;
    const at = entry * KEY_WORDS;
    for (let word = KEY_WORDS - 1; word >= 0; word--) if (keys[at + word] !== words[word]) return false;
    return true;
  }

  private growTo(capacity: number): void {
    this.pool = new Int32Array(capacity);
    this.marks = new Uint16Array(capacity);
    this.state = new Uint8Array(capacity);
    this.bornAt = new Float64Array(capacity);
    this.moved = new Float64Array(capacity);
    this.sentBytes = new Float64Array(capacity);
    this.begun = new Float64Array(capacity);
    this.ackedBytes = new Float64Array(capacity);
    this.receivedBytes = new Float64Array(capacity);
    this.dataIn = new Float64Array(capacity);
    this.surplus = new Float64Array(capacity);
    this.balance = new Float64Array(capacity);
    this.received = new Float64Array(capacity);
    this.plainAcks = new Float64Array(capacity);
    this.quietMs = new Float64Array(capacity);
    this.answerMs = new Float64Array(capacity);
    this.rttMs = new Float64Array(capacity);
    this.timeWaitMs = new Float64Array(capacity);
    this.closedLow = new Float64Array(capacity);
    this.closedHigh = new Float64Array(capacity);
    this.traffic = new TrafficColumns(capacity);
    this.keys = new Uint32Array(capacity * KEY_WORDS);
    this.cookieHigh = new Uint32Array(capacity);
    this.cookieLow = new Uint32Array(capacity);
    this.slots = new Int32Array(capacity * 2);
  }
}

/** MurmurHash3 of 32 bits. */
function hashOf(key: Uint32Array, seed: number): number {
  let hash = seed;
  for (let word = 0; word < KEY_WORDS; word++) {
    let mixed = Math.imul(key[word] as number, 0xcc9e2d51);
    mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
    hash ^= mixed;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
