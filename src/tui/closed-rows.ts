import type { ClosedGroup } from '../model/closed.js';
import { formatEndpoint } from '../model/endpoint.js';
import { formatOwners } from '../render/text.js';

export const CLOSED_SORTS = [
  'rate',
  'closed',
  'failed',
  'resets',
  'idle',
  'lasted',
  'bytes',
  'rtt',
  'retransmissions',
  'address',
  'process',
] as const;
export type ClosedSort = (typeof CLOSED_SORTS)[number];

/** Those that a RST or a timeout ended; `undefined`: of none it is known how it ended. */
export function brokenOf({ recent: { closed, endings } }: ClosedGroup): number | undefined {
  if (closed > 0 && endings.unknown === closed) return undefined;
  return (endings.reset ?? 0) + (endings.timed_out ?? 0);
}

/** Both ways; `undefined`: of none it is known. */
export function volumeOf({ recent: { sentInAll, receivedInAll } }: ClosedGroup): number | undefined {
  if (sentInAll === undefined && receivedInAll === undefined) return undefined;
  return (sentInAll ?? 0) + (receivedInAll ?? 0);
}

const NUMBERS: Partial<Record<ClosedSort, (group: ClosedGroup) => number | undefined>> = {
  rate: ({ closedPerSecond }) => closedPerSecond,
  closed: ({ closed }) => closed,
  failed: ({ refused, unanswered }) => refused + unanswered,
  resets: brokenOf,
  idle: ({ recent }) => recent.idle?.p50,
  lasted: ({ recent }) => recent.lastedAtLeast?.p50,
  bytes: volumeOf,
  rtt: ({ recent }) => recent.rttMs?.p50,
  retransmissions: ({ recent }) => recent.retransmissions,
};

/** In that order, what is unknown last; those that are alike by how many have ended. */
export function sortClosed(
  groups: readonly ClosedGroup[],
  by: ClosedSort,
  descending: boolean,
): readonly ClosedGroup[] {
  const number = NUMBERS[by];
  const text = ({ end, owners }: ClosedGroup) =>
    by === 'process' ? formatOwners(owners) : formatEndpoint(end);
  const keys = new Map(groups.map((group) => [group, number === undefined ? text(group) : number(group)]));
  const sign = descending ? -1 : 1;
  return [...groups].sort((a, b) => {
    const [one, other] = [keys.get(a), keys.get(b)];
    if (one === undefined || other === undefined)
      return Number(one === undefined) - Number(other === undefined);
    const order = one < other ? -1 : one > other ? 1 : 0;
    return order * sign || b.closed - a.closed || (a.id < b.id ? -1 : 1);
  });
}
