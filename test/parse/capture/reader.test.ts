import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PacketBatch } from '../../../src/model/packets.js';
import { CaptureReader } from '../../../src/parse/capture/index.js';
import {
  Conversation,
  type PcapngOptions,
  type PcapOptions,
  pcap,
  pcapng,
  type Timed,
} from '../../support/packets.js';

const { packets } = new Conversation(1_700_000_000.25)
  .handshake()
  .data('client', 'GET / HTTP/1.1\r\n\r\n')
  .close();

interface Read {
  readonly packets: {
    readonly time: number;
    readonly bytes: string;
    readonly original: number;
    readonly comment?: string;
  }[];
  readonly reader: CaptureReader;
}

function read(bytes: Uint8Array, piece = bytes.length || 1): Read {
  const clock = { epochSeconds: undefined as number | undefined };
  const found: Read['packets'] = [];
  let frame = 1;
  const reader = new CaptureReader((batch: PacketBatch) => {
    expect(batch.firstFrame).toBe(frame);
    frame += batch.count;
    for (let index = 0; index < batch.count; index++) {
      const at = batch.at[index] ?? 0;
      const comment = batch.comments?.get(index);
      found.push({
        time: (clock.epochSeconds ?? 0) + (batch.nanos[index] ?? 0) / 1e9,
        bytes: Buffer.from(batch.bytes.subarray(at, at + (batch.captured[index] ?? 0))).toString('hex'),
        original: batch.original[index] ?? 0,
        ...(comment !== undefined && { comment }),
      });
    }
  }, clock);
  for (let at = 0; at < bytes.length; at += piece) reader.write(bytes.subarray(at, at + piece));
  reader.end();
  return { packets: found, reader };
}

const expected = packets.map(({ time, bytes }) => ({
  time: expect.closeTo(time, 5),
  bytes: Buffer.from(bytes).toString('hex'),
  original: bytes.length,
}));

describe('classic captures', () => {
  it.each<[string, PcapOptions]>([
    ['little endian', {}],
    ['big endian', { big: true }],
    ['nanoseconds', { nanoseconds: true }],
    ['nanoseconds, big endian', { nanoseconds: true, big: true }],
    ['modified headers', { modified: true }],
    ['version 2.2, lengths swapped', { minor: 2 }],
    ['length of the check sequence in the upper bits of the link type', { link: 0x5400_0001 }],
  ])('%s', (_, options) => {
    const { packets: found, reader } = read(pcap(packets, options));
    expect(found).toEqual(expected);
    expect(reader.fault).toBeUndefined();
    expect(reader.file('x')).toMatchObject({ format: 'pcap', packets: packets.length, links: [1] });
  });

  it('version 2.3 has the lengths either way', () => {
    const cut: Timed[] = [{ time: 1, bytes: new Uint8Array(60), original: 90 }];
    for (const minor of [2, 3, 4]) expect(read(pcap(cut, { minor })).packets[0]?.original).toBe(90);
    const swapped = pcap(cut, { minor: 2 });
    swapped.writeUInt16LE(3, 6);
    expect(read(swapped).packets[0]?.original).toBe(90);
  });

  it('in pieces of any size', () => {
    const bytes = pcap(packets);
    for (const piece of [1, 7, 24, 100]) expect(read(bytes, piece).packets).toEqual(expected);
  });

  it('a length that cannot be is a fault with its place, and allocates nothing', () => {
    const bytes = pcap(packets);
    const second = 24 + 16 + (packets[0]?.bytes.length ?? 0);
    bytes.writeUInt32LE(0xfffffff0, second + 8);
    const { packets: found, reader } = read(bytes);
    expect(found).toHaveLength(1);
    expect(reader.fault).toMatchObject({ offset: second, frame: 1 });
    expect(reader.fault?.message).toContain('4294967280 bytes');
  });
});

describe('pcapng', () => {
  it.each<[string, PcapngOptions]>([
    ['little endian', {}],
    ['big endian', { big: true }],
    ['nanoseconds', { resolution: 9 }],
    ['a resolution that is a power of two', { resolution: 0x80 | 24 }],
    ['a time offset', { offsetSeconds: 1_600_000_000 }],
    ['obsolete packet blocks', { block: 'obsolete' }],
    ['blocks of unknown kinds', { unknownBlock: true }],
  ])('%s', (_, options) => {
    const { packets: found, reader } = read(pcapng(packets, options));
    expect(found).toEqual(expected);
    expect(reader.fault).toBeUndefined();
    expect(reader.file('x')).toMatchObject({ format: 'pcapng', links: [1] });
  });

  it('simple packets have no time of their own', () => {
    const { packets: found } = read(pcapng(packets, { block: 'simple' }));
    expect(found.map(({ bytes }) => bytes)).toEqual(expected.map(({ bytes }) => bytes));
  });

  it('says what the interface dropped, and what comments say', () => {
    const { packets: found, reader } = read(pcapng(packets, { dropped: 17, comment: 'PID: 4' }));
    expect(reader.file('x').dropped).toBe(17);
    expect(found[0]?.comment).toBe('PID: 4');
  });

  it('several sections, each with its byte order', () => {
    const both = Buffer.concat([pcapng(packets), pcapng(packets, { big: true })]);
    expect(read(both).packets).toHaveLength(packets.length * 2);
  });
});

describe('what is no whole capture', () => {
  it.each([
    ['nothing', Buffer.alloc(0), 'an empty file'],
    ['three bytes', Buffer.from('abc'), 'this is no capture'],
    ['a text', Buffer.from('State Recv-Q Send-Q Local Address:Port'), 'this is no capture'],
  ])('%s', (_, bytes, message) => {
    const { reader } = read(bytes);
    expect(reader.fault?.message).toContain(message);
    expect(reader.file('x').format).toBe('unknown');
  });

  it.each([
    ['pcap', pcap(packets)],
    ['pcapng', pcapng(packets)],
  ])('every prefix of a %s gives the packets before the cut', (_, whole) => {
    let before = 0;
    for (let length = 4; length < whole.length; length++) {
      const { packets: found, reader } = read(whole.subarray(0, length));
      expect(found.length).toBeGreaterThanOrEqual(before);
      expect(found).toEqual(expected.slice(0, found.length));
      if (reader.fault !== undefined) expect(reader.fault.offset).toBeLessThanOrEqual(length);
      before = found.length;
    }
    expect(before).toBe(packets.length - 1);
  });

  it('changed bytes end in packets or a fault, and never in a throw', () => {
    const samples = [
      pcap(packets),
      pcap(packets, { modified: true, big: true }),
      pcapng(packets, { comment: 'x', dropped: 1 }),
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }),
        (sample, changes) => {
          const bytes = Buffer.from(sample);
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          const { packets: found } = read(bytes);
          expect(found.length).toBeLessThanOrEqual(bytes.length / 16);
        },
      ),
      { numRuns: 400 },
    );
  });
});
