import { CLOSE_WAIT, ESTABLISHED } from '../../analyze/codes.js';
import type { SocketTable } from '../../model/table.js';
import type { CloseNotes } from './close-notes.js';
import type { PoolColumns } from './columns.js';
import type { ConnectionList, TupleKey } from './connection-list.js';
import type { EndedTuples } from './ended-tuples.js';
import type { PoolBook } from './pool-book.js';

/** In place of a pool: followed, as it may match the filter later, but in no pool. */
export const NOT_COUNTED = -1;
/** Ages are counted in jiffies, and a look takes time itself. */
export const SLACK_MS = 50;

/** One look at the connections, beside the one before. */
export interface Look {
  readonly table: SocketTable;
  readonly columns: PoolColumns;
  readonly book: PoolBook;
  readonly before: ConnectionList;
  readonly now: ConnectionList;
  readonly closes: CloseNotes;
  readonly key: TupleKey;
  /** Counted since the look before. */
  readonly ended: EndedTuples;
  /** Time since the look before, ms; `undefined` at the first. */
  readonly elapsed: number | undefined;
  readonly longIdleMs: number;
  /** A look is stamped when it begins, and reads times until it ends. */
  readonly slackMs: number;
  /** Monotonic ms. */
  readonly at: number;
  /** By row: the number of its pool. Absent: nobody asks. */
  readonly poolOfRow: Int32Array | undefined;
  /** From a recording, which writes the numbers of a connection whose state and queues stay the same once a minute only. */
}

/** Times count from the handshake on where nothing was sent or received since: a connection is at least as old. */
export function leastAge({ table, columns }: Look, row: number): number {
  if (table.state[row] !== ESTABLISHED && table.state[row] !== CLOSE_WAIT) return 0;
  return Math.max(columns.sent?.[row] || 0, columns.received?.[row] || 0);
}

export function movedBytes({ columns }: Look, row: number): number {
  const { bytesSent, bytesReceived } = columns;
  return (bytesSent?.[row] || 0) + (bytesReceived?.[row] || 0);
}
