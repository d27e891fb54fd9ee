import type { Filter } from '../analyze/filter.js';
import type { Namespace } from '../model/namespace.js';
import type { Gap, Observation } from '../model/observation.js';
import type { Report } from '../model/report.js';

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

/** Adds to each report what its filter asks for in vain. */
export async function* withFilterGaps(
  reports: AsyncIterable<Report>,
  filter: NamespaceFilter | undefined,
): AsyncGenerator<Report> {
  for await (const report of reports) {
    // Nothing was read yet.
    const gaps = report.sockets === undefined ? [] : filterGaps(filter, namespacesIn(report));
    yield gaps.length === 0 ? report : { ...report, gaps: [...report.gaps, ...gaps] };
  }
}
