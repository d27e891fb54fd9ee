import { NOTES } from '../model/columns.js';
import { OPTIONAL_COLUMNS, type SocketTable } from '../model/table.js';

/** Appends the rows of `from` that `wanted` names to `to`; owners that ss printed are left out (it is never asked for them). */
export function copyRows(from: SocketTable, to: SocketTable, wanted: (row: number) => boolean): void {
  for (let row = 0; row < from.length; row++) if (wanted(row)) copyRow(from, row, to);
}

function copyRow(from: SocketTable, row: number, to: SocketTable): void {
  const at = to.append();
  for (const name of ['protocol', 'state', 'family', 'unixKind', 'flags'] as const)
    to[name][at] = from[name][row] ?? 0;
  for (const name of [
    'localPort',
    'remotePort',
    'recvQueue',
    'sendQueue',
    'cookieHigh',
    'cookieLow',
  ] as const) {
    to[name][at] = from[name][row] ?? 0;
  }
  for (const name of ['localAddress', 'remoteAddress'] as const) {
    to[name].set(from[name].subarray(row * 4, row * 4 + 4), at * 4);
  }
  for (const name of ['localName', 'remoteName'] as const) {
    to[name][at] = to.intern(from.strings[from[name][row] ?? 0] ?? '');
  }
  for (const name of OPTIONAL_COLUMNS) {
    const value = from.get(name, row);
    if (value !== undefined) to.set(name, at, value);
  }
  for (const name of NOTES) {
    const note = from.note(row, name);
    if (note !== undefined) to.setNote(at, name, note);
  }
}
