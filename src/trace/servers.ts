const SIGNS = 4;

/**
 * Rows for the servers of a capture (address, port, path) and for pairs of a client address and a server. Interned once for each
 * connection, when its roles are known.
 */
export class Servers {
  private readonly rows = new Map<number, number>();
  /** The last signs of life of each server: times and connections, the latest at `next`. */
  private times = new Float64Array(64 * SIGNS).fill(-1);
  private ids = new Uint32Array(64 * SIGNS);
  private next = new Uint8Array(64);

  /** `kind` as in INT.kind: path << 2 | IPv6 << 1 | UDP. */
  rowOf(address: number, port: number, kind: number): number {
    // Exact below 2 ** 53: 32 bits of address, 16 of port, and a small kind; paths beyond that share rows.
    const key = ((kind & 31) * 65_536 + port) * 2 ** 32 + (address >>> 0);
    const found = this.rows.get(key);
    if (found !== undefined) return found;
    const row = this.rows.size;
    this.rows.set(key, row);
    if (row >= this.next.length) this.grow();
    return row;
  }

  private grow(): void {
    const times = new Float64Array(this.times.length * 2).fill(-1);
    times.set(this.times);
    this.times = times;
    const ids = new Uint32Array(this.ids.length * 2);
    ids.set(this.ids);
    this.ids = ids;
    const next = new Uint8Array(this.next.length * 2);
    next.set(this.next);
    this.next = next;
  }

  /** The server answered a SYN, or closed a connection that it had. */
  alive(row: number, time: number, id: number): void {
    const place = this.next[row] ?? 0;
    const at = row * SIGNS + place;
    this.times[at] = time;
    this.ids[at] = id;
    this.next[row] = (place + 1) % SIGNS;
  }

  /** Whether it showed life in another connection between these times. */
  wasAlive(row: number, from: number, to: number, exceptId: number): boolean {
    for (let at = row * SIGNS; at < (row + 1) * SIGNS; at++) {
      const time = this.times[at] ?? -1;
      if (time >= from && time <= to && this.ids[at] !== exceptId) return true;
    }
    return false;
  }
}
