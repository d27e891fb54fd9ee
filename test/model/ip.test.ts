import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIp, type IpWords, parseIp } from '../../src/model/ip.js';

const formatted = (text: string) => {
  const address = parseIp(text);
  return address === undefined ? undefined : formatIp(address);
};

describe('IP addresses', () => {
  it.each([
    ['10.0.0.5', '10.0.0.5'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['fe80::d8f5:24ff:febb:6c11', 'fe80::d8f5:24ff:febb:6c11'],
    ['1::', '1::'],
    ['::ffff:10.77.0.1', '10.77.0.1'],
    ['::ffff:a4d:1', '10.77.0.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ])('reads %s and prints %s', (text, printed) => {
    expect(formatted(text)).toBe(printed);
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.256',
    '1.2.3.4.5',
    '01234::',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1.2.3.4::',
    'g::',
    '10.xx.0.1',
  ])('does not take %j for an address', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });

  it('makes a v4-mapped address an IPv4 one', () => {
    expect(parseIp('::ffff:127.0.0.1')).toEqual({ family: 4, words: [0, 0, 0, 0x7f000001] });
  });

  it('reads back every IPv6 address that it prints, and Node agrees that it is one', () => {
    const word = fc.oneof(
      fc.constant(0),
      fc.integer({ min: 0, max: 0xffff }),
      fc.integer({ min: 0, max: 0xffffffff }),
    );
    fc.assert(
      fc.property(fc.tuple(word, word, word, word), (words: IpWords) => {
        fc.pre(!(words[0] === 0 && words[1] === 0 && words[2] === 0xffff));
        const text = formatIp({ family: 6, words });
        expect(isIPv6(text)).toBe(true);
        expect(parseIp(text)).toEqual({ family: 6, words });
      }),
    );
  });
});
