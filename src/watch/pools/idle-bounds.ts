import { CLOSE_WAIT, stateCode } from '../../analyze/codes.js';
import type { SocketTable } from '../../model/table.js';
import { LEAST_IDLE_MS } from '../keepalive.js';
import { type Closing, closingOf, isUnanswered, sentBefore } from './closing.js';
import { type ConnectionList, MARKS } from './connection-list.js';

const LAST_ACK = stateCode('last-ack');
const FIN_WAIT_1 = stateCode('fin-wait-1');
const FIN_WAIT_2 = stateCode('fin-wait-2');
const TIME_WAIT = stateCode('time-wait');
/** TCP_TIMEWAIT_LEN: fixed (KERNEL.md 9). */
const TIME_WAIT_MS = 60_000;
/** Times of the kernel are jiffies of 4 to 10 ms. */
export const GRAIN_MS = 20;
/**
 * What the closing side sends just before its FIN (close_notify of TLS, a message of a protocol) does not end the idleness. The peer may acknowledge both
 * late (TCP_DELACK_MAX, 200 ms).
 */
const FAREWELL_MS = 300;

export interface LookTimes {
  /** Monotonic ms of this look, and since the one before. */
  readonly at: number;
  readonly elapsed: number;
}

/** Between two times of idleness, ms. */
export interface IdleBounds {
  readonly low: number;
  readonly high: number;
}

/** How long it had been idle when it was closed, between the last look and this one. */
export function boundsOf(
  before: ConnectionList,
  known: number,
  table: SocketTable,
  row: number,
  { at, elapsed }: LookTimes,
): IdleBounds {
  const quiet = before.quietMs[known] ?? Number.NaN;
  const state = table.state[row];
  if (state === TIME_WAIT) {
    // It began when the peer closed too: mostly at once.
    const since = TIME_WAIT_MS - (table.column('timerMs')?.[row] ?? Number.NaN);
    const closedAt = at - since;
    const idle = closedAt - (at - elapsed - quiet);
    if (since >= 0 && idle >= quiet - GRAIN_MS && idle <= quiet + elapsed + GRAIN_MS)
      return { low: Math.max(quiet, idle - 2 * GRAIN_MS), high: Math.max(quiet, idle) };
    return { low: quiet, high: quiet + elapsed };
  }
  const closing = closingOf(table, row);
  if (closing === undefined) return { low: quiet, high: quiet + elapsed };
  const isFinKnown = state === CLOSE_WAIT || state === LAST_ACK || state === FIN_WAIT_2;
  // The FIN came with the last ACK, or was acknowledged by it. A request that crossed it does not end the idleness.
  const acked = isFinKnown ? (table.column('lastAckMs')?.[row] ?? Number.NaN) : Number.NaN;
  const idleNow = isUnanswered(before, known, closing)
    ? closing.receivedMs
    : Math.min(closing.receivedMs, closing.sentMs);
  const idle = idleNow - acked;
  // What it did before the last look may not be known: its own times are.
  if (idle >= quiet - GRAIN_MS || (Number.isNaN(quiet) && isFinKnown))
    return { low: Math.max(0, idle - GRAIN_MS), high: idle + GRAIN_MS };
  return { low: Math.min(quiet, idleNow), high: Math.min(idleNow, quiet + elapsed) };
}

/** Our FIN was acknowledged, and data that were sent not long ago. */
export function saidFarewell(list: ConnectionList, entry: number, { sent, acked, sentMs }: Closing): boolean {
  return acked - (list.begun[entry] ?? Number.NaN) - sent === 1 && sentMs < LEAST_IDLE_MS;
}

/**
 * How long it had been idle before data that one side alone sent, the peer or this one, since the last look. Only where both had spoken before, and nothing
 * was under way: else that was an answer.
 */
export function beforeFarewell(
  list: ConnectionList,
  entry: number,
  closing: Closing,
  byPeer: boolean,
): IdleBounds | undefined {
  const { sentMs, receivedMs, sent, received } = closing;
  const before = sentBefore(list, entry);
  const receivedBefore = list.receivedBytes[entry] ?? Number.NaN;
  if (!(before > 0) || !(receivedBefore > 0) || isBusy(list, entry)) return undefined;
  const peerSaid = received - receivedBefore > 1;
  if (peerSaid !== byPeer || sent > before === byPeer) return undefined;
  const gap = list.answerMs[entry] ?? Number.NaN;
  const idle = byPeer ? sentMs - Math.max(0, -gap) - receivedMs : receivedMs - Math.max(0, gap) - sentMs;
  if (!(idle >= LEAST_IDLE_MS) || !(idle >= (list.quietMs[entry] ?? Number.NaN) - GRAIN_MS)) return undefined;
  return { low: Math.max(0, idle - GRAIN_MS), high: idle + GRAIN_MS };
}

/** The same where a look shows it: the FIN came with the last ACK, or was acknowledged by it, or is not acknowledged yet. */
export function farewellBounds(
  list: ConnectionList,
  entry: number,
  table: SocketTable,
  row: number,
  byPeer: boolean,
): IdleBounds | undefined {
  const closing = closingOf(table, row);
  if (closing === undefined) return undefined;
  const lastMs = byPeer ? closing.receivedMs : closing.sentMs;
  const ackMs = table.state[row] === FIN_WAIT_1 ? 0 : (table.column('lastAckMs')?.[row] ?? Number.NaN);
  return lastMs - ackMs <= FAREWELL_MS ? beforeFarewell(list, entry, closing, byPeer) : undefined;
}

/** At the last look, surely. */
export const isBusy = (list: ConnectionList, entry: number) => ((list.marks[entry] ?? 0) & MARKS.busy) !== 0;
