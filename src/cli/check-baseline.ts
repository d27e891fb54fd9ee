import type { Since } from '../model/check-look.js';
import type { CheckState } from '../model/check-state.js';
import type { Report } from '../model/report.js';
import { compareRuns, keptCounters, keptListeners, knownOf } from '../watch/check-memory.js';

/**
 * What the looks of one run are compared with: the run before, or where none is known that fits, the first of these looks. One look alone,
 * without a run before it, is compared with nothing.
 */
export class CheckBaseline {
  private first: CheckState | undefined;
  private isFirst = false;
  private why: string | undefined;

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
  begin(whole: Report): void {
    this.isFirst = this.first === undefined;
    this.first ??= stateOf(whole, '');
  }

  /** What has happened until this look; `netns`: in this one of several namespaces. */
  since(report: Report, netns?: string): Since | undefined {
    const compare = (state: CheckState | undefined) => {
      const { origin, counters, listeners } = report;
      const known = netns === undefined ? state : knownOf(state, netns);
      const since = compareRuns(known, origin, counters, listeners);
      if (typeof since !== 'string') return since;
      if (netns === undefined) this.why = since;
      return undefined;
    };
    const since = compare(this.before);
    if (since !== undefined || this.isFirst) return since;
    const own = compare(this.first);
    return own === undefined || this.isRecording ? own : { ...own, whileLooking: true };
  }
}

/** What a later look compares with. */
export function stateOf({ origin, counters, listeners, namespaces = [] }: Report, check: string): CheckState {
  return {
    check,
    ...(origin.bootId !== undefined && { bootId: origin.bootId }),
    ...(origin.netns !== undefined && { netns: origin.netns }),
    time: origin.time,
    monotonic: origin.monotonic,
    counters: keptCounters(counters),
    ...(namespaces.length > 1 && {
      namespaces: new Map(namespaces.map((one) => [one.namespace.id, keptCounters(one.counters)])),
    }),
    listeners: keptListeners(listeners),
    history: new Map(),
  };
}
