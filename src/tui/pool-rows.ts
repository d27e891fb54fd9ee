import type { Namespace } from '../model/namespace.js';
import { isLeftOver, type JudgedPool, type PoolsAtLook } from '../model/pools.js';
import type { SocketTable } from '../model/table.js';
import { type Group, PoolGroups } from './pool-groups.js';

/** The connections of one process to one remote address and port, or of its clients to one of its listeners. */
export interface PoolRow {
  /** The same from table to table. */
  readonly id: string;
  readonly process: string;
  /** `10.0.0.9:3306`, or `clients of 0.0.0.0:443`. */
  readonly remote: string;
  /** Where the table has several. */
  readonly namespace?: Namespace | undefined;
  /** Established. */
  readonly open: number;
  /** In any other state: TIME-WAIT and CLOSE-WAIT, and those that are being made or closed. */
  readonly other: number;
  /** How they are used, where that is followed. */
  readonly use?: JudgedPool | undefined;
}

export const POOL_SORTS = [
  'open',
  'busy',
  'idle',
  'new',
  'ended',
  'quiet',
  'close_wait',
  'age',
  'rtt',
  'other',
  'process',
  'remote',
] as const;
export type PoolSort = (typeof POOL_SORTS)[number];

const NUMBERS: Partial<Record<PoolSort, (row: PoolRow) => number | undefined>> = {
  open: ({ open }) => open,
  busy: ({ use }) => use?.busy,
  idle: ({ use }) => use?.idle,
  new: ({ use }) => use?.createdPerSecond,
  ended: ({ use }) => use?.closedPerSecond,
  quiet: ({ use }) => use?.quiet?.p50,
  close_wait: ({ use }) => use?.closeWait,
  age: ({ use }) => use?.age?.p50,
  rtt: ({ use }) => use?.rtt?.p50,
  other: ({ other }) => other,
};

/** Whoever scrolls further wants a filter; the texts of 100,000 groups would take longer than a key may. */
const MOST_POOLS = 5000;

interface PoolSteps<Token> {
  readonly stepRows: number;
  readonly token: Token;
  readonly sorting: { readonly by: PoolSort; readonly descending: boolean };
  /** What is known of the use of pools, at the look that the table is of. */
  readonly uses?: PoolsAtLook | undefined;
  /** Which of the pools without a row are wanted; absent: all. */
  readonly filter?: { matchesPool(pool: JudgedPool): boolean } | undefined;
}

/**
 * Groups of the chosen rows, in order, and the pools of which the table has no row, as their connections came and went. Texts are made once per group,
 * not per socket, and of the largest groups only. Yields `token` every `stepRows` rows, for a caller that has other things to do meanwhile.
 */
export function* poolsInSteps<Token>(
  table: SocketTable,
  rows: Uint32Array,
  { stepRows, token, sorting, uses, filter }: PoolSteps<Token>,
): Generator<Token, PoolRow[]> {
  const groups = new PoolGroups(table, uses);
  for (const [position, row] of rows.entries()) {
    if (position % stepRows === stepRows - 1) yield token;
    groups.add(row);
  }
  const isWanted = (use: JudgedPool | undefined) =>
    use !== undefined && !isLeftOver(use, use.findings) && filter?.matchesPool(use) !== false;
  const largest = [...groups.all(), ...groups.rowless().filter(({ use }) => isWanted(use))]
    .sort(bySize)
    .slice(0, MOST_POOLS);
  return sortPools(
    largest.map((group) => {
      const { use, open, other } = group;
      const { namespace, ...texts } = groups.textsOf(group);
      return { ...texts, ...(namespace && { namespace }), open, other, ...(use && { use }) };
    }),
    sorting,
  );
}

const bySize = (a: Group, b: Group): number =>
  b.open - a.open || b.other - a.other || (b.use?.past.created ?? 0) - (a.use?.past.created ?? 0);

/** What is unknown last; those that are alike stay in the order that they had. */
function sortPools(rows: readonly PoolRow[], { by, descending }: PoolSteps<never>['sorting']): PoolRow[] {
  const number = NUMBERS[by];
  const keyOf = (row: PoolRow) =>
    number === undefined ? (by === 'process' ? row.process : row.remote) : number(row);
  const sign = descending ? -1 : 1;
  return rows
    .map((row) => ({ row, key: keyOf(row) }))
    .sort(({ key: a }, { key: b }) => {
      if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
      return (a < b ? -1 : a > b ? 1 : 0) * sign;
    })
    .map(({ row }) => row);
}
