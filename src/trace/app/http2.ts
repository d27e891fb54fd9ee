import type { HttpFacts } from '../../model/trace-app.js';
import type { Nanos } from '../../model/trace-moment.js';
import { EVENT } from '../events.js';
import type { Flows } from '../flows.js';
import { type AppState, M } from './state.js';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const FRAME_BYTES = 9;
const HEADERS = 1;
const GO_AWAY = 7;
const MOST_FRAME = 1 << 24;
const MOST_STREAMS = 10_000;

type GoAway = NonNullable<NonNullable<HttpFacts['http2']>['goAway']>;

interface Session {
  hasPreface: boolean;
  lastStream: number;
  streams: number;
  /** Streams without a response. */
  readonly waiting: Set<number>;
  goAway: GoAway | undefined;
}

export const looksLikeHttp2 = (bytes: Uint8Array, from: number, to: number): boolean => {
  const length = Math.min(to - from, PREFACE.length);
  for (let index = 0; index < length; index++)
    if (bytes[from + index] !== PREFACE.charCodeAt(index)) return false;
  return length >= 3;
};

/** HTTP/2 in clear text (RFC 9113): frames, streams that open, responses that begin, GOAWAY. Header blocks are not unpacked. */
export class Http2 {
  private readonly sessions = new Map<number, Session>();
  private readonly flows: Flows;

  constructor(private readonly state: AppState) {
    this.flows = state.flows;
  }

  /** `upgraded`: stream 1 is the request of HTTP/1 that asked for it. */
  begin(slot: number, upgraded: boolean): void {
    const waiting = new Set<number>(upgraded ? [1] : []);
    const streams = upgraded ? 1 : 0;
    this.sessions.set(slot, { hasPreface: false, lastStream: streams, streams, waiting, goAway: undefined });
  }

  data(key: number, bytes: Uint8Array, from: number, to: number, frame: number, time: number): void {
    const whole = this.state.joined(key, bytes, from, to);
    if (whole !== undefined) this.frames(key, whole, 0, whole.length, frame, time);
    else this.frames(key, bytes, from, to, frame, time);
  }

  private frames(
    key: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    frame: number,
    time: number,
  ): void {
    const { state } = this;
    const session = this.sessions.get(key >> 1);
    if (session === undefined) {
      state.ignore(key);
      return;
    }
    let at = from;
    if ((key & 1) === 0 && !session.hasPreface) {
      if (to - at < PREFACE.length) {
        state.keep(key, bytes, at, to, PREFACE.length);
        return;
      }
      session.hasPreface = true;
      at += PREFACE.length;
    }
    while (to - at >= FRAME_BYTES) {
      const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
      const type = bytes[at + 3] ?? 0;
      if (length > MOST_FRAME) {
        state.ignore(key);
        return;
      }
      if (type === GO_AWAY && to - at - FRAME_BYTES < Math.min(8, length)) break;
      this.frame(session, key, bytes, at, type, frame, time);
      at += FRAME_BYTES + length;
      if (at > to) {
        state.skip[key] = at - to;
        return;
      }
    }
    if (!state.keep(key, bytes, at, to, 64)) state.ignore(key);
  }

  private frame(
    session: Session,
    key: number,
    bytes: Uint8Array,
    at: number,
    type: number,
    frame: number,
    time: number,
  ): void {
    const slot = key >> 1;
    const direction = key & 1;
    const u32 = (offset: number) =>
      (((bytes[offset] ?? 0) << 24) |
        ((bytes[offset + 1] ?? 0) << 16) |
        ((bytes[offset + 2] ?? 0) << 8) |
        (bytes[offset + 3] ?? 0)) >>>
      0;
    if (type === GO_AWAY && session.goAway === undefined) {
      const from = direction === 0 ? ('client' as const) : ('server' as const);
      session.goAway = { from, code: u32(at + FRAME_BYTES + 4), at: { frame, time: time as Nanos } };
    } else if (type === HEADERS) {
      const stream = u32(at + 5) & 0x7fffffff;
      if (direction === 0) this.request(session, slot, stream, frame, time);
      else this.response(session, slot, stream, frame, time);
    }
  }

  private request(session: Session, slot: number, stream: number, frame: number, time: number): void {
    if (stream <= session.lastStream) return;
    const { flows } = this;
    session.lastStream = stream;
    session.streams++;
    if (session.waiting.size < MOST_STREAMS) session.waiting.add(stream);
    flows.requests[slot] = (flows.requests[slot] ?? 0) + 1;
    flows.markOnce(slot, M.request, time, frame);
    if (session.waiting.size === 1) flows.mark(slot, M.pending, time, frame);
    this.state.options.note(slot, EVENT.request, 0, { frame, time }, `stream ${stream}`);
  }

  private response(session: Session, slot: number, stream: number, frame: number, time: number): void {
    if (!session.waiting.delete(stream)) return;
    const { flows } = this;
    flows.responses[slot] = (flows.responses[slot] ?? 0) + 1;
    flows.markOnce(slot, M.response, time, frame);
    if (session.waiting.size === 0) this.state.clearPending(slot);
    this.state.options.note(slot, EVENT.response, 1, { frame, time }, `stream ${stream}`);
  }

  has(slot: number): boolean {
    return this.sessions.has(slot);
  }

  free(slot: number): void {
    if (this.sessions.size > 0) this.sessions.delete(slot);
  }

  /** Its part of the facts. */
  facts(slot: number): HttpFacts['http2'] {
    const session = this.sessions.get(slot);
    if (session === undefined) return undefined;
    return { streams: session.streams, ...(session.goAway && { goAway: session.goAway }) };
  }
}
