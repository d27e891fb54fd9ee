import { udpRowsWithDrops } from '../analyze/scan.js';
import { formatEndpoint } from '../model/endpoint.js';
import type { SocketRow } from '../model/socket-row.js';
import type { SocketTable } from '../model/table.js';
import { dropDelta } from './counters.js';

/** Drops of UDP sockets at the look before, by inode or cookie; `undefined`: no look yet. */
export interface UdpState {
  readonly drops?: ReadonlyMap<string, number>;
}

export interface UdpDrop {
  readonly key: string;
  readonly local: string;
  readonly row: SocketRow;
  readonly dropped: number;
}

export const NO_UDP: UdpState = {};
const MOST = 50;

/** UDP sockets that dropped datagrams since the look before, the worst first, at most 50. New sockets are a baseline. */
export function followUdp(
  { drops: before }: UdpState,
  table: SocketTable,
  netns: string | undefined,
): { readonly state: UdpState; readonly dropped: readonly UdpDrop[] } {
  const drops = new Map<string, number>();
  const dropped: UdpDrop[] = [];
  for (const index of udpRowsWithDrops(table)) {
    const row = table.row(index);
    const key = udpKey(netns, row);
    if (key === undefined) continue;
    const now = row.drops ?? 0;
    drops.set(key, now);
    const delta = dropDelta(before?.get(key), now);
    if (delta !== undefined && delta > 0)
      dropped.push({ key, local: formatEndpoint(row.local), row, dropped: delta });
  }
  const worst = dropped.sort((a, b) => b.dropped - a.dropped || (a.key < b.key ? -1 : 1)).slice(0, MOST);
  return { state: { drops }, dropped: worst };
}

/** What names the same socket at every look, and in findings. */
export function udpKey(netns: string | undefined, { inode, cookie }: SocketRow): string | undefined {
  const id = inode || cookie;
  return id === undefined ? undefined : `${netns ?? ''}:udp ${id}`;
}
