import { describe, expect, it } from 'vitest';
import { rejectedFlag, ssArgs } from '../../src/collect/ss-args.js';

const none = new Set<string>();

describe('ssArgs', () => {
  it('asks for listeners with state filters, which work in the kernel', () => {
    expect(ssArgs({ states: ['listening', 'syn-recv'], udp: false, unix: true }, none)).toEqual([
      '-HOnemiotMx',
      'state',
      'listening',
      'state',
      'syn-recv',
    ]);
  });

  it('asks for unconnected UDP sockets as "close"', () => {
    expect(ssArgs({ states: ['listening'], udp: true, unix: false }, none)).toEqual([
      '-HOnemiotMu',
      'state',
      'listening',
      'state',
      'close',
    ]);
  });

  it('asks for ports, and for everything that has no peer', () => {
    const args = ssArgs(
      { states: ['listening', 'established'], ports: [443, 8080], udp: false, unix: false },
      none,
    );
    expect(args.at(-1)).toBe('( sport = :443 or sport = :8080 or dport = :0 )');
  });

  it('asks for everything with -a, and never for processes', () => {
    expect(ssArgs({ udp: true, unix: true }, none)).toEqual(['-HOnemiotMuxa']);
  });

  it('asks for no tcp_info where that is not wanted', () => {
    expect(ssArgs({ udp: false, unix: false, details: false }, none)).toEqual(['-HOnemotMa']);
  });

  it('leaves out what this ss has rejected', () => {
    expect(ssArgs({ udp: false, unix: false }, new Set(['H', 'O', 'M']))).toEqual(['-nemiota']);
  });
});

describe('rejectedFlag', () => {
  it.each([
    ["ss: invalid option -- 'O'\nUsage: ss [ OPTIONS ]", 'O'],
    ['ss: unrecognized option: M', 'M'],
    ['ss: invalid option -- H', 'H'],
    ['Cannot open netlink socket: Permission denied', undefined],
    ["ss: unrecognized option '--nope'", undefined],
  ])('reads %j', (stderr, flag) => {
    expect(rejectedFlag(stderr)).toBe(flag);
  });
});
