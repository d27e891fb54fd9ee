import type { HttpFacts } from '../../model/trace-app.js';
import type { Moment, Nanos } from '../../model/trace-moment.js';
import { EVENT } from '../events.js';
import type { Flows } from '../flows.js';
import type { Mutable } from '../phases.js';
import { Exchanges } from './exchanges.js';
import { HEAD_CUT, HEAD_NONE, Head, readHead } from './http-head.js';
import { type AppState, M } from './state.js';

/** Where a direction is in its message. */
const PHASE = { head: 0, body: 1, chunkSize: 2, chunkData: 3, trailer: 4, untilClose: 5 } as const;
const MOST_HEAD = 65_536;
const MOST_IDLE_GAPS = 5;
const CONNECT = [67, 79, 78, 78, 69, 67, 84, 32];

interface Extras {
  keepAlive?: { timeoutSeconds?: number; max?: number };
  upgrade?: { to: string; at: Moment };
}

/** What a response changes: the connection speaks something else from here on. */
export type After = 'http' | 'tunnel' | 'websocket' | 'http2' | 'unknown';

/** HTTP/1 in clear text (RFC 9112): heads are read, bodies are skipped. */
export class Http1 {
  readonly exchanges = new Exchanges();
  private phases = new Uint8Array(0);
  private minors = new Uint8Array(0);
  /** Requests whose response has not begun, those of them that are HEAD or CONNECT as bits, and most at a time. */
  private outstanding = new Int32Array(0);
  private heads = new Int32Array(0);
  private connects = new Int32Array(0);
  private pipelined = new Int32Array(0);
  /** Who said Connection: close first: 1 the client, 2 the server. */
  private closers = new Uint8Array(0);
  private readonly extras = new Map<number, Extras>();
  private readonly head = new Head();
  private readonly flows: Flows;

  constructor(private readonly state: AppState) {
    this.flows = state.flows;
  }

  open(slot: number): void {
    const { capacity } = this.flows;
    if (slot >= this.outstanding.length) {
      this.phases = larger(this.phases, new Uint8Array(capacity * 2));
      this.minors = larger(this.minors, new Uint8Array(capacity));
      this.outstanding = larger(this.outstanding, new Int32Array(capacity));
      this.heads = larger(this.heads, new Int32Array(capacity));
      this.connects = larger(this.connects, new Int32Array(capacity));
      this.pipelined = larger(this.pipelined, new Int32Array(capacity));
      this.closers = larger(this.closers, new Uint8Array(capacity));
    }
    this.phases[slot * 2] = PHASE.head;
    this.phases[slot * 2 + 1] = PHASE.head;
    this.outstanding[slot] = 0;
    this.heads[slot] = 0;
    this.connects[slot] = 0;
    this.pipelined[slot] = 0;
    this.closers[slot] = 0;
    this.exchanges.open(slot, capacity);
  }

  /** Gives what the connection speaks afterwards, and from which byte on it does. */
  data(key: number, bytes: Uint8Array, from: number, to: number, frame: number, time: number): After {
    const whole = this.state.joined(key, bytes, from, to);
    return whole === undefined
      ? this.messages(key, bytes, from, to, frame, time)
      : this.messages(key, whole, 0, whole.length, frame, time);
  }

  private messages(
    key: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    frame: number,
    time: number,
  ): After {
    const { state } = this;
    let at = from;
    while (at < to) {
      switch (this.phases[key]) {
        case PHASE.head: {
          // Empty lines before a request are allowed.
          if (bytes[at] === 13 || bytes[at] === 10) {
            at++;
            break;
          }
          const isRequest = (key & 1) === 0;
          const end = readHead(bytes, at, to, isRequest, state.options.keepQueries, this.head);
          if (end === HEAD_CUT) return state.keep(key, bytes, at, to, MOST_HEAD) ? 'http' : 'unknown';
          if (end === HEAD_NONE) return 'unknown';
          const after = isRequest
            ? this.request(key, bytes, frame, time)
            : this.response(key, bytes, frame, time);
          if (after !== 'http') return after;
          at = end;
          break;
        }
        case PHASE.body:
        case PHASE.chunkData: {
          const left = state.skip[key] ?? 0;
          const used = Math.min(left, to - at);
          state.skip[key] = left - used;
          at += used;
          if (left === used)
            this.phases[key] = this.phases[key] === PHASE.body ? PHASE.head : PHASE.chunkSize;
          break;
        }
        case PHASE.chunkSize:
        case PHASE.trailer: {
          const end = bytes.indexOf(10, at);
          if (end < 0 || end >= to) return state.keep(key, bytes, at, to, MOST_HEAD) ? 'http' : 'unknown';
          if (!this.takeLine(key, bytes, at, end)) return 'unknown';
          at = end + 1;
          break;
        }
        default:
          state.skip[key] = Number.POSITIVE_INFINITY;
          return 'http';
      }
    }
    return 'http';
  }

  /** The line with the size of a chunk, or one after the last chunk. */
  private takeLine(key: number, bytes: Uint8Array, from: number, end: number): boolean {
    if (this.phases[key] === PHASE.trailer) {
      const isEmpty = end === from || (end === from + 1 && bytes[from] === 13);
      if (isEmpty) this.phases[key] = PHASE.head;
      return true;
    }
    let size = 0;
    let digits = 0;
    for (let at = from; at < end; at++) {
      const digit = hex(bytes[at] ?? 0);
      if (digit < 0) break;
      size = size * 16 + digit;
      digits++;
    }
    if (digits === 0 || digits > 12) return false;
    this.phases[key] = size === 0 ? PHASE.trailer : PHASE.chunkData;
    // The data and the line end behind it.
    if (size > 0) this.state.skip[key] = size + 2;
    return true;
  }

  private request(key: number, bytes: Uint8Array, frame: number, time: number): After {
    const { head, flows, state } = this;
    const slot = key >> 1;
    const waiting = (this.outstanding[slot] ?? 0) + 1;
    this.outstanding[slot] = waiting;
    if (waiting > (this.pipelined[slot] ?? 0)) this.pipelined[slot] = waiting;
    this.minors[slot] = head.minor;
    const bit = waiting <= 32 ? 1 << (waiting - 1) : 0;
    if (bytes[head.methodFrom] === 72 && head.methodTo - head.methodFrom === 4)
      this.heads[slot] = (this.heads[slot] ?? 0) | bit;
    if (isConnect(bytes, head.methodFrom)) this.connects[slot] = (this.connects[slot] ?? 0) | bit;
    flows.requests[slot] = (flows.requests[slot] ?? 0) + 1;
    flows.markOnce(slot, M.request, time, frame);
    if (waiting === 1) flows.mark(slot, M.pending, time, frame);
    const isFirst = flows.requests[slot] === 1;
    const follows = !isFirst && waiting === 1;
    const before = follows ? flows.timeOf(slot, M.serverData) : time;
    const beforeFrame = follows ? flows.frameOf(slot, M.serverData) : frame;
    this.exchanges.request(slot, bytes, head, frame, time, before, beforeFrame);
    if (state.options.isFollowed(slot))
      state.options.note(slot, EVENT.request, 0, { frame, time }, requestLine(bytes, head));
    if (head.closes && this.closers[slot] === 0) this.closers[slot] = 1;
    this.bodyOf(key, head.isChunked, head.contentLength < 0 ? 0 : head.contentLength);
    return 'http';
  }

  private response(key: number, bytes: Uint8Array, frame: number, time: number): After {
    const { head, flows, state } = this;
    const slot = key >> 1;
    // Interim responses leave the request waiting; 101 ends HTTP.
    if (head.status < 200 && head.status !== 101) return 'http';
    const wasHead = ((this.heads[slot] ?? 0) & 1) !== 0;
    const wasConnect = ((this.connects[slot] ?? 0) & 1) !== 0;
    this.heads[slot] = (this.heads[slot] ?? 0) >>> 1;
    this.connects[slot] = (this.connects[slot] ?? 0) >>> 1;
    this.outstanding[slot] = Math.max(0, (this.outstanding[slot] ?? 0) - 1);
    flows.responses[slot] = (flows.responses[slot] ?? 0) + 1;
    flows.markOnce(slot, M.response, time, frame);
    this.exchanges.response(slot, head.status, frame, time);
    flows.mark(slot, M.pending, this.exchanges.waitingTime(slot), this.exchanges.waitingFrame(slot));
    if (state.options.isFollowed(slot))
      state.options.note(slot, EVENT.response, 1, { frame, time }, undefined, head.status);
    if (head.closes && this.closers[slot] === 0) this.closers[slot] = 2;
    if (head.keepAliveSeconds >= 0 || head.keepAliveMost >= 0) this.keepAlive(slot);
    if (head.status === 101) return this.upgrade(slot, bytes, frame, time);
    if (wasConnect && head.status < 300) return 'tunnel';
    if (wasHead || head.status === 204 || head.status === 304) return 'http';
    if (!head.isChunked && head.contentLength < 0) this.phases[key] = PHASE.untilClose;
    else this.bodyOf(key, head.isChunked, head.contentLength);
    return 'http';
  }

  private bodyOf(key: number, isChunked: boolean, length: number): void {
    if (isChunked) this.phases[key] = PHASE.chunkSize;
    else if (length > 0) {
      this.phases[key] = PHASE.body;
      this.state.skip[key] = length;
    }
  }

  private extrasOf(slot: number): Extras {
    let extras = this.extras.get(slot);
    if (extras === undefined) {
      extras = {};
      this.extras.set(slot, extras);
    }
    return extras;
  }

  private keepAlive(slot: number): void {
    const { keepAliveSeconds, keepAliveMost } = this.head;
    this.extrasOf(slot).keepAlive ??= {
      ...(keepAliveSeconds >= 0 && { timeoutSeconds: keepAliveSeconds }),
      ...(keepAliveMost >= 0 && { max: keepAliveMost }),
    };
  }

  private upgrade(slot: number, bytes: Uint8Array, frame: number, time: number): After {
    const to = decoder.decode(
      bytes.subarray(this.head.upgradeFrom, Math.min(this.head.upgradeTo, this.head.upgradeFrom + 64)),
    );
    this.extrasOf(slot).upgrade = { to, at: { frame, time: time as Nanos } };
    this.state.options.note(slot, EVENT.upgrade, 1, { frame, time }, to);
    const name = to.toLowerCase();
    return name === 'websocket' ? 'websocket' : name === 'h2c' ? 'http2' : 'tunnel';
  }

  has(slot: number): boolean {
    return this.exchanges.count(slot) > 0 || (this.flows.responses[slot] ?? 0) > 0;
  }

  swap(slot: number): void {
    const client = this.phases[slot * 2] ?? 0;
    this.phases[slot * 2] = this.phases[slot * 2 + 1] ?? 0;
    this.phases[slot * 2 + 1] = client;
  }

  free(slot: number): void {
    this.exchanges.release(slot);
    if (this.extras.size > 0) this.extras.delete(slot);
  }

  facts(slot: number): HttpFacts {
    const { flows } = this;
    const extras = this.extras.get(slot);
    const closer = this.closers[slot] ?? 0;
    const isWebSocket = extras?.upgrade?.to.toLowerCase() === 'websocket';
    const facts: Mutable<HttpFacts> = {
      version: isWebSocket ? 'websocket' : `1.${this.minors[slot] ?? 1}`,
      requests: flows.requests[slot] ?? 0,
      responses: flows.responses[slot] ?? 0,
      pipelined: this.pipelined[slot] ?? 0,
      exchanges: this.exchanges.list(slot),
      idleGaps: this.exchanges.idleGaps(slot, MOST_IDLE_GAPS),
      connectionClose: closer === 0 ? undefined : closer === 1 ? 'client' : 'server',
    };
    if (extras !== undefined) Object.assign(facts, extras);
    return facts;
  }
}

const decoder = new TextDecoder('latin1');
const MOST_SHOWN = 120;

/** Method and path as `readHead` has cut it: what lies between them on the wire may be a password. */
function requestLine(bytes: Uint8Array, { methodFrom, methodTo, pathFrom, pathTo }: Head): string {
  const text = (from: number, to: number) =>
    decoder.decode(bytes.subarray(from, Math.min(to, from + MOST_SHOWN)));
  return `${text(methodFrom, methodTo)} ${text(pathFrom, pathTo)}`;
}

function isConnect(bytes: Uint8Array, from: number): boolean {
  for (let index = 0; index < CONNECT.length; index++)
    if (bytes[from + index] !== CONNECT[index]) return false;
  return true;
}

function hex(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

function larger<T extends Uint8Array | Int32Array>(from: T, to: T): T {
  to.set(from as never);
  return to;
}
