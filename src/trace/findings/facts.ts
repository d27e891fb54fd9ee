import type { TraceConnection, TraceEvent } from '../../model/trace.js';
import type { TraceFinding } from '../../model/trace-findings.js';
import type { Moment, Peer } from '../../model/trace-moment.js';

/** What a rule may know besides the connection. */
export interface FindingContext {
  /** While the SYNs of this one went unanswered, the server answered others. */
  readonly othersAnswered: boolean;
  /** The server has acknowledged the SYN and nothing after it. */
  readonly unheard: boolean;
  /** The server has acknowledged a byte of the client after the SYN. */
  readonly heard: boolean;
  /** SYN-ACKs sent again after the client's ACK. */
  readonly synAcksAfterAck: number;
  /** Unanswered: the first packet of the attempt that the client made instead, and ns from the last SYN to the next one that was due. */
  readonly successor?: Moment | undefined;
  readonly nextSynDue?: number | undefined;
}

export type FindingRule = (connection: TraceConnection, context: FindingContext) => TraceFinding | undefined;

export const seconds = (nanos: number): string => {
  const ms = nanos / 1e6;
  if (ms < 1) return `${(nanos / 1e3).toFixed(0)} µs`;
  return ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(1)} s`;
};

export const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

export const framesOf = (moments: readonly (Moment | undefined)[]): number[] =>
  moments.flatMap((one) => (one === undefined ? [] : [one.frame]));

export const eventsOf = (
  { events }: TraceConnection,
  kinds: readonly TraceEvent['kind'][],
  from?: Peer,
): TraceEvent[] =>
  events.filter((event) => kinds.includes(event.kind) && (from === undefined || event.from === from));

export const resentBy = ({
  retransmissions: { rto, fast, spurious },
}: TraceConnection['clientFacts']): number => rto + fast + spurious;

export const QUEUE_ADVICE =
  "look at the server's accept queue while it happens: sockwatch live there, or ListenOverflows in /proc/net/netstat; raise the backlog or let it accept faster";
