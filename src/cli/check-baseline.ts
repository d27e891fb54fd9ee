import type { Since } from '../model/check-look.js';
import type { CheckState } from '../model/check-state.js';
import type { LookObservation, NamespacesObservation } from '../model/observation.js';
import type { Report } from '../model/report.js';
import { compareRuns, keptCounters, keptListeners } from '../watch/check-memory.js';
import {
  keptNamespaces,
  type NamespaceNews,
  namespaceNews,
  sinceInNamespace,
} from '../watch/check-namespaces.js';

/**
 * What the looks of one run are compared with: the run before, or where none is known that fits, the first of these looks. One look alone,
 * without a run before it, is compared with nothing.
 */
export class CheckBaseline {
  private first: CheckState | undefined;
  private isFirst = false;
  private why: string | undefined;
  /** Namespaces that were made since the run before, by id. */
  private readonly fresh = new Set<string>();

  /** @param isRecording its looks are not those of this run: what is compared is the recording */
  constructor(
    private readonly before: CheckState | undefined,
    private readonly isRecording: boolean,
  ) {}

  /** Why the run before cannot be compared with. */
  get note(): string | undefined {
    return this.why;
  }

  /** Begins a look, of all namespaces. */
  begin(whole: Report, observation: LookObservation): void {
    this.isFirst = this.first === undefined;
    this.first ??= stateOf(whole, observation, '');
  }

  /** What has happened until this look. */
  since({ origin, counters, listeners }: Report): Since | undefined {
    return this.firstKnown((state) => {
      const since = compareRuns(state, origin, counters, listeners);
      if (typeof since !== 'string') return since;
      this.why = since;
      return undefined;
    });
  }

  /** The same in one of several namespaces. */
  sinceIn(report: Report, sight: string | undefined): Since | undefined {
    const since = this.firstKnown((state) => sinceInNamespace(state, report, sight));
    if (since?.isNew && !since.whileLooking) this.fresh.add(report.origin.netns ?? '');
    return since;
  }

  /** Namespaces that came and went, up to the last look. */
  newsOf(last: NamespacesObservation): NamespaceNews | undefined {
    return namespaceNews(this.before, last, this.fresh);
  }

  private firstKnown(compare: (state: CheckState | undefined) => Since | undefined): Since | undefined {
    const since = compare(this.before);
    if (since !== undefined || this.isFirst) return since;
    const own = compare(this.first);
    return own === undefined || this.isRecording ? own : { ...own, whileLooking: true };
  }
}

/** What a later look compares with. */
export function stateOf(
  { origin, counters, listeners }: Report,
  observation: LookObservation,
  check: string,
): CheckState {
  return {
    check,
    ...(origin.bootId !== undefined && { bootId: origin.bootId }),
    ...(origin.netns !== undefined && { netns: origin.netns }),
    ...(origin.netnsMark !== undefined && { netnsMark: origin.netnsMark }),
    time: origin.time,
    monotonic: origin.monotonic,
    counters: keptCounters(counters),
    ...(observation.kind === 'namespaces' && keptNamespaces(observation)),
    listeners: keptListeners(listeners),
    history: new Map(),
  };
}
