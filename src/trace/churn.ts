import type { RuleTotal, WirePool } from '../model/trace-summary.js';
import { seconds as duration } from './findings/facts.js';

const LEAST_CONNECTIONS = 50;
const LEAST_PER_SECOND = 1;
const SHORT_NS = 1e9;
/** Requests in a connection on average: with more it is used again. */
const LITTLE_REUSE = 2;

export interface ChurnFacts {
  readonly pool: WirePool;
  /** Connections that came about, of those whose beginning is in the capture. */
  readonly established: number;
  /** Time in which they began. */
  readonly seconds: number;
  /** The first of them. */
  readonly sound: { readonly id: number; readonly frame: number };
}

/** Many connections of one client to one server, each short and hardly used: what a pool or keep-alive would spare. */
export function churnOf({ pool, established, seconds, sound }: ChurnFacts): RuleTotal | undefined {
  const { client, server, lifetime, requests, timeWait } = pool;
  const isShort = lifetime !== undefined && lifetime.count >= established / 2 && lifetime.p50 < SHORT_NS;
  const isUsedAgain = requests > established * LITTLE_REUSE;
  const perSecond = established / seconds;
  if (established < LEAST_CONNECTIONS || perSecond < LEAST_PER_SECOND) return undefined;
  if (!isShort || isUsedAgain) return undefined;
  const each = requests > 0 ? `, ${(requests / established).toFixed(1)} requests each` : '';
  const waits = timeWait.client + timeWait.server;
  const left =
    waits > 0
      ? `, ${waits} TIME-WAIT (${timeWait.client} at the client, ${timeWait.server} at the server)`
      : '';
  const message = `${client} opened ${established} connections to ${server} in ${duration(seconds * 1e9)}, half of them gone within ${duration(lifetime.p50)}${each}${left}: keep them open and use them again`;
  const examples = [{ id: sound.id, frames: [sound.frame], message }];
  return { rule: 'pool_churn', severity: 'warning', sure: 'certain', connections: established, examples };
}
