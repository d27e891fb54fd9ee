import { describe, expect, it } from 'vitest';
import { routeEvidence } from '../../../src/analyze/diagnose/route.js';
import type { Endpoint } from '../../../src/model/endpoint.js';
import { parseIp } from '../../../src/model/ip.js';
import type { Route, RouteFacts } from '../../../src/model/routes.js';

const ip = (text: string) => parseIp(text) ?? expect.fail(text);
const end = (text: string): Endpoint => ({ kind: 'ip', address: ip(text), port: 80 });
const route = (to: string, bits: number, more: Partial<Route> = {}): Route => ({
  kind: 'via',
  to: ip(to),
  bits,
  device: 'eth0',
  metric: 0,
  ...more,
});
const facts = (routes: readonly Route[], more: Partial<RouteFacts> = {}): RouteFacts => ({
  routes,
  running: new Set(['lo', 'eth0']),
  own: new Set(['10.0.0.1']),
  unanswered: new Set(),
  ...more,
});
const said = (to: string, known: RouteFacts | undefined) =>
  routeEvidence(end(to), known).map(({ metric, value, text }) => `${metric} ${value}: ${text}`);
const HEDGE = '(policy rules and marks may choose another)';
const DEFAULT = route('0.0.0.0', 0, { gateway: ip('10.0.0.254') });
const LINK = route('10.0.0.0', 24);

describe('the route to a destination that does not answer', () => {
  it('says the device, the way, and whether that device runs', () => {
    expect(said('192.0.2.7', facts([DEFAULT, LINK]))).toEqual([
      `route 1: 192.0.2.7 is reached over device eth0 by way of 10.0.0.254 ${HEDGE}`,
      'device 1: device eth0 is up and has a carrier',
    ]);
    expect(said('10.0.0.9', facts([DEFAULT, LINK], { running: new Set(['lo']) }))).toEqual([
      `route 1: 10.0.0.9 is reached over device eth0 directly ${HEDGE}`,
      'device 0: device eth0 is not up and running: it is down, has no carrier, or has no address',
    ]);
  });

  it('says who has not answered ARP: the next hop, not the destination behind it', () => {
    const silent = { unanswered: new Set(['10.0.0.254', '192.0.2.9']) };
    expect(said('192.0.2.7', facts([DEFAULT, LINK], silent))[2]).toBe(
      'neighbour 0: 10.0.0.254 has not answered ARP: it is down, not on that link, or the address is wrong',
    );
    expect(said('10.0.0.9', facts([DEFAULT, LINK], silent))).toHaveLength(2);
  });

  it('says that there is none, or that it leads nowhere', () => {
    expect(said('192.0.2.7', facts([LINK]))).toEqual([
      `route 0: there is no route to 192.0.2.7 now ${HEDGE}`,
    ]);
    const hole = route('192.0.2.0', 24, { kind: 'blackhole', device: '*' });
    expect(said('192.0.2.7', facts([DEFAULT, hole]))).toEqual([
      `route 0: the route to 192.0.2.7 is a blackhole: what is sent there is dropped ${HEDGE}`,
    ]);
    const six = route('fd11::', 16, { kind: 'rejected', device: 'lo' });
    expect(said('fd11::5', facts([DEFAULT, six]))).toEqual([
      `route 0: the route to fd11::5 is a blackhole, unreachable or prohibited ${HEDGE}`,
    ]);
  });

  it.each([
    [
      'the longest prefix',
      [DEFAULT, route('192.0.2.0', 31, { device: 'a' }), route('192.0.2.0', 25, { device: 'b' })],
      'a',
    ],
    [
      'then the lowest metric',
      [
        route('192.0.2.0', 24, { device: 'b', metric: 9 }),
        route('192.0.2.0', 24, { device: 'a', metric: 1 }),
      ],
      'a',
    ],
    ['not a prefix that ends a bit too late', [DEFAULT, route('192.0.2.2', 31, { device: 'b' })], 'eth0'],
  ])('takes %s', (_, routes, device) => {
    expect(said('192.0.2.1', facts(routes))[0]).toContain(`over device ${device} `);
  });

  it('says nothing of this host itself, of a Unix socket, or where routes are not known', () => {
    expect(said('127.0.0.1', facts([]))).toEqual([]);
    expect(said('10.0.0.1', facts([]))).toEqual([]);
    expect(said('192.0.2.7', undefined)).toEqual([]);
    expect(routeEvidence({ kind: 'unix', path: '/x' } as Endpoint, facts([]))).toEqual([]);
  });
});
