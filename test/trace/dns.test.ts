import { describe, expect, it } from 'vitest';
import {
  bytesOf,
  Conversation,
  ethernet,
  ipv4,
  pcap,
  type Timed,
  u16,
  u32,
  udp,
} from '../support/packets.js';
import { traceBytes } from '../support/trace.js';

const START = 1_700_000_000;
const label = (text: string): number[] => [text.length, ...Buffer.from(text)];

/** A lookup of `NAME.test` at 10.0.0.2, whose answer is 10.0.0.2 itself. */
function lookup(time: number, name: string, id: number): Timed[] {
  const question = [...label(name), ...label('test'), 0, ...u16(1), ...u16(1)];
  const head = (flags: number, answers: number) => [
    ...u16(id),
    ...u16(flags),
    ...u16(1),
    ...u16(answers),
    0,
    0,
    0,
    0,
  ];
  const record = [0xc0, 12, ...u16(1), ...u16(1), ...u32(60), ...u16(4), 10, 0, 0, 2];
  const query = udp(5353, 53, bytesOf(head(0x0100, 0), question));
  const answer = udp(53, 5353, bytesOf(head(0x8180, 1), question, record));
  return [
    { time: START + time, bytes: ethernet(0x0800, ipv4(17, query)) },
    { time: START + time + 0.001, bytes: ethernet(0x0800, ipv4(17, answer, { reverse: true })) },
  ];
}

const connection = (time: number, client: number): readonly Timed[] =>
  new Conversation(START + time, { client, server: 80 }).handshake().close().packets;

describe('names from DNS', () => {
  it('each connection has that of the lookup before it, not of the latest', () => {
    const packets = [
      ...connection(0, 1),
      ...lookup(1, 'one', 1),
      ...connection(2, 2),
      ...lookup(3, 'two', 2),
      ...connection(4, 3),
    ];
    const { connections } = traceBytes(pcap(packets));
    const named = connections.filter(({ protocol }) => protocol === 'tcp').map(({ dns }) => dns?.name);
    expect(named).toEqual([undefined, 'one.test', 'two.test']);
  });

  it('a connection that lasts keeps its name, however often it is looked up again', () => {
    const long = new Conversation(START + 1, { client: 2, server: 80 }).handshake().wait(500).close().packets;
    const later = Array.from({ length: 100 }, (_, index) => lookup(2 + index, 'one', index)).flat();
    const packets = [...lookup(0, 'one', 1000), ...long, ...later].sort((a, b) => a.time - b.time);
    const { connections } = traceBytes(pcap(packets));
    expect(connections.find(({ protocol }) => protocol === 'tcp')?.dns).toMatchObject({
      name: 'one.test',
      answer: { frame: 2 },
    });
  });
});

describe('exchanges over UDP', () => {
  it('last no negative time where the clock goes back', () => {
    const [query, answer] = lookup(1, 'one', 1);
    if (query === undefined || answer === undefined) throw new Error('no packets');
    const { connections } = traceBytes(pcap([query, { ...answer, time: START }]));
    expect(connections[0]?.phases).toEqual({ duration: 0 });
  });
});
