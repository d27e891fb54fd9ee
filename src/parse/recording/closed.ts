import { ParseError } from '../../model/errors.js';
import type { ClosedObservation, Gap, Origin } from '../../model/observation.js';
import { SOURCES } from '../../model/sockets.js';
import { SocketTable } from '../../model/table.js';
import { millis } from '../../model/units.js';
import type { Fields } from './fields.js';
import { addRow, type Dictionary, readRow } from './rows.js';

/** More than one batch ever holds: a forged recording ends here. */
const MOST_ROWS = 100_000;

/** Reads a line of connections that ended. Throws ParseError that names `where`. */
export function readClosed(
  fields: Fields,
  dictionary: Dictionary,
  monotonic: number,
  gaps: readonly Gap[],
  where: string,
): (origin: Origin) => ClosedObservation {
  const list = fields.list('rows');
  if (list.length > MOST_ROWS)
    throw new ParseError(`${where}, rows`, `at most ${MOST_ROWS}`, String(list.length));
  const rows = list.map((row, at) => readRow(row, dictionary, monotonic, `${where}, row ${at + 1}`));
  const source = fields.oneOf('source', SOURCES);
  const count = (name: string) => (fields.has(name) ? Math.max(0, fields.number(name)) : 0);
  const rest = {
    incomplete: fields.has('incomplete'),
    ...(fields.has('lost') && { lost: count('lost') }),
    spanMs: millis(count('span_ms')),
    unconnected: count('unconnected'),
    failedConnects: count('failed'),
    gaps,
  };
  return (origin) => {
    const sockets = new SocketTable();
    sockets.reserve(rows.length);
    for (const row of rows) addRow(sockets, row, monotonic);
    // Who told of it, as lower bounds depend on that.
    return { kind: 'closed', origin: { ...origin, source }, sockets, ...rest };
  };
}
