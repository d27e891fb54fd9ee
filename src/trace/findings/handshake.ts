import type { TraceConnection } from '../../model/trace.js';
import { type FindingRule, framesOf, plural, seconds } from './facts.js';
import { SLOW_CONNECT_NS } from './suspicion.js';

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

/** connect() took longer than any path does: something was sent again, or the server answered late. */
export const slowHandshake: FindingRule = ({ outcome, syn, synAck, ack, phases }, { othersAnswered }) => {
  if (outcome !== 'established' || othersAnswered || ack === undefined) return undefined;
  if ((phases.connect ?? 0) < SLOW_CONNECT_NS) return undefined;
  const why = whySlow(syn.length, synAck.filter(({ time }) => time <= ack.time).length, phases);
  if (why === undefined) return undefined;
  return {
    rule: 'slow_handshake',
    severity: 'warning',
    sure: 'certain',
    frames: framesOf([...syn.slice(0, 8), ...synAck.slice(0, 8), ack]),
    message: `connect took ${seconds(phases.connect ?? 0)}: ${why}`,
    evidence: [
      `${plural(syn.length, 'SYN')}, answered in frame ${synAck[0]?.frame}`,
      ...synAckPauses(synAck.map(({ time }) => time)),
    ],
  };
};

/** One SYN, one SYN-ACK and a late ACK are a capture that lacks the first ACK: the server would have sent its SYN-ACK again. */
function whySlow(
  syns: number,
  synAcks: number,
  { synToSynAck }: TraceConnection['phases'],
): string | undefined {
  if (syns > 1) return `${plural(syns - 1, 'SYN')} or their answers were lost or dropped`;
  if (synAcks > 1)
    return `${plural(synAcks, 'SYN-ACK')} until the client acknowledged: they or its ACK were lost or dropped`;
  if (synToSynAck === undefined || synToSynAck < SLOW_CONNECT_NS) return undefined;
  return `the server answered the SYN only after ${seconds(synToSynAck)}`;
}

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
