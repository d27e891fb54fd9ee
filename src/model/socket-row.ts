import type { OptionalColumn } from './columns.js';
import type { Endpoint } from './endpoint.js';
import type { Namespace } from './namespace.js';
import type { SocketColumns } from './socket-columns.js';
import {
  type Owner,
  PROTOCOLS,
  type Protocol,
  SOCKET_STATES,
  type SocketState,
  TIMER_KINDS,
  type TimerKind,
  UNIX_KINDS,
  type UnixKind,
} from './sockets.js';
import {
  type Bytes,
  bytes,
  type Connections,
  connections,
  type Millis,
  millis,
  type Segments,
  segments,
} from './units.js';

/** What a listener's two columns mean, and what a stream's do: never the same thing (KERNEL.md 1). */
export type Queues =
  | { readonly kind: 'listener'; readonly length: Connections; readonly backlog?: Connections }
  | { readonly kind: 'stream'; readonly unread: Bytes; readonly unacked: Bytes };

/** One socket of a table, read through getters; making it copies nothing. */
export class SocketRow {
  constructor(
    readonly table: SocketColumns,
    public index: number,
  ) {}

  get protocol(): Protocol {
    return PROTOCOLS[this.table.protocol[this.index] ?? 0] ?? 'tcp';
  }

  get state(): SocketState {
    return SOCKET_STATES[this.table.state[this.index] ?? 0] ?? 'unknown';
  }

  get unixKind(): UnixKind {
    return UNIX_KINDS[this.table.unixKind[this.index] ?? 0] ?? 'stream';
  }

  get isListener(): boolean {
    return this.state === 'listen';
  }

  /**
   * Complete but not accepted yet: ESTAB or CLOSE-WAIT with inode 0, not a subflow of MPTCP (KERNEL.md 5).
   * Undefined where the inode is unknown.
   */
  get isWaiting(): boolean | undefined {
    if (this.protocol !== 'tcp' && this.protocol !== 'mptcp') return false;
    if (this.state !== 'established' && this.state !== 'close-wait') return false;
    if (this.table.hasFlag(this.index, 'mptcpSubflow')) return false;
    const inode = this.number('inode');
    return inode === undefined ? undefined : inode === 0;
  }

  get local(): Endpoint {
    return this.endpoint('local');
  }

  /** Absent: the socket has no peer. */
  get remote(): Endpoint | undefined {
    return this.table.hasFlag(this.index, 'remoteAny') ? undefined : this.endpoint('remote');
  }

  get queues(): Queues | undefined {
    const { table, index } = this;
    if (!table.hasFlag(index, 'queues')) return undefined;
    const recv = table.recvQueue[index] ?? 0;
    const send = table.sendQueue[index] ?? 0;
    if (!this.isListener) return { kind: 'stream', unread: bytes(recv), unacked: bytes(send) };
    if (table.hasFlag(index, 'limitUnknown')) return { kind: 'listener', length: connections(recv) };
    return { kind: 'listener', length: connections(recv), backlog: connections(send) };
  }

  get inode(): number | undefined {
    return this.number('inode');
  }

  /** Hexadecimal, without leading zeros, as ss prints it. */
  get cookie(): string | undefined {
    const { table, index } = this;
    if (!table.hasFlag(index, 'cookie')) return undefined;
    const high = table.cookieHigh[index] ?? 0;
    const low = (table.cookieLow[index] ?? 0).toString(16);
    return high === 0 ? low : high.toString(16) + low.padStart(8, '0');
  }

  get owners(): readonly Owner[] | undefined {
    return this.table.ownersAt(this.index);
  }

  get timer(): { readonly kind: TimerKind; readonly inMs: Millis; readonly retransmits: number } | undefined {
    const kind = this.number('timerKind');
    if (kind === undefined) return undefined;
    return {
      kind: TIMER_KINDS[kind] ?? 'unknown',
      inMs: millis(this.number('timerMs') ?? 0),
      retransmits: this.number('timerRetransmits') ?? 0,
    };
  }

  /** Segments dropped by this socket since it was made (skmem `d`); wraps at 2^32. Absent on old ss. */
  /** The kernel counts none for Unix sockets, though ss prints a 0 (KERNEL.md 5). */
  get drops(): Segments | undefined {
    const drops = this.protocol === 'unix' ? undefined : this.number('drops');
    return drops === undefined ? undefined : segments(drops);
  }

  /** `undefined`: not known. */
  get namespace(): Namespace | undefined {
    return this.table.namespaceAt(this.index);
  }

  number(column: OptionalColumn): number | undefined {
    return this.table.get(column, this.index);
  }

  private endpoint(side: 'local' | 'remote'): Endpoint {
    const { table, index } = this;
    const isLocal = side === 'local';
    const name = table.strings[(isLocal ? table.localName : table.remoteName)[index] ?? 0] ?? '';
    if (this.protocol === 'unix') {
      const hex = isLocal ? table.note(index, 'localHex') : undefined;
      return { kind: 'unix', path: name, ...(hex !== undefined && { hex }) };
    }
    const addresses = isLocal ? table.localAddress : table.remoteAddress;
    const at = (word: number) => addresses[index * 4 + word] ?? 0;
    const portName = table.note(index, isLocal ? 'localPortName' : 'remotePortName');
    const portKnown = table.hasFlag(index, isLocal ? 'localPortKnown' : 'remotePortKnown');
    return {
      kind: 'ip',
      address: { family: table.family[index] === 6 ? 6 : 4, words: [at(0), at(1), at(2), at(3)] },
      ...(portKnown && { port: (isLocal ? table.localPort : table.remotePort)[index] ?? 0 }),
      ...(portName !== undefined && { portName }),
      ...(name !== '' && { device: name }),
      ...(isLocal && table.hasFlag(index, 'localDualStack') && { dualStack: true }),
    };
  }
}
