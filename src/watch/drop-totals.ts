import { synFindings, udpDrops } from '../analyze/host-rules.js';
import { isDrop, isOverflow, overWholeWatch } from '../analyze/whole-watch.js';
import type { Finding } from '../model/findings.js';
import type { Counters, Sysctls, TableObservation } from '../model/observation.js';
import type { SocketRow } from '../model/socket-row.js';
import type { Owner } from '../model/sockets.js';
import type { Millis } from '../model/units.js';
import { followUdp, NO_UDP } from './udp.js';

const MOST = 1000;
const MOST_TOLD = 50;

interface UdpTotal {
  readonly local: string;
  readonly owners: readonly Owner[] | undefined;
  readonly dropped: number;
}

/** Drops over all looks of a watch. What a look finds of its own window alone is a part of them, and mostly a small one. */
export class DropTotals {
  private udp = NO_UDP;
  private readonly sockets = new Map<string, UdpTotal>();
  private readonly segments = new Map<string, { overflows: number; dropped: number }>();

  /** UDP sockets that `isAsked` takes. */
  take({ sockets, origin }: TableObservation, isAsked: (row: SocketRow) => boolean): void {
    const { state, dropped } = followUdp(this.udp, sockets, origin.netns);
    this.udp = state;
    for (const { key, local, row, dropped: more } of dropped) {
      const known = this.sockets.get(key);
      if ((known === undefined && this.sockets.size >= MOST) || !isAsked(row)) continue;
      this.sockets.set(key, { local, owners: row.owners, dropped: (known?.dropped ?? 0) + more });
    }
  }

  /** What a look found of its own window. */
  note(finding: Finding): void {
    const sum = (is: typeof isDrop) => finding.evidence.find(is)?.value ?? 0;
    const [overflows, dropped] = [sum(isOverflow), sum(isDrop)];
    if (overflows === 0 && dropped === 0) return;
    const total = this.segments.get(keyOf(finding)) ?? { overflows: 0, dropped: 0 };
    this.segments.set(keyOf(finding), total);
    total.overflows += overflows;
    total.dropped += dropped;
  }

  /** The same of the whole watch; `undefined`: it is none of counters. */
  of(finding: Finding, ms: Millis): Finding | undefined {
    const total = this.segments.get(keyOf(finding));
    return total && overWholeWatch(finding, total, ms);
  }

  /** Of UDP sockets and of SYN queues. `deltas`: from the first look to the last. */
  findings(deltas: Counters | undefined, sysctls: Sysctls | undefined, ms: Millis): Finding[] {
    const worst = [...this.sockets].sort(([, a], [, b]) => b.dropped - a.dropped).slice(0, MOST_TOLD);
    return [
      ...(deltas === undefined ? [] : synFindings(deltas, sysctls, { wholeMs: ms })),
      ...worst.map(([key, { local, owners, dropped }]) =>
        udpDrops(key, local, owners, dropped, { wholeMs: ms }),
      ),
    ];
  }
}

const keyOf = ({ rule, subject }: Finding): string => `${rule}\0${subject}`;
