import type { Filter } from '../analyze/filter.js';
import type { Namespace } from '../model/namespace.js';
import type { Gap, Observation } from '../model/observation.js';
import type { Report } from '../model/report.js';
import { subjectOf } from '../watch/namespace-words.js';

type NamespaceFilter = Pick<Filter, 'missingNamespaces'>;

/** A filter that wants a namespace which nobody looks into shows nothing: an empty list must not read as good news. */
export function filterGaps(filter: NamespaceFilter | undefined, seen: SeenNamespaces): readonly Gap[] {
  const missing = filter?.missingNamespaces(seen.namespaces) ?? [];
  const why = seen.isOwnOnly
    ? "fits no namespace: only sockwatch's own is looked into, without --netns all"
    : 'fits no namespace that was looked into: see them with sockwatch snapshot --netns all';
  // In quotation marks --redact hides it.
  return missing.map((name) => ({ what: `filter netns:${JSON.stringify(name)}`, why }));
}

type NamespaceJudge = Pick<Filter, 'meansNamespace'>;

/** Without those of namespaces only that the filter excludes. */
export const askedGaps = (gaps: readonly Gap[], filter: NamespaceJudge | undefined): readonly Gap[] =>
  filter === undefined
    ? gaps
    : gaps.filter(({ of }) => of === undefined || of.some((one) => filter.meansNamespace(one) !== false));

/** The report without what is said of whole namespaces that the filter excludes. */
export function narrowNamespaces(report: Report, filter: NamespaceJudge | undefined): Report {
  if (filter === undefined || report.namespaces === undefined) return report;
  const excluded = new Set(
    report.namespaces.flatMap(({ namespace }) =>
      filter.meansNamespace(namespace) === false ? [subjectOf(namespace.id)] : [],
    ),
  );
  return {
    ...report,
    findings: report.findings.filter(({ subject }) => !excluded.has(subject)),
    gaps: askedGaps(report.gaps, filter),
  };
}

/** Namespaces that one look, or several, have met. */
export interface SeenNamespaces {
  readonly namespaces: readonly Namespace[];
  /** Without `--netns`. */
  readonly isOwnOnly: boolean;
}

export function namespacesIn({ namespaces, origin }: Report): SeenNamespaces {
  const isOwnOnly = namespaces === undefined && origin.source !== 'recording';
  const own = origin.netns === undefined ? [] : [{ id: origin.netns }];
  return { namespaces: namespaces?.map(({ namespace }) => namespace) ?? own, isOwnOnly };
}

/** The same of all looks of a watch. */
export class NamespaceLog {
  private readonly seen = new Map<string, Namespace>();
  private isOwnOnly = true;

  take(observation: Observation): void {
    const looks = observation.kind === 'namespaces' ? observation.looks : [observation];
    for (const look of looks) {
      if (look.kind !== 'table' && look.kind !== 'gap') continue;
      const { namespace, origin } = look;
      if (namespace !== undefined || origin.source === 'recording') this.isOwnOnly = false;
      const id = namespace?.id ?? origin.netns;
      if (id !== undefined)
        this.seen.set(`${id} ${namespace?.name} ${namespace?.container?.id}`, namespace ?? { id });
    }
  }

  gaps(filter: NamespaceFilter | undefined): readonly Gap[] {
    return filterGaps(filter, { namespaces: [...this.seen.values()], isOwnOnly: this.isOwnOnly });
  }
}

/** Adds to each report what its filter asks for in vain, and leaves out what is of namespaces that it excludes. */
export async function* withFilterGaps(
  reports: AsyncIterable<Report>,
  filter: (NamespaceFilter & NamespaceJudge) | undefined,
): AsyncGenerator<Report> {
  for await (const whole of reports) {
    const report = narrowNamespaces(whole, filter);
    // Nothing was read yet.
    const gaps = report.sockets === undefined ? [] : filterGaps(filter, namespacesIn(report));
    yield gaps.length === 0 ? report : { ...report, gaps: [...report.gaps, ...gaps] };
  }
}
