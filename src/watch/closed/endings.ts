import { stateCode } from '../../analyze/codes.js';
import { CLOSE_KINDS, type Closer, type Ending } from '../../model/closed.js';
import type { Direction } from '../../model/direction.js';
import type { SocketTable } from '../../model/table.js';

const CLOSE_WAIT = stateCode('close-wait');
const LAST_ACK = stateCode('last-ack');
const FIN_WAIT_1 = stateCode('fin-wait-1');
const FIN_WAIT_2 = stateCode('fin-wait-2');
/** Where the kernel takes ports of its own choice from (ip_local_port_range), unless it was told otherwise. */
const EPHEMERAL = 32_768;
const CONNECTION = CLOSE_KINDS.indexOf('connection');
const ABORTED = CLOSE_KINDS.indexOf('aborted');
const ATTEMPT = CLOSE_KINDS.indexOf('attempt');

/** Reads what the rows of one batch say of their end. */
export class EndingReader {
  private readonly kind;
  private readonly sent;
  private readonly acked;
  private readonly again;
  private readonly pending;
  private readonly backoff;
  private readonly segmentsIn;
  private readonly segmentsOut;

  constructor(table: SocketTable) {
    this.kind = table.column('closeKind');
    this.sent = table.column('bytesSent');
    this.acked = table.column('bytesAcked');
    this.again = table.column('bytesRetransmitted');
    this.pending = table.column('retransmitsNow');
    this.backoff = table.column('backoff');
    this.segmentsIn = table.column('segmentsIn');
    this.segmentsOut = table.column('segmentsOut');
  }

  isAttempt(row: number): boolean {
    return this.kind?.[row] === ATTEMPT;
  }

  /** What was acknowledged beyond the bytes that were sent; NaN: cannot be told. Bytes sent include those sent again. */
  private beyond(row: number): number {
    // Every kernel that counts bytes sent counts segments.
    if (!((this.segmentsOut?.[row] ?? 0) > 0)) return Number.NaN;
    return orZero(this.acked?.[row]) - (orZero(this.sent?.[row]) - orZero(this.again?.[row]));
  }

  /**
   * Who opened it, where no listener is known. The kernel counts SYN and FIN among the bytes acknowledged (tcp_snd_una_update): one more than
   * was sent by whoever opened the connection, and one more by whoever has had its FIN acknowledged. Where that is one, ports decide.
   */
  directionOf(row: number, { localPort, remotePort }: SocketTable): Direction {
    if (this.kind?.[row] !== CONNECTION) return 'outbound';
    const beyond = this.beyond(row);
    if (beyond >= 2) return 'outbound';
    if (beyond < 1) return 'inbound';
    const [isLocalFixed, isRemoteFixed] = [localPort, remotePort].map(
      (ports) => (ports[row] ?? 0) < EPHEMERAL,
    );
    if (isLocalFixed === isRemoteFixed) return undefined;
    return isLocalFixed ? 'inbound' : 'outbound';
  }

  /** @param isAborted this side ended it with a RST: else nothing is known of the end of what the kernel has forgotten */
  endingOf(row: number, direction: Direction, isAborted: boolean): Ending {
    const kind = this.kind?.[row];
    if (isAborted) return 'reset';
    if (kind === ABORTED) return 'unknown';
    if (kind === ATTEMPT) return (this.segmentsIn?.[row] ?? 0) > 0 ? 'refused' : 'unanswered';
    const beyond = this.beyond(row);
    if (Number.isNaN(beyond)) return 'unknown';
    if (beyond >= (direction === 'inbound' ? 1 : 2)) return 'finished';
    if (direction === undefined) return 'unknown';
    const isWaiting = orZero(this.pending?.[row]) > 0 || orZero(this.backoff?.[row]) > 0;
    return isWaiting ? 'timed_out' : 'reset';
  }

  /** The kernel has forgotten its far port and its numbers. */
  isForgotten(row: number): boolean {
    return this.kind?.[row] === ABORTED;
  }
}

const orZero = (value: number | undefined): number =>
  value === undefined || Number.isNaN(value) ? 0 : value;

/** What the state in an earlier table tells of who closed first. */
export function closerByState(state: number | undefined): Closer {
  if (state === CLOSE_WAIT || state === LAST_ACK) return 'peer';
  return state === FIN_WAIT_1 || state === FIN_WAIT_2 ? 'self' : 'unknown';
}
