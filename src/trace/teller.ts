import type { Outcome, TraceConnection } from '../model/trace.js';
import type { AppLayer } from './app-layer.js';
import type { Attempts } from './attempts.js';
import { buildConnection } from './connection.js';
import type { AddressBook } from './decode/address-book.js';
import type { PathBook } from './decode/path-book.js';
import type { Events } from './events.js';
import { findTrace } from './findings/index.js';
import { isHeard, isSuspect, isUnheard } from './findings/suspicion.js';
import { UnsafeRetries } from './findings/usage.js';
import { FLOW, type Flows, INT } from './flows.js';
import { MARK, type MARKS } from './marks.js';
import { nextWait } from './outcome.js';
import type { Pairs } from './pairs.js';
import { moment } from './totals.js';
import type { UdpLayer } from './udp/index.js';

const M = MARK as Readonly<Record<(typeof MARKS)[number], number>>;

interface TellerParts {
  readonly flows: Flows;
  readonly events: Events;
  readonly addresses: AddressBook;
  readonly paths: PathBook;
  readonly app: AppLayer;
  readonly udp: UdpLayer;
  readonly pairs: Pairs;
  readonly attempts: Attempts;
}

/** Makes of the columns of a TCP connection that is over what is told of it, with what was wrong. */
export class Teller {
  private readonly retries = new UnsafeRetries();

  constructor(private readonly parts: TellerParts) {}

  /** Pauses before the last SYN and the one before, ns. */
  synSteps(slot: number): number[] {
    const { flows } = this.parts;
    if (flows.int(slot, INT.syns) < 2 || flows.has(slot, FLOW.synAckSeen)) return [];
    const first = flows.timeOf(slot, M.syn);
    // Of a connection that is followed the first is an event like the others.
    const times = [first, ...this.parts.events.times(slot, 'syn').filter((time) => time !== first)];
    const steps = times.slice(1).map((time, index) => time - (times[index] ?? time));
    return steps.slice(-2).reverse();
  }

  /** `comment`: on one of its packets. */
  tell(slot: number, outcome: Outcome, comment: string | undefined): TraceConnection {
    const { flows, app, pairs } = this.parts;
    const connection = buildConnection(this.parts, slot, outcome, {
      tls: app.tls(slot),
      http: app.http(slot),
      dns: this.dnsOf(slot),
      comment,
    });
    if (!isSuspect(flows, slot, outcome) && !pairs.isWatched(flows.int(slot, INT.pair))) return connection;
    const findings = findTrace(connection, {
      othersAnswered: flows.has(slot, FLOW.othersAnswered),
      unheard: isUnheard(flows, slot),
      heard: isHeard(flows, slot),
      synAcksAfterAck: flows.int(slot, INT.synAcksAfterAck),
      successor: this.successorOf(slot),
      nextSynDue: nextWait(this.synSteps(slot), flows.int(slot, INT.syns)),
    });
    const { finding, hasFailed } = this.retries.check(connection, `${flows.int(slot, INT.pair)}`);
    if (hasFailed) pairs.watch(flows.int(slot, INT.pair));
    if (finding !== undefined) findings.push(finding);
    const storm = pairs.stormOf(flows.int(slot, INT.pair), outcome, flows.frameOf(slot, M.first));
    if (storm !== undefined) findings.push(storm);
    return { ...connection, findings };
  }

  private successorOf(slot: number) {
    const { flows } = this.parts;
    const areInTurn = this.parts.attempts.areInTurn(flows.int(slot, INT.pair));
    return areInTurn ? moment(flows.frameOf(slot, M.successor), flows.timeOf(slot, M.successor)) : undefined;
  }

  private dnsOf(slot: number) {
    const { flows } = this.parts;
    const clientIsHigh = flows.int(slot, INT.clientIsHigh) === 1;
    const client = flows.int(slot, clientIsHigh ? INT.high : INT.low);
    const server = flows.int(slot, clientIsHigh ? INT.low : INT.high);
    const family = (flows.int(slot, INT.kind) & 2) === 0 ? 4 : 6;
    return this.parts.udp.dnsFor(family, client, server, flows.timeOf(slot, M.first));
  }
}
