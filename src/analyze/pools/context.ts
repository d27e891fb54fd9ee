import type { HikariMatch, Pool, PoolsSeen } from '../../model/pools.js';
import type { Said } from './words.js';

/** What a rule may look at beside its pool. */
export interface PoolContext {
  readonly seen: PoolsSeen;
  /** The other pools of the same remote. */
  readonly siblings: readonly Pool[];
  /** The other pools of the same process and service port. */
  readonly neighbours: readonly Pool[];
  /** HikariCP's numbers of this pool, if they are of the time of the watch. */
  readonly hikari?: HikariMatch;
  /** Descriptors of its process. */
  readonly descriptors?: { readonly open: number; readonly limit: number };
}

export type PoolRule = (pool: Pool, context: PoolContext) => Said | undefined;
