/**
 * Numbers that a row may or may not have; NaN stands for unknown and becomes `undefined` at the row.
 * A column costs memory only once a row has set it. Units: bytes, ms (rtt, timers, ages), segments, counts.
 */
export const OPTIONAL_COLUMNS = [
  'inode',
  'uid',
  'interface',
  'timerKind',
  'timerMs',
  'timerRetransmits',
  'memReceive',
  'memReceiveLimit',
  'memSend',
  'memSendLimit',
  'memForward',
  'memWriteQueue',
  'memOption',
  'memBacklog',
  'drops',
  'rttMs',
  'rttVarMs',
  'minRttMs',
  'rtoMs',
  'lastSentMs',
  'lastReceivedMs',
  'lastAckMs',
  'bytesSent',
  'bytesAcked',
  'bytesReceived',
  'bytesRetransmitted',
  'segmentsOut',
  'segmentsIn',
  'dataSegmentsOut',
  'dataSegmentsIn',
  'unacked',
  'notSent',
  'retransmitsNow',
  'retransmitsTotal',
  'lost',
  'congestionWindow',
  'slowStartThreshold',
  'mss',
  'pathMtu',
  'receiveSpace',
  'sendRateBps',
  'pacingRateBps',
  'deliveryRateBps',
  'busyMs',
  'backoff',
  'peerInode',
  'closeKind',
  'receiverLimitedMs',
  'bufferLimitedMs',
  'weight',
  'mark',
  'cgroupId',
  'sendWindow',
] as const;
export type OptionalColumn = (typeof OPTIONAL_COLUMNS)[number];

/** Texts that many rows share: each row has the index of its text, or NaN. `ulp`: the protocol on top of TCP. */
export const TEXT_COLUMNS = ['congestion', 'ulp'] as const;
export type TextColumn = (typeof TEXT_COLUMNS)[number];

/** Texts that a row may have: those of `TEXT_COLUMNS`, and rare ones. */
export const NOTES = ['localPortName', 'remotePortName', 'localHex', 'congestion', 'ulp'] as const;
export type Note = (typeof NOTES)[number];

/** Facts that are either so or not known to be so. */
export const ROW_FLAGS = {
  /** Recv-Q and Send-Q were printed. */
  queues: 1,
  localDualStack: 2,
  v6only: 4,
  /** A TCP row that is a subflow of an MPTCP socket (`tcp-ulp-mptcp`). */
  mptcpSubflow: 8,
  /** A LISTEN row from /proc/net or an ss that fell back to it: Send-Q 0 means "limit unknown". */
  limitUnknown: 16,
  localPortKnown: 32,
  remotePortKnown: 64,
  /** The remote is a wildcard: no peer. */
  remoteAny: 128,
  appLimited: 256,
  cookie: 512,
  /** A LISTEN row whose queue was as long before who waits was listed as behind: clients that reset may be told from accepted ones. */
  lengthHeld: 1024,
  /** State and queues are of this look; bytes, segments and ages are of an earlier one: what data did since is not known. Recordings alone have such rows. */
  stale: 2048,
} as const;
export type RowFlag = keyof typeof ROW_FLAGS;
