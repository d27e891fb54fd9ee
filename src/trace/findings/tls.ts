import type { TraceConnection } from '../../model/trace.js';
import type { TraceFinding } from '../../model/trace-findings.js';
import type { Moment, Peer } from '../../model/trace-moment.js';
import { eventsOf, type FindingRule, framesOf, seconds } from './facts.js';

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

/** A handshake that one side ended before it was done, without an alert that says why. */
export const tlsUnfinished: FindingRule = (connection) => {
  const { tls, oneSided } = connection;
  const hello = tls?.clientHello;
  if (tls?.unfinished !== true || hello === undefined || oneSided !== undefined) return undefined;
  const end = endAfter(connection, hello);
  if (end === undefined || (tls.alert !== undefined && tls.alert.description !== 0)) return undefined;
  const { serverHello } = tls;
  return {
    rule: 'tls_handshake_failed',
    severity: 'warning',
    sure: 'certain',
    frames: framesOf([hello, serverHello, end.at]),
    message: `the TLS handshake was not finished: the ${end.by} ${end.how} ${seconds(end.at.time - hello.time)} after the ClientHello`,
    evidence: [
      `ClientHello in frame ${hello.frame}, ${serverHello === undefined ? 'no ServerHello' : `ServerHello in frame ${serverHello.frame}`}, end in frame ${end.at.frame}`,
    ],
    advice:
      end.by === 'client'
        ? 'a timeout of the client, or a certificate that it does not take: look at what keeps the server from answering, and at the log of the client'
        : 'a server that does not speak TLS there, a proxy without a backend, or a filter that looks at names: see the log of the server',
  };
};

interface End {
  readonly at: Moment;
  readonly by: Peer;
  readonly how: string;
}

/** The first FIN or RST from a moment on. */
function endAfter({ clientFacts, serverFacts }: TraceConnection, from: Moment): End | undefined {
  const ends: readonly (readonly [Moment | undefined, Peer, string])[] = [
    [clientFacts.fin, 'client', 'closed it'],
    [serverFacts.fin, 'server', 'closed it'],
    [clientFacts.rst, 'client', 'reset it'],
    [serverFacts.rst, 'server', 'reset it'],
  ];
  return ends
    .flatMap(([at, by, how]) => (at === undefined || at.frame < from.frame ? [] : [{ at, by, how }]))
    .sort((a, b) => a.at.frame - b.at.frame)[0];
}

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
