import { isFull, waitingOf } from '../analyze/facts.js';
import { type Thresholds, thresholdsFor } from '../analyze/thresholds.js';
import type { Rule } from '../model/findings.js';
import type { Listener } from '../model/listener.js';

/** How far below its threshold a value must fall before its alert may clear: 10 points of fill. */
const MARGIN = 0.1;

type Holds = (listener: Listener, thresholds: Thresholds) => boolean;

const stillFull: Holds = (listener) => isFull(listener) || (listener.acceptQueue.fill ?? 0) > 1 - MARGIN;

/** Rules about a level that goes up and down. Those about events (overflows, drops) hold by time alone. */
const HOLDS: Partial<Record<Rule, Holds>> = {
  accept_queue_filling: ({ acceptQueue: { fill } }, { warnFill }) => (fill ?? 0) >= warnFill - MARGIN,
  accept_queue_full: stillFull,
  unix_queue_full: stillFull,
  oldest_wait: (listener, { oldestWaitMs }) =>
    (waitingOf(listener)?.oldestMs ?? 0) >= oldestWaitMs * (1 - MARGIN),
  syn_queue_full: ({ synQueue }) =>
    synQueue?.limit !== undefined && synQueue.length > synQueue.limit * (1 - MARGIN),
};

export const stillHolds = (rule: Rule, listener: Listener, thresholds: Thresholds): boolean =>
  HOLDS[rule]?.(listener, thresholdsFor(listener, thresholds)) ?? false;
