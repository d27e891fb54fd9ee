import type { SocketTable } from '../../model/table.js';

/** The columns of one look that pools are counted by. */
export type PoolColumns = ReturnType<typeof columnsOf>;

export function columnsOf(table: SocketTable) {
  const bytesSent = table.column('bytesSent') ?? table.column('bytesAcked');
  const bytesReceived = table.column('bytesReceived');
  return {
    inode: table.column('inode'),
    timerKind: table.column('timerKind'),
    timer: table.column('timerMs'),
    sent: table.column('lastSentMs'),
    received: table.column('lastReceivedMs'),
    acked: table.column('lastAckMs'),
    rtt: table.column('rttMs'),
    retransmits: table.column('retransmitsTotal'),
    segmentsOut: table.column('dataSegmentsOut'),
    allSegmentsOut: table.column('segmentsOut'),
    segmentsIn: table.column('dataSegmentsIn'),
    allSegmentsIn: table.column('segmentsIn'),
    bytesSent,
    bytesReceived,
    newBytes: table.column('bytesSent'),
    bytesAgain: table.column('bytesRetransmitted'),
    bytesAcked: table.column('bytesAcked'),
    unacked: table.column('unacked'),
    hasBytes: bytesSent !== undefined || bytesReceived !== undefined,
  };
}
