import { ParseError } from '../../model/errors.js';
import type { Gap } from '../../model/observation.js';
import { PROTOCOLS } from '../../model/sockets.js';
import { SocketTable } from '../../model/table.js';
import { readInetRow } from './inet-row.js';
import {
  HEADER_BYTES,
  INET,
  NLM_F_DUMP_INTR,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
  NLMSG_OVERRUN,
  SOCK_DIAG_BY_FAMILY,
  UNIX,
} from './kernel.js';
import { type MessageReader, readMessages, sequenceOf } from './messages.js';
import type { DumpName } from './request.js';
import { Target } from './target.js';
import { readUnixRow } from './unix-row.js';
import { firstHalf, secondHalf, type Wire, wireOf } from './words.js';

export { type ClosedBatch, ClosedParser, parseClosed } from './closed.js';
export { STATE_BITS } from './kernel.js';
export { DUMPS, type Dump, type DumpName, encodeRequest } from './request.js';
export { LITTLE_ENDIAN, type Wire, wireOf } from './words.js';

/** What a gap calls the sockets of a dump. */
export const DUMP_TITLES: Readonly<Record<DumpName, string>> = {
  tcp4: 'TCP sockets of IPv4',
  tcp6: 'TCP sockets of IPv6',
  mptcp4: 'MPTCP sockets of IPv4',
  mptcp6: 'MPTCP sockets of IPv6',
  udp4: 'UDP sockets of IPv4',
  udp6: 'UDP sockets of IPv6',
  unix: 'Unix sockets',
};

export interface DumpOptions {
  /** The name of a network device by its number; default `if7`, as ss names one that it does not know. */
  readonly deviceName?: (index: number) => string;
  /** About how many sockets will come: spares the table growing in steps. */
  readonly expectedRows?: number;
}

export interface DumpResult {
  readonly sockets: SocketTable;
  readonly gaps: readonly Gap[];
}

/**
 * Reads the answers of NETLINK_SOCK_DIAG, dump after dump and buffer after buffer, straight into typed columns: no object and
 * no copy per socket. Sizes from the wire are checked before use; what does not fit becomes one gap per dump. Never throws.
 */
export class DumpParser implements MessageReader {
  private readonly target: Target;
  private readonly gaps: Gap[] = [];
  private name: DumpName = 'tcp4';
  private protocol = 0;
  private sequence = 0;
  private firstRow = 0;
  private interrupted = false;
  private overrun = false;
  /** The errno by which the kernel has refused or ended the present dump; 0 = none. */
  errno = 0;

  constructor({ deviceName = (index) => `if${index}`, expectedRows = 0 }: DumpOptions = {}) {
    const table = new SocketTable();
    table.reserve(expectedRows);
    this.target = new Target(table, deviceName);
  }

  /** Says whose answer comes next. Messages with another sequence number are left-overs of another request, and skipped. */
  begin(name: DumpName, sequence: number): void {
    this.settle();
    this.name = name;
    this.sequence = sequence;
    this.firstRow = this.target.table.length;
    this.protocol = PROTOCOLS.findIndex((protocol) => name.startsWith(protocol));
    this.errno = 0;
  }

  /** Forgets what has come of the present dump, which is asked for again. */
  restart(sequence: number): void {
    const { target } = this;
    while (target.table.length > this.firstRow) target.table.dropLast();
    target.broken = this.errno = 0;
    this.interrupted = this.overrun = false;
    this.sequence = sequence;
  }

  /** The present dump is not of one moment, or not complete: asking again may help. */
  get isTorn(): boolean {
    return this.interrupted || this.overrun;
  }

  /** Reads the messages in the first `length` bytes of a buffer; true: the dump has ended. */
  read(wire: Wire, length: number): boolean {
    const end = readMessages(wire, length, this);
    if (end === 'torn') this.target.fail(`a message that does not fit into the ${length} bytes received`);
    return end === 'last';
  }

  /** Reports that messages were lost on the way (ENOBUFS, MSG_TRUNC). */
  lose(why: string): void {
    this.target.fail(why);
  }

  /** Adds a gap about the sockets of the present dump. */
  gap(why: string): void {
    this.gaps.push({ what: DUMP_TITLES[this.name], why });
  }

  end(): DumpResult {
    this.settle();
    return { sockets: this.target.table, gaps: this.gaps };
  }

  /** True: it was the last. */
  readMessage(wire: Wire, start: number, end: number): boolean {
    if (sequenceOf(wire, start) !== this.sequence) return false;
    const { words } = wire;
    const kind = words[(start >>> 2) + 1] as number;
    if ((secondHalf(kind) & NLM_F_DUMP_INTR) !== 0) this.interrupted = true;
    switch (firstHalf(kind)) {
      case SOCK_DIAG_BY_FAMILY:
        this.readSocket(wire, start, end);
        return false;
      case NLMSG_DONE:
      case NLMSG_ERROR:
        // An int behind the header: minus the errno. An old kernel ends a dump without one.
        this.errno = end - start >= HEADER_BYTES + 4 ? -((words[(start >>> 2) + 4] as number) | 0) : 0;
        return true;
      case NLMSG_OVERRUN:
        this.overrun = true;
        return false;
      case NLMSG_NOOP:
        return false;
      default:
        this.target.fail(`a message of type ${firstHalf(kind)}`);
        return false;
    }
  }

  private readSocket(wire: Wire, start: number, end: number): void {
    const least = (this.name === 'unix' ? UNIX : INET).attributes * 4;
    if (end - start < least) this.target.fail(`a message of ${end - start} bytes instead of ${least}`);
    else if (this.name === 'unix') readUnixRow(this.target, wire, start, end);
    else readInetRow(this.target, this.protocol, wire, start, end);
  }

  /** Turns what was wrong with the present dump into gaps. */
  private settle(): void {
    const { target } = this;
    if (target.broken > 0)
      this.gap(`the answer of the kernel was broken ${target.broken} times, first by ${target.fault}`);
    if (this.interrupted)
      this.gap(
        'they changed while the kernel listed them (NLM_F_DUMP_INTR): some may be missing or listed twice',
      );
    if (this.overrun)
      this.gap('the kernel sent more than was read in time (NLMSG_OVERRUN): some are missing');
    target.broken = 0;
    this.interrupted = this.overrun = false;
  }
}

/**
 * Reads one recorded answer: the bytes of all its messages, one after the other.
 * @throws ParseError where they hold no message of a dump at all, or the kernel refused
 */
export function parseDump(bytes: Uint8Array, name: DumpName, options: DumpOptions = {}): DumpResult {
  const parser = new DumpParser(options);
  const wire = wireOf(bytes);
  parser.begin(name, bytes.length < HEADER_BYTES ? 0 : (wire.words[2] as number));
  const ended = parser.read(wire, bytes.length);
  if (parser.errno !== 0) throw new ParseError('netlink', 'a list of sockets', `errno ${parser.errno}`);
  if (!ended) parser.lose('an end that never came');
  const result = parser.end();
  if (!ended && result.sockets.length === 0)
    throw new ParseError('netlink', 'messages of sock_diag', `${bytes.length} bytes without one`);
  return result;
}
