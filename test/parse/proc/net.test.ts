import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ParseError } from '../../../src/model/errors.js';
import { parseProcNet } from '../../../src/parse/proc/net.js';
import { fixtureDir, outcome, readGolden } from '../golden.js';
import { readable } from '../readable.js';
import { bytesOf } from '../ss/support.js';

const TCP_HEADER =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const line = (ends: string, rest: string) => `   0: ${ends} ${rest}\n`;
const READY = '00000000:00000000 00:00000000 00000000  1000        0 4711 1 00000000e73855b0 100 0 0 10 0';

const read = (files: Parameters<typeof parseProcNet>[0], options?: { bigEndian?: boolean }) =>
  readable(parseProcNet(files, options));

describe('files of /proc/net', () => {
  it.each(['tcp', 'tcp6', 'udp', 'unix'])('%s of the sample is what a person reads', (file) => {
    const name = `linux-6.18-proc_net_${file}`;
    const path = `${fixtureDir}proc/${name}.txt`;
    expect(existsSync(path)).toBe(true);
    expect(outcome(() => parseProcNet({ [file]: readFileSync(path) }))).toEqual(readGolden(`proc/${name}`));
  });

  it('hold no limit of a listener: it is unknown, and its length is not', () => {
    const text =
      TCP_HEADER +
      line('0100007F:0050 00000000:0000 0A', READY.replace('00000000:00000000', '00000000:00000003'));
    expect(read({ tcp: bytesOf(text) }).rows).toEqual([
      {
        protocol: 'tcp',
        state: 'listen',
        local: '127.0.0.1:80',
        family: 4,
        queues: '3 of backlog unknown',
        flags: 'limitUnknown',
        inode: 4711,
        uid: 1000,
      },
    ]);
  });

  it('print addresses as numbers of their machine', () => {
    const little = TCP_HEADER + line('0101A8C0:0050 0201A8C0:0FA0 01', READY);
    const big = TCP_HEADER + line('C0A80101:0050 C0A80102:0FA0 01', READY);
    const shown = { local: '192.168.1.1:80', remote: '192.168.1.2:4000' };
    expect(read({ tcp: bytesOf(little) }).rows).toMatchObject([shown]);
    expect(read({ tcp: bytesOf(big) }, { bigEndian: true }).rows).toMatchObject([shown]);
    const v6 = line('B80D0120000000000000000001000000:0050 0000000000000000FFFF00000201A8C0:0FA0 01', READY);
    expect(read({ tcp6: bytesOf(v6) }).rows).toMatchObject([
      { local: '[2001:db8::1]:80', remote: '[::ffff:c0a8:102]:4000' },
    ]);
    const mapped = line(
      '0000000000000000FFFF00000101A8C0:0050 0000000000000000FFFF00000201A8C0:0FA0 01',
      READY,
    );
    expect(read({ tcp6: bytesOf(mapped) }).rows).toMatchObject([{ ...shown, family: 4 }]);
  });

  it.each([
    ['01:00000014 00000002', 'on 200 ms, 2'],
    ['02:000AFBF0 00000000', 'keepalive 7198560 ms, 0'],
    ['03:000016D8 00000000', 'timewait 58480 ms, 0'],
    ['04:00000014 00000001', 'persist 200 ms, 1'],
    ['00:00000000 00000000', undefined],
  ])('count timers in hundredths of a second: %s', (timer, shown) => {
    const text = line('0101A8C0:0050 0201A8C0:0FA0 01', READY.replace('00:00000000 00000000', timer));
    expect(read({ tcp: bytesOf(text) }).rows[0]?.timer).toBe(shown);
  });

  it('hold the drops of UDP', () => {
    const text =
      '  95: 00000000:2524 00000000:0000 07 00000000:00000A00 00:00000000 00000000     0        0 1013995 2 000000008a10ca6c 44\n';
    expect(read({ udp: bytesOf(text) }).rows).toMatchObject([
      { protocol: 'udp', state: 'unconnected', queues: '2560 bytes unread, 0 unacked', drops: 44 },
    ]);
  });

  it('hold Unix sockets with any path, without their queues', () => {
    const text = [
      'Num       RefCount Protocol Flags    Type St Inode Path',
      '00000000c71fc311: 00000002 00000000 00010000 0001 01 1014022 @abs tract@z',
      '00000000c71fc312: 00000003 00000000 00000000 0001 03 12345',
      '00000000c71fc313: 00000002 00000000 00010000 0005 01     7 /tmp/n',
      'l: 00',
      '00000000c71fc314: 00000002 00000000 00000000 0002 01 8 /run/d\n',
    ].join('\n');
    const { rows, gaps } = read({ unix: bytesOf(text) });
    expect(gaps).toEqual([]);
    expect(rows).toEqual([
      {
        protocol: 'unix stream',
        state: 'listen',
        local: '@abs tract@z',
        flags: 'limitUnknown',
        inode: 1014022,
      },
      { protocol: 'unix stream', state: 'established', local: '', remote: '', inode: 12345 },
      {
        protocol: 'unix seqpacket',
        state: 'listen',
        local: '/tmp/n\nl: 00',
        flags: 'limitUnknown',
        inode: 7,
      },
      { protocol: 'unix dgram', state: 'unconnected', local: '/run/d', inode: 8 },
    ]);
  });

  it('make gaps of broken lines, by file and number', () => {
    const text = `${TCP_HEADER}   0: 0100007F:0050 garbage\n${line('0100007F:0050 00000000:0000 0A', READY)}`;
    expect(read({ tcp: bytesOf(text), udp: bytesOf('') })).toMatchObject({
      rows: [{ local: '127.0.0.1:80' }],
      gaps: [
        {
          what: '/proc/net/tcp line 2',
          why: 'expected a socket of /proc/net/tcp, got "   0: 0100007F:0050 garbage"',
          line: 2,
        },
      ],
    });
  });

  it('raise ParseError where a file is something else', () => {
    expect(() => parseProcNet({ tcp: bytesOf('hello\n') })).toThrow(ParseError);
    expect(() => parseProcNet({ unix: bytesOf('hello\n') })).toThrow(
      '/proc/net/unix: expected a header or a socket of the kernel, got "hello"',
    );
    expect(read({}).rows).toEqual([]);
  });

  it.each(['tcp', 'tcp6', 'udp', 'unix'] as const)(
    'every prefix of %s parses or raises ParseError',
    (file) => {
      const bytes = readFileSync(`${fixtureDir}proc/linux-6.18-proc_net_${file}.txt`);
      const whole = outcome(() => parseProcNet({ [file]: bytes })).rows.length;
      for (let end = 0; end < bytes.length; end++) {
        const { rows, gaps, error } = outcome(() => parseProcNet({ [file]: bytes.subarray(0, end) }));
        expect(rows.length).toBeLessThanOrEqual(whole);
        expect(gaps.length, 'only the line that was cut off').toBeLessThanOrEqual(1);
        expect(error === undefined || rows.length === 0).toBe(true);
      }
    },
  );
});
