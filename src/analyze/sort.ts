import { severityRank, VERDICTS } from '../model/findings.js';
import type { ListenerReport } from '../model/listener.js';
import type { SocketTable } from '../model/table.js';
import { LISTEN } from './codes.js';
import { waitingOf } from './facts.js';
import type { Filter } from './filter.js';
import { mergeSortInSteps } from './merge-sort.js';
import { type ConnectionSort, rowOrder } from './row-order.js';

export { CONNECTION_SORTS, type ConnectionSort } from './row-order.js';

export const LISTENER_SORTS = ['trouble', 'address', 'process', 'fill', 'length', 'drops', 'wait'] as const;
export type ListenerSort = (typeof LISTENER_SORTS)[number];

/** Indexes of the rows that are no listeners and match. */
export function selectRows(table: SocketTable, filter: Filter | undefined): Uint32Array {
  const rows = new Uint32Array(table.length);
  const row = table.cursor();
  let found = 0;
  for (let index = 0; index < table.length; index++) {
    if (table.state[index] === LISTEN) continue;
    row.index = index;
    if (filter === undefined || filter.matchesRow(row)) rows[found++] = index;
  }
  return rows.slice(0, found);
}

/** The rows in another order; equal ones keep theirs, and what is unknown comes last either way. */
export function sortRows(
  table: SocketTable,
  rows: Uint32Array,
  by: ConnectionSort,
  descending: boolean,
): Uint32Array {
  const steps = sortRowsInSteps(table, rows, { by, descending }, undefined);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** The same, yielding `token` every few thousand rows. */
export function* sortRowsInSteps<Token>(
  table: SocketTable,
  rows: Uint32Array,
  { by, descending }: { readonly by: ConnectionSort; readonly descending: boolean },
  token: Token,
): Generator<Token, Uint32Array> {
  const { isKnown, compare } = rowOrder(table, rows, by);
  yield token;
  const known = rows.filter(isKnown);
  const unknown = known.length < rows.length ? rows.filter((row) => !isKnown(row)) : NO_ROWS;
  yield token;
  yield* mergeSortInSteps(known, descending ? (a, b) => compare(b, a) : compare, token);
  const sorted = new Uint32Array(rows.length);
  sorted.set(known);
  sorted.set(unknown, known.length);
  return sorted;
}

const NO_ROWS = new Uint32Array(0);

type Key = string | number | undefined;

/** What listeners are compared by, the first that differs; `undefined` is unknown. */
const LISTENER_KEYS: Readonly<Record<ListenerSort, (report: ListenerReport) => readonly Key[]>> = {
  // Worse severity, worse verdict, fuller, longer.
  trouble: ({ findings, verdict, listener: { acceptQueue } }) => [
    Math.max(-1, ...findings.map(({ severity }) => severityRank(severity))),
    VERDICTS.indexOf(verdict),
    acceptQueue.fill ?? 0,
    acceptQueue.length,
  ],
  address: ({ listener: { local } }) =>
    local.kind === 'unix'
      ? ['unix', local.path]
      : [`ip${local.address.family}`, ...local.address.words, local.port ?? 0, local.device ?? ''],
  process: ({ listener: { owners } }) => {
    if (owners === undefined) return [undefined];
    const [first] = [...owners].sort((a, b) => a.pid - b.pid);
    return [first?.name ?? '', first?.pid ?? 0];
  },
  fill: ({ listener: { acceptQueue } }) => [acceptQueue.fill],
  length: ({ listener: { acceptQueue } }) => [acceptQueue.length],
  drops: ({ listener, window }) => [
    window?.droppedPerSecond ?? (listener.droppedSegments === undefined ? undefined : 0),
    listener.droppedSegments,
  ],
  wait: ({ listener }) => [waitingOf(listener)?.oldestMs],
};

/** A new list; `trouble` descending is the worst first. Equal ones by address and key, whatever the direction; unknown last. */
export function sortListeners(
  reports: readonly ListenerReport[],
  by: ListenerSort,
  descending: boolean,
): ListenerReport[] {
  const items = reports.map((report) => ({
    report,
    keys: LISTENER_KEYS[by](report),
    address: LISTENER_KEYS.address(report),
  }));
  const sign = descending ? -1 : 1;
  items.sort(
    (a, b) =>
      compareKeys(a.keys, b.keys, sign) ||
      compareKeys(a.address, b.address, 1) ||
      compareKey(a.report.listener.key, b.report.listener.key),
  );
  return items.map(({ report }) => report);
}

function compareKeys(a: readonly Key[], b: readonly Key[], sign: number): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [one, other] = [a[index], b[index]];
    if (one === other) continue;
    if (one === undefined) return 1;
    if (other === undefined) return -1;
    return compareKey(one, other) * sign;
  }
  return 0;
}

const compareKey = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);
