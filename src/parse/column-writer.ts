import {
  OPTIONAL_COLUMNS,
  type OptionalColumn,
  type SocketTable,
  TEXT_COLUMNS,
  type TextColumn,
} from '../model/table.js';

const COLUMNS = [...OPTIONAL_COLUMNS, ...TEXT_COLUMNS] as const;

export const columnIndex = (column: OptionalColumn | TextColumn): number => COLUMNS.indexOf(column);

/** Writes the optional columns of a table by their number, which is much faster than by name. */
export class ColumnWriter {
  private readonly columns: (Float64Array | undefined)[] = [];

  constructor(private readonly table: SocketTable) {}

  put(column: number, row: number, value: number): void {
    const values = this.columns[column];
    if (values !== undefined && row < values.length) values[row] = value;
    else this.putFirst(column, row, value);
  }

  /** Makes the column, or takes it again after the table has grown. */
  private putFirst(column: number, row: number, value: number): void {
    const name = COLUMNS[column];
    if (name === undefined) return;
    this.table.set(name, row, value);
    this.columns[column] = this.table.column(name);
  }
}
