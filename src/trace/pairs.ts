import type { Outcome } from '../model/trace.js';
import type { TraceFinding } from '../model/trace-findings.js';
import type { RuleTotal, WirePool, WireRetries } from '../model/trace-summary.js';
import { churnOf } from './churn.js';
import { FLOW, type Flows, INT } from './flows.js';
import { MARK, type MARKS } from './marks.js';
import {
  begin,
  exampleOf,
  gapsOf,
  hasFailed,
  isAttempt,
  makePair,
  type NameOf,
  type Pair,
  patternOf,
  pausesOf,
  poolOf,
  retriesOf,
  secondsOf,
} from './pair.js';

const M = MARK as Readonly<Record<(typeof MARKS)[number], number>>;
const MOST_PAIRS = 10_000;
const SHOWN = 20;
const LEAST_FOR_A_POOL = 3;
/** So many failed attempts are more than a few retries. */
const STORM = 10;
/** Times of connections that are counted once they are over: 8 MB. */
const MOST_SPANS = 500_000;

/** Connections by client address and server: pools and retries as the wire shows them. What comes after 10,000 pairs is not told apart. */
export class Pairs {
  private readonly rows: Pair[] = [];
  private readonly known = new Map<number, number>();
  private spans = 0;

  /** The row of a pair, interned; -1 where there are too many. */
  pairOf(flows: Flows, slot: number): number {
    const server = flows.int(slot, INT.server);
    const clientIsHigh = flows.int(slot, INT.clientIsHigh) === 1;
    const client = flows.int(slot, clientIsHigh ? INT.high : INT.low);
    const key = server * 2 ** 32 + (client >>> 0);
    const found = this.known.get(key);
    if (found !== undefined) return found;
    if (this.rows.length >= MOST_PAIRS) return -1;
    this.rows.push(makePair(flows, slot, { client, server }));
    this.known.set(key, this.rows.length - 1);
    return this.rows.length - 1;
  }

  opened(row: number, flows: Flows, slot: number): void {
    const pair = this.rows[row];
    if (pair === undefined) return;
    begin(pair, flows, slot);
    pair.open++;
    if (pair.open > pair.highest) pair.highest = pair.open;
  }

  /** A connection that is over, where only then it is known whether it counts. */
  counted(flows: Flows, slot: number, outcome: Outcome): void {
    const row = this.pairOf(flows, slot);
    const pair = this.rows[row];
    if (pair === undefined) return;
    begin(pair, flows, slot);
    if (this.spans < MOST_SPANS) {
      this.spans++;
      const end = flows.frameOf(slot, M.closed) === 0 ? M.last : M.closed;
      pair.spans.push(flows.timeOf(slot, M.first), flows.timeOf(slot, end));
    }
    this.finished(row, flows, slot, outcome);
  }

  /** One that was taken for given up is there after all. */
  reopened(row: number): void {
    const pair = this.rows[row];
    if (pair === undefined) return;
    pair.open++;
    if (pair.open > pair.highest) pair.highest = pair.open;
  }

  closed(row: number): void {
    const pair = this.rows[row];
    if (pair !== undefined && pair.open > 0) pair.open--;
  }

  /** What became of a connection, from its columns. */
  finished(row: number, flows: Flows, slot: number, outcome: Outcome): void {
    const pair = this.rows[row];
    if (pair === undefined) return;
    pair.requests += flows.requests[slot] ?? 0;
    if (isAttempt(flows, slot) && flows.has(slot, FLOW.closed))
      pair.lifetimes.add(flows.timeOf(slot, M.last) - flows.timeOf(slot, M.first));
    if (outcome === 'refused') pair.refused++;
    if (outcome === 'timed_out' || outcome === 'unresolved' || outcome === 'half_open') pair.unanswered++;
    if (hasFailed(outcome)) {
      pair.failed++;
      pair.example ??= exampleOf(flows, slot);
    } else if (isAttempt(flows, slot)) {
      pair.established++;
      pair.sound ??= exampleOf(flows, slot);
    }
    const clientFin = flows.frameOf(slot, M.clientFin);
    const serverFin = flows.frameOf(slot, M.serverFin);
    if (clientFin !== 0 && serverFin !== 0 && !flows.has(slot, FLOW.reset)) {
      const side = clientFin < serverFin ? 0 : 1;
      pair.timeWait[side]++;
    }
    if (clientFin !== 0 || serverFin !== 0) this.addIdle(pair, flows, slot);
  }

  private addIdle(pair: Pair, flows: Flows, slot: number): void {
    const clientFin =
      flows.frameOf(slot, M.clientFin) === 0 ? Number.POSITIVE_INFINITY : flows.timeOf(slot, M.clientFin);
    const serverFin =
      flows.frameOf(slot, M.serverFin) === 0 ? Number.POSITIVE_INFINITY : flows.timeOf(slot, M.serverFin);
    const data = Math.max(flows.timeOf(slot, M.clientData), flows.timeOf(slot, M.serverData));
    const hasData = flows.frameOf(slot, M.clientData) !== 0 || flows.frameOf(slot, M.serverData) !== 0;
    const idle = Math.min(clientFin, serverFin) - data;
    if (hasData && idle >= 0) pair.idle.add(idle);
  }

  /** From now on connections of this pair are told whole: one of them ended with an unsafe request unanswered. */
  watch(row: number): void {
    const pair = this.rows[row];
    if (pair !== undefined) pair.watched = true;
  }

  isWatched(row: number): boolean {
    return this.rows[row]?.watched === true;
  }

  /** Pairs with several connections, the busiest first. */
  pools(name: NameOf): WirePool[] {
    return this.rows
      .filter(({ connections }) => connections >= LEAST_FOR_A_POOL)
      .sort((a, b) => b.connections - a.connections)
      .slice(0, SHOWN)
      .map((pair) => poolOf(pair, name));
  }

  /** What is wrong with pairs, and with none of their connections alone. */
  rules(name: NameOf): RuleTotal[] {
    return [...this.storms(name), ...this.churns(name)];
  }

  private churns(name: NameOf): RuleTotal[] {
    return this.rows.flatMap((pair) => {
      const { established, sound } = pair;
      if (sound === undefined) return [];
      return churnOf({ pool: poolOf(pair, name), established, seconds: secondsOf(pair), sound }) ?? [];
    });
  }

  /** What a connection that failed has to say of its pair: it is one more of a storm. */
  stormOf(row: number, outcome: Outcome, frame: number): TraceFinding | undefined {
    const pair = this.rows[row];
    if (pair === undefined || pair.failed < STORM || !hasFailed(outcome)) return undefined;
    if (this.judge(pair) !== 'hammering') return undefined;
    return {
      rule: 'retry_storm',
      severity: 'warning',
      sure: 'certain',
      frames: [frame],
      message: `the client has now failed ${pair.failed} times and tries again without back-off`,
      evidence: [`pauses of ${pausesOf(pair)}`],
      advice: 'let the client wait longer after each failure, with jitter, or stop for a while',
    };
  }

  /** Sorting attempts anew for each connection of a flood would cost too much: only when there are more of them. */
  private judge(pair: Pair): WireRetries['pattern'] {
    const attempts = pair.attempts.length;
    if (pair.judged?.attempts !== attempts) pair.judged = { attempts, pattern: patternOf(gapsOf(pair)) };
    return pair.judged.pattern;
  }

  /** Clients that try again at once, over and over, though they fail: no back-off. */
  private storms(name: NameOf): RuleTotal[] {
    return this.rows.flatMap((pair) => {
      const { failed, example } = pair;
      if (failed < STORM || example === undefined) return [];
      const { pattern, client, server, attempts, highestParallel } = retriesOf(pair, name);
      if (pattern !== 'hammering') return [];
      const message = `${client} tried ${server} ${attempts} times without back-off, ${failed} in vain, ${highestParallel} at a time at most`;
      const examples = [{ id: example.id, frames: [example.frame], message }];
      return [
        {
          rule: 'retry_storm' as const,
          severity: 'warning' as const,
          sure: 'certain' as const,
          connections: failed,
          examples,
        },
      ];
    });
  }

  /** Pairs whose attempts failed, the most failures first. */
  retries(name: NameOf): WireRetries[] {
    return this.rows
      .filter(({ failed, tries }) => failed >= 2 && tries >= 3)
      .sort((a, b) => b.failed - a.failed)
      .slice(0, SHOWN)
      .map((pair) => retriesOf(pair, name));
  }
}
