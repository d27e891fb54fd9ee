import { type FindingRule, framesOf, plural, seconds } from './facts.js';

const SLOW_NS = 900e6;

export const refused: FindingRule = ({ outcome, syn, serverFacts, icmp }) => {
  if (outcome !== 'refused') return undefined;
  const how =
    icmp === undefined
      ? 'a RST: nobody listens there'
      : `ICMP type ${icmp.type} code ${icmp.code}: unreachable or filtered`;
  return {
    rule: 'connect_refused',
    severity: 'warning',
    sure: 'certain',
    frames: framesOf([syn[0], serverFacts.rst, icmp]),
    message: `connect was refused by ${how}`,
    evidence: [`SYN in frame ${syn[0]?.frame}`],
    advice:
      icmp === undefined
        ? 'see whether the server runs and listens on this address'
        : 'look at firewalls and routes',
  };
};

export const slowHandshake: FindingRule = ({ outcome, syn, synAck, ack, phases }, { othersAnswered }) => {
  if (outcome !== 'established' || syn.length < 2 || othersAnswered || ack === undefined) return undefined;
  if ((phases.connect ?? 0) < SLOW_NS) return undefined;
  return {
    rule: 'slow_handshake',
    severity: 'warning',
    sure: 'certain',
    frames: framesOf([...syn.slice(0, 8), synAck[0], ack]),
    message: `connect took ${seconds(phases.connect ?? 0)}: ${plural(syn.length - 1, 'SYN')} or their answers were lost or dropped`,
    evidence: [`${plural(syn.length, 'SYN')}, answered in frame ${synAck[0]?.frame}`],
  };
};

export const halfOpen: FindingRule = ({ outcome, syn, synAck }) => {
  if (outcome !== 'half_open') return undefined;
  return {
    rule: 'half_open',
    severity: synAck.length > 1 ? 'warning' : 'info',
    sure: 'certain',
    frames: framesOf([syn[0], ...synAck.slice(0, 8)]),
    message: `the client never acknowledged the SYN-ACK${synAck.length > 1 ? `, which was sent ${synAck.length} times` : ''}`,
    evidence: synAckPauses(synAck.map(({ time }) => time)),
    advice:
      'a scan or flood with forged addresses, a client that gave up, or a path that loses one direction',
  };
};

const synAckPauses = (times: readonly number[]): string[] => {
  const pauses = times.slice(1).map((time, index) => seconds(time - (times[index] ?? time)));
  return pauses.length === 0 ? [] : [`pauses between SYN-ACKs: ${pauses.join(', ')}`];
};

export const resetEarly: FindingRule = ({ outcome, syn, synAck, clientFacts, serverFacts }) => {
  if (outcome !== 'reset_in_handshake') return undefined;
  const rst = clientFacts.rst ?? serverFacts.rst;
  const who = clientFacts.rst !== undefined ? 'client' : 'server';
  return {
    rule: 'reset_in_handshake',
    severity: 'info',
    sure: 'certain',
    frames: framesOf([syn[0], synAck[0], rst]),
    message: `the ${who} reset the connection before it was established`,
    evidence: [`RST in frame ${rst?.frame}`],
    ...(who === 'client' && { alternatives: ['a port scan (SYN scan)', 'a client that gave up'] }),
  };
};
