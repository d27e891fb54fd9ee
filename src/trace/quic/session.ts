import type { QuicFacts } from '../../model/trace-app.js';
import type { Moment, Nanos } from '../../model/trace-moment.js';
import { type Hello, parseClientHello, parseServerHello } from '../app/hello.js';
import { CryptoStream, readFrames } from './crypto-stream.js';
import { type QuicHeader, readHeader, versionName } from './header.js';
import { initialKeys, openInitial } from './initial.js';

const MOST_HISTORY = 40;
const MOST_PACKETS_OPENED = 64;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const LETTERS = {
  initial: 'I',
  zero_rtt: 'Z',
  handshake: 'H',
  retry: 'R',
  short: 'O',
  negotiation: 'V',
  unfamiliar: 'U',
} as const;

/** When each was seen first. */
export type QuicMarks = {
  -readonly [Key in
    | 'initial'
    | 'serverInitial'
    | 'handshakeDone'
    | 'retry'
    | 'versionNegotiation'
    | 'zeroRtt'
    | 'clientHello'
    | 'serverHello']?: Moment;
};

/** One QUIC connection: its packets in clear text, and of the encrypted ones that they are there. */
export class QuicSession {
  version = 0;
  dcid: Uint8Array = new Uint8Array(0);
  scid: Uint8Array = new Uint8Array(0);
  established = false;
  readonly marks: QuicMarks = {};
  private close: QuicFacts['close'];
  private keys: ReturnType<typeof initialKeys> | undefined;
  private readonly streams: readonly [CryptoStream, CryptoStream] = [new CryptoStream(), new CryptoStream()];
  private clientHello: Hello | undefined;
  private serverHello: Hello | undefined;
  private history = '';
  private opened = 0;
  private hasOpenedClient = false;
  private readonly shorts: [number, number] = [0, 0];

  /** Only a client's Initial opens with the client's keys; only servers send Retry and Version Negotiation. */
  get knowsClient(): boolean {
    const { retry, versionNegotiation } = this.marks;
    return this.hasOpenedClient || retry !== undefined || versionNegotiation !== undefined;
  }

  /** A datagram: several packets may share it. `direction` 0: from the client. `kinds`, where given, gets the kind of each. */
  datagram(
    bytes: Uint8Array,
    from: number,
    to: number,
    direction: 0 | 1,
    at: Moment,
    kinds?: QuicHeader['kind'][],
  ): void {
    for (let next = from; next < to; ) {
      const header = readHeader(bytes, next, to);
      if (header === undefined) return;
      kinds?.push(header.kind);
      this.packet(bytes, next, header, direction, at);
      if (header.end <= next) return;
      next = header.end;
    }
  }

  private packet(bytes: Uint8Array, from: number, header: QuicHeader, direction: 0 | 1, at: Moment): void {
    const { marks } = this;
    if (header.kind !== 'short') this.write(LETTERS[header.kind], direction);
    if (header.kind === 'short') this.short(direction, at);
    else if (header.kind === 'negotiation') marks.versionNegotiation ??= at;
    else if (header.kind === 'retry') this.retry(header, at);
    else if (header.kind === 'zero_rtt') marks.zeroRtt ??= at;
    else if (header.kind === 'initial') this.initial(bytes, from, header, direction, at);
    else if (header.kind === 'unfamiliar') this.version ||= header.version;
    else if (direction === 0) this.established = true;
  }

  private retry(header: QuicHeader, at: Moment): void {
    this.marks.retry ??= at;
    // The next Initial is protected by the connection id that the server chose here (RFC 9001 section 5.2).
    this.keys = undefined;
    this.dcid = header.scid.slice();
  }

  private initial(bytes: Uint8Array, from: number, header: QuicHeader, direction: 0 | 1, at: Moment): void {
    if (direction === 0) {
      this.marks.initial ??= at;
      if (this.keys === undefined || header.version !== this.version) {
        this.version = header.version;
        this.dcid = header.dcid.slice();
        this.keys = initialKeys(header.version, header.dcid);
      }
    } else {
      this.marks.serverInitial ??= at;
      this.scid = header.scid.slice();
    }
    if (this.keys === undefined || this.opened >= MOST_PACKETS_OPENED) return;
    this.opened++;
    const frames = openInitial(direction === 0 ? this.keys.client : this.keys.server, bytes, from, header);
    if (frames === undefined) return;
    if (direction === 0) this.hasOpenedClient = true;
    const stream = this.streams[direction];
    readFrames(frames, {
      crypto: (offset, piece) => stream.add(offset, piece),
      close: () => {
        this.write('C', direction);
        this.close ??= { from: direction === 0 ? 'client' : 'server', at };
      },
    });
    this.hello(direction, at);
  }

  private hello(direction: 0 | 1, at: Moment): void {
    if ((direction === 0 ? this.clientHello : this.serverHello) !== undefined) return;
    const bytes = this.streams[direction].prefix();
    const length = ((bytes[1] ?? 0) << 16) | ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
    if (bytes.length < 4 || bytes.length < 4 + length) return;
    if (direction === 0 && bytes[0] === CLIENT_HELLO)
      this.clientHello = parseClientHello(bytes, 4, 4 + length);
    if (direction === 1 && bytes[0] === SERVER_HELLO)
      this.serverHello = parseServerHello(bytes, 4, 4 + length);
    this.marks[direction === 0 ? 'clientHello' : 'serverHello'] ??= at;
    this.write('S', direction);
  }

  /** Only who has the keys of the handshake sends these: the client's first one shows that it is done. */
  private short(direction: 0 | 1, at: Moment): void {
    const count = ++this.shorts[direction];
    if ((count & (count - 1)) === 0) this.write('O', direction);
    if (direction === 0) {
      this.marks.handshakeDone ??= at;
      this.established = true;
    }
  }

  private write(letter: string, direction: 0 | 1): void {
    if (this.history.length < MOST_HISTORY) this.history += direction === 0 ? letter : letter.toLowerCase();
  }

  facts(): QuicFacts {
    const { clientHello } = this;
    const { clientHello: _, serverHello: __, ...marks } = this.marks;
    const alpn = this.serverHello?.alpn[0] ?? clientHello?.alpn[0];
    return {
      ...(this.version !== 0 && { version: versionName(this.version) }),
      ...(this.dcid.length > 0 && { dcid: hex(this.dcid) }),
      ...(this.scid.length > 0 && { scid: hex(this.scid) }),
      ...marks,
      ...(this.close && { close: this.close }),
      ...(clientHello?.sni !== undefined && { sni: clientHello.sni }),
      ...(alpn !== undefined && { alpn }),
      history: this.history,
    };
  }
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const momentOf = (frame: number, time: number): Moment => ({ frame, time: time as Nanos });
