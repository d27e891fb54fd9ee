import { formatEndpoint } from '../../src/model/endpoint.js';
import type { Gap } from '../../src/model/observation.js';
import type { SocketRow } from '../../src/model/socket-row.js';
import { OPTIONAL_COLUMNS, ROW_FLAGS, type RowFlag } from '../../src/model/table.js';
import type { SsResult } from '../../src/parse/ss/index.js';

/** One socket as a person would write it down: only what is known, owners as `name/pid/fd`. */
export type ReadableRow = Readonly<Record<string, unknown>>;

/** Flags that the readable row shows in another form. */
const SHOWN_OTHERWISE = new Set<RowFlag>([
  'queues',
  'localPortKnown',
  'remotePortKnown',
  'remoteAny',
  'cookie',
  // Not of one answer, but of two.
  'lengthHeld',
]);

export function readableRow(row: SocketRow): ReadableRow {
  const { table, index } = row;
  const flags = (Object.keys(ROW_FLAGS) as RowFlag[]).filter(
    (flag) => !SHOWN_OTHERWISE.has(flag) && table.hasFlag(index, flag),
  );
  const numbers = OPTIONAL_COLUMNS.filter((name) => !name.startsWith('timer')).flatMap((name) => {
    const value = row.number(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const hex = table.note(index, 'localHex');
  const isSimple = row.protocol === 'unix';
  return {
    protocol: isSimple ? `unix ${row.unixKind}` : row.protocol,
    state: row.state,
    local: formatEndpoint(row.local),
    remote: row.remote === undefined ? undefined : formatEndpoint(row.remote),
    family: isSimple ? undefined : table.family[index],
    hex,
    queues: readableQueues(row),
    cookie: row.cookie,
    timer:
      row.timer === undefined
        ? undefined
        : `${row.timer.kind} ${row.timer.inMs} ms, ${row.timer.retransmits}`,
    congestion: table.note(index, 'congestion'),
    ulp: table.note(index, 'ulp'),
    owners: table.hasFlag(index, 'queues') ? printedOwners(row) : undefined,
    flags: flags.length === 0 ? undefined : flags.join(' '),
    ...Object.fromEntries(numbers),
  };
}

function readableQueues({ queues }: SocketRow): string | undefined {
  if (queues === undefined) return undefined;
  return queues.kind === 'listener'
    ? `${queues.length} of backlog ${queues.backlog ?? 'unknown'}`
    : `${queues.unread} bytes unread, ${queues.unacked} unacked`;
}

/** Owners where the row names some; `[]` for an inode of 0 is the table's rule, not the output's. */
const printedOwners = (row: SocketRow): string | undefined =>
  row.owners === undefined || row.owners.length === 0
    ? undefined
    : row.owners.map(({ name, pid, fd }) => `${name}/${pid}/${fd}`).join(', ');

export function readable({ sockets, gaps }: SsResult): { rows: ReadableRow[]; gaps: readonly Gap[] } {
  const rows = Array.from({ length: sockets.length }, (_, index) => readableRow(sockets.row(index)));
  return JSON.parse(JSON.stringify({ rows, gaps }));
}
