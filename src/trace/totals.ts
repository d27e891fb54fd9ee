import { OUTCOMES, type Outcome, type TraceConnection } from '../model/trace.js';
import type { TraceFinding } from '../model/trace-findings.js';
import type { Moment, Nanos } from '../model/trace-moment.js';
import {
  type Percentiles,
  PHASE_NAMES,
  type PhaseName,
  type RuleTotal,
  type TraceSummary,
} from '../model/trace-summary.js';
import { type Flows, SIDE_INT, SUM } from './flows.js';
import { MARK, type MARKS } from './marks.js';
import { closeOf } from './phases.js';
import { Sketch } from './sketch.js';

const M = MARK as Readonly<Record<(typeof MARKS)[number], number>>;
const MOST_EXAMPLES = 5;
const RANKS = { info: 0, warning: 1, critical: 2 } as const;

/** Pairs of marks that are one phase each; the others need more than that. */
const SPANS: readonly (readonly [PhaseName, from: number, to: number, orFrom?: number])[] = [
  ['synToSynAck', M.answeredSyn, M.synAck],
  // The last one may be sent after the ACK: then it is the first that was answered.
  ['synAckToAck', M.lastSynAck, M.ack, M.synAck],
  ['connect', M.syn, M.ack],
  ['tls', M.clientHello, M.finished],
  ['firstResponse', M.request, M.response],
  ['duration', M.first, M.last],
];

/** Sums over all connections, straight from the columns. */
export class Totals {
  connections = 0;
  quicConnections = 0;
  private readonly outcomes = Object.fromEntries(OUTCOMES.map((name) => [name, 0])) as Record<
    Outcome,
    number
  >;
  private readonly sketches = Object.fromEntries(PHASE_NAMES.map((name) => [name, new Sketch()])) as Record<
    PhaseName,
    Sketch
  >;
  private readonly bytes = [0, 0];
  private readonly resent = [0, 0];
  private dataSegments = 0;
  private requests = 0;
  private responses = 0;
  private readonly rules = new Map<
    string,
    { total: RuleTotal & { connections: number }; examples: RuleTotal['examples'][number][] }
  >();

  /** A TCP connection that is over. */
  add(flows: Flows, slot: number, outcome: Outcome): void {
    this.connections++;
    this.outcomes[outcome]++;
    for (const [name, from, to, orFrom = from] of SPANS) {
      const span = flows.between(slot, from, to);
      const nanos = span !== undefined && span < 0 ? flows.between(slot, orFrom, to) : span;
      if (nanos !== undefined && nanos >= 0) this.sketches[name].add(nanos);
    }
    const close = closeOf(flows, slot);
    if (close !== undefined) this.sketches.close.add(close);
    for (let direction = 0; direction < 2; direction++) {
      const side = (field: number) => flows.side(slot, direction, field);
      this.bytes[direction] = (this.bytes[direction] ?? 0) + flows.sum(slot, direction, SUM.payload);
      const resent = side(SIDE_INT.rto) + side(SIDE_INT.fast) + side(SIDE_INT.spurious);
      this.resent[direction] = (this.resent[direction] ?? 0) + resent;
      this.dataSegments += side(SIDE_INT.dataSegments);
    }
    this.requests += flows.requests[slot] ?? 0;
    this.responses += flows.responses[slot] ?? 0;
  }

  /** A QUIC connection or UDP exchange, which has no columns. */
  addConnection(connection: TraceConnection): void {
    this.connections++;
    if (connection.protocol === 'quic') this.quicConnections++;
    this.outcomes[connection.outcome]++;
    this.bytes[0] = (this.bytes[0] ?? 0) + connection.clientFacts.bytes;
    this.bytes[1] = (this.bytes[1] ?? 0) + connection.serverFacts.bytes;
  }

  addFindings({ id, findings }: TraceConnection): void {
    for (const finding of findings) this.addFinding(id, finding);
  }

  private addFinding(id: number, finding: TraceFinding): void {
    const { rule, severity, sure, signature, frames, message } = finding;
    // Pairs tell that one, once for all their connections.
    if (rule === 'retry_storm') return;
    const key = `${rule} ${severity} ${sure} ${signature ?? ''}`;
    let entry = this.rules.get(key);
    if (entry === undefined) {
      const examples: RuleTotal['examples'][number][] = [];
      entry = { total: { rule, severity, sure, connections: 0, examples }, examples };
      this.rules.set(key, entry);
    }
    entry.total = { ...entry.total, connections: entry.total.connections + 1 };
    if (entry.examples.length < MOST_EXAMPLES) entry.examples.push({ id, frames, message });
  }

  summary(
    ofPairs: readonly RuleTotal[],
    rest: Pick<
      TraceSummary,
      'packets' | 'tcpPackets' | 'udpPackets' | 'otherPackets' | 'pools' | 'retries' | 'trust'
    >,
    start: Moment | undefined,
    end: Moment | undefined,
  ): TraceSummary {
    const rules = [...[...this.rules.values()].map(({ total }) => total), ...ofPairs].sort(
      (a, b) => RANKS[b.severity] - RANKS[a.severity] || b.connections - a.connections,
    );
    return {
      ...rest,
      connections: this.connections,
      quicConnections: this.quicConnections,
      ...(start && { start }),
      ...(end && { end }),
      outcomes: { ...this.outcomes },
      phases: this.phases(),
      bytes: { client: this.bytes[0] ?? 0, server: this.bytes[1] ?? 0 },
      retransmissions: { client: this.resent[0] ?? 0, server: this.resent[1] ?? 0 },
      dataSegments: this.dataSegments,
      http: { requests: this.requests, responses: this.responses },
      rules,
    };
  }

  private phases(): Partial<Record<PhaseName, Percentiles>> {
    const entries = PHASE_NAMES.flatMap((name) => {
      const percentiles = this.sketches[name].percentiles();
      return percentiles === undefined ? [] : [[name, percentiles] as const];
    });
    return Object.fromEntries(entries);
  }
}

export const moment = (frame: number, time: number): Moment | undefined =>
  frame === 0 ? undefined : { frame, time: time as Nanos };
