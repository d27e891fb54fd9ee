import { describe, expect, it } from 'vitest';
import { type Dump, encodeRequest, STATE_BITS } from '../../../src/parse/netlink/index.js';

const hex = (dump: Dump, sequence = 7) => Buffer.from(encodeRequest(dump, sequence)).toString('hex');
/** nlmsghdr: length, SOCK_DIAG_BY_FAMILY with NLM_F_REQUEST and NLM_F_DUMP, sequence 7, port 0. */
const header = (length: number) => `${length.toString(16)}000000140001030700000000000000`;
const NO_IDENTITY = '00'.repeat(48);

describe('requests', () => {
  it('TCP over IPv4: family, protocol, memory and tcp_info, states', () => {
    const wanted = `${header(72)}02064a00${'00040000'}${NO_IDENTITY}`;
    expect(hex({ name: 'tcp4', states: STATE_BITS.listen })).toBe(wanted);
  });

  it('without details: memory only', () => {
    expect(hex({ name: 'udp6', states: STATE_BITS.all, details: false })).toBe(
      `${header(72)}0a114000ff0f0000${NO_IDENTITY}`,
    );
  });

  it('MPTCP: 262 does not fit into a byte, so it is an attribute, and the byte names no protocol', () => {
    expect(hex({ name: 'mptcp4', states: STATE_BITS.all })).toBe(
      `${header(80)}02004a00ff0f0000${NO_IDENTITY}0800030006010000`,
    );
  });

  it('Unix: names, peers, queues and memory', () => {
    expect(hex({ name: 'unix', states: STATE_BITS.listen })).toBe(
      `${header(40)}01000000${'00040000'}${'00000000'}35000000${'00'.repeat(8)}`,
    );
  });
});

/** What the kernel does with a filter (net/ipv4/inet_diag.c, inet_diag_bc_run). */
function passes(filter: DataView, sourcePort: number, destinationPort: number): boolean {
  let at = 0;
  while (at < filter.byteLength) {
    const port = at + 6 < filter.byteLength ? filter.getUint16(at + 6, true) : 0;
    const answers: Record<number, boolean> = {
      1: false,
      2: sourcePort >= port,
      3: sourcePort <= port,
      5: destinationPort <= port,
    };
    const isTrue = answers[filter.getUint8(at)];
    if (isTrue === undefined) throw new Error(`no such code at ${at}`);
    at += isTrue ? filter.getUint8(at + 1) : filter.getUint16(at + 2, true);
  }
  return at === filter.byteLength;
}

describe('the filter for ports', () => {
  it.each([[[443]], [[1, 65535]], [Array.from({ length: 64 }, (_, index) => 1000 + index * 7)]])(
    'takes them, and what has no peer: %j',
    (ports) => {
      const bytes = encodeRequest({ name: 'tcp4', states: 1, ports }, 1);
      const view = new DataView(bytes.buffer);
      expect(view.getUint32(72, true)).toBe((1 << 16) | (bytes.length - 72)); // INET_DIAG_REQ_BYTECODE
      const filter = new DataView(bytes.buffer, 76);
      for (let port = 0; port <= 65535; port += 1) {
        if (passes(filter, port, 40000) !== ports.includes(port)) throw new Error(`wrong for ${port}`);
      }
      expect(passes(filter, 444, 0)).toBe(true);
    },
  );

  it('keeps to what the kernel checks first: every jump goes to an op on the way of the truths (inet_diag_bc_audit)', () => {
    const filter = new DataView(encodeRequest({ name: 'tcp4', states: 1, ports: [80, 443] }, 1).buffer, 76);
    const truths = new Set<number>();
    for (let at = 0; at < filter.byteLength; at += filter.getUint8(at + 1)) truths.add(at);
    for (const at of truths) {
      const target = at + filter.getUint16(at + 2, true);
      expect(truths.has(target) || [0, 4].includes(target - filter.byteLength)).toBe(true);
    }
  });
});
