import { type OptionalColumn, ROW_FLAGS, type RowFlag, TEXT_COLUMNS, type TextColumn } from './columns.js';
import type { Endpoint } from './endpoint.js';
import type { Namespace } from './namespace.js';
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

export {
  OPTIONAL_COLUMNS,
  type OptionalColumn,
  ROW_FLAGS,
  type RowFlag,
  TEXT_COLUMNS,
  type TextColumn,
} from './columns.js';

/** What a listener's two columns mean, and what a stream's do: never the same thing (KERNEL.md 1). */
export type Queues =
  | { readonly kind: 'listener'; readonly length: Connections; readonly backlog?: Connections }
  | { readonly kind: 'stream'; readonly unread: Bytes; readonly unacked: Bytes };

const FIXED_COLUMNS = [
  'protocol',
  'state',
  'family',
  'unixKind',
  'flags',
  'localAddress',
  'remoteAddress',
  'localPort',
  'remotePort',
  'recvQueue',
  'sendQueue',
  'cookieHigh',
  'cookieLow',
  'localName',
  'remoteName',
] as const;
type FixedColumn = (typeof FIXED_COLUMNS)[number];

/** A table on its way to another thread: plain data, whose `buffers` may be transferred instead of copied. */
export interface TableParts {
  readonly length: number;
  readonly fixed: Readonly<Record<FixedColumn, Uint8Array | Uint16Array | Uint32Array>>;
  readonly optional: ReadonlyMap<OptionalColumn | TextColumn, Float64Array>;
  readonly strings: readonly string[];
  readonly notes: ReadonlyMap<string, string>;
  readonly buffers: readonly ArrayBuffer[];
}

/** Finds the processes behind an inode; `undefined` = unknown (no permission, not looked), `[]` = none. */
export interface OwnerLookup {
  ownersOf(inode: number): readonly Owner[] | undefined;
}

/** Rows from `from` up to the next section are of one network namespace. */
export interface Section {
  readonly from: number;
  readonly namespace: Namespace;
}
export const NOTES = ['localPortName', 'remotePortName', 'localHex', 'congestion', 'ulp'] as const;
export type Note = (typeof NOTES)[number];

const INITIAL_ROWS = 64;
const UNKNOWN = Number.NaN;
const NO_OWNERS: readonly Owner[] = [];

/**
 * Sockets as columns: one typed array per fact, one index per socket, so that 100,000 of them are no objects.
 * Parsers fill it through `append()` and the columns; readers take `row(i)` or one moving `cursor()`.
 */
export class SocketTable {
  length = 0;
  protocol = new Uint8Array(INITIAL_ROWS);
  state = new Uint8Array(INITIAL_ROWS);
  /** 4, 6, or 0 for Unix. */
  family = new Uint8Array(INITIAL_ROWS);
  unixKind = new Uint8Array(INITIAL_ROWS);
  flags = new Uint16Array(INITIAL_ROWS);
  /** Four words each; IPv4 (and v4-mapped, normalised) in the last. */
  localAddress = new Uint32Array(INITIAL_ROWS * 4);
  remoteAddress = new Uint32Array(INITIAL_ROWS * 4);
  localPort = new Uint16Array(INITIAL_ROWS);
  remotePort = new Uint16Array(INITIAL_ROWS);
  recvQueue = new Uint32Array(INITIAL_ROWS);
  sendQueue = new Uint32Array(INITIAL_ROWS);
  cookieHigh = new Uint32Array(INITIAL_ROWS);
  cookieLow = new Uint32Array(INITIAL_ROWS);
  /** Index into `strings`, 0 = none: device or zone of an IP socket, path of a Unix one. */
  localName = new Uint32Array(INITIAL_ROWS);
  remoteName = new Uint32Array(INITIAL_ROWS);
  /** Where the row's owners start in the owner lists, 0 = not printed. */
  private ownerStart = new Uint32Array(INITIAL_ROWS);
  private ownerCount = new Uint32Array(INITIAL_ROWS);

  /** Ascending; none where the namespace is not known. */
  sections: readonly Section[] = [];

  readonly strings: string[] = [''];
  private readonly stringIndex = new Map<string, number>([['', 0]]);
  private readonly owners: Owner[] = [];
  private readonly optional = new Map<OptionalColumn | TextColumn, Float64Array>();
  /** Rare texts of single rows: names of ports that no table resolves, hex of Unix paths that are not UTF-8. */
  private readonly notes = new Map<string, string>();
  private capacity = INITIAL_ROWS;
  private lookup: OwnerLookup | undefined;

  /** A table of the parts of another, which it takes over. */
  static fromParts({ length, fixed, optional, strings, notes }: TableParts): SocketTable {
    const table = new SocketTable();
    table.length = length;
    table.capacity = fixed.protocol.length;
    Object.assign(table, fixed);
    table.ownerStart = new Uint32Array(table.capacity);
    table.ownerCount = new Uint32Array(table.capacity);
    for (const [name, values] of optional) table.optional.set(name, values);
    for (const text of strings) table.intern(text);
    for (const [key, note] of notes) table.notes.set(key, note);
    return table;
  }

  /** The rows of all tables, one table after the other, each of one namespace: columns are copied whole. */
  static join(tables: readonly SocketTable[]): SocketTable {
    const joined = new SocketTable();
    joined.reserve(tables.reduce((sum, { length }) => sum + length, 0));
    joined.sections = tables.flatMap(({ sections }, at) => {
      const before = tables.slice(0, at).reduce((sum, { length }) => sum + length, 0);
      return sections.map(({ from, namespace }) => ({ from: before + from, namespace }));
    });
    for (const table of tables) joined.appendAll(table);
    return joined;
  }

  private appendAll(other: SocketTable): void {
    const at = this.length;
    this.length += other.length;
    for (const name of FIXED_COLUMNS) {
      const width = name.endsWith('Address') ? 4 : 1;
      this[name].set(other[name].subarray(0, other.length * width), at * width);
    }
    const texts = Uint32Array.from(other.strings, (text) => this.intern(text));
    for (let row = 0; row < other.length; row++) {
      this.localName[at + row] = texts[other.localName[row] ?? 0] ?? 0;
      this.remoteName[at + row] = texts[other.remoteName[row] ?? 0] ?? 0;
      const start = other.ownerStart[row] ?? 0;
      if (start > 0) this.ownerStart[at + row] = start + this.owners.length;
      this.ownerCount[at + row] = other.ownerCount[row] ?? 0;
    }
    for (const owner of other.owners) this.owners.push(owner);
    for (const [name, values] of other.optional) {
      if (!this.optional.has(name)) this.optional.set(name, new Float64Array(this.capacity).fill(UNKNOWN));
      this.optional.get(name)?.set(values.subarray(0, other.length), at);
    }
    for (const name of TEXT_COLUMNS) {
      const values = other.optional.has(name) ? this.optional.get(name) : undefined;
      for (let row = at; values !== undefined && row < this.length; row++)
        values[row] = texts[values[row] ?? UNKNOWN] ?? UNKNOWN;
    }
    for (const [key, note] of other.notes) {
      const slash = key.indexOf('/');
      this.notes.set(`${at + Number(key.slice(0, slash))}${key.slice(slash)}`, note);
    }
    this.lookup ??= other.lookup;
  }

  /** The namespace of a row; `undefined` where it is not known. */
  namespaceAt(row: number): Namespace | undefined {
    return this.sections[this.sectionAt(row)]?.namespace;
  }

  /** Number of the section of a row, -1 where there is none: rows of different sections have nothing to do with each other. */
  sectionAt(row: number): number {
    const { sections } = this;
    let low = 0;
    let high = sections.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sections[middle]?.from ?? 0) <= row) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** All but owners; the table must not be used once the buffers have been transferred. */
  toParts(): TableParts {
    const fixed = Object.fromEntries(FIXED_COLUMNS.map((name) => [name, this[name]]));
    const columns = [...Object.values(fixed), ...this.optional.values()];
    return {
      length: this.length,
      fixed: fixed as TableParts['fixed'],
      optional: this.optional,
      strings: this.strings,
      notes: this.notes,
      buffers: columns.map(({ buffer }) => buffer as ArrayBuffer),
    };
  }

  /** Adds an empty row and gives its index. */
  append(): number {
    if (this.length === this.capacity) this.growTo(this.capacity * 2);
    return this.length++;
  }

  /** Makes room for that many rows at once, where their number is known or can be guessed. */
  reserve(rows: number): void {
    if (rows > this.capacity) this.growTo(Math.ceil(rows));
  }

  /** Takes back the last row, for a parser that found the line broken half-way. */
  dropLast(): void {
    const row = --this.length;
    this.protocol[row] = this.state[row] = this.family[row] = this.unixKind[row] = this.flags[row] = 0;
    this.localAddress.fill(0, row * 4, row * 4 + 4);
    this.remoteAddress.fill(0, row * 4, row * 4 + 4);
    this.localPort[row] = this.remotePort[row] = this.recvQueue[row] = this.sendQueue[row] = 0;
    this.cookieHigh[row] = this.cookieLow[row] = this.localName[row] = this.remoteName[row] = 0;
    this.ownerStart[row] = this.ownerCount[row] = 0;
    for (const column of this.optional.values()) column[row] = UNKNOWN;
  }

  set(column: OptionalColumn | TextColumn, row: number, value: number): void {
    let values = this.optional.get(column);
    if (values === undefined) {
      values = new Float64Array(this.capacity).fill(UNKNOWN);
      this.optional.set(column, values);
    }
    values[row] = value;
  }

  get(column: OptionalColumn, row: number): number | undefined {
    const value = this.optional.get(column)?.[row];
    return value === undefined || Number.isNaN(value) ? undefined : value;
  }

  /** The whole column (NaN = unknown), longer than `length`; `undefined` where no row has it. For loops over all rows. */
  column(column: OptionalColumn | TextColumn): Float64Array | undefined {
    return this.optional.get(column);
  }

  setFlag(row: number, flag: RowFlag): void {
    this.flags[row] = (this.flags[row] ?? 0) | ROW_FLAGS[flag];
  }

  hasFlag(row: number, flag: RowFlag): boolean {
    return ((this.flags[row] ?? 0) & ROW_FLAGS[flag]) !== 0;
  }

  /** One index per distinct text: devices and names repeat. */
  intern(text: string): number {
    const known = this.stringIndex.get(text);
    if (known !== undefined) return known;
    const index = this.strings.push(text) - 1;
    this.stringIndex.set(text, index);
    return index;
  }

  /** Texts that many rows share are kept once, the others with their row. */
  setNote(row: number, what: Note, text: string): void {
    if (what === 'congestion' || what === 'ulp') this.set(what, row, this.intern(text));
    else this.notes.set(`${row}/${what}`, text);
  }

  note(row: number, what: Note): string | undefined {
    if (what !== 'congestion' && what !== 'ulp') return this.notes.get(`${row}/${what}`);
    const index = this.optional.get(what)?.[row];
    return index === undefined || Number.isNaN(index) ? undefined : this.strings[index];
  }

  /** Owners as the source printed them. */
  setOwners(row: number, owners: readonly Owner[]): void {
    this.ownerStart[row] = this.owners.length + 1;
    this.ownerCount[row] = owners.length;
    for (const owner of owners) this.owners.push(owner);
  }

  /** Owners by inode, for sources that print none; resolved only when a row is asked. */
  attachOwners(lookup: OwnerLookup): void {
    this.lookup = lookup;
  }

  /** `undefined` = unknown; `[]` = none: a socket that no process holds, such as one that waits for accept(). */
  ownersAt(row: number): readonly Owner[] | undefined {
    const start = this.ownerStart[row] ?? 0;
    if (start > 0) return this.owners.slice(start - 1, start - 1 + (this.ownerCount[row] ?? 0));
    const inode = this.get('inode', row);
    if (inode === undefined) return undefined;
    return inode === 0 ? NO_OWNERS : this.lookup?.ownersOf(inode);
  }

  row(index: number): SocketRow {
    return new SocketRow(this, index);
  }

  /** One object for a whole loop: set `index` and read. Do not keep it. */
  cursor(): SocketRow {
    return new SocketRow(this, 0);
  }

  private growTo(capacity: number): void {
    this.capacity = capacity;
    const wider = <T extends Uint8Array | Uint16Array | Uint32Array>(
      values: T,
      length = this.capacity,
    ): T => {
      const copy = new (values.constructor as new (length: number) => T)(length);
      copy.set(values);
      return copy;
    };
    this.protocol = wider(this.protocol);
    this.state = wider(this.state);
    this.family = wider(this.family);
    this.unixKind = wider(this.unixKind);
    this.flags = wider(this.flags);
    this.localAddress = wider(this.localAddress, this.capacity * 4);
    this.remoteAddress = wider(this.remoteAddress, this.capacity * 4);
    this.localPort = wider(this.localPort);
    this.remotePort = wider(this.remotePort);
    this.recvQueue = wider(this.recvQueue);
    this.sendQueue = wider(this.sendQueue);
    this.cookieHigh = wider(this.cookieHigh);
    this.cookieLow = wider(this.cookieLow);
    this.localName = wider(this.localName);
    this.remoteName = wider(this.remoteName);
    this.ownerStart = wider(this.ownerStart);
    this.ownerCount = wider(this.ownerCount);
    for (const [name, values] of this.optional) {
      const copy = new Float64Array(this.capacity).fill(UNKNOWN, values.length);
      copy.set(values);
      this.optional.set(name, copy);
    }
  }
}

/** One socket of a table, read through getters; making it copies nothing. */
export class SocketRow {
  constructor(
    readonly table: SocketTable,
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
