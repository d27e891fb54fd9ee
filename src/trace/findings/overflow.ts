import type { TraceConnection } from '../../model/trace.js';
import type { TraceFinding } from '../../model/trace-findings.js';
import type { Moment } from '../../model/trace-moment.js';
import { eventsOf, type FindingRule, framesOf, plural, QUEUE_ADVICE, seconds } from './facts.js';

const RETRY_NS = 500e6;
const RESET_AT_ONCE_NS = 50e6;

/** S1 (KERNEL.md 3): SYNs dropped while the server answered others. On the wire a lost SYN looks the same. */
export const synsIgnored: FindingRule = (connection, { othersAnswered }) => {
  const { syn, synAck, outcome, icmp } = connection;
  if (syn.length < 2 || !othersAnswered || outcome === 'refused' || icmp !== undefined) return undefined;
  const [first] = syn;
  const answer = synAck[0];
  const waited = (answer ?? syn.at(-1) ?? first)?.time ?? 0;
  const after = seconds(waited - (first?.time ?? 0));
  return suspected(
    's1',
    framesOf([...syn.slice(0, 8), answer]),
    [
      `${plural(syn.length, 'SYN')} ${answer === undefined ? `in ${after} without an answer` : `until the answer came after ${after}`}`,
      'in that time the server sent packets in other connections (a SYN-ACK, FIN or RST); neither a RST nor an ICMP error answered these SYNs',
    ],
    {
      message:
        answer === undefined
          ? `${plural(syn.length, 'SYN')} unanswered while the server sent in other connections: an accept queue that is full drops SYNs silently`
          : `connect took ${after}: ${plural(syn.length - 1, 'SYN')} unanswered while the server sent in other connections: an accept queue that is full drops SYNs silently`,
      alternatives: ['SYNs lost on the way', 'a firewall that drops', 'a full SYN queue without cookies'],
    },
  );
};

/** S2: SYN-ACKs sent again after the client had acknowledged. */
export const synAckAgain: FindingRule = (connection, { synAcksAfterAck }) => {
  const { synAck, ack, serverFacts } = connection;
  if (ack === undefined || synAcksAfterAck === 0) return undefined;
  const again = synAck.filter(({ time }) => time - ack.time >= RETRY_NS);
  if (again.length === 0) return undefined;
  const clientResends = eventsOf(connection, ['retransmission', 'spurious_retransmission'], 'client').filter(
    ({ time }) => time <= (again.at(-1)?.time ?? 0) + 70e9,
  );
  // One alone is also what a lost ACK looks like; but then the data behind it would have established the connection.
  if (again.length < 2 && clientResends.length === 0) return undefined;
  const rst = serverFacts.rst;
  const isDeferred = clientResends.length === 0 && isSilentUntil(connection, again.at(-1));
  return suspected(
    's2',
    framesOf([synAck[0], ack, ...again.slice(0, 8)]),
    [
      `SYN-ACK sent again ${plural(again.length, 'time')} after the ACK in frame ${ack.frame}: after ${again
        .slice(0, 6)
        .map(({ time }) => seconds(time - ack.time))
        .join(', ')}`,
      ...(clientResends.length > 0
        ? [`the client sent its data again ${plural(clientResends.length, 'time')}`]
        : []),
      ...(rst !== undefined ? [`the server reset it in frame ${rst.frame}`] : []),
    ],
    {
      message: `SYN-ACK sent again ${plural(again.length, 'time')} after the client had acknowledged it: a full accept queue does that${isDeferred ? ', and so does TCP_DEFER_ACCEPT as long as the client sends no data' : ''}`,
      alternatives: [
        ...(isDeferred
          ? ['TCP_DEFER_ACCEPT at the server: it fits, for the client had sent no data by then']
          : []),
        'ACKs of the client lost behind the place of the capture',
      ],
    },
  );
};

/** tcp(7), TCP_DEFER_ACCEPT: until data comes the server ignores the ACK, and its timer sends the SYN-ACK again. */
const isSilentUntil = ({ tls, request }: TraceConnection, until: Moment | undefined): boolean => {
  const data = tls?.clientHello ?? request;
  return data === undefined || until === undefined || data.time > until.time;
};

/** S3: answered with a cookie, then silence. */
export const cookieThenSilence: FindingRule = (connection, { unheard }) => {
  const { synAck, ack, serverFacts, clientFacts } = connection;
  if (!unheard || ack === undefined || synAck.length !== 1) return undefined;
  const { rst } = serverFacts;
  if (serverFacts.bytes > 0 || serverFacts.segments > 2) return undefined;
  // One that comes after a while of silence ends the matter; one at once is another.
  if (rst !== undefined && rst.time - ack.time < RETRY_NS) return undefined;
  const resent = eventsOf(connection, ['retransmission'], 'client');
  if (resent.length < 1) return undefined;
  return suspected(
    's3',
    framesOf([synAck[0], ack, ...resent.slice(0, 8)]),
    [
      'one SYN-ACK, then nothing from the server',
      `${plural(clientFacts.bytes, 'byte')} of the client in ${plural(resent.length + 1, 'segment')}, none acknowledged`,
    ],
    {
      message:
        'the server answered the SYN and then never acknowledged a byte: so it looks when the ACK of a SYN cookie meets a full accept queue',
      alternatives: [
        'a path that breaks after the handshake (MTU, firewall)',
        'a capture that misses one direction',
      ],
    },
  );
};

/** S4: reset right after the handshake (tcp_abort_on_overflow). */
export const resetAfterAck: FindingRule = (connection, { heard }) => {
  const { ack, synAck, serverFacts, clientFacts, phases, close } = connection;
  const rst = serverFacts.rst;
  if (
    ack === undefined ||
    rst === undefined ||
    rst.time < ack.time ||
    heard ||
    serverFacts.bytes > 0 ||
    synAck.length !== 1
  )
    return undefined;
  if (clientFacts.fin !== undefined && clientFacts.fin.time < rst.time) return undefined;
  if (
    clientFacts.bytes > 0 &&
    close?.resetAfterRequest !== undefined &&
    rst.time - ack.time > RESET_AT_ONCE_NS * 4
  )
    return undefined;
  const rtt = (phases.synToSynAck ?? 0) + (phases.synAckToAck ?? 0);
  if (rst.time - ack.time > rtt * 2 + RESET_AT_ONCE_NS) return undefined;
  return suspected(
    's4',
    framesOf([synAck[0], ack, rst]),
    [`RST ${seconds(rst.time - ack.time)} after the ACK, without a byte of the server before it`],
    {
      message: 'reset right after the handshake: a full accept queue with tcp_abort_on_overflow=1 does that',
      alternatives: ['the application closed with unread data', 'a proxy or firewall that resets'],
    },
  );
};

function suspected(
  signature: 's1' | 's2' | 's3' | 's4',
  frames: readonly number[],
  evidence: readonly string[],
  { message, alternatives }: { message: string; alternatives: readonly string[] },
): TraceFinding {
  return {
    rule: 'accept_queue_overflow',
    severity: 'warning',
    signature,
    sure: 'suspected',
    frames,
    message,
    evidence,
    alternatives,
    advice: QUEUE_ADVICE,
  };
}
