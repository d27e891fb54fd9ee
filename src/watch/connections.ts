import { CLOSE_WAIT, ESTABLISHED, LISTEN, stateCode, TCP, TIME_WAIT, UDP, UNIX } from '../analyze/codes.js';
import { countPorts } from '../analyze/ports-in-use.js';
import { LINEAR_TIMEOUTS } from '../analyze/syn-schedule.js';
import type { AttemptWindow, ConnectionsSeen, PortUse } from '../model/diagnosis.js';
import { directionFinder } from '../model/direction.js';
import type { Observation, TableObservation } from '../model/observation.js';
import type { SocketRow } from '../model/socket-row.js';
import { ROW_FLAGS, type SocketTable } from '../model/table.js';
import { ConnectingWatch } from './connections/connecting.js';
import { ownerAt } from './connections/ends.js';
import { HalfClosedWatch, isHalfClosed } from './connections/half-closed.js';
import { LimitWatch } from './connections/limits.js';
import { QueueWatch } from './connections/queues.js';
import { counterDeltas } from './counters.js';

const SYN_SENT = stateCode('syn-sent');
const KEPT_WINDOWS = 3600;
/** Destinations that are told of. */
const MOST_PORT_USES = 100;

export interface RowFilter {
  matchesRow(row: SocketRow): boolean;
}

/**
 * Follows single connections where pools do not look: connects that nobody answers, queues that stay, half-closed ones, ports in use.
 * Only complete tables count (scope `all`). Nothing here reads a clock; only what is in trouble is remembered, and of that so much.
 */
export class ConnectionWatch {
  private readonly connecting = new ConnectingWatch();
  private readonly queues = new QueueWatch();
  private readonly halfClosed = new HalfClosedWatch();
  private readonly limits = new LimitWatch();
  private readonly attempts: AttemptWindow[] = [];
  private last: TableObservation | undefined;
  private connections = 0;
  private others = { udp: 0, unix: 0 };
  private timeWait = { outbound: 0, inbound: 0 };

  constructor(private readonly filter?: RowFilter) {}

  take(observation: Observation): void {
    if (observation.kind !== 'table' || observation.scope !== 'all') return;
    const { sockets, origin } = observation;
    const rows = this.sort(sockets);
    const { monotonic } = origin;
    // Before Linux 6.5 there is no such setting, and no such timeouts.
    const linear =
      observation.stack && Number(observation.stack.settings['net.ipv4.tcp_syn_linear_timeouts'] ?? 0);
    this.connecting.linear = linear ?? LINEAR_TIMEOUTS;
    this.connecting.take(sockets, rows.connecting, rows.others, monotonic);
    this.queues.take(sockets, rows.held, monotonic);
    this.halfClosed.take(sockets, rows.halfClosed, monotonic);
    this.limits.take(sockets, rows.held, monotonic);
    this.noteAttempts(observation);
    this.last = observation;
  }

  /** `range`: ports for outgoing connections; without it ports are not counted. */
  seen(range: readonly [number, number] | undefined): ConnectionsSeen {
    const { last } = this;
    const counts =
      last === undefined || range === undefined ? undefined : countPorts(last.sockets, range, this.filter);
    return {
      connections: this.connections,
      ...this.others,
      timeWait: this.timeWait,
      halfClosed: this.halfClosed.seen(),
      connecting: this.connecting.seen(last?.origin.monotonic ?? 0),
      unread: this.queues.unread(),
      unsent: this.queues.unsent(),
      limited: this.limits.seen(),
      ports: last === undefined || counts === undefined ? [] : this.portUses(last.sockets, counts.byEnds),
      ...(counts && { portsInUse: counts.distinct }),
      attempts: this.attempts,
      notFollowed: this.connecting.notFollowed + this.queues.notFollowed + this.halfClosed.notFollowed,
    };
  }

  private portUses(table: SocketTable, counts: ReturnType<typeof countPorts>['byEnds']): PortUse[] {
    return counts.slice(0, MOST_PORT_USES).flatMap(({ row, ...count }): PortUse[] => {
      const { remote, local } = table.row(row);
      const source = local.kind === 'ip' ? { kind: 'ip' as const, address: local.address } : local;
      return remote === undefined ? [] : [{ source, remote, owner: ownerAt(table, row), ...count }];
    });
  }

  /** One pass over the table: the few rows that each part wants. */
  private sort(table: SocketTable) {
    const connecting: number[] = [];
    const held: number[] = [];
    const halfClosed: number[] = [];
    const others: number[] = [];
    const cursor = table.cursor();
    const inode = table.column('inode');
    const directionOf = directionFinder(table);
    const timeWait = { outbound: 0, inbound: 0 };
    let connections = 0;
    const sockets = { udp: 0, unix: 0 };
    for (let row = 0; row < table.length; row++) {
      const state = table.state[row];
      if (state === LISTEN) continue;
      if (table.protocol[row] !== TCP) {
        this.countOther(cursor, row, sockets);
        continue;
      }
      if (((table.flags[row] ?? 0) & ROW_FLAGS.remoteAny) !== 0) continue;
      cursor.index = row;
      if (this.filter?.matchesRow(cursor) === false) continue;
      connections++;
      if (state === SYN_SENT) connecting.push(row);
      else others.push(row);
      if (state === TIME_WAIT) timeWait[directionOf(row) === 'inbound' ? 'inbound' : 'outbound']++;
      else if (isHalfClosed(state)) halfClosed.push(row);
      // What waits for accept() is nobody's to read yet.
      else if ((state === ESTABLISHED || state === CLOSE_WAIT) && inode?.[row] !== 0) held.push(row);
    }
    this.connections = connections;
    this.others = sockets;
    this.timeWait = timeWait;
    return { connecting, held, halfClosed, others };
  }

  private countOther(cursor: SocketRow, row: number, sockets: { udp: number; unix: number }): void {
    const protocol = cursor.table.protocol[row];
    if (protocol !== UDP && protocol !== UNIX) return;
    cursor.index = row;
    if (this.filter?.matchesRow(cursor) === false) return;
    if (protocol === UDP) sockets.udp++;
    else sockets.unix++;
  }

  /** Of the whole namespace, whatever the filter. */
  private noteAttempts({ counters, origin }: TableObservation): void {
    const deltas = this.last === undefined ? undefined : counterDeltas(this.last.counters, counters);
    if (deltas === undefined || this.last === undefined) return;
    const { ActiveOpens: opened, AttemptFails: fails, EmbryonicRsts: resets = 0 } = deltas;
    if (opened === undefined || fails === undefined) return;
    // A RST in SYN-RECV counts among the failed attempts too (KERNEL.md 4).
    const failed = Math.max(0, fails - resets);
    this.attempts.push({ ms: origin.monotonic - this.last.origin.monotonic, opened, failed });
    if (this.attempts.length > KEPT_WINDOWS) this.attempts.shift();
  }
}
