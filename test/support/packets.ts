/** Builds packets and captures for tests, byte by byte as the RFCs have them. */

export const FLAGS = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

export interface Segment {
  readonly from?: 'client' | 'server';
  readonly flags: number;
  readonly seq: number;
  readonly ack?: number;
  readonly window?: number;
  readonly payload?: string | Uint8Array;
  readonly options?: readonly number[];
  readonly ipId?: number;
}

export interface Timed {
  /** Seconds since the epoch. */
  readonly time: number;
  readonly bytes: Uint8Array;
  /** Length on the wire, where a snap length cut it. */
  readonly original?: number;
}

const CLIENT = [10, 0, 0, 1] as const;
const SERVER = [10, 0, 0, 2] as const;
const PORTS = { client: 40_000, server: 80 } as const;

export const u16 = (value: number): number[] => [(value >>> 8) & 255, value & 255];
export const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];
export const bytesOf = (...parts: readonly (readonly number[] | Uint8Array)[]): Uint8Array =>
  new Uint8Array(parts.flatMap((part) => [...part]));

/** A TCP segment with its header (RFC 9293). */
export function tcp(segment: Segment, ports: { client: number; server: number } = PORTS): Uint8Array {
  const isClient = segment.from !== 'server';
  const options = [...(segment.options ?? [])];
  while (options.length % 4 !== 0) options.push(1);
  const payload =
    typeof segment.payload === 'string' ? Buffer.from(segment.payload, 'latin1') : (segment.payload ?? []);
  return bytesOf(
    u16(isClient ? ports.client : ports.server),
    u16(isClient ? ports.server : ports.client),
    u32(segment.seq),
    u32(segment.ack ?? 0),
    [((20 + options.length) / 4) << 4, segment.flags],
    u16(segment.window ?? 64_240),
    [0, 0, 0, 0],
    options,
    [...payload],
  );
}

export const udp = (source: number, target: number, payload: Uint8Array): Uint8Array =>
  bytesOf(u16(source), u16(target), u16(8 + payload.length), [0, 0], payload);

let ipIds = 1;

/** An IPv4 packet (RFC 791). */
export function ipv4(
  protocol: number,
  payload: Uint8Array,
  { reverse = false, ipId = ipIds++ & 0xffff, fragment = 0, total = 20 + payload.length } = {},
): Uint8Array {
  const [source, target] = reverse ? [SERVER, CLIENT] : [CLIENT, SERVER];
  return bytesOf(
    [0x45, 0],
    u16(total),
    u16(ipId),
    u16(fragment),
    [64, protocol, 0, 0],
    source,
    target,
    payload,
  );
}

/** An IPv6 packet (RFC 8200) between fd00::1 and fd00::2. */
export function ipv6(next: number, payload: Uint8Array, reverse = false): Uint8Array {
  const address = (last: number) => [0xfd, ...Array<number>(14).fill(0), last];
  const [source, target] = reverse ? [2, 1] : [1, 2];
  return bytesOf([0x60, 0, 0, 0], u16(payload.length), [next, 64], address(source), address(target), payload);
}

export const ethernet = (type: number, payload: Uint8Array): Uint8Array =>
  bytesOf([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1], u16(type), payload);

/** One TCP connection on Ethernet and IPv4: counts sequence numbers for both sides. */
export class Conversation {
  readonly packets: Timed[] = [];
  private readonly next = { client: 1000, server: 5000 };
  time: number;

  constructor(
    time = 1_700_000_000,
    private readonly ports: { client: number; server: number } = PORTS,
  ) {
    this.time = time;
  }

  /** Lets time pass. */
  wait(seconds: number): this {
    this.time += seconds;
    return this;
  }

  /** Sends as given; sequence numbers do not move. */
  raw(segment: Segment): this {
    const payload = tcp(segment, this.ports);
    const { ipId } = segment;
    const packet = ipv4(6, payload, {
      reverse: segment.from === 'server',
      ...(ipId !== undefined && { ipId }),
    });
    this.packets.push({ time: this.time, bytes: ethernet(0x0800, packet) });
    this.time += 0.0001;
    return this;
  }

  private send(from: 'client' | 'server', flags: number, payload = '', extra: Partial<Segment> = {}): this {
    const other = from === 'client' ? 'server' : 'client';
    this.raw({
      from,
      flags,
      seq: this.next[from],
      ack: flags & FLAGS.ack ? this.next[other] : 0,
      payload,
      ...extra,
    });
    this.next[from] += payload.length + (flags & (FLAGS.syn | FLAGS.fin) ? 1 : 0);
    return this;
  }

  handshake(): this {
    const options = [2, 4, 5, 180, 3, 3, 7, 4, 2];
    return this.send('client', FLAGS.syn, '', { options })
      .send('server', FLAGS.syn | FLAGS.ack, '', { options })
      .ack('client');
  }

  syn(): this {
    return this.send('client', FLAGS.syn);
  }

  synAck(): this {
    return this.send('server', FLAGS.syn | FLAGS.ack);
  }

  ack(from: 'client' | 'server', extra: Partial<Segment> = {}): this {
    return this.send(from, FLAGS.ack, '', extra);
  }

  data(from: 'client' | 'server', payload: string, extra: Partial<Segment> = {}): this {
    return this.send(from, FLAGS.ack | FLAGS.psh, payload, extra);
  }

  /** The last bytes of this side once more. */
  again(from: 'client' | 'server', payload: string): this {
    const other = from === 'client' ? 'server' : 'client';
    return this.raw({
      from,
      flags: FLAGS.ack | FLAGS.psh,
      seq: this.next[from] - payload.length,
      ack: this.next[other],
      payload,
    });
  }

  /** Bytes that are sent, and that the capture does not have. */
  lose(from: 'client' | 'server', count: number): this {
    this.next[from] += count;
    return this;
  }

  fin(from: 'client' | 'server'): this {
    return this.send(from, FLAGS.fin | FLAGS.ack);
  }

  rst(from: 'client' | 'server'): this {
    return this.send(from, FLAGS.rst | FLAGS.ack);
  }

  close(first: 'client' | 'server' = 'client'): this {
    const second = first === 'client' ? 'server' : 'client';
    return this.fin(first).fin(second).ack(first);
  }
}

export interface PcapOptions {
  readonly big?: boolean;
  readonly nanoseconds?: boolean;
  readonly modified?: boolean;
  readonly minor?: number;
  readonly link?: number;
  readonly snapLength?: number;
}

/** A classic capture. */
export function pcap(packets: readonly Timed[], options: PcapOptions = {}): Buffer {
  const {
    big = false,
    nanoseconds = false,
    modified = false,
    minor = 4,
    link = 1,
    snapLength = 262_144,
  } = options;
  const magic = modified ? 0xa1b2cd34 : nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4;
  const head = Buffer.alloc(24);
  const put = writer(head, big);
  put(4, 0, magic);
  put(2, 4, 2);
  put(2, 6, minor);
  put(4, 16, snapLength);
  put(4, 20, link);
  const records = packets.map(({ time, bytes, original = bytes.length }) => {
    const record = Buffer.alloc((modified ? 24 : 16) + bytes.length);
    const write = writer(record, big);
    const seconds = Math.floor(time);
    write(4, 0, seconds);
    write(4, 4, Math.round((time - seconds) * (nanoseconds ? 1e9 : 1e6)));
    write(4, minor < 3 ? 12 : 8, bytes.length);
    write(4, minor < 3 ? 8 : 12, original);
    record.set(bytes, modified ? 24 : 16);
    return record;
  });
  return Buffer.concat([head, ...records]);
}

function writer(buffer: Buffer, big: boolean) {
  return (size: 2 | 4, at: number, value: number) => {
    if (size === 2) big ? buffer.writeUInt16BE(value, at) : buffer.writeUInt16LE(value, at);
    else big ? buffer.writeUInt32BE(value, at) : buffer.writeUInt32LE(value, at);
  };
}

export interface PcapngOptions {
  readonly big?: boolean;
  readonly link?: number;
  /** if_tsresol, as in the file. */
  readonly resolution?: number;
  readonly offsetSeconds?: number;
  readonly block?: 'enhanced' | 'obsolete' | 'simple';
  readonly dropped?: number;
  readonly comment?: string;
  readonly unknownBlock?: boolean;
}

/** A pcapng with one section and one interface. */
export function pcapng(packets: readonly Timed[], options: PcapngOptions = {}): Buffer {
  const { big = false, link = 1, resolution = 6, offsetSeconds = 0, block: kind = 'enhanced' } = options;
  const num = (size: 2 | 4, value: number) => {
    const buffer = Buffer.alloc(size);
    writer(buffer, big)(size, 0, value);
    return buffer;
  };
  const padded = (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  const block = (type: number, body: Buffer) => {
    const length = num(4, 12 + body.length);
    return Buffer.concat([num(4, type), length, body, length]);
  };
  const option = (code: number, value: Buffer) =>
    Buffer.concat([num(2, code), num(2, value.length), padded(value)]);
  const long = (value: bigint) => {
    const high = num(4, Number(value >> 32n));
    const low = num(4, Number(value & 0xffffffffn));
    return big ? Buffer.concat([high, low]) : Buffer.concat([low, high]);
  };
  const section = block(
    0x0a0d0d0a,
    Buffer.concat([num(4, 0x1a2b3c4d), num(2, 1), num(2, 0), Buffer.alloc(8, 255)]),
  );
  const end = num(4, 0);
  const description = Buffer.concat([
    num(2, link),
    num(2, 0),
    num(4, 0),
    option(9, Buffer.from([resolution])),
    ...(offsetSeconds === 0 ? [] : [option(14, long(BigInt(offsetSeconds)))]),
    end,
  ]);
  const perSecond = resolution & 0x80 ? 2n ** BigInt(resolution & 0x7f) : 10n ** BigInt(resolution);
  const body = ({ time, bytes, original = bytes.length }: Timed) => {
    const nanos = BigInt(Math.round((time - offsetSeconds) * 1e6)) * 1000n;
    const units = (nanos * perSecond) / 1_000_000_000n;
    const stamp = Buffer.concat([num(4, Number(units >> 32n)), num(4, Number(units & 0xffffffffn))]);
    const lengths = Buffer.concat([num(4, bytes.length), num(4, original)]);
    const data = padded(bytes);
    const comment =
      options.comment === undefined
        ? Buffer.alloc(0)
        : Buffer.concat([option(1, Buffer.from(options.comment)), end]);
    if (kind === 'simple') return block(3, Buffer.concat([num(4, original), data]));
    if (kind === 'obsolete') return block(2, Buffer.concat([num(2, 0), num(2, 0), stamp, lengths, data]));
    return block(6, Buffer.concat([num(4, 0), stamp, lengths, data, comment]));
  };
  return Buffer.concat([
    section,
    block(1, description),
    ...(options.unknownBlock ? [block(0x0bad, Buffer.alloc(400, 7))] : []),
    ...packets.map(body),
    ...(options.dropped === undefined
      ? []
      : [
          block(
            5,
            Buffer.concat([num(4, 0), Buffer.alloc(8), option(5, long(BigInt(options.dropped))), end]),
          ),
        ]),
  ]);
}
