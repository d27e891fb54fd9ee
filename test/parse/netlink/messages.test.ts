import { describe, expect, it } from 'vitest';
import { ParseError } from '../../../src/model/errors.js';
import { DumpParser, parseDump, wireOf } from '../../../src/parse/netlink/index.js';
import { appLimitedBit } from '../../../src/parse/netlink/tcp-info.js';
import { readable } from '../readable.js';
import { messagesOf, recorded } from './support.js';

const first = (name: Parameters<typeof recorded>[0]) => {
  const bytes = recorded(name);
  const { size } = messagesOf(bytes)[0] ?? { size: 0 };
  return { bytes, size, view: new DataView(bytes.buffer, 0) };
};

/** The last message of an answer, as a dump that ends with this number. */
function ending(type: number, value: number, sequence: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(20));
  for (const [at, word] of [20, type, sequence, 0].entries()) view.setUint32(at * 4, word, true);
  view.setInt32(16, value, true);
  return new Uint8Array(view.buffer);
}

function read(name: 'tcp4' | 'unix', ...buffers: Uint8Array[]) {
  const parser = new DumpParser();
  parser.begin(name, new DataView((buffers[0] as Uint8Array).buffer).getUint32(8, true));
  const ended = buffers.map((buffer) => parser.read(wireOf(buffer), buffer.length));
  return { ended, errno: parser.errno, ...parser.end() };
}

/** The first recorded message with these attributes instead of its own. */
function withAttributes(name: 'tcp4' | 'tcp6', ...attributes: readonly [number, Uint8Array][]): Uint8Array {
  const { bytes } = first(name);
  const parts = attributes.map(([type, value]) => {
    const part = new Uint8Array((4 + value.length + 3) & ~3);
    new DataView(part.buffer).setUint16(0, 4 + value.length, true);
    new DataView(part.buffer).setUint16(2, type, true);
    part.set(value, 4);
    return part;
  });
  const message = new Uint8Array(Buffer.concat([bytes.subarray(0, 88), ...parts]));
  new DataView(message.buffer).setUint32(0, message.length, true);
  return message;
}
const text = (value: string) => new TextEncoder().encode(value);
const rowOf = (message: Uint8Array, name: 'tcp4' | 'tcp6') => readable(parseDump(message, name)).rows[0];

describe('attributes of a socket', () => {
  it('congestion control, mark, cgroup and the protocol on top', () => {
    const cgroup = new Uint8Array(BigUint64Array.of(0x1_0000_0007n).buffer);
    const mark = new Uint8Array(Uint32Array.of(0x4d).buffer);
    const ulp = new Uint8Array([8, 0, 1, 0, ...text('tls\0')]);
    const message = withAttributes('tcp4', [4, text('cubic\0')], [15, mark], [19, ulp], [21, cgroup]);
    expect(rowOf(message, 'tcp4')).toMatchObject({
      congestion: 'cubic',
      mark: 77,
      ulp: 'tls',
      cgroupId: 0x1_0000_0007,
    });
    const none = rowOf(withAttributes('tcp4', [15, new Uint8Array(4)], [21, new Uint8Array(4)]), 'tcp4');
    for (const name of ['mark', 'cgroupId', 'congestion', 'ulp']) expect(none).not.toHaveProperty(name);
  });

  it('a name that differs in its last letter only is another one', () => {
    const parser = new DumpParser();
    const messages = ['bbr2', 'bbr3', 'bbr2'].map((name) => withAttributes('tcp4', [4, text(name)]));
    parser.begin('tcp4', new DataView((messages[0] as Uint8Array).buffer).getUint32(8, true));
    for (const message of messages) parser.read(wireOf(message), message.length);
    expect(readable(parser.end()).rows.map(({ congestion }) => congestion)).toEqual(['bbr2', 'bbr3', 'bbr2']);
  });

  it('a wildcard of IPv6 is dual stack where IPV6_V6ONLY is 0, and unknown where nothing says so', () => {
    const wildcard = (...attributes: readonly [number, Uint8Array][]) => {
      const message = withAttributes('tcp6', ...attributes);
      message[16] = 10;
      message.fill(0, 22, 56); // no peer, and any address
      return rowOf(message, 'tcp6')?.flags;
    };
    expect(wildcard([11, Uint8Array.of(0)])).toBe('localDualStack');
    expect(wildcard([11, Uint8Array.of(1)])).toBe('v6only');
    expect(wildcard()).toBeUndefined();
  });

  it('the bit of app_limited is the first of its byte, which big-endian machines fill from the other end', () => {
    expect([appLimitedBit(true), appLimitedBit(false)]).toEqual([1, 0x80]);
  });
});

describe('messages of sock_diag', () => {
  it('may come in any number of buffers, of which several make one table', () => {
    const bytes = recorded('tcp4');
    const parts = messagesOf(bytes).map(({ at, size }) => bytes.slice(at, at + size));
    const { sockets, gaps, ended } = read('tcp4', ...parts);
    expect(ended.lastIndexOf(false)).toBe(ended.length - 2);
    expect(readable({ sockets, gaps })).toEqual(readable(parseDump(bytes, 'tcp4')));
  });

  it('need not begin at a multiple of four in memory', () => {
    const bytes = recorded('udp4');
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expect(readable(parseDump(shifted.subarray(1), 'udp4'))).toEqual(readable(parseDump(bytes, 'udp4')));
  });

  it('of another request are passed over', () => {
    const { bytes, size, view } = first('tcp4');
    view.setUint32(8, 4_000_000_000, true);
    const rest = parseDump(bytes.slice(size), 'tcp4');
    const parser = new DumpParser();
    parser.begin('tcp4', view.getUint32(size + 8, true));
    expect(parser.read(wireOf(bytes), bytes.length)).toBe(true);
    expect(readable(parser.end())).toEqual(readable(rest));
  });

  it('with NLM_F_DUMP_INTR are a gap', () => {
    const { bytes, view } = first('tcp4');
    view.setUint16(6, view.getUint16(6, true) | 0x10, true);
    expect(parseDump(bytes, 'tcp4').gaps).toEqual([
      {
        what: 'TCP sockets of IPv4',
        why: 'they changed while the kernel listed them (NLM_F_DUMP_INTR): some may be missing or listed twice',
      },
    ]);
  });

  it.each([
    ['NLMSG_ERROR', 2],
    ['NLMSG_DONE', 3],
  ])('%s with an errno ends the dump with it', (_, type) => {
    const { ended, errno, sockets } = read('tcp4', ending(type, -2, 9));
    expect({ ended, errno, rows: sockets.length }).toEqual({ ended: [true], errno: 2, rows: 0 });
    expect(() => parseDump(ending(type, -1, 9), 'tcp4')).toThrow(
      new ParseError('netlink', 'a list of sockets', 'errno 1'),
    );
  });

  it('NLMSG_OVERRUN is a gap, and the dump goes on', () => {
    const { gaps, ended } = read('tcp4', ending(4, 0, 9), ending(3, 0, 9));
    expect(ended).toEqual([false, true]);
    expect(gaps[0]?.why).toBe('the kernel sent more than was read in time (NLMSG_OVERRUN): some are missing');
  });

  it('that are too short, or longer than what came, are a gap, once for each dump', () => {
    const { bytes, size, view } = first('unix');
    view.setUint32(0, 20, true);
    const why = 'a message of 20 bytes instead of 32';
    expect(read('unix', bytes.slice(0, 20)).gaps).toEqual([
      { what: 'Unix sockets', why: `the answer of the kernel was broken 1 times, first by ${why}` },
    ]);
    view.setUint32(0, size, true);
    const cut = read('unix', bytes.slice(0, size - 4));
    expect(cut.sockets.length).toBe(0);
    expect(cut.gaps[0]?.why).toBe(
      `the answer of the kernel was broken 1 times, first by a message that does not fit into the ${size - 4} bytes received`,
    );
  });

  it('with an attribute that claims more than there is: the socket stays, with what came before', () => {
    const { bytes, view } = first('tcp4');
    view.setUint16(88, 5000, true);
    const { sockets, gaps } = parseDump(bytes, 'tcp4');
    const whole = parseDump(recorded('tcp4'), 'tcp4').sockets;
    expect(sockets.length).toBe(whole.length);
    expect(sockets.row(0).local).toEqual(whole.row(0).local);
    expect(sockets.row(0).drops).toBeUndefined();
    expect(gaps[0]?.why).toContain('an attribute that does not fit into its message');
  });

  it('without an end are a gap, and nothing at all is a ParseError', () => {
    const bytes = recorded('udp4');
    const { size } = messagesOf(bytes)[0] ?? { size: 0 };
    expect(parseDump(bytes.slice(0, size), 'udp4').gaps[0]?.why).toContain('an end that never came');
    expect(() => parseDump(new Uint8Array(), 'udp4')).toThrow(ParseError);
    expect(() => parseDump(new TextEncoder().encode('State Recv-Q Send-Q'), 'udp4')).toThrow(
      'netlink: expected messages of sock_diag, got "19 bytes without one"',
    );
  });
});

describe('tcp_info', () => {
  const INFO = 2;
  /** An established connection whose tcp_info has only so many bytes, as of an older kernel. */
  function withInfoOf(length: number, window?: number) {
    const bytes = recorded('tcp4');
    const view = new DataView(bytes.buffer);
    const message = messagesOf(bytes).find(({ at }) => view.getUint8(at + 17) === 1);
    if (message === undefined) throw new Error('no established connection');
    for (let at = message.at + 88; ; at += (view.getUint16(at, true) + 3) & ~3) {
      if (view.getUint16(at + 2, true) !== INFO) continue;
      const end = at + 4 + length;
      view.setUint16(at, 4 + length, true);
      view.setUint32(message.at, end - message.at, true);
      if (window !== undefined) view.setUint32(at + 4 + 228, window, true);
      return parseDump(bytes.slice(message.at, end), 'tcp4').sockets.row(0);
    }
  }

  it('of a kernel that has less of it: what is not there is unknown', () => {
    const old = withInfoOf(104); // up to tcpi_total_retrans, as in Linux 2.6
    expect(old.number('rttMs')).toBeGreaterThan(0);
    expect(old.number('lastSentMs')).toBeGreaterThan(0);
    for (const name of ['pacingRateBps', 'segmentsOut', 'minRttMs', 'busyMs'] as const)
      expect(old.number(name)).toBeUndefined();
    expect(withInfoOf(0).number('mss')).toBeUndefined();
    expect(withInfoOf(160).number('minRttMs')).toBeGreaterThan(0);
    // tcpi_snd_wnd came with Linux 5.4.
    expect(withInfoOf(228).number('sendWindow')).toBeUndefined();
    expect(withInfoOf(232).number('sendWindow')).toBeGreaterThan(0);
  });

  it('of connections of which all have a window of 0 shows it', () => {
    expect(withInfoOf(240, 0).number('sendWindow')).toBe(0);
    expect(withInfoOf(228, 0).number('sendWindow')).toBeUndefined();
  });

  it('of a listener has no ages, and no unacked', () => {
    const { sockets } = parseDump(recorded('tcp4'), 'tcp4');
    for (let index = 0; index < sockets.length; index++) {
      const row = sockets.row(index);
      if (!row.isListener) continue;
      expect([row.number('lastSentMs'), row.number('unacked')]).toEqual([undefined, undefined]);
    }
  });
});
