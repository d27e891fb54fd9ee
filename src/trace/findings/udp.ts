import type { TraceConnection } from '../../model/trace.js';
import type { TraceFinding } from '../../model/trace-findings.js';
import { framesOf, plural } from './facts.js';

/** The port and address unreachable of each family: somebody said that nobody is there. Others say that a firewall or router is in the way. */
const CLOSED_PORT = { 4: [3, 3], 6: [1, 4] } as const;

/** What is wrong with an exchange over UDP, which has no handshake of its own: only what ICMP says of it. */
export function findDatagrams({
  outcome,
  icmp,
  first,
  clientFacts,
  protocol,
}: Pick<TraceConnection, 'outcome' | 'icmp' | 'first' | 'clientFacts' | 'protocol'>): TraceFinding[] {
  if (outcome !== 'refused' || icmp === undefined) return [];
  const [type, code] = CLOSED_PORT[icmp.family];
  const isClosed = icmp.type === type && icmp.code === code;
  const name = protocol === 'quic' ? 'QUIC' : 'UDP';
  return [
    {
      rule: 'connect_refused',
      severity: 'warning',
      sure: 'certain',
      frames: framesOf([first, icmp]),
      message: `${name} was refused by ICMP type ${icmp.type} code ${icmp.code}: ${isClosed ? 'nobody listens on that port' : 'unreachable or filtered'}`,
      evidence: [
        `${plural(clientFacts.segments, 'datagram')} from frame ${first.frame} on, ICMP error in frame ${icmp.frame}, no answer`,
      ],
      advice: isClosed
        ? 'see whether the server runs and listens on this address'
        : 'look at firewalls and routes',
    },
  ];
}
