import { isHiddenOwners } from '../analyze/hidden-owners.js';
import {
  HOST,
  ownersHidden,
  passingFindings,
  synFindings,
  udpDrops,
  unattributedOverflow,
} from '../analyze/host-rules.js';
import { formatEndpoint } from '../model/endpoint.js';
import type { Finding } from '../model/findings.js';
import type { Listener } from '../model/listener.js';
import type { Counters, Gap, TableObservation } from '../model/observation.js';
import type { Millis } from '../model/units.js';
import type { FollowedListeners } from './follow-listeners.js';
import { peakOf } from './history.js';
import type { WatchState } from './state.js';
import type { UdpDrop } from './udp.js';

export interface HostFinding {
  readonly finding: Finding;
  readonly subjectText: string;
}

export interface HostReport {
  readonly findings: readonly HostFinding[];
  readonly gaps: readonly Gap[];
  readonly ownersHidden: string | undefined;
}

interface HostLook {
  readonly windowMs: Millis | undefined;
  readonly deltas: Counters | undefined;
  readonly followed: FollowedListeners;
  readonly udp: readonly UdpDrop[];
}

/** What one look says of the namespace, and of sockets that are no listeners. */
export function hostReport(state: WatchState, observation: TableObservation, look: HostLook): HostReport {
  const gaps = distinctGaps(observation.gaps);
  const owners = state.config.oneLook ? undefined : hiddenOwners(state, gaps);
  const { windowMs, deltas, followed } = look;
  const hidden = followed.reports.filter(({ listener }) => listener.owners === undefined).length;
  const host = [
    ...(windowMs === undefined ? [] : overflowFindings(observation, followed, windowMs)),
    ...(windowMs === undefined || deltas === undefined
      ? []
      : synFindings(deltas, observation.sysctls, { windowMs })),
    ...(owners === undefined ? [] : [ownersHidden(owners, hidden)]),
  ].map((finding) => ({ finding, subjectText: HOST }));
  return {
    findings: [...host, ...passing(followed), ...udpFindings(look)],
    gaps,
    ownersHidden: owners,
  };
}

/** In the words of the first time while it lasts: the number of sockets changes, the remedy does not. */
export function hiddenOwners({ ownersHidden: before }: WatchState, gaps: readonly Gap[]): string | undefined {
  const why = gaps.find(isHiddenOwners)?.why;
  return why === undefined ? undefined : (before ?? why);
}

function overflowFindings(
  { origin }: TableObservation,
  { attribution, reports, tracks }: FollowedListeners,
  windowMs: Millis,
): Finding[] {
  const { unattributed: overflows, droppers, state } = attribution;
  if (overflows === 0) return [];
  const listeners = reports.map(({ listener }) => listener).filter(({ protocol }) => protocol !== 'unix');
  const haveDropped = droppers.length > 0;
  const fullness = ({ key, acceptQueue: { capacity } }: Listener) =>
    peakOf(tracks.get(key)?.history ?? [], origin.monotonic).length / (capacity ?? Number.POSITIVE_INFINITY);
  const candidates = haveDropped
    ? listeners.filter(({ key }) => droppers.includes(key))
    : listeners.filter(({ droppedSegments }) => droppedSegments === undefined);
  const sorted = [...candidates].sort((a, b) => fullness(b) - fullness(a) || (a.key < b.key ? -1 : 1));
  const recent = state.unattributed.filter(Boolean).length;
  return [unattributedOverflow({ overflows, windowMs, recent, candidates: sorted, haveDropped })];
}

/** Listeners that only samples saw; one that a dump has missed is no such listener. */
const passing = ({ passing: seen, attribution }: FollowedListeners): HostFinding[] =>
  seen.flatMap((samples) => {
    const { key, local } = samples;
    if (local === undefined) return [];
    const overflows = attribution.holder?.key === key ? attribution.holder.overflows : 0;
    const subjectText = formatEndpoint(local);
    return passingFindings({ samples, local, overflows }).map((finding) => ({ finding, subjectText }));
  });

const udpFindings = ({ udp, windowMs }: HostLook): HostFinding[] =>
  windowMs === undefined
    ? []
    : udp.map(({ key, local, row, dropped }) => ({
        finding: udpDrops(key, local, row.owners, dropped, { windowMs }),
        subjectText: local,
      }));

/** Each thing once, however many rows it concerns. */
export function distinctGaps(gaps: readonly Gap[]): Gap[] {
  const seen = new Map<string, Gap>();
  for (const gap of gaps) {
    const id = `${gap.what}\n${gap.why}\n${gap.line ?? ''}`;
    if (!seen.has(id)) seen.set(id, gap);
  }
  return [...seen.values()];
}
