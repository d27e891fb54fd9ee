import type { Rule } from '../model/findings.js';
import type { ListenerReport } from '../model/listener.js';
import type { Gap } from '../model/observation.js';
import type { Pool } from '../model/pools.js';
import { counted } from './words.js';

/** Sockets that some process holds, and nobody may see which. */
export interface HiddenSockets {
  readonly connections: number;
  readonly listeners: number;
}

/** What has ended, or waits for accept(), or for its SYN, has no process that could be hidden. */
export function hiddenSockets(
  pools: readonly Pool[],
  listeners: readonly ListenerReport[] = [],
): HiddenSockets {
  const connections = pools
    .filter(({ owner }) => owner === 'unknown')
    .reduce(
      (sum, { open, waiting, closeWait, connecting, direction }) =>
        sum + open - waiting + closeWait + (direction === 'outbound' ? connecting : 0),
      0,
    );
  return { connections, listeners: listeners.filter(({ listener }) => listener.owners === undefined).length };
}

/** Rules about processes pass over what they cannot see, or take it for one: that they find nothing is no good news then. */
export function hiddenGap(rules: readonly Rule[], { connections, listeners }: HiddenSockets): Gap[] {
  const things = [
    ...(connections > 0 ? [counted(connections, 'connection')] : []),
    ...(listeners > 0 ? [counted(listeners, 'listener')] : []),
  ];
  if (things.length === 0) return [];
  return [
    { what: rules.join(', '), why: `not judged: the processes of ${things.join(' and ')} are not known` },
  ];
}
