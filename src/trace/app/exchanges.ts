import type { HttpExchange } from '../../model/trace-app.js';
import type { Moment, Nanos } from '../../model/trace-moment.js';
import type { Mutable } from '../phases.js';
import { TextCache } from '../text-cache.js';
import type { Head } from './http-head.js';

const START = 1024;
const NONE = -1;
const TIMES = 4;
const FIELDS = 9;
const TEXT_BYTES = 384;
const MOST_HOST = 128;
const T = { before: 0, request: 1, response: 2, responseEnd: 3 } as const;
const F = {
  next: 0,
  requestFrame: 1,
  responseFrame: 2,
  status: 3,
  flags: 4,
  methodBytes: 5,
  pathBytes: 6,
  hostBytes: 7,
  beforeFrame: 8,
} as const;
const HAS_KEY = 1;
const MOST = 100;

/** Requests and responses of connections as rows of an arena: text is copied as bytes, and becomes strings only when it is shown. */
export class Exchanges {
  private times = new Float64Array(START * TIMES);
  private ints = new Int32Array(START * FIELDS);
  private text = new Uint8Array(START * TEXT_BYTES);
  private readonly texts = new TextCache();
  private size = 0;
  private free = NONE;
  /** By slot: first and last row, the one whose response is next, and how many. */
  private first: Int32Array = new Int32Array(0);
  private last: Int32Array = new Int32Array(0);
  private next: Int32Array = new Int32Array(0);
  private counts: Int32Array = new Int32Array(0);

  open(slot: number, capacity: number): void {
    if (slot >= this.first.length) {
      this.first = grown(this.first, capacity);
      this.last = grown(this.last, capacity);
      this.next = grown(this.next, capacity);
      this.counts = grown(this.counts, capacity);
    }
    this.first[slot] = NONE;
    this.last[slot] = NONE;
    this.next[slot] = NONE;
    this.counts[slot] = 0;
  }

  /** `before` and `beforeFrame`: of the last byte of the response before; the request's own where there is none. */
  request(
    slot: number,
    bytes: Uint8Array,
    head: Head,
    frame: number,
    time: number,
    before: number,
    beforeFrame: number,
  ): void {
    const count = this.counts[slot] ?? 0;
    this.counts[slot] = count + 1;
    if (count >= MOST) return;
    const row = this.take();
    const int = row * FIELDS;
    this.times[row * TIMES + T.before] = before;
    this.times[row * TIMES + T.request] = time;
    this.times[row * TIMES + T.response] = 0;
    this.ints[int + F.next] = NONE;
    this.ints[int + F.requestFrame] = frame;
    this.ints[int + F.beforeFrame] = beforeFrame;
    this.ints[int + F.responseFrame] = 0;
    this.ints[int + F.status] = 0;
    this.ints[int + F.flags] = head.hasIdempotencyKey ? HAS_KEY : 0;
    const at = row * TEXT_BYTES;
    const method = this.copy(at, bytes, head.methodFrom, head.methodTo, 16);
    const path = this.copy(at + method, bytes, head.pathFrom, head.pathTo, TEXT_BYTES - MOST_HOST - 16);
    const host = this.copy(at + method + path, bytes, head.hostFrom, head.hostTo, MOST_HOST);
    this.ints[int + F.methodBytes] = method;
    this.ints[int + F.pathBytes] = path;
    this.ints[int + F.hostBytes] = host;
    const last = this.last[slot] ?? NONE;
    if (last === NONE) this.first[slot] = row;
    else this.ints[last * FIELDS + F.next] = row;
    this.last[slot] = row;
    if (this.next[slot] === NONE) this.next[slot] = row;
  }

  private copy(at: number, bytes: Uint8Array, from: number, to: number, most: number): number {
    const length = Math.min(to - from, most);
    for (let index = 0; index < length; index++) this.text[at + index] = bytes[from + index] ?? 0;
    return length;
  }

  /** The response to the oldest request without one. */
  response(slot: number, status: number, frame: number, time: number): void {
    const row = this.next[slot] ?? NONE;
    if (row === NONE) return;
    this.times[row * TIMES + T.response] = time;
    this.ints[row * FIELDS + F.responseFrame] = frame;
    this.ints[row * FIELDS + F.status] = status;
    this.next[slot] = this.ints[row * FIELDS + F.next] ?? NONE;
  }

  /** Frame and time of the oldest request without a response; frame 0: none. */
  waitingFrame(slot: number): number {
    const row = this.next[slot] ?? NONE;
    return row === NONE ? 0 : (this.ints[row * FIELDS + F.requestFrame] ?? 0);
  }

  waitingTime(slot: number): number {
    const row = this.next[slot] ?? NONE;
    return row === NONE ? 0 : (this.times[row * TIMES + T.request] ?? 0);
  }

  count(slot: number): number {
    return this.counts[slot] ?? 0;
  }

  release(slot: number): void {
    let row = this.first[slot] ?? NONE;
    while (row !== NONE) {
      const next = this.ints[row * FIELDS + F.next] ?? NONE;
      this.ints[row * FIELDS + F.next] = this.free;
      this.free = row;
      row = next;
    }
    this.first[slot] = NONE;
    this.last[slot] = NONE;
    this.next[slot] = NONE;
    this.counts[slot] = 0;
  }

  private take(): number {
    if (this.free !== NONE) {
      const row = this.free;
      this.free = this.ints[row * FIELDS + F.next] ?? NONE;
      return row;
    }
    if (this.size * FIELDS >= this.ints.length) {
      this.times = doubled(this.times);
      this.ints = doubled(this.ints);
      this.text = doubled(this.text);
    }
    return this.size++;
  }

  list(slot: number): HttpExchange[] {
    const found: HttpExchange[] = [];
    for (let row = this.first[slot] ?? NONE; row !== NONE; row = this.int(row, F.next)) {
      found.push(this.exchange(row));
    }
    return found;
  }

  private exchange(row: number): HttpExchange {
    const method = row * TEXT_BYTES;
    const path = method + this.int(row, F.methodBytes);
    const host = path + this.int(row, F.pathBytes);
    const end = host + this.int(row, F.hostBytes);
    const status = this.int(row, F.status);
    const responseFrame = this.int(row, F.responseFrame);
    const found: Mutable<HttpExchange> = {
      method: this.texts.text(this.text, method, path),
      path: this.texts.text(this.text, path, host),
      host: end > host ? this.texts.text(this.text, host, end) : undefined,
      status: status === 0 ? undefined : status,
      request: { frame: this.int(row, F.requestFrame), time: this.time(row, T.request) },
      response: responseFrame === 0 ? undefined : { frame: responseFrame, time: this.time(row, T.response) },
    };
    if ((this.int(row, F.flags) & HAS_KEY) !== 0) found.hasIdempotencyKey = true;
    return found;
  }

  private int(row: number, field: number): number {
    return this.ints[row * FIELDS + field] ?? 0;
  }

  private time(row: number, field: number): Nanos {
    return (this.times[row * TIMES + field] ?? 0) as Nanos;
  }

  /** Times without a byte before requests that were not the first, the longest first. */
  idleGaps(slot: number, most: number): { start: Moment; idle: Nanos }[] {
    const gaps: { start: Moment; idle: Nanos }[] = [];
    const first = this.first[slot] ?? NONE;
    if (first === this.last[slot]) return gaps;
    for (let row = this.int(first, F.next); row !== NONE; row = this.int(row, F.next)) {
      const before = this.time(row, T.before);
      const idle = (this.time(row, T.request) - before) as Nanos;
      if (idle > 0) gaps.push({ start: { frame: this.int(row, F.beforeFrame), time: before }, idle });
    }
    return gaps.sort((a, b) => b.idle - a.idle).slice(0, most);
  }
}

function grown(values: Int32Array, capacity: number): Int32Array {
  const larger = new Int32Array(capacity).fill(NONE);
  larger.set(values);
  return larger;
}

function doubled<T extends Float64Array | Int32Array | Uint8Array>(values: T): T {
  const larger = new (values.constructor as new (length: number) => T)(values.length * 2);
  larger.set(values as never);
  return larger;
}
