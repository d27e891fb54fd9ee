import type { ClosedObservation } from '../../model/observation.js';
import { ROW } from '../../model/recording.js';
import { OPTIONAL_COLUMNS, type SocketTable } from '../../model/table.js';
import type { Names } from '../names.js';
import { rowList } from './rows.js';

/** Of more than these in one observation only some are written, each for several of its kind. */
const MOST_ROWS = 300;
/** With each batch before the same frame it is half as many, down to this. */
const LEAST_ROWS = 50;
const MOST_GROUPS = 1000;
const WEIGHT = OPTIONAL_COLUMNS.indexOf('weight');

/**
 * One batch of connections that ended. Numbers of each listener and remote stay exact: a row that is written says in its column
 * `weight` for how many it stands; what they were like is then told by a sample.
 * @param before batches that the same frame has already
 */
export function closedFields(
  observation: ClosedObservation,
  names: Names,
  before = 0,
): { readonly rows: readonly unknown[]; readonly [name: string]: unknown } {
  const { sockets, spanMs, unconnected, failedConnects, gaps } = observation;
  const { rows, leftOut } = chooseRows(sockets, Math.max(LEAST_ROWS, Math.floor(MOST_ROWS / 2 ** before)));
  const incomplete = observation.incomplete || leftOut > 0;
  const lost = observation.lost === undefined ? undefined : observation.lost + leftOut;
  const cursor = sockets.cursor();
  return {
    t: observation.origin.time,
    m: Math.round(observation.origin.monotonic * 1000) / 1000,
    source: observation.origin.source,
    span_ms: Math.round(spanMs),
    ...(incomplete && { incomplete: true }),
    ...(lost !== undefined && { lost }),
    ...(unconnected > 0 && { unconnected }),
    ...(failedConnects > 0 && { failed: failedConnects }),
    ...(gaps.length > 0 && {
      gaps: gaps.map(({ what, why }) => ({ what: names.sentence(what), why: names.sentence(why) })),
    }),
    rows: rows.map(([row, weight]) => {
      cursor.index = row;
      const list = rowList(0, cursor, names);
      if (weight > 1) (list[ROW.columns] as number[]).push(WEIGHT, weight);
      return list;
    }),
  };
}

type Weighted = readonly [row: number, weight: number];

/** All rows, or some of each group with their weights; whoever talks to more hosts than that at once is told of the busiest. */
function chooseRows(
  table: SocketTable,
  most: number,
): { readonly rows: Weighted[]; readonly leftOut: number } {
  if (table.length <= most)
    return { rows: Array.from({ length: table.length }, (_, row) => [row, 1] as const), leftOut: 0 };
  const groups = [...groupRows(table)].sort((a, b) => b.length - a.length);
  const kept = groups.slice(0, MOST_GROUPS);
  const share = Math.max(1, Math.floor(most / kept.length));
  const told = kept.reduce((sum, rows) => sum + rows.length, 0);
  return { rows: kept.flatMap((rows) => sampleOf(rows, share)), leftOut: table.length - told };
}

/** Evenly over the time of the batch; what does not divide goes to the first. */
function sampleOf(rows: readonly number[], most: number): Weighted[] {
  const count = Math.min(rows.length, most);
  const weight = Math.floor(rows.length / count);
  const rest = rows.length - weight * count;
  return Array.from({ length: count }, (_, at) => [
    rows[Math.floor((at * rows.length) / count)] as number,
    at === 0 ? weight + rest : weight,
  ]);
}

/** By kind and by the end that most of them share: a listener has one end of its own and many remotes, a client the other way round. */
function groupRows(table: SocketTable): Iterable<number[]> {
  const kinds = table.column('closeKind');
  const counts = new Map<string, number>();
  const ends = Array.from({ length: table.length }, (_, row) => {
    const both = [endOf(table, row, 'local'), endOf(table, row, 'remote')] as const;
    for (const end of both) counts.set(end, (counts.get(end) ?? 0) + 1);
    return both;
  });
  const groups = new Map<string, number[]>();
  for (const [row, [local, remote]] of ends.entries()) {
    const end = (counts.get(local) ?? 0) > (counts.get(remote) ?? 0) ? local : remote;
    const key = `${kinds?.[row] ?? ''} ${end}`;
    const rows = groups.get(key);
    if (rows === undefined) groups.set(key, [row]);
    else rows.push(row);
  }
  return groups.values();
}

function endOf(table: SocketTable, row: number, side: 'local' | 'remote'): string {
  const words = side === 'local' ? table.localAddress : table.remoteAddress;
  const port = (side === 'local' ? table.localPort : table.remotePort)[row];
  const at = row * 4;
  return `${side} ${words[at]}.${words[at + 1]}.${words[at + 2]}.${words[at + 3]} ${port}`;
}
