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
  'sendWindow',
  'receiveWindowLimitedMs',
  'sendBufferLimitedMs',
  'closeKind',
  'receiverLimitedMs',
  'bufferLimitedMs',
  'weight',
] as const;
export type OptionalColumn = (typeof OPTIONAL_COLUMNS)[number];

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
} as const;
export type RowFlag = keyof typeof ROW_FLAGS;
