import { stateCode } from '../../analyze/codes.js';
import type { HalfClosed } from '../../model/diagnosis.js';
import { isStaleRow, type SocketTable } from '../../model/table.js';
import { millis } from '../../model/units.js';
import { type End, endFinder, endKey, socketKey } from './ends.js';

const STATES = ['fin-wait-1', 'fin-wait-2', 'closing', 'last-ack'] as const;
const NAMES = new Map(STATES.map((state) => [stateCode(state), state]));
const MOST_SOCKETS = 50_000;
/** So often a lost segment is hardly lost by chance. */
const UNANSWERED = 2;
/** A peer that still works on its answer is silent for a while; few are for so long. */
const SILENT_MS = 30_000;
const FIN_WAIT_2 = stateCode('fin-wait-2');

export const isHalfClosed = (state: number | undefined): boolean => NAMES.has(state ?? -1);

interface Group extends End {
  readonly state: HalfClosed['state'];
  count: number;
  stuck: number;
  silent: number;
  asking: number;
  unanswered: number;
  oldestMs: number;
}

/** FIN-WAIT, CLOSING and LAST-ACK by owner and end; memory of one look. */
export class HalfClosedWatch {
  private before = new Map<number | string, number>();
  private silence: Silence = { since: new Map(), bytes: new Map() };
  private groups = new Map<string, Group>();
  private first: Map<string, number> | undefined;
  notFollowed = 0;

  /** `at`: monotonic ms. */
  take(table: SocketTable, rows: readonly number[], at: number): void {
    const now = new Map<number | string, number>();
    const endOf = endFinder(table);
    const acked = table.column('lastAckMs');
    const retransmits = table.column('timerRetransmits');
    const isAsking = askingReader(table);
    const silence: Silence = { since: new Map(), bytes: new Map() };
    const silentMs = silenceReader(table, this.silence, silence, at);
    this.groups = new Map();
    for (const row of rows) {
      if (now.size >= MOST_SOCKETS) {
        this.notFollowed++;
        continue;
      }
      const code = table.state[row] ?? 0;
      const key = socketKey(table, row);
      now.set(key, code);
      const silent = code === FIN_WAIT_2 ? silentMs(row, key) : 0;
      const group = this.groupOf(endOf(row), NAMES.get(code));
      if (group === undefined) continue;
      group.count++;
      if (this.before.get(key) === code) {
        group.stuck++;
        if (silent >= SILENT_MS) group.silent++;
        if (silent >= SILENT_MS && group.direction === 'outbound' && isAsking(row)) group.asking++;
      }
      if ((retransmits?.[row] || 0) >= UNANSWERED) group.unanswered++;
      const ms = acked?.[row] ?? Number.NaN;
      if (!(group.oldestMs >= ms)) group.oldestMs = ms;
    }
    this.before = now;
    this.silence = silence;
    this.first ??= new Map([...this.groups].map(([key, { count }]) => [key, count]));
  }

  seen(): HalfClosed[] {
    return [...this.groups].map(([key, { oldestMs, ...group }]) => ({
      ...group,
      growth: group.count - (this.first?.get(key) ?? 0),
      ...(Number.isFinite(oldestMs) && { oldestMs: millis(oldestMs) }),
    }));
  }

  private groupOf(end: End | undefined, state: HalfClosed['state'] | undefined): Group | undefined {
    if (end === undefined || state === undefined) return undefined;
    const key = `${state} ${endKey(end)}`;
    const known = this.groups.get(key);
    if (known !== undefined) return known;
    const made = {
      ...end,
      state,
      count: 0,
      stuck: 0,
      silent: 0,
      asking: 0,
      unanswered: 0,
      oldestMs: Number.NaN,
    };
    this.groups.set(key, made);
    return made;
  }
}

/** By socket in FIN-WAIT-2: when it was first seen there with as many bytes received (monotonic ms), and how many. */
interface Silence {
  readonly since: Map<number | string, number>;
  readonly bytes: Map<number | string, number>;
}

/**
 * For how long a socket is in FIN-WAIT-2 with nothing received, at least, ms. By its own times: our FIN was acknowledged by the last ACK or an earlier
 * one. Keep-alive makes ACKs go on, so that looks may know better.
 */
function silenceReader(table: SocketTable, before: Silence, now: Silence, at: number) {
  const acked = table.column('lastAckMs');
  const received = table.column('lastReceivedMs');
  const bytes = table.column('bytesReceived');
  return (row: number, key: number | string): number => {
    const so = bytes?.[row] || 0;
    const isStale = isStaleRow(table, row);
    const since = before.bytes.get(key) === so && !isStale ? (before.since.get(key) ?? at) : at;
    now.since.set(key, since);
    now.bytes.set(key, so);
    if (isStale) return 0;
    const own = Math.min(acked?.[row] ?? Number.NaN, received?.[row] ?? Number.NaN);
    return Math.max(own || 0, at - since);
  };
}

/** Nothing came after what was sent last: within one jiffy it was most likely an answer. Without times nothing is known of that. */
function askingReader(table: SocketTable) {
  const sent = table.column('lastSentMs');
  const received = table.column('lastReceivedMs');
  const bytes = table.column('bytesReceived');
  return (row: number): boolean =>
    !((bytes?.[row] || 0) > 0) || !((received?.[row] ?? Number.NaN) <= (sent?.[row] ?? Number.NaN));
}
