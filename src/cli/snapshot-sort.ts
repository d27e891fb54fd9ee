import { CONNECTION_SORTS, type ConnectionSort, LISTENER_SORTS, type ListenerSort } from '../analyze/sort.js';
import { UsageError } from './usage.js';

/** What to sort by: a key may fit listeners, connections or both. */
export interface SortChoice {
  readonly listeners?: ListenerSort;
  readonly rows?: ConnectionSort;
  readonly descending: boolean;
}

/** Keys that read best from A to Z; of the others, the largest come first. */
const ASCENDING: ReadonlySet<string> = new Set(['state', 'local', 'remote', 'address', 'process']);

/**
 * Reads `--sort KEY` and `--reverse`.
 * @throws UsageError where no list that is shown can be sorted by the key
 */
export function readSort(
  key: string | undefined,
  reverse: boolean,
  shown: { readonly listeners: boolean; readonly rows: boolean },
): SortChoice {
  if (key === undefined) return { descending: reverse };
  const listeners = shown.listeners ? LISTENER_SORTS.find((known) => known === key) : undefined;
  const rows = shown.rows ? CONNECTION_SORTS.find((known) => known === key) : undefined;
  if (listeners === undefined && rows === undefined) {
    const keys = [...(shown.listeners ? LISTENER_SORTS : []), ...(shown.rows ? CONNECTION_SORTS : [])];
    throw new UsageError(
      `--sort: expected one of ${[...new Set(keys)].join(', ')}, got ${JSON.stringify(key)}`,
    );
  }
  const descending = !ASCENDING.has(key) !== reverse;
  return { ...(listeners && { listeners }), ...(rows && { rows }), descending };
}
