import { type Direction, directionFinder } from '../model/direction.js';
import type { SocketRow } from '../model/socket-row.js';
import { type Owner, PROTOCOLS, SOCKET_STATES } from '../model/sockets.js';
import { type OptionalColumn, ROW_FLAGS, type SocketTable, type TextColumn } from '../model/table.js';
import { type ByteText, type FixedText, fixedText } from './byte-text.js';
import { connectionWriter, namespaceJson, timerJson } from './json-connection.js';
import { known, round } from './json-parts.js';
import { jsonText } from './json-text.js';
import type { Names } from './names.js';
import { SocketEnds } from './socket-ends.js';

/**
 * Writes sockets as `jsonText(connectionWriter(...)(row))` has them, byte for byte, straight from the columns: there may be hundreds of
 * thousands. What is rare (Unix sockets, devices, ports with names) is left to the objects. A test holds the two against each other.
 */
export class SocketWriter {
  private readonly row: SocketRow;
  private readonly rareJson: (row: number) => object;
  private readonly directionOf: (row: number) => Direction;
  private readonly ends: SocketEnds;
  private readonly columns: readonly Field[];
  private readonly inode: Float64Array | undefined;
  private readonly timerKind: Float64Array | undefined;
  /** What each section of the table says of its namespace; the first, where there are none. */
  private readonly netns: readonly FixedText[];

  constructor(
    private readonly table: SocketTable,
    private readonly names: Names,
    netns: string | undefined,
  ) {
    this.row = table.cursor();
    this.rareJson = connectionWriter(table, names, netns);
    this.directionOf = directionFinder(table);
    this.ends = new SocketEnds(table, names);
    this.columns = FIELDS.flatMap(([column, name, isRounded]) => {
      const values = table.column(column);
      return values === undefined ? [] : [{ values, name: fixedText(`,"${name}":`), isRounded }];
    });
    this.inode = table.column('inode');
    this.timerKind = table.column('timerKind');
    const namespaces = table.sections.map(({ namespace }) => namespaceJson(namespace, names));
    this.netns = [{ netns }, ...namespaces].map((one) => fixedText(inside(one)));
  }

  /** The fields of one object without its braces. The row must not be a listener. */
  write(out: ByteText, row: number): void {
    const { table, ends } = this;
    if (!ends.arePlain(row)) {
      out.inside(this.rareJson(row));
      return;
    }
    this.row.index = row;
    const isTcp = PROTOCOLS[table.protocol[row] as number] !== 'udp';
    out.fixed(PROTOCOL_TEXTS[table.protocol[row] as number] as FixedText);
    out.fixed(STATE_TEXTS[table.state[row] as number] as FixedText);
    const direction = isTcp ? this.directionOf(row) : undefined;
    if (direction !== undefined) out.fixed(direction === 'inbound' ? F.inbound : F.outbound);
    ends.write(out, row);
    out.fixed(this.netns[table.sectionAt(row) + 1] as FixedText);
    this.identity(out, row);
    const waiting = isTcp ? this.row.isWaiting : undefined;
    if (waiting !== undefined) out.fixed(waiting ? F.waiting : F.notWaiting);
    this.counts(out, row);
  }

  private identity(out: ByteText, row: number): void {
    const { table } = this;
    if (((table.flags[row] as number) & ROW_FLAGS.cookie) === 0) return;
    out.fixed(F.cookie);
    out.hex(table.cookieHigh[row] as number, table.cookieLow[row] as number);
    out.fixed(F.quote);
  }

  private counts(out: ByteText, row: number): void {
    const { table } = this;
    if (((table.flags[row] as number) & ROW_FLAGS.queues) !== 0) {
      out.number(table.recvQueue[row] as number, F.received);
      out.number(table.sendQueue[row] as number, F.sent);
    }
    const inode = this.inode?.[row] ?? Number.NaN;
    if (!Number.isNaN(inode)) out.number(inode, F.inode);
    const owners = table.ownersAt(row);
    if (owners !== undefined) this.owners(out, owners);
    if (!Number.isNaN(this.timerKind?.[row] ?? Number.NaN)) out.fields({ timer: timerJson(this.row) });
    for (const { values, name, isRounded } of this.columns) {
      const value = values[row] as number;
      if (Number.isNaN(value)) continue;
      if (!isRounded) out.number(value, name);
      else if (value < MOST_EXACT_MS) out.millis(Math.round(value * 1000) * 1000, name);
      else out.number(round(value), name);
    }
    this.word(out, row, 'congestion', F.congestion);
    this.word(out, row, 'ulp', F.ulp);
  }

  private word(out: ByteText, row: number, what: TextColumn, name: FixedText): void {
    const text = this.table.note(row, what);
    if (text === undefined) return;
    out.fixed(name);
    out.string(text);
  }

  private owners(out: ByteText, owners: readonly Owner[]): void {
    out.fixed(F.owners);
    for (const owner of owners) {
      const { pid, name, fd } = this.names.owner(owner);
      out.number(pid, F.pid);
      out.fixed(F.name);
      out.string(name);
      out.number(fd, F.fd);
      out.fixed(F.ownerEnd);
    }
    out.close(']');
  }
}

/** `,"netns":"1"` */
const inside = (fields: object): string =>
  jsonText(known(fields))
    .slice(1, -1)
    .replace(/^(?=.)/, ',');

interface Field {
  readonly values: Float64Array;
  readonly name: FixedText;
  /** To thousandths. */
  readonly isRounded: boolean;
}

/** Up to here, thousandths of a millisecond are whole numbers of nanoseconds to a double. */
const MOST_EXACT_MS = 1e8;

/** In the order of `connectionWriter`. */
const FIELDS: readonly (readonly [column: OptionalColumn, name: string, isRounded: boolean])[] = [
  ['rttMs', 'rtt_ms', true],
  ['lastSentMs', 'last_sent_ms', false],
  ['lastReceivedMs', 'last_received_ms', false],
  ['lastAckMs', 'last_ack_ms', false],
  ['bytesSent', 'bytes_sent', false],
  ['bytesReceived', 'bytes_received', false],
  ['retransmitsTotal', 'retransmits', false],
  ['drops', 'drops', false],
  ['mark', 'mark', false],
  ['cgroupId', 'cgroup_id', false],
  ['receiverLimitedMs', 'receiver_limited_ms', false],
  ['bufferLimitedMs', 'buffer_limited_ms', false],
];

const PROTOCOL_TEXTS = PROTOCOLS.map((protocol) => fixedText(`"protocol":"${protocol}"`));
const STATE_TEXTS = SOCKET_STATES.map((state) => fixedText(`,"state":"${state}"`));

const F = {
  inbound: fixedText(',"direction":"inbound"'),
  outbound: fixedText(',"direction":"outbound"'),
  cookie: fixedText(',"cookie":"'),
  quote: fixedText('"'),
  waiting: fixedText(',"waiting":true'),
  notWaiting: fixedText(',"waiting":false'),
  received: fixedText(',"recv_queue_bytes":'),
  sent: fixedText(',"send_queue_bytes":'),
  inode: fixedText(',"inode":'),
  owners: fixedText(',"owners":['),
  pid: fixedText('{"pid":'),
  name: fixedText(',"name":'),
  fd: fixedText(',"fd":'),
  ownerEnd: fixedText('},'),
  congestion: fixedText(',"congestion":'),
  ulp: fixedText(',"ulp":'),
} as const;
