import type { Measure } from '../../model/check.js';
import type { CheckLook } from '../../model/check-look.js';
import { directionFinder } from '../../model/direction.js';
import { formatEndpoint } from '../../model/endpoint.js';
import type { HostFacts } from '../../model/host-facts.js';
import { formatIp } from '../../model/ip.js';
import type { SocketRow } from '../../model/socket-row.js';
import type { Owner, SocketState } from '../../model/sockets.js';
import type { SocketTable } from '../../model/table.js';
import { CLOSE_WAIT, ESTABLISHED, LISTEN, MPTCP, stateCode, TCP } from '../codes.js';
import { EndNumbers, pairKey } from '../end-numbers.js';
import { countPorts } from '../ports-in-use.js';
import { count, counted, duration, percent } from '../words.js';

const SYN_SENT = stateCode('syn-sent');

/** By what `connections` counts. */
export const CONNECTION_KEYS = ['total', 'process', 'remote', 'state', 'listener'] as const;
export type ConnectionKey = (typeof CONNECTION_KEYS)[number];

/** Which rows count; absent: all. */
export interface RowFilter {
  matchesRow(row: SocketRow): boolean;
}

/** The rows of TCP connections, listeners left out. The cursor moves: do not keep it. */
function* connectionRows(table: SocketTable, filter: RowFilter | undefined): Generator<SocketRow> {
  const row = table.cursor();
  for (let index = 0; index < table.length; index++) {
    const protocol = table.protocol[index];
    if ((protocol !== TCP && protocol !== MPTCP) || table.state[index] === LISTEN) continue;
    row.index = index;
    if (filter === undefined || filter.matchesRow(row)) yield row;
  }
}

const tableOf = ({ report }: CheckLook): SocketTable | undefined => report.sockets?.table;

const UNKNOWN_PROCESS = 'unknown process';
const nameOf = (owner: Owner | undefined) =>
  owner === undefined ? UNKNOWN_PROCESS : `${owner.name}/${owner.pid}`;
/** Perfdata needs names that outlive a restart: of the processes with one name, the worst is told. */
const subjectOf = (owner: Owner | undefined) => owner?.name ?? UNKNOWN_PROCESS;

class Counts<Key> {
  readonly counts = new Map<Key, { count: number; row: number }>();

  add(key: Key, row: number): void {
    const entry = this.counts.get(key);
    if (entry === undefined) this.counts.set(key, { count: 1, row });
    else entry.count++;
  }
}

/** CLOSE-WAIT of accepted sockets; those with inode 0 wait in an accept queue and are no leak (KERNEL.md 9). */
function* leakedRows(table: SocketTable, filter: RowFilter | undefined): Generator<SocketRow> {
  const inodes = table.column('inode');
  for (const row of connectionRows(table, filter))
    if (table.state[row.index] === CLOSE_WAIT && (inodes?.[row.index] ?? 0) !== 0) yield row;
}

/** The largest of each name. */
function worstByName(measures: Iterable<Measure>): Measure[] {
  const worst = new Map<string, Measure>();
  for (const measure of measures) {
    const known = worst.get(measure.subject);
    if (known === undefined || (measure.value ?? 0) > (known.value ?? 0)) worst.set(measure.subject, measure);
  }
  return [...worst.values()];
}

export function closeWait(look: CheckLook, filter?: RowFilter): Measure[] {
  const table = tableOf(look);
  if (table === undefined) return [];
  const owners = new Map<number, Owner | undefined>();
  const counts = new Counts<number>();
  for (const row of leakedRows(table, filter)) {
    const owner = row.owners?.[0];
    owners.set(owner?.pid ?? 0, owner);
    counts.add(owner?.pid ?? 0, row.index);
  }
  if (counts.counts.size === 0)
    return [{ metric: 'close-wait', subject: '', value: 0, text: 'no CLOSE-WAIT' }];
  return worstByName(
    [...counts.counts].map(([pid, { count: value }]) => ({
      metric: 'close-wait' as const,
      subject: subjectOf(owners.get(pid)),
      value,
      text: `${nameOf(owners.get(pid))} has not closed ${counted(value, 'connection')} that the peer has closed`,
    })),
  );
}

/** `lastack` is the time since the FIN, where the peer said nothing since: a lower bound (KERNEL.md 9). */
export function closeWaitAge(look: CheckLook, filter?: RowFilter): Measure[] {
  const table = tableOf(look);
  if (table === undefined) return [];
  const oldest = new Map<number, { owner: Owner | undefined; ms: number }>();
  let unknown = 0;
  let seen = 0;
  for (const row of leakedRows(table, filter)) {
    seen++;
    const ms = row.number('lastAckMs');
    if (ms === undefined) unknown++;
    const owner = row.owners?.[0];
    const known = oldest.get(owner?.pid ?? 0);
    if (ms !== undefined && !(known !== undefined && known.ms >= ms))
      oldest.set(owner?.pid ?? 0, { owner, ms });
  }
  if (seen === 0) return [{ metric: 'close-wait-age', subject: '', value: 0, text: 'no CLOSE-WAIT' }];
  if (unknown === seen)
    return [
      {
        metric: 'close-wait-age',
        subject: '',
        unknown: 'no ages',
        text: 'this source has no ages of connections',
      },
    ];
  return worstByName(
    [...oldest.values()].map(({ owner, ms }) => ({
      metric: 'close-wait-age' as const,
      subject: subjectOf(owner),
      value: ms / 1000,
      text: `oldest CLOSE-WAIT of ${nameOf(owner)} is at least ${duration(ms)} old`,
    })),
  );
}

/** Ports in use per source address, destination address and destination port (KERNEL.md 9), TIME-WAIT included. */
export function ephemeralPorts(look: CheckLook, filter?: RowFilter): Measure[] {
  const table = tableOf(look);
  const { portRange } = look.facts;
  if (table === undefined) return [];
  if (portRange === undefined)
    return [
      {
        metric: 'ephemeral-ports',
        subject: '',
        unknown: 'no range',
        text: 'ip_local_port_range could not be read',
      },
    ];
  const [first, last] = portRange;
  const capacity = last - first + 1 - (look.facts.reservedPorts ?? 0);
  const { byEnds } = countPorts(table, [first, last], filter);
  if (byEnds.length === 0)
    return [
      { metric: 'ephemeral-ports', subject: '', value: 0, capacity, text: 'no port of the range is in use' },
    ];
  return byEnds.map(({ total: value, row }) => {
    const { local, remote } = table.row(row);
    const source = local.kind === 'ip' ? formatIp(local.address) : '?';
    const to = remote === undefined ? '?' : formatEndpoint(remote);
    return {
      metric: 'ephemeral-ports' as const,
      subject: `${source}>${to}`,
      value,
      capacity,
      text: `${count(value)} of ${count(capacity)} ports from ${source} to ${to} in use (${percent(value / capacity)})`,
    };
  });
}

export function connections(look: CheckLook, by: ConnectionKey, filter?: RowFilter): Measure[] {
  const table = tableOf(look);
  if (table === undefined) return [];
  const read = KEY_READERS[by];
  const directionOf = by === 'listener' ? directionFinder(table) : undefined;
  const counts = new Map<string, { value: number; text: string }>();
  if (by === 'total') counts.set('', { value: 0, text: 'connections' });
  for (const row of connectionRows(table, filter)) {
    if (directionOf !== undefined && directionOf(row.index) !== 'inbound') continue;
    const [subject, text] = read(row);
    const key = `${subject}\0${text}`;
    const entry = counts.get(by === 'total' ? '' : key);
    if (entry === undefined) counts.set(key, { value: 1, text });
    else entry.value++;
  }
  if (counts.size === 0) return [{ metric: 'connections', subject: '', value: 0, text: 'no connection' }];
  return worstByName(
    [...counts].map(([key, { value, text }]) => ({
      metric: 'connections' as const,
      subject: key.split('\0')[0] ?? '',
      value,
      text: by === 'total' ? counted(value, 'connection') : `${counted(value, 'connection')} ${text}`,
    })),
  );
}

/** The subject, and how a sentence goes on after "12 connections". */
const KEY_READERS: Readonly<Record<ConnectionKey, (row: SocketRow) => readonly [string, string]>> = {
  total: () => ['', ''],
  process: ({ owners }) => [subjectOf(owners?.[0]), `of ${nameOf(owners?.[0])}`],
  remote: ({ remote }) => {
    const host = remote?.kind === 'ip' ? formatIp(remote.address) : '?';
    return [host, `with ${host}`];
  },
  state: ({ state }: { state: SocketState }) => [state, `in ${state}`],
  listener: ({ local }) => {
    const port = local.kind === 'ip' ? String(local.port ?? '?') : '?';
    return [port, `to port ${port}`];
  },
};

/** Connections that a process opened to one remote address and port (DESIGN.md, "pool"). */
export function pools(look: CheckLook, filter?: RowFilter): Measure[] {
  const table = tableOf(look);
  if (table === undefined) return [];
  const directionOf = directionFinder(table);
  const ends = new EndNumbers();
  const byOwner = new Map<number, { owner: Owner | undefined; counts: Counts<number> }>();
  for (const row of connectionRows(table, filter)) {
    const { index } = row;
    const state = table.state[index];
    if ((state !== ESTABLISHED && state !== SYN_SENT) || directionOf(index) !== 'outbound') continue;
    const owner = row.owners?.[0];
    const entry = byOwner.get(owner?.pid ?? 0) ?? { owner, counts: new Counts<number>() };
    byOwner.set(owner?.pid ?? 0, entry);
    entry.counts.add(pairKey(0, ends.id(table, index, 'remoteAddress'), table.remotePort[index] ?? 0), index);
  }
  const measures = [...byOwner.values()].flatMap(({ owner, counts }) =>
    [...counts.counts.values()].map(({ count: value, row }) => {
      const { remote } = table.row(row);
      const end = remote === undefined ? '?' : formatEndpoint(remote);
      return {
        metric: 'pool' as const,
        subject: `${subjectOf(owner)}>${end}`,
        value,
        text: `${nameOf(owner)} has ${counted(value, 'connection')} to ${end}`,
      };
    }),
  );
  if (measures.length === 0) return [{ metric: 'pool', subject: '', value: 0, text: 'no pool' }];
  return worstByName(measures);
}

/** SYN-SENT whose SYN was sent again: nobody has answered (KERNEL.md 9). */
export function synRetries(look: CheckLook, filter?: RowFilter): Measure[] {
  const table = tableOf(look);
  if (table === undefined) return [];
  const ends = new EndNumbers();
  const counts = new Counts<number>();
  for (const row of connectionRows(table, filter)) {
    if (table.state[row.index] !== SYN_SENT || (row.timer?.retransmits ?? 0) === 0) continue;
    counts.add(
      pairKey(0, ends.id(table, row.index, 'remoteAddress'), table.remotePort[row.index] ?? 0),
      row.index,
    );
  }
  if (counts.counts.size === 0)
    return [{ metric: 'syn-retries', subject: '', value: 0, text: 'no connect is being retried' }];
  return [...counts.counts.values()].map(({ count: value, row }) => {
    const { remote } = table.row(row);
    const end = remote === undefined ? '?' : formatEndpoint(remote);
    return {
      metric: 'syn-retries',
      subject: end,
      value,
      text: `${counted(value, 'connect')} to ${end} unanswered after a retry`,
    };
  });
}

type FactMeasure = (facts: HostFacts) => Omit<Measure, 'metric' | 'subject'>;

const unreadable = (what: string) => ({ unknown: 'could not be read', text: `${what} could not be read` });

/** Numbers that /proc/net/sockstat has. */
export const FACT_MEASURES = {
  'time-wait': ({ timeWait, maxTimeWait }) =>
    timeWait === undefined
      ? unreadable('/proc/net/sockstat')
      : {
          value: timeWait,
          ...(maxTimeWait !== undefined && { capacity: maxTimeWait }),
          // The kernel counts FIN-WAIT-2 that no process holds among them.
          text: `${counted(timeWait, 'TIME-WAIT socket')} (FIN-WAIT-2 of closed ones included)${maxTimeWait === undefined ? '' : `, at most ${count(maxTimeWait)}`}`,
        },
  orphans: ({ orphans, maxOrphans }) =>
    orphans === undefined
      ? unreadable('/proc/net/sockstat')
      : {
          value: orphans,
          ...(maxOrphans !== undefined && { capacity: maxOrphans }),
          text: `${counted(orphans, 'orphaned socket')}${maxOrphans === undefined ? '' : `, at most ${count(maxOrphans)}`}`,
        },
  'tcp-memory': ({ memoryPages, memoryLimits }) =>
    memoryPages === undefined || memoryLimits === undefined
      ? unreadable('/proc/net/sockstat or tcp_mem')
      : {
          value: memoryPages,
          capacity: memoryLimits[1],
          text: `TCP buffers take ${counted(memoryPages, 'page')}, ${percent(memoryPages / memoryLimits[1])} of where pressure begins`,
        },
} as const satisfies Partial<Record<Measure['metric'], FactMeasure>>;
