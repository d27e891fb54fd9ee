import { type Note, type OptionalColumn, ROW_FLAGS, type RowFlag, type TextColumn } from './columns.js';
import type { Namespace } from './namespace.js';
import { type OwnerLookup, RowOwners } from './row-owners.js';
import type { Owner } from './sockets.js';

/** Rows from `from` up to the next section are of one network namespace. */
export interface Section {
  readonly from: number;
  readonly namespace: Namespace;
}

const INITIAL_ROWS = 64;
export const UNKNOWN = Number.NaN;

/**
 * Sockets as columns: one typed array per fact, one index per socket, so that 100,000 of them are no objects.
 * Parsers fill it through `append()` and the columns.
 */
export class SocketColumns {
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

  /** Ascending; none where the namespace is not known. */
  sections: readonly Section[] = [];

  readonly strings: string[] = [''];
  private readonly stringIndex = new Map<string, number>([['', 0]]);
  protected readonly optional = new Map<OptionalColumn | TextColumn, Float64Array>();
  /** Rare texts of single rows: names of ports that no table resolves, hex of Unix paths that are not UTF-8. */
  protected readonly notes = new Map<string, string>();
  protected readonly owners = new RowOwners(INITIAL_ROWS);
  protected capacity = INITIAL_ROWS;

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
    this.owners.clear(row);
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
    this.owners.set(row, owners);
  }

  /** Owners by inode, for sources that print none; resolved only when a row is asked. */
  attachOwners(lookup: OwnerLookup): void {
    this.owners.attach(lookup);
  }

  /** `undefined` = unknown; `[]` = none: a socket that no process holds, such as one that waits for accept(). */
  ownersAt(row: number): readonly Owner[] | undefined {
    return this.owners.at(row, this.get('inode', row));
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
    this.owners.growTo(this.capacity);
    for (const [name, values] of this.optional) {
      const copy = new Float64Array(this.capacity).fill(UNKNOWN, values.length);
      copy.set(values);
      this.optional.set(name, copy);
    }
  }
}
