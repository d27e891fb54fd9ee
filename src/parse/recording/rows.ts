import { NOTES } from '../../model/columns.js';
import { ParseError } from '../../model/errors.js';
import { parseIp } from '../../model/ip.js';
import { AGE_COLUMNS, ROW } from '../../model/recording.js';
import { type Owner, PROTOCOLS, SOCKET_STATES, UNIX_KINDS } from '../../model/sockets.js';
import { OPTIONAL_COLUMNS, type OptionalColumn, ROW_FLAGS, type SocketTable } from '../../model/table.js';
import { asList, asNumber, asText } from './fields.js';

/** Ages that go on while a socket is not written again. */
const AGES: ReadonlySet<OptionalColumn> = new Set(AGE_COLUMNS);
const UNIX = PROTOCOLS.indexOf('unix');
/** Only their data are counted. */
const COUNTED: ReadonlySet<number | undefined> = new Set([
  PROTOCOLS.indexOf('tcp'),
  PROTOCOLS.indexOf('mptcp'),
]);
const LISTEN = SOCKET_STATES.indexOf('listen');
const NO_WORDS: readonly number[] = [0, 0, 0, 0];

/** How this recording numbers things: a later version may know more of them. */
export interface Dictionary {
  readonly protocols: readonly number[];
  readonly states: readonly number[];
  readonly columns: readonly (OptionalColumn | undefined)[];
}

/** A socket of a recording, checked, ready to become a row of a table again and again. */
export interface RecordedRow {
  readonly id: number;
  /** Monotonic ms of the frame that has its numbers. */
  seenAt: number;
  readonly numbers: readonly number[];
  readonly local: readonly number[];
  readonly remote: readonly number[];
  /** Path of a Unix socket, or device. */
  readonly localName: string;
  readonly remoteName: string;
  readonly columns: [OptionalColumn, number][];
  readonly owners: readonly Owner[] | undefined;
  readonly notes: readonly (readonly [(typeof NOTES)[number], string])[];
}

/** Reads one list. Throws ParseError where it is no socket. */
export function readRow(value: unknown, dictionary: Dictionary, seenAt: number, where: string): RecordedRow {
  const list = asList(value, where);
  const whole = (place: number, most: number): number => {
    const number = asNumber(list[place], where);
    if (Number.isInteger(number) && number >= 0 && number <= most) return number;
    throw new ParseError(where, `a whole number up to ${most}`, String(number));
  };
  const U32 = 0xffffffff;
  const protocol = dictionary.protocols[whole(ROW.protocol, 255)];
  const state = dictionary.states[whole(ROW.state, 255)];
  if (protocol === undefined || protocol < 0)
    throw new ParseError(where, 'a protocol', String(list[ROW.protocol]));
  const isUnix = protocol === UNIX;
  const family = whole(ROW.family, 6);
  const local = asText(list[ROW.local], where);
  const remote = asText(list[ROW.remote], where);
  return {
    id: whole(ROW.id, U32),
    seenAt,
    numbers: [
      protocol,
      state === undefined || state < 0 ? SOCKET_STATES.indexOf('unknown') : state,
      family,
      whole(ROW.unixKind, UNIX_KINDS.length - 1),
      whole(ROW.flags, 0xffff),
      whole(ROW.localPort, 0xffff),
      whole(ROW.remotePort, 0xffff),
      whole(ROW.recvQueue, U32),
      whole(ROW.sendQueue, U32),
      whole(ROW.cookieHigh, U32),
      whole(ROW.cookieLow, U32),
    ],
    local: isUnix ? NO_WORDS : wordsOf(local, where),
    remote: isUnix ? NO_WORDS : wordsOf(remote, where),
    localName: isUnix ? local : asText(list[ROW.localName], where),
    remoteName: isUnix ? remote : asText(list[ROW.remoteName], where),
    columns: readColumns(asList(list[ROW.columns], where), dictionary, where),
    owners:
      list[ROW.owners] === null
        ? undefined
        : asList(list[ROW.owners], where).map((owner) => readOwner(owner, where)),
    notes: readNotes(list[ROW.notes], where),
  };
}

function wordsOf(text: string, where: string): readonly number[] {
  if (text === '') return NO_WORDS;
  const address = parseIp(text);
  if (address === undefined) throw new ParseError(where, 'an IP address', text);
  return address.words;
}

function readColumns(
  list: readonly unknown[],
  { columns }: Dictionary,
  where: string,
): [OptionalColumn, number][] {
  const read: [OptionalColumn, number][] = [];
  for (let at = 0; at + 1 < list.length; at += 2) {
    const column = columns[asNumber(list[at], where)];
    if (column !== undefined) read.push([column, asNumber(list[at + 1], where)]);
  }
  return read;
}

function readOwner(value: unknown, where: string): Owner {
  const [pid, fd, name] = asList(value, where);
  return { pid: asNumber(pid, where), fd: asNumber(fd, where), name: asText(name, where) };
}

function readNotes(value: unknown, where: string): RecordedRow['notes'] {
  if (typeof value !== 'object' || value === null) return [];
  return NOTES.flatMap((name) => {
    const text = (value as Record<string, unknown>)[name];
    return text === undefined ? [] : [[name, asText(text, where)] as const];
  });
}

/**
 * Adds the socket to a table, as it was `monotonic`: what was not written again has grown older. Where the frame does not tell on which sockets data
 * moved (`areMovesTold`), that is not known of it.
 */
export function addRow(table: SocketTable, row: RecordedRow, monotonic: number, areMovesTold: boolean): void {
  const index = table.append();
  const [protocol, state, family, unixKind, flags, localPort, remotePort, recv, send, high, low] =
    row.numbers;
  table.protocol[index] = protocol ?? 0;
  table.state[index] = state ?? 0;
  table.family[index] = family ?? 0;
  table.unixKind[index] = unixKind ?? 0;
  const isStale = !areMovesTold && row.seenAt !== monotonic && state !== LISTEN && COUNTED.has(protocol);
  table.flags[index] = (flags ?? 0) | (isStale ? ROW_FLAGS.stale : 0);
  table.localPort[index] = localPort ?? 0;
  table.remotePort[index] = remotePort ?? 0;
  table.recvQueue[index] = recv ?? 0;
  table.sendQueue[index] = send ?? 0;
  table.cookieHigh[index] = high ?? 0;
  table.cookieLow[index] = low ?? 0;
  table.localAddress.set(row.local, index * 4);
  table.remoteAddress.set(row.remote, index * 4);
  if (row.localName !== '') table.localName[index] = table.intern(row.localName);
  if (row.remoteName !== '') table.remoteName[index] = table.intern(row.remoteName);
  const older = state === LISTEN ? 0 : Math.max(0, Math.round(monotonic - row.seenAt));
  for (const [column, value] of row.columns)
    table.set(column, index, AGES.has(column) ? value + older : value);
  if (row.owners !== undefined) table.setOwners(index, row.owners);
  for (const [name, text] of row.notes) table.setNote(index, name, text);
}

/** The numbers that a recording uses, in those of this version. */
export function readDictionary(
  protocols: readonly unknown[],
  states: readonly unknown[],
  columns: readonly unknown[],
): Dictionary {
  return {
    protocols: placesOf(protocols, PROTOCOLS),
    states: placesOf(states, SOCKET_STATES),
    columns: columns.map((name) => OPTIONAL_COLUMNS.find((known) => known === name)),
  };
}

/** -1 for a name that this version does not know. */
const placesOf = (names: readonly unknown[], known: readonly unknown[]): number[] =>
  names.map((name) => known.indexOf(name));
