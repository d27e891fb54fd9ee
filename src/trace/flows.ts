import type { Nanos } from '../model/trace-moment.js';
import { MARK_COUNT } from './marks.js';
import { TextCache } from './text-cache.js';

/** Bits of `INT.flags`. */
export const FLOW = {
  /** Client known by a SYN; by a SYN-ACK; else guessed. */
  roleSyn: 1,
  roleSynAck: 2,
  established: 4,
  /** Second SYN from the other side before any SYN-ACK. */
  simultaneous: 8,
  split: 16,
  /** The 4-tuple had an earlier connection in this capture. */
  reused: 32,
  refusedByRst: 64,
  refusedByIcmp: 128,
  /** Several SYNs could be the one that was answered. */
  ambiguousRtt: 256,
  /** While SYNs of this one went unanswered, the server answered others (KERNEL.md 3, S1). */
  othersAnswered: 512,
  /** Payload of a SYN was acknowledged: TCP Fast Open. */
  fastOpen: 1024,
  /** Of what the server sends something was missing or not understood: whether a request was answered is not known any more. */
  serverUnread: 2048,
  /** Nobody has answered it, and the client tries again elsewhere. */
  superseded: 4096,
  /** Both directions are closed, or one was reset. */
  closed: 16384,
  icmpSeen: 32768,
  synAckSeen: 65536,
  clockBack: 131072,
  eventsCut: 262144,
  reset: 1048576,
  /** It waits in the queue of those that leave memory soon. */
  leaving: 2097152,
  /** The second FIN was sent before the first had come. */
  simultaneousClose: 4194304,
} as const;

/**
 * Places of the 32-bit fields of one connection in `ints`, from `slot * STRIDE`. What a packet touches lies together: a busy capture
 * has tens of thousands of connections at a time, and each column of its own would be a cache miss of its own.
 */
export const INT = {
  /** The key: the lower and the higher address (see Packet), port of low << 16 | port of high, path << 2 | IPv6 << 1 | UDP. */
  low: 0,
  high: 1,
  ports: 2,
  kind: 3,
  hash: 4,
  /** 1 where the client is `high`. */
  clientIsHigh: 5,
  /** From 1, in the order of first packets. */
  id: 6,
  flags: 7,
  /** Row of the server's address and port, and of the pair of client address and server; for counts over connections. */
  server: 8,
  pair: 9,
  /** First and last kept event, -1: none. */
  firstEvent: 10,
  lastEvent: 11,
  eventCount: 12,
  /** SYNs and SYN-ACKs, without copies made by the capture. */
  syns: 13,
  synAcks: 14,
  historyLength: 15,
  historyBits: 16,
  /** Zeek's states: originator's in bits 0 to 2, responder's in bits 3 to 5. */
  zeek: 17,
  /** ICMP type * 256 + code that quoted this connection. */
  icmp: 18,
  /** SYN-ACKs sent again after the client's ACK, and client ACKs that answered them (KERNEL.md 3, S2). */
  synAcksAfterAck: 19,
} as const;

/** Places of the fields of one side, from `slot * STRIDE + SIDE + direction * SIDE_STRIDE`. Direction 0: what the client sends. */
export const SIDE_INT = {
  isn: 0,
  /** The sequence number after the last byte sent. */
  nextSeq: 1,
  /** Highest acknowledgement sent by this side. */
  acked: 2,
  /** Last window sent by this side, as in the header, and its scale (-1: none offered). */
  window: 3,
  scale: 4,
  segments: 5,
  dataSegments: 6,
  rto: 7,
  fast: 8,
  spurious: 9,
  outOfOrder: 10,
  duplicates: 11,
  dupAcks: 12,
  keepAlives: 13,
  probes: 14,
  zeroWindows: 15,
  windowFull: 16,
  status: 17,
  /** The packet before, to know a copy made by the capture. */
  lastIpId: 18,
  lastSeq: 19,
  lastAck: 20,
  /** flags << 16 | payload length & 0xffff */
  lastShape: 21,
  /** Acknowledgements in a row that say the same. */
  dupRun: 22,
  /** Times that full segments went on only after everything before had been acknowledged. */
  flights: 23,
  /** Of the SYN: see tcp/options.ts. */
  options: 24,
  /** Payload of the SYN (TCP Fast Open). */
  synBytes: 25,
  /** IP identifications of the last four packets, 16 bits each, the latest lowest. */
  recentIds: 26,
  olderIds: 27,
  /** Sizes of its IP packets, modulo 2 ** 32: see `ipBytesOf`. */
  ipBytes: 28,
} as const;
export const SIDE = 20;
export const SIDE_STRIDE = 29;
export const STRIDE = SIDE + 2 * SIDE_STRIDE;

/** Bits of `SIDE_INT.status`. */
export const STATUS = {
  /** `nextSeq` is known. */
  seen: 1,
  syn: 2,
  fin: 4,
  rst: 8,
  zeroWindow: 16,
  /** `acked` is known. */
  acked: 32,
  holes: 64,
  fastOpen: 128,
  /** Payload was cut by the snap length. */
  cut: 256,
} as const;

/** Places in `sums`, from `slot * SUMS + direction`. */
export const SUM = { payload: 0, missing: 2, lastTime: 4, delayedAck: 6 } as const;
export const SUMS = 8;

const HISTORY_BYTES = 24;

/** Every connection that is open, or was closed a moment ago. A slot is taken again once its connection has been reported. */
export class Flows {
  capacity: number;
  ints: Int32Array;
  /** Times (ns since the epoch of the capture) and frames of the marks; frame 0: not seen. */
  markTimes: Float64Array;
  markFrames: Uint32Array;
  sums: Float64Array;
  /** Zeek's history letters. */
  history: Uint8Array;
  requests: Uint32Array;
  responses: Uint32Array;
  /** Slots in use or used before. */
  size = 0;
  private readonly free: number[] = [];
  private readonly texts = new TextCache();

  constructor(capacity = 4096) {
    this.capacity = capacity;
    this.ints = new Int32Array(capacity * STRIDE);
    this.markTimes = new Float64Array(capacity * MARK_COUNT);
    this.markFrames = new Uint32Array(capacity * MARK_COUNT);
    this.sums = new Float64Array(capacity * SUMS);
    this.history = new Uint8Array(capacity * HISTORY_BYTES);
    this.requests = new Uint32Array(capacity);
    this.responses = new Uint32Array(capacity);
  }

  int(slot: number, field: number): number {
    return this.ints[slot * STRIDE + field] ?? 0;
  }

  /** A field of SIDE_INT. */
  side(slot: number, direction: number, field: number): number {
    return this.ints[slot * STRIDE + SIDE + direction * SIDE_STRIDE + field] ?? 0;
  }

  sum(slot: number, direction: number, field: number): number {
    return this.sums[slot * SUMS + field + direction] ?? 0;
  }

  mark(slot: number, mark: number, time: number, frame: number): void {
    const at = slot * MARK_COUNT + mark;
    this.markTimes[at] = time;
    this.markFrames[at] = frame;
  }

  /** Marks only the first time. */
  markOnce(slot: number, mark: number, time: number, frame: number): void {
    const at = slot * MARK_COUNT + mark;
    if (this.markFrames[at] !== 0) return;
    this.markTimes[at] = time;
    this.markFrames[at] = frame;
  }

  frameOf(slot: number, mark: number): number {
    return this.markFrames[slot * MARK_COUNT + mark] ?? 0;
  }

  timeOf(slot: number, mark: number): number {
    return this.markTimes[slot * MARK_COUNT + mark] ?? 0;
  }

  /** Bytes of one side's packets with their IP headers: what is beyond 32 bits follows from the payload. */
  ipBytesOf(slot: number, direction: number): number {
    const low = this.side(slot, direction, SIDE_INT.ipBytes) >>> 0;
    const about = this.sum(slot, direction, SUM.payload) + this.side(slot, direction, SIDE_INT.segments) * 40;
    return low + Math.max(0, Math.round((about - low) / 2 ** 32)) * 2 ** 32;
  }

  /** From one mark to another; undefined where one of them was not seen. */
  between(slot: number, from: number, to: number): Nanos | undefined {
    if (this.frameOf(slot, from) === 0 || this.frameOf(slot, to) === 0) return undefined;
    return (this.timeOf(slot, to) - this.timeOf(slot, from)) as Nanos;
  }

  has(slot: number, flag: number): boolean {
    return ((this.ints[slot * STRIDE + INT.flags] ?? 0) & flag) !== 0;
  }

  set(slot: number, flag: number): void {
    const at = slot * STRIDE + INT.flags;
    this.ints[at] = (this.ints[at] ?? 0) | flag;
  }

  clear(slot: number, flag: number): void {
    const at = slot * STRIDE + INT.flags;
    this.ints[at] = (this.ints[at] ?? 0) & ~flag;
  }

  /** Adds a letter of Zeek's history; what does not fit is left out. */
  addHistory(slot: number, letter: number): void {
    const at = slot * STRIDE + INT.historyLength;
    const length = this.ints[at] ?? 0;
    if (length >= HISTORY_BYTES) return;
    this.history[slot * HISTORY_BYTES + length] = letter;
    this.ints[at] = length + 1;
  }

  historyText(slot: number): string {
    const at = slot * HISTORY_BYTES;
    return this.texts.text(this.history, at, at + this.int(slot, INT.historyLength));
  }

  /** A slot with every field zero (events -1, scales -1). */
  take(): number {
    const slot = this.free.pop() ?? this.size++;
    if (slot >= this.capacity) this.grow();
    const { ints } = this;
    const at = slot * STRIDE;
    ints.fill(0, at, at + STRIDE);
    this.markTimes.fill(0, slot * MARK_COUNT, (slot + 1) * MARK_COUNT);
    this.markFrames.fill(0, slot * MARK_COUNT, (slot + 1) * MARK_COUNT);
    this.sums.fill(0, slot * SUMS, (slot + 1) * SUMS);
    this.requests[slot] = 0;
    this.responses[slot] = 0;
    ints[at + INT.firstEvent] = -1;
    ints[at + INT.lastEvent] = -1;
    ints[at + SIDE + SIDE_INT.scale] = -1;
    ints[at + SIDE + SIDE_STRIDE + SIDE_INT.scale] = -1;
    return slot;
  }

  /** The id becomes 0: who still holds the slot sees that its connection has gone. */
  release(slot: number): void {
    this.ints[slot * STRIDE + INT.id] = 0;
    this.free.push(slot);
  }

  /** Connections that are held. */
  get held(): number {
    return this.size - this.free.length;
  }

  private grow(): void {
    this.capacity *= 2;
    const larger = <T extends { set(from: T): void }>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    const { capacity } = this;
    this.ints = larger(this.ints, new Int32Array(capacity * STRIDE));
    this.markTimes = larger(this.markTimes, new Float64Array(capacity * MARK_COUNT));
    this.markFrames = larger(this.markFrames, new Uint32Array(capacity * MARK_COUNT));
    this.sums = larger(this.sums, new Float64Array(capacity * SUMS));
    this.history = larger(this.history, new Uint8Array(capacity * HISTORY_BYTES));
    this.requests = larger(this.requests, new Uint32Array(capacity));
    this.responses = larger(this.responses, new Uint32Array(capacity));
  }
}
