import { NOTES, OPTIONAL_COLUMNS, type OptionalColumn } from '../../model/columns.js';
import type { Endpoint } from '../../model/endpoint.js';
import { formatIp } from '../../model/ip.js';
import type { SocketColumns } from '../../model/socket-columns.js';
import type { SocketRow } from '../../model/socket-row.js';
import type { Names } from '../names.js';

/** One socket as a list (`ROW` of model/recording.ts). Numbers as they are in the table; names and addresses through `names`. */
export function rowList(id: number, row: SocketRow, names: Names): unknown[] {
  const { table, index } = row;
  const local = endList(row.local, names);
  const remote = endList(row.remote, names);
  return [
    id,
    table.protocol[index],
    table.state[index],
    table.family[index],
    table.unixKind[index],
    table.flags[index],
    ...local,
    ...remote,
    table.recvQueue[index],
    table.sendQueue[index],
    table.cookieHigh[index],
    table.cookieLow[index],
    columnList(table, index),
    row.owners?.map((owner) => {
      const { pid, fd, name } = names.owner(owner);
      return [pid, fd, name];
    }) ?? null,
    ...notesList(table, index, names),
  ];
}

/** Address or path, port, and device. */
function endList(end: Endpoint | undefined, names: Names): [string, number, string] {
  if (end === undefined) return ['', 0, ''];
  if (end.kind === 'unix') return [names.endpoint(end), 0, ''];
  const { device, ...bare } = end;
  const address = names.redacted ? names.host(bare) : formatIp(end.address);
  return [address, end.port ?? 0, device === undefined ? '' : names.device(device)];
}

/** Pairs of column and value, those that are known. */
function columnList(table: SocketColumns, index: number): number[] {
  const list: number[] = [];
  for (let column = 0; column < OPTIONAL_COLUMNS.length; column++) {
    const value = table.get(OPTIONAL_COLUMNS[column] as OptionalColumn, index);
    if (value !== undefined) list.push(column, value);
  }
  return list;
}

function notesList(table: SocketColumns, index: number, names: Names): unknown[] {
  const notes = NOTES.flatMap((name) => {
    const text = table.note(index, name);
    // The bytes of a path would betray a redacted one.
    return text === undefined || (names.redacted && name === 'localHex') ? [] : [[name, text]];
  });
  return notes.length === 0 ? [] : [Object.fromEntries(notes)];
}
