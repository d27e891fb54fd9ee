import { type OptionalColumn, ROW_FLAGS, TEXT_COLUMNS, type TextColumn } from './columns.js';
import { SocketColumns, UNKNOWN } from './socket-columns.js';
import { SocketRow } from './socket-row.js';

export {
  OPTIONAL_COLUMNS,
  type OptionalColumn,
  ROW_FLAGS,
  type RowFlag,
  TEXT_COLUMNS,
  type TextColumn,
} from './columns.js';

/** Bytes, segments and ages of the row are those of an earlier look. */
export const isStaleRow = ({ flags }: Pick<SocketTable, 'flags'>, row: number): boolean =>
  ((flags[row] ?? 0) & ROW_FLAGS.stale) !== 0;

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

/** The table of one look: readers take `row(i)` or one moving `cursor()`. */
export class SocketTable extends SocketColumns {
  /** A table of the parts of another, which it takes over. */
  static fromParts({ length, fixed, optional, strings, notes }: TableParts): SocketTable {
    const table = new SocketTable();
    table.length = length;
    table.capacity = fixed.protocol.length;
    Object.assign(table, fixed);
    table.owners.growTo(table.capacity);
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
    }
    this.owners.appendAll(other.owners, other.length, at);
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

  row(index: number): SocketRow {
    return new SocketRow(this, index);
  }

  /** One object for a whole loop: set `index` and read. Do not keep it. */
  cursor(): SocketRow {
    return new SocketRow(this, 0);
  }
}
