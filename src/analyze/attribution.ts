import { ROW_FLAGS, type SocketTable } from '../model/table.js';
import { MPTCP, TCP } from './codes.js';

const PORTS = 65536;
const NOBODY: readonly number[] = [];

/**
 * Finds the listener that a connection came to, by KERNEL.md 5: its own address before the wildcard of its family before
 * dual stack, and a listener bound to the device before one that is not. Keys are numbers: no text is made.
 */
export class ListenerIndex {
  /** Rows of listeners by a hash of port and address: what shares one is compared. */
  private readonly buckets = new Map<number, number[]>();
  private readonly portNames = new Map<string, number>();

  constructor(
    private readonly table: SocketTable,
    rows: readonly number[],
  ) {
    for (const row of rows) {
      const hash = this.hash(row);
      const known = this.buckets.get(hash);
      if (known === undefined) this.buckets.set(hash, [row]);
      else known.push(row);
    }
  }

  /** Row of the listener; `undefined` where none of the table fits. */
  find(row: number): number | undefined {
    const specific = this.best(this.buckets.get(this.hash(row)) ?? NOBODY, row);
    const wildcard = this.best(this.buckets.get(this.portOf(row)) ?? NOBODY, row);
    return specific.score >= wildcard.score ? specific.listener : wildcard.listener;
  }

  private best(candidates: readonly number[], row: number): { listener?: number; score: number } {
    let listener = -1;
    let score = 0;
    for (const candidate of candidates) {
      const candidateScore = this.score(candidate, row);
      if (candidateScore <= score) continue;
      listener = candidate;
      score = candidateScore;
    }
    return score === 0 ? { score } : { listener, score };
  }

  /** The port alone for a wildcard. */
  private hash(row: number): number {
    const { localAddress } = this.table;
    let hash = 0;
    for (let word = row * 4; word < row * 4 + 4; word++)
      hash = Math.imul(hash ^ (localAddress[word] ?? 0), 0x9e3779b1);
    return (hash >>> 0) * 2 * PORTS + this.portOf(row);
  }

  /** The other listeners with the same protocol, address, port and device: with it, a SO_REUSEPORT group. */
  twins(row: number): number[] {
    const sharing = this.buckets.get(this.hash(row)) ?? NOBODY;
    return sharing.filter((other) => other !== row && this.isTwin(other, row));
  }

  private isTwin(one: number, other: number): boolean {
    const { table } = this;
    const stack = ROW_FLAGS.localDualStack | ROW_FLAGS.v6only;
    return (
      table.protocol[one] === table.protocol[other] &&
      table.family[one] === table.family[other] &&
      table.localName[one] === table.localName[other] &&
      ((table.flags[one] ?? 0) & stack) === ((table.flags[other] ?? 0) & stack) &&
      this.sameAddress(one, other)
    );
  }

  /** 0: does not fit. The device decides first, except for link-local addresses, which always carry their zone. */
  private score(listener: number, row: number): number {
    const { table } = this;
    const protocol = table.protocol[listener];
    // An MPTCP socket also takes plain TCP; a TCP one never holds MPTCP.
    if (table.protocol[row] === MPTCP ? protocol !== MPTCP : protocol !== TCP && protocol !== MPTCP) return 0;
    const device = table.localName[listener] ?? 0;
    if (device !== 0 && device !== table.localName[row]) return 0;
    const address = this.addressScore(listener, row);
    if (address === 0) return 0;
    const bound = device === 0 ? 0 : 1;
    return this.isLinkLocal(row) ? address * 2 + bound : address + bound * 10;
  }

  private addressScore(listener: number, row: number): number {
    const { table } = this;
    const sameFamily = table.family[listener] === table.family[row];
    if (!this.isWildcard(listener)) return sameFamily && this.sameAddress(listener, row) ? 3 : 0;
    if (sameFamily) return 2;
    const takesBoth = table.family[listener] === 6 && !table.hasFlag(listener, 'v6only');
    return takesBoth ? 1 : 0;
  }

  private isWildcard(row: number): boolean {
    const { localAddress } = this.table;
    for (let word = row * 4; word < row * 4 + 4; word++) if (localAddress[word] !== 0) return false;
    return true;
  }

  private sameAddress(one: number, other: number): boolean {
    const { localAddress } = this.table;
    for (let word = 0; word < 4; word++) {
      if (localAddress[one * 4 + word] !== localAddress[other * 4 + word]) return false;
    }
    return true;
  }

  /** fe80::/10 */
  private isLinkLocal(row: number): boolean {
    return this.table.family[row] === 6 && (this.table.localAddress[row * 4] ?? 0) >>> 22 === 0x3fa;
  }

  /** A port that only has a name stands beyond the numbers. */
  private portOf(row: number): number {
    const { table } = this;
    if (((table.flags[row] ?? 0) & ROW_FLAGS.localPortKnown) !== 0) return table.localPort[row] ?? 0;
    const name = table.note(row, 'localPortName') ?? '';
    const known = this.portNames.get(name);
    if (known !== undefined) return known;
    const port = PORTS + this.portNames.size;
    this.portNames.set(name, port);
    return port;
  }
}
