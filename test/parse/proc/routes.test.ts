import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIp, parseIp } from '../../../src/model/ip.js';
import { parseRoutes, parseRoutes6, parseUnanswered } from '../../../src/parse/proc/routes.js';

/** Linux 6.18: `ip route add default via 10.9.0.254`, a link, `blackhole 10.10.0.0/16`, `unreachable 10.11.0.0/16`. */
const MAIN = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT                                                       
v0	00000000	FE00090A	0003	0	0	0	00000000	0	0	0                                                                                 
v0	0000090A	00000000	0001	0	0	100	00FFFFFF	0	0	0                                                                                 
*	00000A0A	00000000	0001	0	0	0	0000FFFF	0	0	0                                                                                  
*	00000B0A	00000000	0201	0	0	0	0000FFFF	0	0	0                                                                                  
`;
const SIX = `fd090000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000002 00000000 00000001       v0
fd110000000000000000000000000000 10 00000000000000000000000000000000 00 00000000000000000000000000000000 00000400 00000001 00000000 00200200       lo
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd0900000000000000000000000000fe 00000400 00000001 00000000 00000003       v0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
`;
const ARP = `IP address       HW type     Flags       HW address            Mask     Device
10.9.0.77        0x1         0x0         00:00:00:00:00:00     *        v0
10.9.0.254       0x1         0x2         02:00:00:00:00:01     *        v0
`;

const told = (routes: ReturnType<typeof parseRoutes>) =>
  routes.map(({ kind, to, bits, device, gateway, metric }) =>
    [kind, `${formatIp(to)}/${bits}`, device, gateway && formatIp(gateway), metric].join(' '),
  );

describe('routes in /proc', () => {
  it('of IPv4', () => {
    expect(told(parseRoutes(MAIN))).toEqual([
      'via 0.0.0.0/0 v0 10.9.0.254 0',
      'via 10.9.0.0/24 v0  100',
      'blackhole 10.10.0.0/16 *  0',
      'rejected 10.11.0.0/16 *  0',
    ]);
  });

  it('of IPv6, without the entry that stands for none', () => {
    expect(told(parseRoutes6(SIX))).toEqual([
      'via fd09::/64 v0  256',
      'rejected fd11::/16 lo  1024',
      'via ::/0 v0 fd09::fe 1024',
    ]);
  });

  it('of neighbours those that have not answered', () => {
    expect(parseUnanswered(ARP)).toEqual([formatIp(parseIp('10.9.0.77') ?? expect.fail())]);
  });

  it('leave out what is no line of them', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseRoutes(text)).toEqual([]);
        expect(parseRoutes6(text)).toEqual([]);
        expect(parseUnanswered(text)).toEqual([]);
      }),
    );
  });
});
