import type { TlsFacts } from '../../model/trace-app.js';
import type { Nanos, Peer } from '../../model/trace-moment.js';
import { EVENT } from '../events.js';
import type { Flows } from '../flows.js';
import { parseServerHello, versionText } from './hello.js';
import { type AppState, M } from './state.js';
import { makeSession, type Session, type Side, TLS13, tlsFacts } from './tls-session.js';

const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const MOST_HANDSHAKE = 66_000;
const MOST_RECORD = 16_384 + 2048;
/** Bytes of an alert in TLS 1.3: two, their type, and the tag of the cipher (RFC 8446 section 5.2; 8 bytes with CCM_8). */
const ENCRYPTED_ALERTS = new Set([2 + 1 + 16, 2 + 1 + 8]);

/** Whether these bytes may begin a TLS record of the handshake. */
export const looksLikeTls = (bytes: Uint8Array, from: number): boolean =>
  bytes[from] === HANDSHAKE && bytes[from + 1] === 3 && (bytes[from + 2] ?? 9) <= 4;

/** TLS from its records: handshake messages in clear text, then only where the handshake ends and the first data goes each way. */
export class Tls {
  private readonly sessions = new Map<number, Session>();
  private readonly flows: Flows;

  constructor(private readonly state: AppState) {
    this.flows = state.flows;
  }

  data(key: number, bytes: Uint8Array, from: number, to: number, frame: number, time: number): void {
    const whole = this.state.joined(key, bytes, from, to);
    if (whole !== undefined) this.records(key, whole, 0, whole.length, frame, time);
    else this.records(key, bytes, from, to, frame, time);
  }

  private records(
    key: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    frame: number,
    time: number,
  ): void {
    const { state } = this;
    const session = this.sessionOf(key >> 1);
    let at = from;
    while (to - at >= 5) {
      const type = bytes[at] ?? 0;
      const length = ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 4] ?? 0);
      if (type < CHANGE_CIPHER_SPEC || type > 24 || bytes[at + 1] !== 3 || length > MOST_RECORD) {
        state.ignore(key);
        return;
      }
      const isClear = type !== APPLICATION_DATA && !(session.sides[key & 1]?.encrypted && type === HANDSHAKE);
      // A record in clear text is read when it is whole; of an encrypted one only the header counts.
      if (isClear && to - at - 5 < length) break;
      this.record(session, key, type, bytes, at + 5, at + 5 + length, frame, time);
      if (state.skip[key] === Number.POSITIVE_INFINITY) return;
      at += 5 + length;
      if (at > to) {
        state.skip[key] = at - to;
        return;
      }
    }
    if (!state.keep(key, bytes, at, to, MOST_RECORD)) state.ignore(key);
  }

  private sessionOf(slot: number): Session {
    let session = this.sessions.get(slot);
    if (session === undefined) {
      session = makeSession();
      this.sessions.set(slot, session);
    }
    return session;
  }

  /** `to`: where the record ends; of an encrypted one the bytes may not be there to the end. */
  private record(
    session: Session,
    key: number,
    type: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    frame: number,
    time: number,
  ): void {
    const slot = key >> 1;
    const direction = key & 1;
    const side = session.sides[direction as 0 | 1];
    if (type === CHANGE_CIPHER_SPEC) {
      this.flows.markOnce(slot, direction === 0 ? M.clientCcs : M.serverCcs, time, frame);
      this.state.options.note(slot, EVENT.change_cipher_spec, direction, { frame, time });
      // In 1.3 it means nothing, and in a HelloRetryRequest the next ClientHello still comes in clear text.
      if (session.version !== TLS13) side.encrypted = true;
    } else if (type === ALERT) this.alert(session, slot, direction, side, bytes, from, to, frame, time);
    else if (type === HANDSHAKE && !side.encrypted)
      this.handshake(session, slot, direction, side, bytes, from, to, frame, time);
    else if (type === HANDSHAKE) this.finished12(session, slot, direction, frame, time);
    else if (type === APPLICATION_DATA) this.application(session, slot, direction, to - from, frame, time);
  }

  private handshake(
    session: Session,
    slot: number,
    direction: number,
    side: Side,
    bytes: Uint8Array,
    from: number,
    to: number,
    frame: number,
    time: number,
  ): void {
    let at = from;
    let end = to;
    let all = bytes;
    if (side.handshake !== undefined) {
      all = concat(side.handshake, bytes.subarray(from, to));
      at = 0;
      end = all.length;
      side.handshake = undefined;
    }
    while (end - at >= 4) {
      const length = ((all[at + 1] ?? 0) << 16) | ((all[at + 2] ?? 0) << 8) | (all[at + 3] ?? 0);
      if (end - at - 4 < length) break;
      this.message(session, slot, direction, all[at] ?? 0, all, at + 4, at + 4 + length, frame, time);
      at += 4 + length;
    }
    if (at < end && end - at <= MOST_HANDSHAKE) side.handshake = all.slice(at, end);
  }

  private message(
    session: Session,
    slot: number,
    direction: number,
    type: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    frame: number,
    time: number,
  ): void {
    const { flows } = this;
    const { note } = this.state.options;
    if (type === CLIENT_HELLO && direction === 0) {
      flows.markOnce(slot, M.clientHello, time, frame);
      session.clientHello ??= bytes.slice(from, to);
      note(slot, EVENT.client_hello, direction, { frame, time });
    } else if (type === SERVER_HELLO && direction === 1) {
      const hello = parseServerHello(bytes, from, to);
      if (hello === undefined) return;
      session.version = hello.version;
      if (hello.isRetry) {
        session.helloRetry = true;
        note(slot, EVENT.hello_retry, direction, { frame, time });
        return;
      }
      session.serverHello = hello;
      flows.markOnce(slot, M.serverHello, time, frame);
      note(slot, EVENT.server_hello, direction, { frame, time }, versionText(hello.version));
    } else if (type === 11 && direction === 1) session.sawCertificate = true;
  }

  private alert(
    session: Session,
    slot: number,
    direction: number,
    side: Side,
    bytes: Uint8Array,
    from: number,
    to: number,
    frame: number,
    time: number,
  ): void {
    if (side.encrypted || to - from !== 2 || session.alert !== undefined) return;
    const [level = 0, description = 0] = bytes.subarray(from, to);
    const at = { frame, time: time as Nanos };
    session.alert = { from: peer(direction), level, description, at };
    if (description !== 0)
      this.state.options.note(slot, EVENT.tls_alert, direction, at, undefined, description);
  }

  /** TLS 1.2 and before: the first handshake record after ChangeCipherSpec is Finished; the handshake ends with the later one. */
  private finished12(session: Session, slot: number, direction: number, frame: number, time: number): void {
    const bit = 1 << direction;
    if ((session.finishedBy & bit) !== 0) return;
    session.finishedBy |= bit;
    if (session.finishedBy !== 3) return;
    this.flows.markOnce(slot, M.finished, time, frame);
    this.state.options.note(slot, EVENT.finished, direction, { frame, time });
  }

  private application(
    session: Session,
    slot: number,
    direction: number,
    length: number,
    frame: number,
    time: number,
  ): void {
    const { flows } = this;
    const isDone = flows.frameOf(slot, M.finished) !== 0;
    if (direction === 0) {
      // close_notify, as a rule: no request, and no Finished either, which has 53 bytes at least.
      if (session.version === TLS13 && ENCRYPTED_ALERTS.has(length)) return;
      // The client's first encrypted record after the ServerHello ends the handshake of 1.3; before it, it is early data.
      if (!isDone && session.version === TLS13 && flows.frameOf(slot, M.serverHello) !== 0) {
        flows.markOnce(slot, M.finished, time, frame);
        this.state.options.note(slot, EVENT.finished, direction, { frame, time });
        return;
      }
      this.request(slot, direction, frame, time);
      return;
    }
    // What the server sends encrypted before the request is its part of the handshake, or tickets.
    if (flows.frameOf(slot, M.request) === 0) return;
    if (!isDone && session.version === TLS13) return;
    flows.markOnce(slot, M.response, time, frame);
    this.state.clearPending(slot);
    this.state.ignore(slot * 2);
    this.state.ignore(slot * 2 + 1);
  }

  private request(slot: number, direction: number, frame: number, time: number): void {
    const { flows } = this;
    if (flows.frameOf(slot, M.request) !== 0) return;
    flows.mark(slot, M.request, time, frame);
    flows.mark(slot, M.pending, time, frame);
    this.state.options.note(slot, EVENT.request, direction, { frame, time });
  }

  /** Bytes are missing: inside a record they do not matter, else the direction is lost. */
  gap(key: number): void {
    this.state.ignore(key);
  }

  has(slot: number): boolean {
    return this.sessions.has(slot);
  }

  swap(slot: number): void {
    const session = this.sessions.get(slot);
    if (session === undefined) return;
    const [client, server] = session.sides;
    this.sessions.set(slot, { ...session, sides: [server, client] });
  }

  free(slot: number): void {
    if (this.sessions.size > 0) this.sessions.delete(slot);
  }

  facts(slot: number): TlsFacts | undefined {
    const session = this.sessions.get(slot);
    return session && tlsFacts(session, this.state, slot);
  }
}

const peer = (direction: number): Peer => (direction === 0 ? 'client' : 'server');

function concat(one: Uint8Array, other: Uint8Array): Uint8Array {
  const whole = new Uint8Array(one.length + other.length);
  whole.set(one);
  whole.set(other, one.length);
  return whole;
}
