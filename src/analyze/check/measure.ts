import type { Measure, Metric } from '../../model/check.js';
import type { CheckLook } from '../../model/check-look.js';
import {
  type ConnectionKey,
  closeWait,
  closeWaitAge,
  connections,
  ephemeralPorts,
  FACT_MEASURES,
  pools,
  type RowFilter,
  synRetries,
} from './connections.js';
import {
  acceptQueue,
  droppedSegments,
  expected,
  isBaseline,
  NO_LISTENER,
  oldestWait,
  overflows,
  synQueue,
} from './listeners.js';
import type { Place, Selection } from './selection.js';

/** What is measured, and of what. */
export interface CheckWish {
  readonly metrics: readonly Metric[];
  readonly selection: Selection;
  readonly rows?: RowFilter | undefined;
  readonly expect: readonly Place[];
  readonly by: ConnectionKey;
}

/** All measures of one look that were asked for; a listener that is not there is said once. Pure. */
export function measure(look: CheckLook, wish: CheckWish): Measure[] {
  const missing = new Set<string>();
  return wish.metrics
    .flatMap((metric) => measureOne(metric, look, wish))
    .filter(({ subject, unknown }) => {
      if (unknown !== NO_LISTENER) return true;
      const isNew = !missing.has(subject);
      missing.add(subject);
      return isNew;
    });
}

function measureOne(metric: Metric, look: CheckLook, { selection, rows, expect, by }: CheckWish): Measure[] {
  switch (metric) {
    case 'accept-queue':
      return acceptQueue(look, selection);
    case 'oldest-wait':
      return oldestWait(look, selection);
    case 'syn-queue':
      return synQueue(look, selection);
    case 'dropped-segments':
      return droppedSegments(look, selection);
    case 'overflows':
      return overflows(look);
    case 'listener':
      return expected(look, expect);
    case 'close-wait':
      return closeWait(look, rows);
    case 'close-wait-age':
      return closeWaitAge(look, rows);
    case 'ephemeral-ports':
      return ephemeralPorts(look, rows);
    case 'connections':
      return connections(look, by, rows);
    case 'pool':
      return pools(look, rows);
    case 'syn-retries':
      return synRetries(look, rows);
    case 'diagnosis':
      // Of several looks together: the run adds it.
      return [];
    case 'time-wait':
    case 'orphans':
    case 'tcp-memory':
      return [{ metric, subject: '', ...FACT_MEASURES[metric](look.facts) }];
  }
}

/** Of two that are as large the newer counts, but not one of a moment between two looks. */
function outdoes(one: Measure, known: Measure): boolean {
  const [value, before] = [one.value ?? -1, known.value];
  if (before === undefined || value > before) return true;
  return value === before && (one.isMomentary !== true || known.isMomentary === true);
}

const keyOf = ({ metric, subject }: Measure) => `${metric}\0${subject}`;

/** Whether a look, too, did not find the listener. */
const isMissing = ({ subject }: Measure, look: readonly Measure[]): boolean =>
  look.some((one) => one.unknown === NO_LISTENER && one.subject === subject);

/** The largest of each over several looks: one look misses bursts. What one look could measure, or compare, is known. */
export function mergeLooks(looks: readonly (readonly Measure[])[]): Measure[] {
  const merged = new Map<string, Measure>();
  for (const one of looks.flat()) {
    const key = keyOf(one);
    const known = merged.get(key);
    if (known === undefined || outdoes(one, known)) merged.set(key, one);
  }
  const last = new Set(looks.at(-1)?.map(keyOf));
  return [...merged.values()].filter((one) => {
    if (one.unknown === NO_LISTENER) return looks.every((look) => isMissing(one, look));
    return !isBaseline(one) || last.has(keyOf(one));
  });
}
