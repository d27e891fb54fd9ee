import type { Listener, ListenerWindow } from '../model/listener.js';
import { perSecond } from '../model/units.js';
import { countYounger } from './acceptor.js';

export interface RateFacts {
  readonly windowMs: number;
  /** Rise of the queue's length. */
  readonly grown: number;
  /** Connections that are known to have come in this window. */
  readonly arrivals: number;
  /** Whether any lower bound but the length could be had. */
  readonly isBounded: boolean;
  /** Rise of PassiveOpens, where all of it can only be this listener's. */
  readonly passiveOpens: number | undefined;
}

type Rates = Pick<ListenerWindow, 'arrivalsPerSecond' | 'acceptsPerSecond' | 'rateBasis'>;

/** Connections that entered and that were accepted per second: exact counts do not exist per listener (KERNEL.md 6). */
export function estimateRates({ windowMs, grown, arrivals, isBounded, passiveOpens }: RateFacts): Rates {
  const basis = passiveOpens === undefined ? 'lower_bound' : 'passive_opens';
  if (basis === 'lower_bound' && !isBounded && arrivals === 0 && grown >= 0) return {};
  const came = passiveOpens ?? arrivals;
  const seconds = windowMs / 1000;
  return {
    arrivalsPerSecond: perSecond(came / seconds),
    acceptsPerSecond: perSecond(Math.max(0, came - grown) / seconds),
    rateBasis: basis,
  };
}

/** Connections that came since the look before and still wait: all of them were there before the tolerance. */
export const stillWaiting = (waits: Float64Array | undefined, windowMs: number): number =>
  waits === undefined ? 0 : countYounger(waits, windowMs);

/** Whether this look shows that anything came to a listener. */
export const isActive = (listener: Listener, arrivals: number, dropped: number | undefined): boolean =>
  arrivals > 0 ||
  listener.acceptQueue.length > 0 ||
  (dropped ?? 0) > 0 ||
  (listener.synQueue?.length ?? listener.group?.synQueue?.length ?? 0) > 0;
