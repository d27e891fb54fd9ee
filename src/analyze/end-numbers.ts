import type { SocketTable } from '../model/table.js';

/** Ends as small numbers, so that 100,000 rows make no text. */
export class EndNumbers {
  private readonly v4 = new Map<number, number>();
  private readonly v6 = new Map<string, number>();
  private next = 1;

  id(table: SocketTable, row: number, side: 'localAddress' | 'remoteAddress'): number {
    const words = table[side];
    if (table.family[row] === 4) return this.take(this.v4, words[row * 4 + 3] ?? 0);
    return this.take(this.v6, words.subarray(row * 4, row * 4 + 4).join());
  }

  private take<Key>(known: Map<Key, number>, key: Key): number {
    const id = known.get(key) ?? this.next++;
    known.set(key, id);
    return id;
  }
}

/** Numbers of a pair of addresses and a port stay exact up to 2^18 addresses of each side. */
export const pairKey = (local: number, remote: number, port: number): number =>
  (local * 2 ** 18 + remote) * 65_536 + port;
