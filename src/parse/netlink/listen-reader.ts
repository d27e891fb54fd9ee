import { ParseError } from '../../model/errors.js';
import type { SocketRow } from '../../model/socket-row.js';
import { PROTOCOLS, type Protocol } from '../../model/sockets.js';
import { SocketTable } from '../../model/table.js';
import { readInetRow } from './inet-row.js';
import {
  HEADER_BYTES,
  INET,
  INET_DIAG_SKMEMINFO,
  NLM_F_DUMP_INTR,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_OVERRUN,
  SOCK_DIAG_BY_FAMILY,
  STATE_BITS,
  UNIX,
  UNIX_DIAG_RQLEN,
} from './kernel.js';
import { type MessageReader, readMessages, sequenceOf } from './messages.js';
import type { Dump, DumpName } from './request.js';
import { SampleBook } from './sample-book.js';
import { Attributes, Target } from './target.js';
import { readUnixRow } from './unix-row.js';
import { firstHalf, secondHalf, type Wire, wireOf } from './words.js';

/** What to ask for listeners of TCP; those of MPTCP are among them, for their first subflow has the same queue and inode (KERNEL.md 5). */
export const LISTEN_DUMPS: Readonly<Record<'tcp' | 'unix', readonly Dump[]>> = {
  tcp: [
    { name: 'tcp4', states: STATE_BITS.listen, details: false },
    { name: 'tcp6', states: STATE_BITS.listen, details: false },
  ],
  unix: [{ name: 'unix', states: STATE_BITS.listen, details: false }],
};

/** `sk_drops` in the array of SKMEMINFO. */
const DROPS_WORD = 8;
const TCP_LISTEN = 10;
const UNKNOWN = -1;
/** Rows of new listeners are read into a table only for their names. */
const NAME_ROWS = 256;

const attributes = new Attributes();

/**
 * Reads answers about listeners into a SampleBook, straight from the bytes: of a listener that is known, only its numbers are looked
 * at. Sizes from the wire are checked before use; what does not fit is counted in `broken`. Never throws.
 */
export class ListenReader implements MessageReader {
  readonly book = new SampleBook();
  private name: DumpName = 'tcp4';
  private sequence = 0;
  private table = new SocketTable();
  private target: Target;
  /** Messages that could not be read, and looks that the kernel says may have missed some. */
  broken = 0;
  interrupted = 0;
  /** The errno by which the kernel has refused or ended the present dump; 0 = none. */
  errno = 0;

  /**
   * @param netns inode of the network namespace, for the keys; absent as in tables where it is unknown
   * @param deviceName the name of a network device by its number
   */
  constructor(
    private readonly netns: string | undefined,
    private readonly deviceName: (index: number) => string = (index) => `if${index}`,
  ) {
    this.target = new Target(this.table, deviceName);
  }

  /** Says whose answer comes next. */
  begin(name: DumpName, sequence: number): void {
    this.name = name;
    this.sequence = sequence;
    this.errno = 0;
  }

  /** Reads the messages in the first `length` bytes of a buffer; true: the dump has ended. */
  read(wire: Wire, length: number): boolean {
    const end = readMessages(wire, length, this);
    if (end === 'torn') this.broken++;
    return end === 'last';
  }

  /** True: it was the last. */
  readMessage(wire: Wire, start: number, end: number): boolean {
    if (sequenceOf(wire, start) !== this.sequence) return false;
    const kind = wire.words[(start >>> 2) + 1] as number;
    if ((secondHalf(kind) & NLM_F_DUMP_INTR) !== 0) this.interrupted++;
    switch (firstHalf(kind)) {
      case SOCK_DIAG_BY_FAMILY:
        if (this.name === 'unix') this.readUnix(wire, start, end);
        else this.readInet(wire, start, end);
        return false;
      case NLMSG_DONE:
      case NLMSG_ERROR:
        this.errno = end - start >= HEADER_BYTES + 4 ? -((wire.words[(start >>> 2) + 4] as number) | 0) : 0;
        return true;
      case NLMSG_OVERRUN:
        this.interrupted++;
        return false;
      default:
        return false;
    }
  }

  private readInet(wire: Wire, start: number, end: number): void {
    const { words, bytes } = wire;
    if (end - start < INET.attributes * 4) {
      this.broken++;
      return;
    }
    if (bytes[start + INET.kind * 4 + 1] !== TCP_LISTEN) return;
    const at = start >>> 2;
    let drops = UNKNOWN;
    attributes.open(start + INET.attributes * 4, end);
    while (attributes.next(wire))
      if (attributes.type === INET_DIAG_SKMEMINFO && attributes.length >= (DROPS_WORD + 1) * 4)
        drops = words[(attributes.start >>> 2) + DROPS_WORD] as number;
    const cookie = cookieOf(words[at + INET.cookieLow] as number, words[at + INET.cookieHigh] as number);
    const slot = this.slot(wire, start, end, words[at + INET.inode] as number, cookie, drops);
    if (slot < 0) return;
    const length = words[at + INET.recvQueue] as number;
    this.book.put(slot, length, words[at + INET.sendQueue] as number, drops);
  }

  private readUnix(wire: Wire, start: number, end: number): void {
    const { words, bytes } = wire;
    if (end - start < UNIX.attributes * 4) {
      this.broken++;
      return;
    }
    if (bytes[start + UNIX.kind * 4 + 2] !== TCP_LISTEN) return;
    const at = start >>> 2;
    attributes.open(start + UNIX.attributes * 4, end);
    let queue = 0;
    while (attributes.next(wire))
      if (attributes.type === UNIX_DIAG_RQLEN && attributes.length >= 8) queue = attributes.start >>> 2;
    if (queue === 0) return;
    const cookie = cookieOf(words[at + UNIX.cookieLow] as number, words[at + UNIX.cookieHigh] as number);
    const slot = this.slot(wire, start, end, words[at + UNIX.inode] as number, cookie, UNKNOWN);
    if (slot >= 0) this.book.put(slot, words[queue] as number, words[queue + 1] as number, UNKNOWN);
  }

  /** The slot of a listener, made where it is new; -1 where there is none. */
  private slot(wire: Wire, start: number, end: number, inode: number, cookie: number, drops: number): number {
    // Sockets of the kernel itself may have no inode.
    const id = inode > 0 ? inode : -cookie;
    const slot = this.book.find(id, cookie);
    return slot >= 0 || id === 0 ? slot : this.open(wire, start, end, id, cookie, drops);
  }

  private open(wire: Wire, start: number, end: number, id: number, cookie: number, drops: number): number {
    const row = this.readRow(wire, start, end);
    const known = row.inode || row.cookie;
    if (known === undefined) return -1;
    const key = `${this.netns ?? ''}:${known}`;
    return this.book.add(id, cookie, { key, local: row.local }, drops);
  }

  private readRow(wire: Wire, start: number, end: number): SocketRow {
    if (this.table.length >= NAME_ROWS) {
      this.table = new SocketTable();
      this.target = new Target(this.table, this.deviceName);
    }
    if (this.name === 'unix') readUnixRow(this.target, wire, start, end);
    else readInetRow(this.target, PROTOCOLS.indexOf('tcp' satisfies Protocol), wire, start, end);
    return this.table.row(this.table.length - 1);
  }
}

/** As a number, exact up to 2^53: the kernel counts cookies from 1. */
const cookieOf = (low: number, high: number): number => high * 2 ** 32 + low;

/**
 * Reads one recorded answer as one look: the bytes of all its messages.
 * @throws ParseError where they hold no message of a dump at all, or the kernel refused
 */
export function parseListeners(bytes: Uint8Array, name: DumpName, netns?: string): ListenReader {
  const reader = new ListenReader(netns);
  const wire = wireOf(bytes);
  reader.begin(name, bytes.length < HEADER_BYTES ? 0 : (wire.words[2] as number));
  reader.book.open(0);
  const ended = reader.read(wire, bytes.length);
  if (reader.errno !== 0) throw new ParseError('netlink', 'a list of listeners', `errno ${reader.errno}`);
  if (!ended && reader.broken > 0)
    throw new ParseError('netlink', 'messages of sock_diag', `${bytes.length} bytes that do not fit`);
  return reader;
}
