import { SOCKET_STATES } from '../../model/sockets.js';
import { ROW_FLAGS, type SocketTable } from '../../model/table.js';
import { type MoveAllowance, MoveBook, type Moved } from './moves.js';

const LISTEN = SOCKET_STATES.indexOf('listen');
const ESTABLISHED = SOCKET_STATES.indexOf('established');
const CLOSE_WAIT = SOCKET_STATES.indexOf('close-wait');

interface Known {
  readonly id: number;
  /** Of what moves on it. */
  readonly slot: number;
  signature: number;
  seen: number;
}

/** What has changed since the look before of the same scope. */
export interface Changes {
  /** Rows to write, and the id of each. */
  readonly rows: readonly (readonly [id: number, row: number])[];
  readonly gone: readonly number[];
  /** What moved on others; absent: more did than is written. */
  readonly moved?: Moved;
}

/**
 * Follows the sockets of one scope from look to look. A socket is written again when its state, its queues, its owner, its timer or its
 * drops are others, and while it waits in an accept queue. Of others on which data moved, only that is written.
 */
export class Lineage {
  private readonly known = new Map<number | string, Known>();
  private readonly moves = new MoveBook();
  private nextId = 0;
  private look = 0;

  /** `at`: monotonic ms. */
  advance(table: SocketTable, at: number, allowance: MoveAllowance): Changes {
    this.look++;
    this.moves.begin(table, at);
    const rows: [number, number][] = [];
    const moved = { ids: [] as number[], slots: [] as number[], rows: [] as number[] };
    const signer = new Signer(table);
    for (let row = 0; row < table.length; row++) {
      const signature = signer.sign(row);
      const key = this.freeKey(keyOf(table, row));
      const known = this.known.get(key);
      if (known === undefined) {
        const slot = this.moves.take();
        this.known.set(key, { id: this.nextId, slot, signature, seen: this.look });
        this.moves.keep(slot, row);
        rows.push([this.nextId++, row]);
        continue;
      }
      known.seen = this.look;
      if (known.signature !== signature) {
        known.signature = signature;
        this.moves.keep(known.slot, row);
        rows.push([known.id, row]);
      } else if (table.state[row] !== LISTEN && this.moves.hasMoved(known.slot, row)) {
        moved.ids.push(known.id);
        moved.slots.push(known.slot);
        moved.rows.push(row);
      }
    }
    const gone = this.forgetGone();
    if (!allowance.take(moved.ids.length)) return { rows, gone };
    this.moves.told();
    return { rows, gone, moved: this.moves.write(moved.ids, moved.slots, moved.rows) };
  }

  /** The kernel's dump is not atomic: a socket may be listed twice. */
  private freeKey(key: number | string): number | string {
    let free = key;
    for (let copy = 2; this.known.get(free)?.seen === this.look; copy++) free = `${key}#${copy}`;
    return free;
  }

  private forgetGone(): number[] {
    const gone: number[] = [];
    for (const [key, { id, slot, seen }] of this.known) {
      if (seen === this.look) continue;
      gone.push(id);
      this.moves.release(slot);
      this.known.delete(key);
    }
    return gone;
  }
}

const U32 = 2 ** 32;

/** The cookie where there is one: no text is made. */
function keyOf(table: SocketTable, row: number): number | string {
  const high = table.cookieHigh[row] ?? 0;
  const low = table.cookieLow[row] ?? 0;
  const hasCookie = ((table.flags[row] ?? 0) & ROW_FLAGS.cookie) !== 0;
  if (hasCookie && high < 2 ** 20 && (high > 0 || low > 0)) return high * U32 + low;
  const words = (values: Uint32Array) => values.subarray(row * 4, row * 4 + 4).join('.');
  return [
    table.protocol[row],
    words(table.localAddress),
    table.localPort[row],
    words(table.remoteAddress),
    table.remotePort[row],
    table.get('inode', row) ?? '',
    table.localName[row],
  ].join(' ');
}

/** One number for what makes a row worth writing again. */
class Signer {
  private readonly inodes;
  private readonly timers;
  private readonly retransmits;
  private readonly drops;
  private readonly ages;

  constructor(private readonly table: SocketTable) {
    this.inodes = table.column('inode');
    this.timers = table.column('timerKind');
    this.retransmits = table.column('timerRetransmits');
    this.drops = table.column('drops');
    this.ages = table.column('lastSentMs');
  }

  sign(row: number): number {
    const { table } = this;
    const state = table.state[row] ?? 0;
    const inode = this.inodes?.[row] ?? -1;
    let hash = mix(0x811c9dc5, state);
    hash = mix(hash, table.flags[row] ?? 0);
    hash = mix(hash, table.recvQueue[row] ?? 0);
    hash = mix(hash, table.sendQueue[row] ?? 0);
    hash = mix(hash, inode);
    hash = mix(hash, this.timers?.[row] ?? -1);
    hash = mix(hash, this.retransmits?.[row] ?? -1);
    hash = mix(hash, this.drops?.[row] ?? -1);
    if (state === LISTEN || inode > 0) hash = mix(hash, table.ownersAt(row)?.[0]?.pid ?? -1);
    const waits = inode === 0 && (state === ESTABLISHED || state === CLOSE_WAIT);
    return waits ? mix(hash, this.ages?.[row] ?? -1) : hash;
  }
}

/** FNV-1a over the low and the high word; NaN counts as 0. */
function mix(hash: number, value: number): number {
  const low = Math.imul(hash ^ (value | 0), 0x01000193);
  return Math.imul(low ^ ((value / U32) | 0), 0x01000193) >>> 0;
}
