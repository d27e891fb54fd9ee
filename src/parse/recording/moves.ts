import { ParseError } from '../../model/errors.js';
import { AGE_COLUMNS, MOVED_COLUMNS } from '../../model/recording.js';
import type { OptionalColumn } from '../../model/table.js';
import { asList, asNumber } from './fields.js';
import type { Dictionary, RecordedRow } from './rows.js';

const AGES: ReadonlySet<string> = new Set(AGE_COLUMNS);
const RISES: ReadonlySet<string> = new Set(MOVED_COLUMNS);

interface MovedColumn {
  readonly name: OptionalColumn;
  readonly isAge: boolean;
  readonly values: readonly unknown[];
}

/**
 * Reads what moved on sockets that are known by their ids (`MOVED_COLUMNS` of model/recording.ts). Gives what writes it into their rows, as they
 * were `monotonic`. Throws ParseError that names `where`: nothing has changed then.
 */
export function readMoves(
  lists: readonly unknown[],
  { columns }: Dictionary,
  monotonic: number,
  where: string,
): (rows: ReadonlyMap<number, RecordedRow>) => void {
  const place = `${where}, moved`;
  let id = 0;
  const ids = (lists.length === 0 ? [] : asList(lists[0], place)).map((gap) => (id += asNumber(gap, place)));
  const moved = lists.slice(1).flatMap((list): MovedColumn[] => {
    const [number, ...values] = asList(list, place);
    if (values.length !== ids.length) throw new ParseError(place, `${ids.length} values`, `${values.length}`);
    const name = columns[asNumber(number, place)];
    if (name === undefined || (!AGES.has(name) && !RISES.has(name))) return [];
    const isAge = AGES.has(name);
    for (const value of values) if (!isAge || value !== null) asNumber(value, place);
    return [{ name, isAge, values }];
  });
  return (rows) => {
    for (const [at, one] of ids.entries()) {
      const row = rows.get(one);
      if (row === undefined) continue;
      for (const column of moved) write(row, column, column.values[at] as number | null);
      row.seenAt = monotonic;
    }
  };
}

function write({ columns }: RecordedRow, { name, isAge }: MovedColumn, value: number | null): void {
  const known = columns.findIndex(([column]) => column === name);
  if (value === null) {
    if (known >= 0) columns.splice(known, 1);
    return;
  }
  const before = columns[known];
  // What is 0 may be left out.
  if (before === undefined && (isAge || value !== 0)) columns.push([name, Math.max(0, value)]);
  else if (before !== undefined) before[1] = Math.max(0, isAge ? value : before[1] + value);
}
