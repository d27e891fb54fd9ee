import type { OptionalColumn } from './columns.js';
import { ALERT_PHASES, type Severity } from './findings.js';
import type { Observation } from './observation.js';

/** First field of every line, so that an index is made without reading the rest. */
export const RECORDING_SCHEMA = 'sockwatch.recording/1';

/**
 * Kinds of lines. `head`: the first of each file. `key`: a frame that needs nothing before it. `frame`: what has changed since the frame
 * before of the same scope; what was sampled, and what ended, before the look is part of it. `gap`: a look that failed. `event`: an alert was raised,
 * has changed or was cleared.
 */
export const LINE_KINDS = ['head', 'key', 'frame', 'gap', 'event'] as const;
export type LineKind = (typeof LINE_KINDS)[number];

/** The start of a line, as the writer makes it: kind, wall clock in ms, monotonic clock in ms. */
export const linePrefix = (kind: LineKind, time: number, monotonic: number): string =>
  `{"k":"${kind}","t":${time},"m":${monotonic}`;

/** Places in the list that a socket is on a line. */
export const ROW = {
  id: 0,
  protocol: 1,
  state: 2,
  family: 3,
  unixKind: 4,
  flags: 5,
  local: 6,
  localPort: 7,
  localName: 8,
  remote: 9,
  remotePort: 10,
  remoteName: 11,
  recvQueue: 12,
  sendQueue: 13,
  cookieHigh: 14,
  cookieLow: 15,
  columns: 16,
  owners: 17,
  notes: 18,
} as const;

/** Ages of a connection, ms: they go on while nothing moves. */
export const AGE_COLUMNS = [
  'lastSentMs',
  'lastReceivedMs',
  'lastAckMs',
] as const satisfies readonly OptionalColumn[];

/**
 * What changes on a connection as data go, while its state and its queues may look the same. Where only that is another than it was written
 * last, a frame has it in `moved`: the ids, each as its distance from the one before; then a list for each column, its number first: how much each
 * value rose, or, of ages, what it is (`null`: unknown). A frame without `moved` does not tell which of the sockets that it leaves out moved.
 */
export const MOVED_COLUMNS = [
  'bytesSent',
  'bytesAcked',
  'bytesReceived',
  'bytesRetransmitted',
  'segmentsOut',
  'segmentsIn',
  'dataSegmentsOut',
  'dataSegmentsIn',
  'retransmitsTotal',
  'unacked',
  'notSent',
  'sendWindow',
  'receiverLimitedMs',
  'bufferLimitedMs',
] as const satisfies readonly OptionalColumn[];

/** Places in the list that the samples of a listener are in a frame. */
export const SAMPLES = {
  key: 0,
  samples: 1,
  busy: 2,
  peak: 3,
  peakAt: 4,
  isPeakBrief: 5,
  sum: 6,
  backlog: 7,
  fills: 8,
  full: 9,
  dropped: 10,
  local: 11,
} as const;

/** Places in the list that the threads of a process are in a frame. */
export const THREAD_COUNTS = [
  'threads',
  'looked',
  'accepting',
  'polling',
  'pollingOne',
  'parked',
  'running',
  'blockedOnDisk',
] as const;

/** Those of an alert; `noted`: a change, good to know. */
export const EVENT_PHASES = [...ALERT_PHASES, 'noted'] as const;

/** An event as a recording tells it; alerts and changes are found anew when it is replayed. */
export interface RecordedEvent {
  readonly phase: (typeof EVENT_PHASES)[number];
  /** Of an alert its rule, of a change its kind. */
  readonly rule: string;
  readonly severity: Severity;
  readonly subject: string;
  readonly message: string;
}

/** What a place of a recording holds. */
export type RecordedLine =
  | { readonly kind: 'observation'; readonly observation: Observation }
  | {
      readonly kind: 'event';
      readonly event: RecordedEvent;
      readonly time: number;
      readonly monotonic: number;
    };
