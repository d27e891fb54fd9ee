import type { Limited } from '../../model/diagnosis.js';
import type { SocketTable } from '../../model/table.js';
import { endFinder, endKey, socketKey } from './ends.js';

const MOST_CONNECTIONS = 50_000;
/** Less of the watch is nothing to tell of. */
const LEAST_SHARE = 0.2;

const KINDS = [
  ['receiveWindowLimitedMs', 'receive window'],
  ['sendBufferLimitedMs', 'send buffer'],
] as const;

/** Time in which connections with data to send waited for the peer's window, or for room in their own buffer (tcp_info). */
export class LimitWatch {
  private readonly first = new Map<string, { readonly ms: number; readonly at: number }>();
  private table: SocketTable | undefined;
  private rows: readonly number[] = [];
  private at = 0;

  take(table: SocketTable, rows: readonly number[], at: number): void {
    for (const [column] of KINDS) {
      const values = table.column(column);
      if (values === undefined) continue;
      for (const row of rows) {
        const ms = values[row] ?? Number.NaN;
        if (Number.isNaN(ms) || this.first.size >= MOST_CONNECTIONS) continue;
        const key = `${column} ${socketKey(table, row)}`;
        if (!this.first.has(key)) this.first.set(key, { ms, at });
      }
    }
    this.table = table;
    this.rows = rows;
    this.at = at;
  }

  seen(): Limited[] {
    const { table } = this;
    if (table === undefined) return [];
    const endOf = endFinder(table);
    const groups = new Map<string, Limited & { count: number; share: number }>();
    for (const [column, by] of KINDS)
      for (const row of this.rows) {
        const share = this.shareOf(table, column, row);
        const end = share < LEAST_SHARE ? undefined : endOf(row);
        if (end === undefined) continue;
        const key = `${by} ${endKey(end)}`;
        const group = groups.get(key) ?? { ...end, by, count: 0, share: 0 };
        groups.set(key, { ...group, count: group.count + 1, share: Math.max(group.share, share) });
      }
    return [...groups.values()];
  }

  /** Of the time since the connection was first seen limited. */
  private shareOf(table: SocketTable, column: (typeof KINDS)[number][0], row: number): number {
    const ms = table.get(column, row);
    const first = ms === undefined ? undefined : this.first.get(`${column} ${socketKey(table, row)}`);
    if (ms === undefined || first === undefined || this.at <= first.at) return 0;
    return Math.min(1, (ms - first.ms) / (this.at - first.at));
  }
}
