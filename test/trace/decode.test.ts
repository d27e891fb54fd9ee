import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bytesOf,
  Conversation,
  ethernet,
  ipv4,
  ipv6,
  pcap,
  type Timed,
  tcp,
  u16,
  u32,
  udp,
} from '../support/packets.js';
import { traceBytes } from '../support/trace.js';

const syn = (reverse = false) =>
  tcp({ from: reverse ? 'server' : 'client', flags: reverse ? 18 : 2, seq: 1, ack: reverse ? 2 : 0 });
const ip4 = (reverse = false) => ipv4(6, syn(reverse), { reverse });
const ip6 = (reverse = false) => ipv6(6, syn(reverse), reverse);
const frame4 = (reverse = false) => ethernet(0x0800, ip4(reverse));

type Wrap = (reverse: boolean) => Uint8Array;

/** SYN and SYN-ACK, wrapped: what the analysis makes of them. */
function handshake(wrap: Wrap, link = 1) {
  const packets: Timed[] = [
    { time: 1, bytes: wrap(false) },
    { time: 1.1, bytes: wrap(true) },
  ];
  const { connections, result } = traceBytes(pcap(packets, { link }));
  expect(result.summary.trust.map(({ what }) => what)).not.toContain('undecoded');
  expect(connections).toHaveLength(1);
  const [connection] = connections;
  expect(connection).toMatchObject({ syn: [{ frame: 1 }], synAck: [{ frame: 2 }], outcome: 'half_open' });
  return connection;
}

const gre = (type: number, payload: Uint8Array, key?: number) =>
  bytesOf(u16(key === undefined ? 0 : 0x2000), u16(type), key === undefined ? [] : u32(key), payload);

describe('links', () => {
  it.each<[string, number, Wrap]>([
    ['Ethernet', 1, frame4],
    ['Ethernet with IPv6', 1, (reverse) => ethernet(0x86dd, ip6(reverse))],
    ['raw IP', 101, ip4],
    ['raw IPv6', 229, ip6],
    ['null, little endian', 0, (reverse) => bytesOf([2, 0, 0, 0], ip4(reverse))],
    ['null, big endian', 0, (reverse) => bytesOf([0, 0, 0, 2], ip4(reverse))],
    ['null with IPv6 of macOS', 0, (reverse) => bytesOf([30, 0, 0, 0], ip6(reverse))],
    ['loopback of OpenBSD', 108, (reverse) => bytesOf([0, 0, 0, 2], ip4(reverse))],
    ['cooked', 113, (reverse) => bytesOf(Array(14).fill(0), u16(0x0800), ip4(reverse))],
    ['cooked 2', 276, (reverse) => bytesOf(u16(0x0800), Array(18).fill(0), ip4(reverse))],
    ['PPP', 9, (reverse) => bytesOf([0xff, 3, 0, 0x21], ip4(reverse))],
    ['PPP, short', 9, (reverse) => bytesOf([0x21], ip4(reverse))],
    ['PPP in HDLC', 50, (reverse) => bytesOf([0xff, 3, 0, 0x57], ip6(reverse))],
    ['Cisco HDLC', 50, (reverse) => bytesOf([0x0f, 0, 8, 0], ip4(reverse))],
    [
      'NFLOG',
      239,
      (reverse) =>
        bytesOf([2, 0, 0, 0], [8, 0, 1, 0, 0, 0, 0, 0], [ip4(reverse).length + 4, 0, 9, 0], ip4(reverse)),
    ],
    ['802.3 with SNAP', 1, (reverse) => ethernet(60, bytesOf([0xaa, 0xaa, 3, 0, 0, 0, 8, 0], ip4(reverse)))],
  ])('%s', (_, link, wrap) => {
    expect(handshake(wrap, link)?.path).toEqual([]);
  });
});

describe('VLANs and tunnels', () => {
  it.each<[string, Wrap, readonly string[]]>([
    [
      '802.1Q',
      (reverse) => ethernet(0x8100, bytesOf(u16(0x2000 | 10), u16(0x0800), ip4(reverse))),
      ['vlan 10'],
    ],
    ['a priority tag', (reverse) => ethernet(0x8100, bytesOf(u16(0xe000), u16(0x0800), ip4(reverse))), []],
    [
      'QinQ',
      (reverse) => ethernet(0x88a8, bytesOf(u16(7), u16(0x8100), u16(9), u16(0x0800), ip4(reverse))),
      ['vlan 7', 'vlan 9'],
    ],
    // Labels differ by direction, and are in no key.
    [
      'MPLS',
      (reverse) =>
        ethernet(
          0x8847,
          bytesOf(u32((reverse ? 18 : 17) << 12), u32(((reverse ? 28 : 27) << 12) | 0x100), ip4(reverse)),
        ),
      [],
    ],
    [
      'Ethernet over MPLS',
      (reverse) => ethernet(0x8847, bytesOf(u32((17 << 12) | 0x100), [0, 0, 0, 0], frame4(reverse))),
      [],
    ],
    [
      'PPPoE',
      (reverse) =>
        ethernet(0x8864, bytesOf([0x11, 0], u16(5), u16(ip4(reverse).length + 2), u16(0x21), ip4(reverse))),
      ['pppoe 5'],
    ],
    ['GRE', (reverse) => ethernet(0x0800, ipv4(47, gre(0x0800, ip4(reverse)), { reverse })), ['gre']],
    [
      'GRE with a key and Ethernet',
      (reverse) => ethernet(0x0800, ipv4(47, gre(0x6558, frame4(reverse), 77), { reverse })),
      ['gre 77'],
    ],
    [
      'ERSPAN',
      (reverse) =>
        ethernet(
          0x0800,
          ipv4(47, bytesOf(u16(0x1000), u16(0x88be), u32(1), u16(0x1000), u16(3), u32(0), frame4(reverse))),
        ),
      ['erspan 3'],
    ],
    ['IP in IP', (reverse) => ethernet(0x0800, ipv4(4, ip4(reverse), { reverse })), ['ipip']],
    ['IPv6 in IPv4', (reverse) => ethernet(0x0800, ipv4(41, ip6(reverse), { reverse })), ['6in4']],
    [
      'VXLAN',
      (reverse) =>
        ethernet(
          0x0800,
          ipv4(17, udp(50_000, 4789, bytesOf([8, 0, 0, 0], u32(42 << 8), frame4(reverse))), { reverse }),
        ),
      ['vxlan 42'],
    ],
    [
      'Geneve',
      (reverse) =>
        ethernet(
          0x0800,
          ipv4(
            17,
            udp(50_000, 6081, bytesOf([1, 0], u16(0x6558), u32(43 << 8), [0, 0, 0, 0], frame4(reverse))),
            { reverse },
          ),
        ),
      ['geneve 43'],
    ],
    [
      'GTP-U',
      (reverse) =>
        ethernet(
          0x0800,
          ipv4(
            17,
            udp(
              2152,
              2152,
              bytesOf([0x34, 255], u16(0), u32(reverse ? 1 : 2), [0, 0, 0, 0x85], [1, 0, 0, 0], ip4(reverse)),
            ),
            { reverse },
          ),
        ),
      ['gtp-u'],
    ],
    [
      'Teredo',
      (reverse) =>
        ethernet(
          0x0800,
          ipv4(17, reverse ? udp(3544, 50_000, ip6(reverse)) : udp(50_000, 3544, ip6(reverse)), { reverse }),
        ),
      ['teredo'],
    ],
  ])('%s', (_, wrap, path) => {
    expect(handshake(wrap)?.path).toEqual(path);
  });

  it('tunnels in tunnels without end are left', () => {
    let packet = ip4();
    for (let depth = 0; depth < 40; depth++) packet = ipv4(4, packet);
    const { result } = traceBytes(pcap([{ time: 1, bytes: ethernet(0x0800, packet) }]));
    expect(result.summary).toMatchObject({ packets: 1, connections: 0 });
  });
});

describe('IP', () => {
  it('puts fragments together, in any order', () => {
    const whole = tcp({ flags: 24, seq: 1, ack: 1, payload: 'x'.repeat(40) });
    const parts = [
      ipv4(6, whole.subarray(0, 24), { ipId: 9, fragment: 0x2000 }),
      ipv4(6, whole.subarray(24, 48), { ipId: 9, fragment: 0x2003 }),
      ipv4(6, whole.subarray(48), { ipId: 9, fragment: 6 }),
    ];
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
    ]) {
      const packets = order.map((index) => ({
        time: 1,
        bytes: ethernet(0x0800, parts[index] ?? new Uint8Array()),
      }));
      const { connections } = traceBytes(pcap(packets));
      expect(connections[0]?.clientFacts.bytes).toBe(40);
    }
    const { result } = traceBytes(pcap([{ time: 1, bytes: ethernet(0x0800, parts[0] ?? new Uint8Array()) }]));
    expect(result.summary.trust).toMatchObject([{ what: 'fragments', count: 1 }]);
  });

  it('a super-frame of segmentation offload has no length of its own', () => {
    const segment = tcp({ flags: 24, seq: 1, ack: 1, payload: 'x'.repeat(3000) });
    const { connections } = traceBytes(
      pcap([{ time: 1, bytes: ethernet(0x0800, ipv4(6, segment, { total: 0 })) }]),
    );
    expect(connections[0]?.clientFacts.bytes).toBe(3000);
  });

  it('padding of short frames is no payload; a snap length cuts, and sizes stay right', () => {
    const padded = bytesOf(frame4(), Array(20).fill(0));
    expect(traceBytes(pcap([{ time: 1, bytes: padded }])).connections[0]?.clientFacts.bytes).toBe(0);
    const data = ethernet(0x0800, ipv4(6, tcp({ flags: 24, seq: 1, ack: 1, payload: 'x'.repeat(1000) })));
    const { connections, result } = traceBytes(
      pcap([{ time: 1, bytes: data.subarray(0, 96), original: data.length }]),
    );
    expect(connections[0]?.clientFacts.bytes).toBe(1000);
    expect(result.summary.trust.map(({ what }) => what)).toContain('snap_length');
  });

  it.each([
    [3, 13, 'refused'],
    [3, 1, 'refused'],
    [3, 4, 'unresolved'],
    [11, 0, 'unresolved'],
  ])('ICMP type %i code %i about a SYN: %s', (type, code, outcome) => {
    const error = bytesOf([type, code, 0, 0, 0, 0, 0, 0], ip4().subarray(0, 28));
    const packets = [
      { time: 1, bytes: frame4() },
      { time: 1.1, bytes: ethernet(0x0800, ipv4(1, error, { reverse: true })) },
    ];
    const [connection] = traceBytes(pcap(packets)).connections;
    expect(connection).toMatchObject({ outcome, icmp: { frame: 2, type, code, family: 4 } });
  });
});

describe('any bytes', () => {
  const samples = [
    pcap(new Conversation().handshake().data('client', 'GET / HTTP/1.1\r\n\r\n').close().packets),
    pcap([{ time: 1, bytes: ethernet(0x8100, bytesOf(u16(10), u16(0x86dd), ip6())) }]),
    pcap([
      {
        time: 1,
        bytes: ethernet(
          0x0800,
          ipv4(
            17,
            udp(
              5000,
              443,
              bytesOf([0xc0, 0, 0, 0, 1, 8], Array(8).fill(7), [0, 0, 0x44, 0xb0], Array(1200).fill(9)),
            ),
          ),
        ),
      },
    ]),
    pcap([
      {
        time: 1,
        bytes: ethernet(
          0x0800,
          ipv4(
            17,
            udp(
              53,
              5000,
              bytesOf(
                u16(1),
                u16(0x8180),
                u16(1),
                u16(1),
                u32(0),
                [1, 97, 0],
                u32(0x10001),
                [0xc0, 12],
                u32(0x10001),
                u32(60),
                u16(4),
                [1, 2, 3, 4],
              ),
            ),
          ),
        ),
      },
    ]),
  ];

  it('in any place of a packet end in an analysis', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 12 }),
        (sample, changes) => {
          const bytes = Buffer.from(sample);
          // Headers of the file stay: what the reader does with those is tested beside it.
          for (const [at, value] of changes) bytes[40 + (at % (bytes.length - 40))] = value;
          const { result } = traceBytes(bytes);
          expect(result.summary.packets).toBeGreaterThanOrEqual(0);
        },
      ),
      { numRuns: 1500 },
    );
  });
});
