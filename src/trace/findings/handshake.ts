import type { TraceFinding } from '../../model/trace.js';
import { eventsOf, type FindingRule, framesOf, plural, seconds } from './facts.js';

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

export const tlsAlert: FindingRule = (connection): TraceFinding | undefined => {
  const alert = connection.tls?.alert;
  // 0 is close_notify, which is no trouble.
  if (alert === undefined || alert.description === 0) return undefined;
  const name = ALERTS[alert.description] ?? `alert ${alert.description}`;
  return {
    rule: 'tls_alert',
    severity: 'warning',
    sure: 'certain',
    frames: framesOf(
      [connection.tls?.clientHello, alert.at, ...eventsOf(connection, ['tls_alert'])].slice(0, 3),
    ),
    message: `TLS failed: the ${alert.from} says ${name}`,
    evidence: [`alert level ${alert.level}, description ${alert.description}`],
  };
};

/** RFC 8446 section 6 and earlier. */
const ALERTS: Readonly<Record<number, string>> = {
  10: 'unexpected_message',
  20: 'bad_record_mac',
  40: 'handshake_failure',
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  47: 'illegal_parameter',
  48: 'unknown_ca',
  49: 'access_denied',
  50: 'decode_error',
  51: 'decrypt_error',
  70: 'protocol_version',
  71: 'insufficient_security',
  80: 'internal_error',
  86: 'inappropriate_fallback',
  90: 'user_canceled',
  109: 'missing_extension',
  112: 'unrecognized_name',
  116: 'certificate_required',
  120: 'no_application_protocol',
};
