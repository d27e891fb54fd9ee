import { ParseError } from '../../model/errors.js';
import type { ClosedObservation, Origin } from '../../model/observation.js';
import { SOURCES } from '../../model/sockets.js';
import { SocketTable } from '../../model/table.js';
import { millis, monotonicMillis, wallMillis } from '../../model/units.js';
import { Fields } from './fields.js';
import { readGaps } from './gaps.js';
import { addRow, type Dictionary, readRow } from './rows.js';

/** More than one batch ever holds: a forged recording ends here. */
const MOST_ROWS = 100_000;

/** Observations that one frame holds at most, of all namespaces. */
const MOST_BATCHES = 10_000;

type ReadClosed = (origin: Origin) => ClosedObservation;

/** Reads what ended before a frame. Throws ParseError that names `where`. */
export function readClosed(fields: Fields, dictionary: Dictionary, where: string): readonly ReadClosed[] {
  const list = fields.has('closed') ? fields.list('closed') : [];
  if (list.length > MOST_BATCHES)
    throw new ParseError(`${where}, closed`, `at most ${MOST_BATCHES}`, String(list.length));
  return list.map((value, at) => {
    const place = `${where}, closed ${at + 1}`;
    return readBatch(Fields.of(value, place), dictionary, place);
  });
}

function readBatch(fields: Fields, dictionary: Dictionary, where: string): ReadClosed {
  const list = fields.list('rows');
  if (list.length > MOST_ROWS)
    throw new ParseError(`${where}, rows`, `at most ${MOST_ROWS}`, String(list.length));
  const time = wallMillis(fields.number('t'));
  const monotonic = monotonicMillis(fields.number('m'));
  const rows = list.map((row, at) => readRow(row, dictionary, monotonic, `${where}, row ${at + 1}`));
  const source = fields.oneOf('source', SOURCES);
  const netns = fields.has('netns') ? { netns: fields.text('netns') } : {};
  const count = (name: string) => (fields.has(name) ? Math.max(0, fields.number(name)) : 0);
  const rest = {
    incomplete: fields.has('incomplete'),
    ...(fields.has('lost') && { lost: count('lost') }),
    spanMs: millis(count('span_ms')),
    unconnected: count('unconnected'),
    failedConnects: count('failed'),
    gaps: fields.has('gaps') ? readGaps(fields.list('gaps'), where) : [],
  };
  return (origin) => {
    const sockets = new SocketTable();
    sockets.reserve(rows.length);
    for (const row of rows) addRow(sockets, row, monotonic, true);
    // Who told of it, as lower bounds depend on that.
    return { kind: 'closed', origin: { ...origin, ...netns, time, monotonic, source }, sockets, ...rest };
  };
}
