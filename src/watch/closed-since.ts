import type { ClosedGroup, ClosedReport } from '../model/closed.js';

const COUNTS = ['closed', 'refused', 'unanswered'] as const;
type Counts = Pick<ClosedGroup, (typeof COUNTS)[number]>;

const NONE: Counts = { closed: 0, refused: 0, unanswered: 0 };

/** What ended of attempts and connections that went out, from one report on: reports count from the beginning. */
export class ClosedSince {
  private readonly before: ReadonlyMap<string, Counts>;
  private readonly withoutDestination: number;

  constructor(start: ClosedReport | undefined) {
    const groups = outbound(start);
    this.before = new Map(
      groups.map(({ id, closed, refused, unanswered }) => [id, { closed, refused, unanswered }]),
    );
    this.withoutDestination = start?.failedWithoutDestination ?? 0;
  }

  /** Groups in which something ended since. */
  of(now: ClosedReport): ClosedReport {
    const groups = outbound(now).flatMap((group): ClosedGroup[] => {
      const before = this.before.get(group.id) ?? NONE;
      // A group that was forgotten meanwhile counts anew.
      const since = (count: (typeof COUNTS)[number]) =>
        group[count] >= before[count] ? group[count] - before[count] : group[count];
      const [closed, refused, unanswered] = [since('closed'), since('refused'), since('unanswered')];
      return closed + refused + unanswered > 0 ? [{ ...group, closed, refused, unanswered }] : [];
    });
    const failedWithoutDestination = Math.max(0, now.failedWithoutDestination - this.withoutDestination);
    return { ...now, groups, failedWithoutDestination };
  }
}

const outbound = (report: ClosedReport | undefined): readonly ClosedGroup[] =>
  (report?.groups ?? []).filter(({ direction }) => direction === 'outbound');
