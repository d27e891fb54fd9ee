import { CLOSE_WAIT, stateCode } from '../../analyze/codes.js';
import type { StuckQueue, StuckSend } from '../../model/diagnosis.js';
import { TIMER_KINDS } from '../../model/sockets.js';
import { isStaleRow, type SocketTable } from '../../model/table.js';
import { bytes, millis } from '../../model/units.js';
import { type End, endFinder, socketKey } from './ends.js';

const MOST_QUEUES = 50_000;
/** In CLOSE-WAIT the FIN counts as one byte (KERNEL.md 9). */
const FIN = 1;

interface Queue {
  readonly from: number;
  readonly firstBytes: number;
  looks: number;
  /** The last look of which it is known what had moved. */
  toldAt: number;
  seenAt: number;
  row: number;
  bytes: number;
  /** Bytes that came into it since it was first seen, by the counter of the connection; NaN: unknown. */
  counter: number;
  moved: number;
}

/** Queues of connections that were not empty at any look, by socket. */
class QueueBook {
  readonly queues = new Map<number | string, Queue>();
  notFollowed = 0;

  /** `counter`: bytes received, or acknowledged, since the connection was made; NaN: unknown; `undefined`: not of this look. */
  see(
    key: number | string,
    row: number,
    at: number,
    queued: number,
    counter: number | undefined,
    sign: 1 | 0,
  ): void {
    const known = this.queues.get(key);
    if (known !== undefined) {
      known.seenAt = at;
      known.row = row;
    }
    // As full as before: what moved, a later look tells.
    if (counter === undefined) return;
    if (known === undefined) {
      if (this.queues.size >= MOST_QUEUES) this.notFollowed++;
      else
        this.queues.set(key, {
          from: at,
          firstBytes: queued,
          looks: 1,
          toldAt: at,
          seenAt: at,
          row,
          bytes: queued,
          counter,
          moved: 0,
        });
      return;
    }
    known.looks++;
    known.toldAt = at;
    // What came in and is not queued was read; what was acknowledged has left.
    known.moved += counter - known.counter - sign * (queued - known.bytes);
    known.bytes = queued;
    known.counter = counter;
  }

  /** Those that this look did not show were empty, or closed. */
  forget(at: number): void {
    for (const [key, { seenAt }] of this.queues) if (seenAt !== at) this.queues.delete(key);
  }
}

export class QueueWatch {
  private readonly unreadBook = new QueueBook();
  private readonly unsentBook = new QueueBook();
  private table: SocketTable | undefined;

  /** `rows`: connections of processes, established or half-closed. */
  take(table: SocketTable, rows: readonly number[], at: number): void {
    const { recvQueue, sendQueue, state } = table;
    const received = table.column('bytesReceived');
    const acked = table.column('bytesAcked');
    // A counter of 0 is left out by the kernel's tools.
    const out = (row: number) => (acked === undefined ? Number.NaN : acked[row] || 0);
    for (const row of rows) {
      const unread = (recvQueue[row] ?? 0) - (state[row] === CLOSE_WAIT ? FIN : 0);
      const unsent = sendQueue[row] ?? 0;
      if (unread <= 0 && (unsent === 0 || isClosing(state[row]))) continue;
      const key = socketKey(table, row);
      const isStale = isStaleRow(table, row);
      const into = isStale ? undefined : (received?.[row] ?? Number.NaN);
      if (unread > 0) this.unreadBook.see(key, row, at, unread, into, 1);
      if (unsent > 0 && !isClosing(state[row]))
        this.unsentBook.see(key, row, at, unsent, isStale ? undefined : out(row), 0);
    }
    this.unreadBook.forget(at);
    this.unsentBook.forget(at);
    this.table = table;
  }

  get notFollowed(): number {
    return this.unreadBook.notFollowed + this.unsentBook.notFollowed;
  }

  unread(): StuckQueue[] {
    return this.told(this.unreadBook, (queue) => queue);
  }

  unsent(): StuckSend[] {
    const { table } = this;
    const window = table?.column('sendWindow');
    return this.told(this.unsentBook, (queue, row) => {
      const timer = TIMER_KINDS[table?.get('timerKind', row) ?? -1];
      return {
        ...queue,
        // Recordings of earlier versions left out those that were 0.
        ...(window !== undefined &&
          table?.get('rtoMs', row) !== undefined && { window: bytes(window[row] || 0) }),
        ...(timer !== undefined && { timer }),
        retransmits: table?.get('timerRetransmits', row) ?? 0,
      };
    });
  }

  private told<T>({ queues }: QueueBook, finish: (queue: StuckQueue, row: number) => T): T[] {
    const { table } = this;
    if (table === undefined) return [];
    const endOf = endFinder(table);
    return [...queues.values()].flatMap((queue): T[] => {
      if (queue.looks < 2) return [];
      const end: End | undefined = endOf(queue.row);
      const { local, remote } = table.row(queue.row);
      if (end === undefined || remote === undefined) return [];
      const last = table.get('lastReceivedMs', queue.row);
      return [
        finish(
          {
            local: end.direction === 'inbound' ? end.end : local,
            remote,
            owner: end.owner,
            direction: end.direction,
            forMs: millis(queue.toldAt - queue.from),
            looks: queue.looks,
            firstBytes: bytes(queue.firstBytes),
            bytes: bytes(queue.bytes),
            ...(!Number.isNaN(queue.moved) && { moved: bytes(queue.moved) }),
            ...(last !== undefined && { lastReceivedMs: millis(last) }),
          },
          queue.row,
        ),
      ];
    });
  }
}

const ESTABLISHED_OR_HALF: ReadonlySet<number> = new Set([stateCode('established'), CLOSE_WAIT]);
/** Nobody holds what else may be queued. */
const isClosing = (state: number | undefined): boolean => !ESTABLISHED_OR_HALF.has(state ?? -1);
