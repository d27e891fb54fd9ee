import type { Since } from '../model/check-look.js';
import type { CheckState, KnownNamespace } from '../model/check-state.js';
import type { Namespace } from '../model/namespace.js';
import { isOtherMark, type NamespacesObservation } from '../model/observation.js';
import type { Report } from '../model/report.js';
import { COUNTER_FELL, compareRuns, keptCounters, NEW } from './check-memory.js';

/** What a run leaves of several namespaces for the next one. */
export function keptNamespaces({
  looks,
  unread = [],
  others = [],
  sight,
}: NamespacesObservation): Pick<CheckState, 'namespaces' | 'sight'> {
  const kept = new Map<string, KnownNamespace>(
    others.map((namespace) => [namespace.id, { namespace, isOther: true }]),
  );
  for (const look of looks) {
    const { netns: id = '', netnsMark: mark } = look.origin;
    kept.set(id, {
      namespace: look.namespace ?? { id },
      ...(mark !== undefined && { mark }),
      // One that could not be read has counters all the same: the next run must not take them for new.
      ...(look.kind === 'table' && { counters: keptCounters(look.counters) }),
    });
  }
  for (const namespace of unread) kept.set(namespace.id, { namespace });
  return { namespaces: kept, ...(sight !== undefined && { sight }) };
}

/**
 * What happened in one of several namespaces since the run before. One that was made since is compared with zero: its counters
 * began there. `undefined`: whether it was there, or what its counters were, is not known.
 * @param sight from where namespaces are looked for now
 */
export function sinceInNamespace(
  before: CheckState | undefined,
  report: Report,
  sight: string | undefined,
): Since | undefined {
  const { origin, counters, listeners } = report;
  const { netns = '', netnsMark } = origin;
  if (before?.namespaces === undefined) return undefined;
  const known = before.namespaces.get(netns);
  const { netnsMark: _, ...rest } = before;
  const compareWith = (then: Pick<CheckState, 'counters' | 'listeners' | 'netnsMark'>) =>
    compareRuns({ ...rest, ...then, netns }, origin, counters, listeners);
  const compareWithZero = (): Since | undefined => {
    const since = compareWith(NEW);
    return typeof since === 'object' ? { ...since, isNew: true } : undefined;
  };
  if (known === undefined) return isSameSight(before, sight) ? compareWithZero() : undefined;
  const { mark } = known;
  // With another mark it is another one, whether the one before could be read or not.
  const isUnread = known.counters === undefined && !isOtherMark(mark, netnsMark);
  if (isUnread) return undefined;
  const since = compareWith({
    counters: known.counters ?? {},
    listeners: before.listeners,
    ...(mark !== undefined && { netnsMark: mark }),
  });
  // Counters of one namespace never fall.
  const isSurelySame = mark !== undefined && mark === netnsMark;
  if (since === COUNTER_FELL && counters !== undefined && !isSurelySame) return compareWithZero();
  return typeof since === 'object' ? since : undefined;
}

const isSameSight = ({ sight }: CheckState, now: string | undefined) => sight !== undefined && sight === now;

/** Namespaces that came and went between two runs, and what cannot be said of others. */
export interface NamespaceNews {
  readonly came: readonly Namespace[];
  readonly went: readonly Namespace[];
  readonly notes: readonly string[];
}

/** `undefined`: there is no run before that knows of any. @param isNew ids of those that were compared with zero */
export function namespaceNews(
  before: CheckState | undefined,
  now: NamespacesObservation,
  isNew: ReadonlySet<string>,
): NamespaceNews | undefined {
  if (before?.namespaces === undefined || before.bootId !== now.origin.bootId) return undefined;
  const { namespaces: known } = before;
  const { namespaces: there = new Map<string, KnownNamespace>() } = keptNamespaces(now);
  const all = [...there.values()].filter(({ isOther }) => !isOther);
  const unsure = all.filter(({ namespace: { id } }) => !known.has(id) && !isNew.has(id));
  const unasked = all.filter(
    ({ namespace: { id } }) => known.get(id)?.isOther === true && !isNew.has(id),
  ).length;
  const isGone = ({ namespace }: KnownNamespace) => {
    const known = there.get(namespace.id);
    if (known === undefined) return isSameSight(before, now.sight);
    // Of one that nobody asked for no mark is known.
    return isNew.has(namespace.id) || (known.isOther === true && isOtherName(namespace, known.namespace));
  };
  const isUnmarked = ({ namespace: { id }, mark }: KnownNamespace) =>
    !isNew.has(id) &&
    known.has(id) &&
    known.get(id)?.isOther !== true &&
    (mark === undefined || known.get(id)?.mark?.[0] !== mark[0]);
  const unmarked = all.filter(isUnmarked).length;
  return {
    came: all.flatMap(({ namespace }) => (isNew.has(namespace.id) ? [namespace] : [])),
    went: [...known.values()].flatMap((one) => (!one.isOther && isGone(one) ? [one.namespace] : [])),
    notes: [
      ...(unsure.length === 0 ? [] : [unsureText(unsure.length, before, now)]),
      ...(unasked === 0
        ? []
        : [`${counted(unasked)} that the run before saw, but did not look into: a new baseline`]),
      ...(unmarked === 0 ? [] : [unmarkedText(unmarked)]),
    ],
  };
}

const isOtherName = (before: Namespace, now: Namespace): boolean =>
  before.name !== now.name || before.container?.id !== now.container?.id;

const counted = (count: number) => (count === 1 ? '1 namespace' : `${count} namespaces`);

function unsureText(count: number, before: CheckState, { sight }: NamespacesObservation): string {
  const why =
    before.sight === undefined || sight === undefined
      ? 'one of the two could not see all processes'
      : 'it looked from another pid namespace, or with another /run';
  return `${counted(count)} the run before did not see, but may have been there (${why}): a new baseline`;
}

const unmarkedText = (count: number): string =>
  `${counted(count)} known by inode alone, which the kernel may give to another one: a cookie needs Linux 5.14 and --source netlink`;
