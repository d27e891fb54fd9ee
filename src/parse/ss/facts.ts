import type { Protocol } from '../../model/sockets.js';
import { SocketTable } from '../../model/table.js';
import { ColumnWriter } from '../column-writer.js';
import { GapList } from '../gaps.js';
import type { Scanner } from './scanner.js';

export interface SsOptions {
  /** Ports by name and protocol, `http/tcp` -> 80, for output made without -n. */
  readonly services?: ReadonlyMap<string, number>;
  /** The protocol of rows without a Netid column; without it TCP, or what the rows show (finish.ts). */
  readonly protocol?: Protocol;
  /** About how many sockets will come, such as the last time: spares the table growing in steps. */
  readonly expectedRows?: number;
  /** Inodes of the Unix sockets by which ss itself is being read: they and their peers are left out. Asked for at the first Unix socket. */
  readonly ownSockets?: () => ReadonlySet<number>;
}

const ULP_PREFIX = 'tcp-ulp-';

/** What `row` says between sockets: no socket yet, or one that was left out with all its details. */
export const NO_ROW = -1;
export const LEFT_OUT = -2;

/** What the whole output shows about the ss that printed it; read in finish.ts. */
export interface Evidence {
  header: boolean;
  /** The header has a Process column: iproute2 5.4 or later. */
  processHeader: boolean;
  bracketedIpv6: boolean;
  bareIpv6: boolean;
  zeroHost: boolean;
  oldUsers: boolean;
  modernTags: boolean;
  /** This ss and its kernel know the window of the peer, and ss leaves it out where it is 0. */
  windows: boolean;
  rawPortNames: boolean;
  /** Some row had a Netid. */
  netid: boolean;
  /** Some line was a row with an address that could not be read. */
  rowLike: boolean;
}

/** Everything that reading one output fills. */
export class Facts {
  readonly table = new SocketTable();
  readonly gaps = new GapList('ss');
  readonly evidence: Evidence = {
    header: false,
    processHeader: false,
    bracketedIpv6: false,
    bareIpv6: false,
    zeroHost: false,
    oldUsers: false,
    modernTags: false,
    windows: false,
    rawPortNames: false,
    netid: false,
    rowLike: false,
  };
  /** Rows whose local host is `*`, in a family that the whole output decides. */
  readonly starHosts: number[] = [];
  /** Rows of kinds that are left out: how many, and where the first was. */
  readonly leftOut = new Map<string, { rows: number; line: number }>();
  row = NO_ROW;
  line = 0;
  /** The end of the present row's cgroup has been looked for (details.ts). */
  arrowSought = false;
  private own: ReadonlySet<number> | undefined;
  private readonly names = new Map<string, string>();
  private readonly columns = new ColumnWriter(this.table);

  constructor(readonly options: SsOptions) {
    this.table.reserve(options.expectedRows ?? 0);
  }

  /** Sets an optional column of the present row. */
  put(column: number, value: number): void {
    this.columns.put(column, this.row, value);
  }

  /** What is said by a word that stands alone: an algorithm of congestion control, or a protocol on top of TCP. */
  setWord(what: 'congestion' | 'ulp', line: Scanner, start: number, stop: number): void {
    const word = line.text(start, stop);
    this.table.setNote(this.row, what, word.startsWith(ULP_PREFIX) ? word.slice(ULP_PREFIX.length) : word);
  }

  /** One string for all owners of that name: 100,000 copies of `nginx` would stay in memory. */
  name(text: string): string {
    const known = this.names.get(text);
    if (known === undefined) this.names.set(text, text);
    return known ?? text;
  }

  /** Whether one of these inodes is of the reader's own sockets. */
  isOwn(inode: number, peer: number): boolean {
    if (this.options.ownSockets === undefined) return false;
    this.own ??= this.options.ownSockets();
    return this.own.has(inode) || this.own.has(peer);
  }

  gap(expected: string, got: string): void {
    this.gaps.atLine(this.line, expected, got);
  }

  leaveOut(kind: string): void {
    const known = this.leftOut.get(kind);
    if (known === undefined) this.leftOut.set(kind, { rows: 1, line: this.line });
    else known.rows++;
    this.row = LEFT_OUT;
  }
}
