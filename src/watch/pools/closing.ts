import type { SocketTable } from '../../model/table.js';
import type { ConnectionList } from './connection-list.js';

/**
 * What one alert of TLS takes on the wire, as OpenSSL 3 sends close_notify [measured]: TLS 1.3; TLS 1.2 with ChaCha20 or a short CCM tag, with GCM or CCM,
 * with CBC and SHA-1, SHA-256, SHA-384, the MAC first or last; TLS 1.0. Java sends user_canceled before it in TLS 1.3: two of them.
 */
const TLS_ALERTS: ReadonlySet<number> = new Set([24, 48, 23, 31, 53, 57, 69, 85, 37, 41]);
/** The ACK of what came last may wait as long (TCP_DELACK_MAX, 200 ms). */
const ACKED_MS = 250;

/** The last numbers of a connection that closes. */
export interface Closing {
  readonly sentMs: number;
  readonly receivedMs: number;
  /** Since the last ACK, which a FIN carries too; NaN: not known. */
  readonly ackedMs: number;
  /** New bytes only. */
  readonly sent: number;
  readonly acked: number;
  readonly received: number;
  readonly rttMs: number;
  /** Segments with data that came, and all that went less all that came; NaN: not known. */
  readonly dataIn: number;
  readonly surplus: number;
}

export function closingOf(table: SocketTable, row: number): Closing | undefined {
  const at = (column: Parameters<SocketTable['column']>[0]) => table.column(column)?.[row] ?? Number.NaN;
  const sentMs = at('lastSentMs');
  const receivedMs = at('lastReceivedMs');
  if (Number.isNaN(sentMs) || Number.isNaN(receivedMs)) return undefined;
  return {
    sentMs,
    receivedMs,
    ackedMs: at('lastAckMs'),
    sent: (at('bytesSent') || 0) - (at('bytesRetransmitted') || 0),
    acked: at('bytesAcked') || 0,
    received: at('bytesReceived') || 0,
    rttMs: at('rttMs'),
    dataIn: at('dataSegmentsIn'),
    surplus: at('segmentsOut') - at('segmentsIn'),
  };
}

/** New bytes that had been sent at the last look; NaN: not known. */
export const sentBefore = (list: ConnectionList, entry: number): number =>
  (list.ackedBytes[entry] ?? Number.NaN) - (list.begun[entry] ?? Number.NaN);

/** Bytes that were sent and that the peer has not acknowledged; NaN: not known. */
const unansweredBytes = (list: ConnectionList, entry: number, { sent, acked }: Closing): number =>
  sent - (acked - (list.begun[entry] ?? Number.NaN));

export const isUnanswered = (list: ConnectionList, entry: number, closing: Closing): boolean =>
  unansweredBytes(list, entry, closing) > 0;

/**
 * What the FIN of the peer was answered with is as long as a close_notify, and was written after that FIN had come, whose ACK is the last one: a
 * request that crosses it leaves before.
 */
export const isTlsAlert = (list: ConnectionList, entry: number, closing: Closing): boolean =>
  TLS_ALERTS.has(unansweredBytes(list, entry, closing)) && closing.sentMs <= closing.ackedMs;

/** Segments with data that came since the last look and were not taken: the process had closed. NaN: not known. */
export const refusedSegments = (list: ConnectionList, entry: number, closing: Closing): number =>
  closing.received === list.receivedBytes[entry]
    ? closing.dataIn - (list.dataIn[entry] ?? Number.NaN)
    : Number.NaN;

/**
 * Of a connection that a reset ended: a segment went out before it came, though there was no data to send or to acknowledge. That was our FIN: keep-alive makes as many
 * segments one way as the other, and where this side probes, nothing is known.
 */
export const hasSentFin = (list: ConnectionList, entry: number, closing: Closing): boolean =>
  (list.quietMs[entry] ?? 0) >= ACKED_MS &&
  closing.sent === sentBefore(list, entry) &&
  closing.received === list.receivedBytes[entry] &&
  closing.surplus >= (list.surplus[entry] ?? Number.NaN);
