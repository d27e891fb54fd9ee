import { CLOSE_KINDS, type CloseKind } from '../../model/closed.js';
import { ParseError } from '../../model/errors.js';
import type { Gap } from '../../model/observation.js';
import { PROTOCOLS, SOCKET_STATES } from '../../model/sockets.js';
import { SocketTable } from '../../model/table.js';
import { columnIndex } from '../column-writer.js';
import { storeEnds } from './inet-row.js';
import {
  AF_INET6,
  INET,
  INET_DIAG_INFO,
  INET_DIAG_PROTOCOL,
  IPPROTO_TCP,
  NLMSG_NOOP,
  SOCK_DIAG_BY_FAMILY,
} from './kernel.js';
import { type MessageReader, readMessages } from './messages.js';
import { Attributes, storeCookie, Target } from './target.js';
import { storeTcpInfo } from './tcp-info.js';
import { firstHalf, secondHalf, type Wire, wireOf } from './words.js';

/** Sockets that ended, and those of which nothing but their number is known. */
export interface ClosedBatch {
  readonly sockets: SocketTable;
  readonly unconnected: number;
  readonly failedConnects: number;
  readonly gaps: readonly Gap[];
}

const TCP = PROTOCOLS.indexOf('tcp');
const CLOSE = SOCKET_STATES.indexOf('close');
const KIND = columnIndex('closeKind');
const INTERFACE = columnIndex('interface');
/** Ages of what was never established count from the start of the machine. */
const AGES = (['lastSentMs', 'lastReceivedMs', 'lastAckMs'] as const).map(columnIndex);
/** Words of struct tcp_info (include/uapi/linux/tcp.h). */
const RTT = 17;
const BYTES_ACKED = 30;
const SEND_WINDOW = 57;
const RECEIVE_WINDOW = 58;

const attributes = new Attributes();
const kindIndex = (kind: CloseKind): number => CLOSE_KINDS.indexOf(kind);
const CONNECTION = kindIndex('connection');
const ABORTED = kindIndex('aborted');
const ATTEMPT = kindIndex('attempt');

/**
 * Reads the messages of SKNLGRP_INET_TCP_DESTROY and its IPv6 twin, one per socket that ended (net/core/sock_diag.c,
 * net/ipv4/inet_diag.c: inet_diag_handler_get_info), into rows of a table. State, inode and uid mean nothing there. What does not
 * fit becomes one gap. Never throws.
 */
export class ClosedParser implements MessageReader {
  private readonly target: Target;
  private unconnected = 0;
  private failedConnects = 0;

  /** @param deviceName the name of a network device by its number */
  constructor(deviceName: (index: number) => string = (index) => `if${index}`, expectedRows = 0) {
    const table = new SocketTable();
    table.reserve(expectedRows);
    this.target = new Target(table, deviceName);
  }

  get rows(): number {
    return this.target.table.length;
  }

  /** Reads the messages in the first `length` bytes of a buffer. */
  read(wire: Wire, length: number): void {
    if (readMessages(wire, length, this) === 'torn')
      this.target.fail(`a message that does not fit into the ${length} bytes received`);
  }

  end(): ClosedBatch {
    const { target, unconnected, failedConnects } = this;
    const { broken, fault, table } = target;
    const why = `what the kernel told of them was broken ${broken} times, first by ${fault}`;
    const gaps = broken === 0 ? [] : [{ what: 'connections that ended', why }];
    return { sockets: table, unconnected, failedConnects, gaps };
  }

  readMessage(wire: Wire, start: number, end: number): boolean {
    const type = firstHalf(wire.words[(start >>> 2) + 1] as number);
    if (type === NLMSG_NOOP) return false;
    const least = INET.attributes * 4;
    if (type !== SOCK_DIAG_BY_FAMILY) this.target.fail(`a message of type ${type}`);
    else if (end - start < least) this.target.fail(`a message of ${end - start} bytes instead of ${least}`);
    else this.readSocket(wire, start, end);
    // Every one is of a socket of its own.
    return false;
  }

  private readSocket(wire: Wire, start: number, end: number): void {
    let info = 0;
    let infoBytes = 0;
    let protocol = IPPROTO_TCP;
    attributes.open(start + INET.attributes * 4, end);
    while (attributes.next(wire)) {
      if (attributes.type === INET_DIAG_INFO) {
        info = attributes.start;
        infoBytes = attributes.length;
      } else if (attributes.type === INET_DIAG_PROTOCOL && attributes.length > 0)
        protocol = wire.bytes[attributes.start] as number;
    }
    if (attributes.isBroken) this.target.fail('an attribute that does not fit into its message');
    if (protocol !== IPPROTO_TCP) return;
    const isPeerKnown = secondHalf(wire.words[(start >>> 2) + INET.ports] as number) !== 0;
    const kind = kindOf(wire.words, info >>> 2, infoBytes >>> 2, isPeerKnown);
    if (isPeerKnown || kind === ABORTED) this.store(wire, start, info, infoBytes, kind);
    else if (kind === ATTEMPT) this.failedConnects++;
    else this.unconnected++;
  }

  private store(wire: Wire, start: number, info: number, infoBytes: number, kind: number): void {
    const { target } = this;
    const { table, columns } = target;
    const { words, bytes } = wire;
    const at = start >>> 2;
    const row = table.append();
    table.protocol[row] = TCP;
    table.state[row] = CLOSE;
    storeCookie(table, row, words[at + INET.cookieLow] as number, words[at + INET.cookieHigh] as number);
    const device = words[at + INET.device] as number;
    if (device !== 0) {
      columns.put(INTERFACE, row, device);
      table.localName[row] = target.device(device);
    }
    columns.put(KIND, row, kind);
    storeTcpInfo(target, row, wire, info, infoBytes);
    if (kind !== CONNECTION) for (const age of AGES) columns.put(age, row, Number.NaN);
    storeEnds(target, row, words, at, bytes[start + INET.kind * 4] === AF_INET6, -1);
  }
}

/**
 * What the socket was; -1: nothing that ever connected. A window that the peer has told, a round trip or an acknowledgement exist only
 * where it was established; a receive window is chosen when connect() sends its SYN. Kernels before 5.4 tell no windows.
 */
function kindOf(words: Uint32Array, first: number, count: number, isPeerKnown: boolean): number {
  const at = (word: number) => (word < count ? (words[first + word] as number) : 0);
  const wasEstablished = at(SEND_WINDOW) > 0 || at(RTT) > 0 || at(BYTES_ACKED) > 0 || at(BYTES_ACKED + 1) > 0;
  if (isPeerKnown) return wasEstablished || count === 0 ? CONNECTION : ATTEMPT;
  if (wasEstablished) return ABORTED;
  return at(RECEIVE_WINDOW) > 0 ? ATTEMPT : -1;
}

/**
 * Reads recorded messages, one after the other.
 * @throws ParseError where the bytes hold no message at all
 */
export function parseClosed(bytes: Uint8Array): ClosedBatch {
  const parser = new ClosedParser();
  parser.read(wireOf(bytes), bytes.length);
  const batch = parser.end();
  const told = batch.sockets.length + batch.unconnected + batch.failedConnects;
  if (told === 0 && batch.gaps.length > 0)
    throw new ParseError('netlink', 'messages of sock_diag', `${bytes.length} bytes without one`);
  return batch;
}
