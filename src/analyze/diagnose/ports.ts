import type { DiagnosisFacts, PortUse } from '../../model/diagnosis.js';
import { formatEndpoint, formatHost } from '../../model/endpoint.js';
import type { Evidence } from '../../model/findings.js';
import { isLoopback } from '../../model/ip.js';
import { evidence } from '../evidence.js';
import { count, percent } from '../words.js';
import { type DiagnosisRule, type Found, ownerOf, settingOf, whoText } from './found.js';

const WARN = 0.8;
const CRITICAL = 0.95;
/** TCP_TIMEWAIT_LEN, not tcp_fin_timeout. */
const TIME_WAIT_SECONDS = 60;
/** Younger ports are not taken again (the default of net.ipv4.tcp_tw_reuse_delay; fixed before there was one). */
const REUSE_SECONDS = 1;
const RANGE = 'net.ipv4.ip_local_port_range';
const RESERVED = 'net.ipv4.ip_local_reserved_ports';
const REUSE = 'net.ipv4.tcp_tw_reuse';

/** Ports per source address, destination address and destination port: elsewhere the same port may be used again (KERNEL.md 9). */
export const portRule: DiagnosisRule = {
  name: 'ephemeral_ports',
  asks: 'local ports in use towards each destination',
  needs: ['settings'],
  judge: (facts) => {
    const capacity = portCapacity(facts);
    if (capacity === undefined || capacity <= 0) return [];
    return facts.seen.ports.flatMap((use) => judgeUse(use, capacity, facts));
  },
};

/** Ports of the range that connect() may take. */
export function portCapacity({ stack }: DiagnosisFacts): number | undefined {
  const { portRange, reservedPorts = 0 } = stack?.last ?? {};
  return portRange === undefined ? undefined : portRange[1] - portRange[0] + 1 - reservedPorts;
}

/** 1: for all outgoing connections; 2: over loopback only; both need timestamps. */
function reuses(facts: DiagnosisFacts, { source, remote }: PortUse): boolean {
  const reuse = settingOf(facts, REUSE);
  if (settingOf(facts, 'net.ipv4.tcp_timestamps') === 0) return false;
  const isLocal = [source, remote].every((end) => end.kind === 'ip' && isLoopback(end.address));
  return reuse === 1 || (reuse === 2 && isLocal);
}

function judgeUse(use: PortUse, capacity: number, facts: DiagnosisFacts): Found[] {
  const reusing = reuses(facts, use);
  const taken = use.total - (reusing ? use.reusable : 0);
  const share = taken / capacity;
  if (share < WARN) return [];
  const { source, remote, total, timeWait } = use;
  const from = source.kind === 'ip' ? formatHost(source) : formatEndpoint(source);
  const to = formatEndpoint(remote);
  return [
    {
      rule: 'ephemeral_ports',
      severity: share >= CRITICAL ? 'critical' : 'warning',
      sure: 'certain',
      about: { local: source, remote, ...ownerOf(use.owner) },
      message: `${count(taken)} of ${count(capacity)} local ports from ${from} to ${to} are in use (${percent(share)})`,
      evidence: [
        evidence(
          'ports.total',
          total,
          'ports',
          `${count(total - timeWait)} open, ${count(timeWait)} in TIME-WAIT${timeWait > 0 ? ': this side closed first' : ''}${mostOf(use)}`,
        ),
        paceEvidence(capacity, reusing),
        evidence('ports.reusable', reusing ? use.reusable : 0, 'ports', reuseText(facts, use, reusing)),
        ...globalUse(facts, capacity),
      ],
      advice: adviceFor(use, facts, reusing),
      settings: [RANGE, RESERVED, REUSE],
    },
  ];
}

/** How many connections that this side closes first may be made; open ones come on top. */
function paceEvidence(capacity: number, reusing: boolean): Evidence {
  const seconds = reusing ? REUSE_SECONDS : TIME_WAIT_SECONDS;
  const pace = capacity / seconds;
  const held = reusing
    ? `with tcp_tw_reuse, which takes ports again after ${seconds} s of TIME-WAIT`
    : `with TIME-WAIT of ${seconds} s on this side`;
  const text = `${held}, ${pace < 10 ? pace.toFixed(1) : count(pace)} new connections per second to this destination are all that the range allows`;
  return evidence('ports.per_second', pace, 'connections per second', text);
}

const mostOf = ({ owner }: PortUse) =>
  typeof owner === 'object' ? `; ${whoText(owner)} holds open ones` : '';

function reuseText(facts: DiagnosisFacts, { reusable }: PortUse, reusing: boolean): string {
  const reuse = settingOf(facts, REUSE);
  if (reusing)
    return `tcp_tw_reuse is in force: ${count(reusable)} ports in TIME-WAIT for more than 1 s may be taken again`;
  if (reuse === undefined) return 'tcp_tw_reuse could not be read';
  return `tcp_tw_reuse is ${reuse}${reuse === 2 ? ' (loopback only)' : ''}: no port in TIME-WAIT is taken again here`;
}

/** A socket that is bound to a port before connect() needs one that no destination uses. */
function globalUse({ seen }: DiagnosisFacts, capacity: number) {
  const { portsInUse } = seen;
  if (portsInUse === undefined) return [];
  const text = `${count(portsInUse)} different ports of the range are in use over all destinations (${percent(portsInUse / capacity)}): programs that bind() a source address before connect() without IP_BIND_ADDRESS_NO_PORT share only the rest`;
  return [evidence('ports.distinct', portsInUse, 'ports', text)];
}

function adviceFor(use: PortUse, facts: DiagnosisFacts, reusing: boolean): string {
  const who = typeof use.owner === 'object' ? whoText(use.owner) : 'the clients';
  const keep = `let ${who} keep and reuse connections (a pool, HTTP keep-alive) instead of one per request`;
  const reuse =
    reusing || settingOf(facts, REUSE) === 1 ? '' : `, or set ${REUSE} to 1 for outgoing connections`;
  const wait =
    use.timeWait > use.total / 2 ? `${keep}${reuse}` : `see why ${who} holds so many connections open`;
  return `${wait}; for more room, widen ${RANGE} (as 1024 65000, with listeners in ${RESERVED}), or use further source or destination addresses`;
}
