import type { Endpoint } from '../../model/endpoint.js';
import type { Evidence } from '../../model/findings.js';
import { formatIp, type IpAddress, isLoopback } from '../../model/ip.js';
import type { Route, RouteFacts } from '../../model/routes.js';
import { evidence } from '../evidence.js';

const HEDGE = 'policy rules and marks may choose another';

/** How a destination would be reached now: evidence, for the route may have been another when the SYN was sent. */
export function routeEvidence(remote: Endpoint, facts: RouteFacts | undefined): Evidence[] {
  if (facts === undefined || remote.kind !== 'ip') return [];
  const { address } = remote;
  const to = formatIp(address);
  if (isLoopback(address) || facts.own.has(to)) return [];
  const route = routeTo(address, facts.routes);
  if (route === undefined)
    return [evidence('route', 0, 'routes', `there is no route to ${to} now (${HEDGE})`)];
  if (route.kind !== 'via') return [evidence('route', 0, 'routes', `${refusalText(route, to)} (${HEDGE})`)];
  const next = formatIp(route.gateway ?? address);
  const way = route.gateway === undefined ? 'directly' : `by way of ${next}`;
  return [
    evidence('route', 1, 'routes', `${to} is reached over device ${route.device} ${way} (${HEDGE})`),
    ...deviceEvidence(route, facts),
    ...(facts.unanswered.has(next)
      ? [
          evidence(
            'neighbour',
            0,
            'answers',
            `${next} has not answered ARP: it is down, not on that link, or the address is wrong`,
          ),
        ]
      : []),
  ];
}

/** No SYN leaves the host: the next hop has not answered ARP. */
export function isWithoutNeighbour(remote: Endpoint, facts: RouteFacts | undefined): boolean {
  if (facts === undefined || remote.kind !== 'ip') return false;
  const { address } = remote;
  if (isLoopback(address) || facts.own.has(formatIp(address))) return false;
  const route = routeTo(address, facts.routes);
  return route?.kind === 'via' && facts.unanswered.has(formatIp(route.gateway ?? address));
}

function refusalText({ kind, to: { family } }: Route, to: string): string {
  if (kind === 'blackhole') return `the route to ${to} is a blackhole: what is sent there is dropped`;
  return `the route to ${to} is ${family === 6 ? 'a blackhole, unreachable or prohibited' : 'unreachable or prohibited'}`;
}

const deviceEvidence = ({ device }: Route, { running }: RouteFacts): Evidence[] => [
  running.has(device)
    ? evidence('device', 1, 'devices', `device ${device} is up and has a carrier`)
    : evidence(
        'device',
        0,
        'devices',
        `device ${device} is not up and running: it is down, has no carrier, or has no address`,
      ),
];

/** The longest prefix, then the lowest metric. */
export function routeTo(address: IpAddress, routes: readonly Route[]): Route | undefined {
  let best: Route | undefined;
  for (const route of routes) {
    if (!isIn(address, route)) continue;
    const isBetter =
      best === undefined ||
      route.bits > best.bits ||
      (route.bits === best.bits && route.metric < best.metric);
    if (isBetter) best = route;
  }
  return best;
}

function isIn({ family, words }: IpAddress, { to, bits }: Route): boolean {
  if (to.family !== family) return false;
  const from = family === 4 ? 3 : 0;
  for (let word = from, left = bits; word < 4 && left > 0; word++, left -= 32) {
    const mask = left >= 32 ? 0xffffffff : ~(0xffffffff >>> left);
    if ((((words[word] ?? 0) ^ (to.words[word] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}
