import { directionFinder } from '../model/direction.js';
import type { GroupKey, GroupsJson, SocketGroupJson } from '../model/groups-json.js';
import type { Report } from '../model/report.js';
import type { SocketRow } from '../model/socket-row.js';
import type { SocketTable } from '../model/table.js';
import { type Column, headLine, layOut, rowLine, type TableStyle } from './columns.js';
import { csvRecord } from './csv.js';
import { originJson } from './json.js';
import { gapJson, known } from './json-parts.js';
import { jsonText } from './json-text.js';
import { type Names, PLAIN_NAMES } from './names.js';
import { cleanText, formatCount, formatOwners } from './text.js';

type Group = { -readonly [K in keyof SocketGroupJson]: SocketGroupJson[K] };

/** Sockets that share something, the largest group first. Listeners count as sockets, but not their queues as bytes. */
export function groupSockets(
  table: SocketTable,
  rows: Uint32Array,
  by: GroupKey,
  names: Names = PLAIN_NAMES,
): SocketGroupJson[] {
  const keyOf = keyReader(table, by, names);
  const groups = new Map<string, Group>();
  const row = table.cursor();
  for (const index of rows) {
    row.index = index;
    const key = keyOf(row);
    const id = `${key.direction ?? ''} ${key.key}`;
    let group = groups.get(id);
    if (group === undefined) {
      group = emptyGroup(key);
      groups.set(id, group);
    }
    add(group, row);
  }
  return [...groups.values()].sort((a, b) => b.sockets - a.sockets || compare(a.key, b.key));
}

const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b));

type Key = Pick<SocketGroupJson, 'key' | 'direction'>;

const emptyGroup = ({ key, direction }: Key): Group => ({
  ...known({ key, direction }),
  sockets: 0,
  states: {},
  waiting: 0,
  recv_queue_bytes: 0,
  send_queue_bytes: 0,
});

function add(group: Group, row: SocketRow): void {
  group.sockets++;
  group.states[row.state] = (group.states[row.state] ?? 0) + 1;
  if (row.isWaiting) group.waiting++;
  const queues = row.queues;
  if (queues?.kind !== 'stream') return;
  group.recv_queue_bytes += queues.unread;
  group.send_queue_bytes += queues.unacked;
}

function keyReader(table: SocketTable, by: GroupKey, names: Names): (row: SocketRow) => Key {
  const directionOf = directionFinder(table);
  const readers: Readonly<Record<GroupKey, (row: SocketRow) => Key>> = {
    state: (row) => ({ key: row.state }),
    process: (row) => ({ key: formatOwners(row.owners?.map((owner) => names.owner(owner))) }),
    remote: ({ remote }) => ({ key: remote?.kind === 'ip' ? names.host(remote) : '-' }),
    // The port of the service: the far one of what we opened, for the near one was picked at random.
    port: (row) => {
      const direction =
        row.protocol === 'tcp' || row.protocol === 'mptcp' ? directionOf(row.index) : undefined;
      const end = direction === 'outbound' ? row.remote : row.local;
      const port = end?.kind === 'ip' ? (end.port ?? end.portName ?? '?') : '-';
      return known({ key: String(port), direction });
    },
  };
  return readers[by];
}

export interface GroupsOptions {
  readonly by: GroupKey;
  readonly rows: Uint32Array;
  readonly names?: Names;
}

export function toGroupsJson(report: Report, { by, rows, names = PLAIN_NAMES }: GroupsOptions): GroupsJson {
  names.learn(report);
  const table = report.sockets?.table;
  return {
    schema: 'sockwatch.groups/1',
    ...originJson(report, names),
    group_by: by,
    groups: table === undefined ? [] : groupSockets(table, rows, by, names),
    gaps: report.gaps.map((gap) => gapJson(gap, names)),
  };
}

/** The groups in one of the four formats, in small strings. */
export const GROUP_WRITERS = {
  table: groupTable,
  json: groupJson,
  ndjson: groupNdjson,
  csv: groupCsv,
} as const;

function* groupJson(json: GroupsJson): Generator<string> {
  const { groups, ...rest } = json;
  yield `${jsonText(rest).slice(0, -1)},\n"groups":[`;
  for (const [i, group] of groups.entries()) yield `${i === 0 ? '\n' : ',\n'}${jsonText(group)}`;
  yield ']}\n';
}

function* groupNdjson({ groups, gaps, ...head }: GroupsJson): Generator<string> {
  yield `${jsonText({ ...head, schema: 'sockwatch.header/1', findings: [] })}\n`;
  for (const group of groups) yield `${jsonText({ schema: 'sockwatch.group/1', ...group })}\n`;
  yield `${jsonText({ schema: 'sockwatch.end/1', listeners: 0, connections: 0, groups: groups.length, gaps })}\n`;
}

function* groupCsv({ groups, group_by: by }: GroupsJson): Generator<string> {
  yield csvRecord([by, 'direction', 'sockets', 'waiting', 'recv_queue_bytes', 'send_queue_bytes', 'states']);
  for (const group of groups) {
    const { direction, sockets, waiting, recv_queue_bytes: unread, send_queue_bytes: unsent } = group;
    yield csvRecord([csvKey(group.key), direction, sockets, waiting, unread, unsent, statesText(group)]);
  }
}

/** A port stays a number. */
const csvKey = (key: string) => (/^\d{1,5}$/.test(key) ? Number(key) : key);

function* groupTable({ groups, group_by: by }: GroupsJson, style: TableStyle): Generator<string> {
  if (groups.length === 0) return yield 'no sockets\n';
  const number = (title: string, of: (group: SocketGroupJson) => number, giveUp?: number) => ({
    title,
    align: 'right' as const,
    text: (group: SocketGroupJson) => formatCount(of(group)),
    ...(giveUp !== undefined && { giveUp }),
  });
  const columns: Column<SocketGroupJson>[] = [
    { title: by.toUpperCase(), text: (group) => cleanText(keyText(group)), min: 10 },
    number('SOCKETS', (group) => group.sockets),
    number('WAITING', (group) => group.waiting, 1),
    number('RECV-Q', (group) => group.recv_queue_bytes, 2),
    number('SEND-Q', (group) => group.send_queue_bytes, 2),
    { title: 'STATES', text: statesText, min: 10, giveUp: 3 },
  ];
  const layout = layOut(columns, groups, style);
  yield `${headLine(layout)}\n`;
  for (const group of groups) yield `${rowLine(layout, group)}\n`;
}

/** `443`, and `to 3306` for connections that were opened from here. */
const keyText = ({ key, direction }: SocketGroupJson) => (direction === 'outbound' ? `to ${key}` : key);

const statesText = ({ states }: SocketGroupJson) =>
  Object.entries(states)
    .sort(([, a], [, b]) => b - a)
    .map(([state, count]) => `${state} ${count}`)
    .join(', ');
