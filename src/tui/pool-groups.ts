import { ESTABLISHED, MPTCP, TCP, UDP, UNIX } from '../analyze/codes.js';
import { type Endpoint, formatEndpoint } from '../model/endpoint.js';
import type { Namespace } from '../model/namespace.js';
import {
  type JudgedPool,
  type PoolDirection,
  type PoolOwner,
  type PoolsAtLook,
  ROW_POOL,
} from '../model/pools.js';
import type { SocketTable } from '../model/table.js';
import { formatOwners } from '../render/text.js';
import { isConnection } from '../watch/pools/states.js';
import { endKeyOf, ownerOf, Whose } from '../watch/pools/whose.js';

/** Rows of one pool. */
export interface Group {
  /** Established, and in any other state. */
  open: number;
  other: number;
  /** The pool, where it is followed. */
  readonly use?: JudgedPool | undefined;
  /** Else one of its rows, and whose that is. */
  readonly found?:
    | (Pick<Whose, 'row' | 'direction' | 'pid' | 'owners'> & { readonly of: number })
    | undefined;
}

/** What a group is called. Raw but for the process. */
interface GroupTexts {
  /** The same from table to table. */
  readonly id: string;
  readonly process: string;
  readonly remote: string;
  readonly namespace?: Namespace | undefined;
}

/** More than any pid: PID_MAX_LIMIT of include/linux/threads.h is 2^22. */
const PIDS = 2 ** 23;

/** The chosen rows of one table by pool: in which the watch has them, else by the same rule. No object per row. */
export class PoolGroups {
  /** By place among the pools. */
  private readonly ofPools = new Map<number, Group>();
  // Nothing that belongs to one namespace is the same as anything of another.
  private readonly others = new Map<number, Map<number | string, Group>>();
  private readonly whose: Whose;
  private readonly isOneOfMany: boolean;

  constructor(
    private readonly table: SocketTable,
    private readonly uses: PoolsAtLook | undefined,
  ) {
    this.whose = new Whose(table);
    this.isOneOfMany = table.sections.length > 1;
  }

  add(row: number): void {
    const { table, uses } = this;
    const protocol = table.protocol[row];
    if (protocol === UNIX || ((protocol === TCP || protocol === MPTCP) && !isConnection(table, row))) return;
    const place = uses?.poolOfRow[row] ?? ROW_POOL.none;
    if (place === ROW_POOL.again) return;
    const group = place < 0 ? this.groupOf(row) : this.groupOfPool(place);
    if (table.state[row] === ESTABLISHED) group.open++;
    else group.other++;
  }

  all(): Group[] {
    return [...this.ofPools.values(), ...[...this.others.values()].flatMap((some) => [...some.values()])];
  }

  /** Pools of which the whole table has no row: all of their connections have come and gone. */
  rowless(): Group[] {
    const { pools, poolOfRow } = this.uses ?? NO_POOLS;
    const seen = new Uint8Array(pools.length);
    for (const place of poolOfRow) if (place >= 0) seen[place] = 1;
    return pools.flatMap((use, place) => (seen[place] === 0 ? [{ use, open: 0, other: 0 }] : []));
  }

  textsOf({ use, found }: Group): GroupTexts {
    if (use !== undefined) return this.texts(use, ownersText(use.owner), use.end, this.namespaceOf(use));
    if (found === undefined) throw new Error('a group without a row');
    const { direction, pid, owners, row, of } = found;
    const end = direction === 'inbound' ? this.table.row(row).local : this.table.row(row).remote;
    const owner = ownerOf(owners, pid);
    const process = owner === 'shared' ? ownersText(owner) : formatOwners(owners);
    const namespace = this.isOneOfMany ? this.table.row(of).namespace : undefined;
    const kind = this.table.protocol[of] === UDP ? ' udp' : '';
    return this.texts({ direction, owner }, process, end, namespace, kind);
  }

  private texts(
    { direction, owner }: { readonly direction: PoolDirection; readonly owner: PoolOwner },
    process: string,
    end: Endpoint | undefined,
    namespace: Namespace | undefined,
    kind = '',
  ): GroupTexts {
    const far = end === undefined ? '-' : formatEndpoint(end);
    const pid = typeof owner === 'object' ? owner.pid : owner;
    return {
      id: `${namespace?.id ?? ''} ${pid} ${direction} ${far}${kind}`,
      process,
      remote: direction === 'inbound' ? `clients of ${far}` : far,
      namespace,
    };
  }

  private namespaceOf({ namespace, netns }: JudgedPool): Namespace | undefined {
    if (!this.isOneOfMany) return undefined;
    return namespace ?? (netns === undefined ? undefined : { id: netns });
  }

  private groupOfPool(place: number): Group {
    return entry(this.ofPools, place, () => ({ use: this.uses?.pools[place], open: 0, other: 0 }));
  }

  private groupOf(of: number): Group {
    const { table, whose } = this;
    whose.load(of);
    const { row, direction, pid, owners } = whose;
    const owner = this.isOneOfMany ? pid + (table.sectionAt(of) + 1) * PIDS : pid;
    const ofOwner = entry(this.others, owner, () => new Map<number | string, Group>());
    const end = endKeyOf(table, row, direction);
    const key = table.protocol[of] === UDP ? `udp ${end}` : end;
    return entry(ofOwner, key, () => ({ found: { row, direction, pid, owners, of }, open: 0, other: 0 }));
  }
}

const NO_POOLS: PoolsAtLook = { pools: [], poolOfRow: new Int32Array(0) };

function ownersText(owner: PoolOwner): string {
  if (owner === 'shared') return owner;
  return formatOwners(typeof owner === 'object' ? [owner] : owner === 'none' ? [] : undefined);
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
